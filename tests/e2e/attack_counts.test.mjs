// Devices that count what they did not deliver: in all scripts, both versions of the link, plain and streamed, in jobs,
// workflows and conversations. The buyer pays for what came.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { admin, assertBooks, nano, requestsOf } from './support/accounts.mjs';
import { chat, user } from './support/chat.mjs';
import { Attack, answer, PRICE, withOwners } from './support/hostile_device.mjs';
import { Network, eventually, stopCleanly } from './support/network.mjs';
import { WORKFLOWS, untilWorkflow, workflow } from './support/workflows.mjs';

const UINT32 = 4_294_967_295;
const UINT16 = 65_535;
const SHARE_PERCENT = 85;

const SCRIPTS = {
  thai: 'สวัสดีตอนเช้าที่ริมแม่น้ำ',
  burmese: 'မြစ်ကမ်းနားမှာ မနက်ခင်း',
  arabic: 'صباح الخير عند النهر القديم',
  hebrew: 'בוקר טוב ליד הנהר',
  emoji: '👩‍👩‍👧‍👦🏳️‍🌈🧑🏽‍🚀🇪🇹👍🏿',
  chinese: '河边的早晨很安静。',
  korean: '강가의 아침은 조용하다',
  devanagari: 'नदी के किनारे सुबह',
  marks: '\u0301\u200d\u202e\ufeff\u2066',
  blanks: '\n\n\t  \u00a0\u3000\n',
};

/** Lies: what is said of a text with each delta, and at the end. */
const LIES = {
  'the end claims all that fits a number': (pieces) => ({ each: 1, claim: UINT32, prompt: [3, 3], least: pieces }),
  'each delta claims all that fits it': (pieces) => ({ each: UINT16, claim: pieces, prompt: [3, 3] }),
  'both do': () => ({ each: UINT16, claim: UINT32, prompt: [UINT32, UINT32] }),
  'one more than there are bytes': (pieces, bytes) => ({ each: 1, extra: bytes + 5 - pieces, claim: bytes + 5, prompt: [3, 3] }),
  'the prompt grows on the way': (pieces) => ({ each: 1, claim: pieces, prompt: [4, UINT32], promptMax: 4, least: pieces }),
  'the prompt was large at first': (pieces) => ({ each: 1, claim: pieces, prompt: [UINT32, 5], promptMax: 5, least: pieces }),
  'nothing is claimed at all': () => ({ each: 0, claim: 0, prompt: [0, 0], promptMax: 0, least: 0 }),
};

function deliver(device, job, text, lie) {
  const pieces = [...text];
  device.accept(job, lie.prompt[0]);
  for (const piece of pieces) device.delta(job, piece, lie.each);
  if (lie.extra > 0) device.delta(job, '', lie.extra);
  device.done(job, { prompt_tokens: lie.prompt[1], completion_tokens: lie.claim, cached_tokens: UINT32 });
}

let network;
before(async () => {
  network = await withOwners(await Network.gateway());
});
after(async () => {
  await assertBooks(network);
  await stopCleanly(network);
});

async function attack(tell) {
  const scene = await Attack.open(network);
  await tell(scene);
  scene.close();
}

describe('one answer', { concurrency: 8 }, () => {
  let turn = 0;
  for (const [script, text] of Object.entries(SCRIPTS)) {
    for (const [lie, make] of Object.entries(LIES)) {
      turn += 1;
      if (turn % 3 !== 0) continue; // each script and each lie has its turn, with both versions and both kinds of answers
      const version = 1 + turn % 2;
      const stream = turn % 4 < 2;
      test(`${script}, ${lie} (version ${version}, ${stream ? 'stream' : 'plain'})`, () => attack(async (scene) => {
        const device = await scene.device({ version });
        const told = make([...text].length, Buffer.byteLength(text));
        const asking = scene.ask(text, { stream, max_tokens: 4000 });
        deliver(device, await device.job(), text, told);
        const got = await scene.text(asking);
        assert.ok(text.startsWith(got), `${JSON.stringify(got)} came`);
        await scene.assertMoney({ delivered: got, claimed: told.least, promptMax: told.promptMax });
      }));
    }
  }
});

describe('an answer of nothing costs nothing', { concurrency: 8 }, () => {
  const empties = {
    'tokens without text': [(device, job) => device.delta(job, '', 60)],
    'no delta': [() => {}],
    'a thousand deltas of nothing': [(device, job) => {
      for (let i = 0; i < 1000; i += 1) device.delta(job, '', i % 20 === 0 ? 1 : 0);
    }],
    'more tokens than there may be, without text': [(device, job) => device.delta(job, '', UINT16), 'ดี'],
    'the same bit by bit': [(device, job) => {
      for (let i = 0; i < 100; i += 1) device.delta(job, '', 1);
    }, '好'],
  };
  for (const [name, [evil, rescued]] of Object.entries(empties)) {
    for (const version of [1, 2]) {
      test(`${name}, version ${version}`, () => attack(async (scene) => {
        const device = await scene.device({ version });
        const asking = scene.ask('สวัสดี '.repeat(40), { stream: version === 2 });
        const job = await device.job();
        if (rescued) await scene.rescue([rescued]);
        device.accept(job, 500);
        evil(device, job);
        device.done(job, { prompt_tokens: 500, completion_tokens: 150 });
        assert.equal(await scene.text(asking), rescued ?? '');
        const { cost, byMallory } = await scene.assertMoney({ delivered: rescued, claimed: 1, promptMax: 3 });
        assert.deepEqual([cost, byMallory], [rescued ? 3 * PRICE.prompt + PRICE.completion : 0, 0]);
      }));
    }
  }
});

describe('text is bounded by max_tokens', { concurrency: 8 }, () => {
  for (const [script, unit] of [['thai', 'ก'], ['emoji', '🧑🏽‍🚀'], ['chinese', '河'], ['blanks', ' ']]) {
    for (const tokens of [0, 1]) {
      test(`${script}, ${tokens} tokens a delta`, () => attack(async (scene) => {
        const device = await scene.device({ version: 1 + tokens });
        const asking = scene.ask('Hi', { max_tokens: 7, stream: tokens === 1 });
        const job = await device.job();
        device.accept(job, 3);
        const piece = unit.repeat(Math.floor(60_000 / Buffer.byteLength(unit)));
        for (let i = 0; i < 20; i += 1) device.delta(job, piece, tokens);
        device.done(job, { prompt_tokens: 3, completion_tokens: 7 });
        const got = await scene.text(asking);
        assert.ok(Buffer.byteLength(got) <= 7 * 128 + 2048, `${Buffer.byteLength(got)} bytes`);
        assert.ok(!got.includes('\ufffd'), 'no character is cut');
        await scene.assertMoney({ delivered: got, claimed: 7 });
      }));
    }
  }
});

describe('several devices, one bill', () => {
  const quits = { 'gives up': (device, job) => device.fail(job, 'overloaded', 'busy'), 'is cut': (device) => device.cut() };
  for (const [name, quit] of Object.entries(quits)) {
    for (const version of [1, 2]) {
      test(`a count of one that ${name} binds nobody, version ${version}`, () => attack(async (scene) => {
        const device = await scene.device({ version });
        const asking = scene.ask('คำ '.repeat(300), { stream: version === 1 });
        const job = await device.job();
        await scene.rescue(['ดี', 'มาก'], { version: 3 - version });
        device.accept(job, version === 1 ? 1 : UINT32);
        if (version === 2) device.progress(job, UINT32);
        quit(device, job);
        assert.equal(await scene.text(asking), 'ดีมาก');
        const line = await scene.assertMoney({ delivered: 'ดีมาก', claimed: 2, promptMax: 3 });
        assert.deepEqual([line.prompt_tokens, line.completion_tokens, line.byMallory], [3, 2, 0]);
      }));
    }
  }

  test('who is lost in mid-answer is paid for the text that came of it, not for the prompt', () => attack(async (scene) => {
    const device = await scene.device({ version: 2 });
    const asking = scene.ask('Hello', { stream: true });
    const job = await device.job();
    await scene.rescue([' مرحبا', ' بك']);
    device.accept(job, UINT32);
    device.delta(job, '你好', 60);
    device.fail(job, 'engine', 'gone');
    const got = await scene.text(asking);
    assert.equal(got, '你好 مرحبا بك');
    const line = await scene.assertMoney({ delivered: got, makers: 2, promptMax: 3 });
    const most = (Buffer.byteLength('你好') + 4) * PRICE.completion;
    assert.ok(line.byMallory <= Math.floor(most * SHARE_PERCENT / 100), `${line.byMallory}`);
  }));
});

describe('other doors, the same bill', { concurrency: 4 }, () => {
  /** All that a lying device is asked while `tell` runs is answered with this text and wild counts. */
  async function lying(scene, text, version = 2) {
    const device = await scene.device({ version, slots: 16 });
    void device.serve((link, job) => deliver(link, job, text,
      { each: 9, claim: UINT32, prompt: [UINT32, UINT32] }));
  }

  /** Each line of the buyer's: its bytes of text at most, or nothing. */
  async function assertLines(scene, count, bytes, promptMost) {
    const lines = await requestsOf(network, scene.buyer.api_key);
    assert.equal(lines.length, count);
    let sum = 0;
    for (const line of lines) {
      assert.ok(line.completion_tokens <= bytes + 4, `${line.completion_tokens}`);
      assert.ok(line.prompt_tokens <= promptMost, `${line.prompt_tokens} of prompt`);
      sum += nano(line.cost_usd);
    }
    const earned = await scene.earned(network.mallory);
    assert.ok(earned <= Math.floor(sum * SHARE_PERCENT / 100), `${earned} of ${sum}`);
  }

  for (const version of [1, 2]) {
    test(`jobs, version ${version}`, () => attack(async (scene) => {
      await lying(scene, SCRIPTS.burmese, version);
      const key = scene.buyer.api_key;
      for (let i = 0; i < 3; i += 1) {
        const made = await (await network.post('/v1/jobs', chat(SCRIPTS.arabic, { model: scene.model, max_tokens: 900 }), { key })).json();
        const job = await eventually(async () => {
          const found = await (await network.fetch(`/v1/jobs/${made.id}`, { key })).json();
          return found.status === 'COMPLETED' && found;
        }, 'the job does not end');
        assert.equal(job.result.choices[0].message.content, SCRIPTS.burmese);
      }
      await assertLines(scene, 3, Buffer.byteLength(SCRIPTS.burmese), 272 + Buffer.byteLength(SCRIPTS.arabic));
    }));
  }

  test('a workflow and its cap', () => attack(async (scene) => {
    await lying(scene, SCRIPTS.thai);
    const key = scene.buyer.api_key;
    const cap = 0.01;
    const body = workflow('research', SCRIPTS.korean, { model: scene.model, max_tokens: 300,
      orchestration: { max_cost_usd: cap } });
    const response = await network.post('/v1/chat/completions', body, { key });
    assert.equal(response.status, 200, await response.clone().text());
    await response.text();
    const { workflows: [{ id }] } = await (await network.fetch(WORKFLOWS, { key })).json();
    const found = await untilWorkflow(network, id, key);
    let cost = 0;
    for (const step of found.steps) {
      assert.ok(step.completion_tokens <= Buffer.byteLength(SCRIPTS.thai) + 4, `${step.name}: ${step.completion_tokens}`);
      cost += nano(step.cost_usd);
    }
    assert.ok(cost > 0 && cost <= cap * 1e9, `${cost}`);
    const view = await admin(network, 'GET', `/admin/accounts/${scene.buyer.id}`);
    assert.equal(5_000_000_000 - nano(view.balance_usd), cost);
  }));

  test('a conversation is not made to forget by inflated counts', () => attack(async (scene) => {
    const device = await scene.device({ version: 2 });
    const key = scene.buyer.api_key;
    const { id } = await (await network.post('/v1/conversations', { auto_title: false, auto_summary: false }, { key })).json();
    const say = async (content, lie) => {
      const asking = network.post('/v1/chat/completions',
        chat(content, { model: scene.model, messages: user(content), conversation_id: id, max_tokens: 100 }), { key });
      const { job, request } = await device.until('job');
      if (lie) deliver(device, job, SCRIPTS.emoji, { each: 4, claim: UINT32, prompt: [UINT32, UINT32] });
      else answer(device, job, ['ok']);
      assert.equal((await asking).status, 200, await (await asking).clone().text());
      await (await asking).text();
      return request.messages.map((message) => message.content);
    };
    await say(SCRIPTS.chinese, true);
    await say(SCRIPTS.hebrew, true);
    const third = await say('และคุณล่ะ', false);
    for (const text of [SCRIPTS.chinese, SCRIPTS.hebrew, SCRIPTS.emoji]) {
      assert.ok(third.includes(text), `${text} is no part of the prompt any more: ${third}`);
    }
  }));
});
