// Devices that break the rules of the link, half of them or all: nobody's answer has a seam, the buyer pays for what came,
// and the neighbours' requests go on.
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { admin, assertBooks, command, nano, requestsOf } from './support/accounts.mjs';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { Attack, answer, HostileDevice, PART, part, PRICE, tokenIds, withOwners } from './support/hostile_device.mjs';
import { Network, REFERENCE_MODEL, eventually, stopCleanly, within } from './support/network.mjs';
import { RawConnection, rawPost } from './support/raw.mjs';

const UINT32 = 4_294_967_295;
const MAX_JOB = 9_007_199_254_740_991;
const NINES = Buffer.alloc(8, 0xff);

let network;
before(async () => {
  network = await withOwners(await Network.gateway(['--accept-ms', '6000', '--first-token-ms', '6000', '--silence-ms', '6000',
    '--queue-ms', '6000']));
  await network.scripted(['--slots', '16']);
});
after(async () => {
  assert.equal(textOf(await ask(network, chat(script({ text: 'all is well' })))), 'all is well');
  await assertBooks(network);
  await stopCleanly(network);
});

async function attack(tell) {
  const scene = await Attack.open(network);
  await tell(scene);
  scene.close();
}

/** A neighbour's stream and plain answer, while `tell` runs. */
async function beside(tell) {
  const neighbours = ['one two three', 'หนึ่ง สอง สาม'].map((text, i) =>
    ask(network, chat(script({ text, rate: 50 }) + i)).then((answer) => assert.equal(textOf(answer), text)));
  await tell();
  await Promise.all(neighbours);
}

/** A message of version 1 in a delta's place: what follows the kind, job and count is as given. */
function v1Delta(job, text, tokens = 1) {
  const head = Buffer.alloc(11);
  head.writeUInt8(1, 0);
  head.writeUInt16BE(tokens, 1);
  head.writeBigUInt64BE(BigInt(job), 3);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** What closes the link, in the middle of a job of which "half " was delivered: [version, code, what is sent]. */
const VIOLATIONS = {
  'half a character': [1, 1002, (d, job) => d.binary(v1Delta(job, Buffer.from('ก').subarray(0, 2)))],
  'a surrogate': [1, 1002, (d, job) => d.binary(v1Delta(job, Buffer.from([0xed, 0xa0, 0x80])))],
  'a text over 64 KiB': [1, 1002, (d, job) => d.binary(v1Delta(job, 'ก'.repeat(21_846)))],
  'the job 0': [1, 1002, (d) => d.binary(v1Delta(0, 'x'))],
  'the job 2^53': [1, 1002, (d) => d.binary(v1Delta(MAX_JOB + 1, 'x'))],
  'a delta of five bytes': [1, 1002, (d) => d.binary(Buffer.from([1, 0, 1, 0, 0]))],
  'an accept of less than nothing': [1, 1002, (d, job) => d.send({ type: 'accept', job, prompt_tokens: -1 })],
  'an accept of 2^32': [1, 1002, (d, job) => d.send({ type: 'accept', job, prompt_tokens: UINT32 + 1 })],
  'an accept of half a token': [1, 1002, (d, job) => d.send({ type: 'accept', job, prompt_tokens: 0.5 })],
  'an accept of 1e999': [1, 1002, (d, job) => d.send(`{"type":"accept","job":${job},"prompt_tokens":1e999}`)],
  'an accept of NaN': [1, 1002, (d, job) => d.send(`{"type":"accept","job":${job},"prompt_tokens":NaN}`)],
  'a done without counts': [1, 1002, (d, job) => d.send({ type: 'done', job, finish: 'stop' })],
  'a done with a list of counts': [1, 1002, (d, job) => d.send({ type: 'done', job, finish: 'stop', usage: [1, 2] })],
  'a done of an unknown end': [1, 1002, (d, job) => d.send({ type: 'done', job, finish: 'paid', usage: { prompt_tokens: 1, completion_tokens: 1 } })],
  'an unknown failure': [1, 1002, (d, job) => d.fail(job, 'no_money', 'pay')],
  'a message of the gateway': [1, 1002, (d, job) => d.send({ type: 'cancel', job })],
  'a job of its own': [1, 1002, (d, job) => d.send({ type: 'job', job, request: {} })],
  'a welcome': [1, 1002, (d) => d.send({ type: 'welcome', provider_id: 'x', heartbeat_ms: 1 })],
  'text that is not UTF-8': [1, 1007, (d) => d.sendFrame(1, Buffer.from([0x7b, 0xff, 0x7d]))],
  'an unmasked frame': [1, 1002, (d) => d.frame(0x81, 2, Buffer.from('{}'))],
  'a reserved bit': [1, 1002, (d) => d.frame(0xc1, 0x80, Buffer.alloc(4))],
  'a reserved kind of frame': [1, 1002, (d) => d.frame(0x83, 0x80, Buffer.alloc(4))],
  'a ping in pieces': [1, 1002, (d) => d.frame(0x09, 0x80, Buffer.alloc(4))],
  'a ping of 126 bytes': [1, 1002, (d) => d.frame(0x89, 0xfe, Buffer.concat([Buffer.from([0, 126]), Buffer.alloc(130)]))],
  'a length in the long form': [1, 1002, (d) => d.frame(0x82, 0xfe, Buffer.concat([Buffer.from([0, 5]), Buffer.alloc(9)]))],
  'a frame of 2^63 bytes': [1, undefined, (d) => d.frame(0x82, 0xff, NINES)],
  'the rest of no message': [1, 1002, (d) => d.frame(0x80, 0x80, Buffer.alloc(4))],
  'pieces without end': [1, 1009, (d) => {
    const piece = Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(4), Buffer.alloc(UINT32 & 0xffff, 0x20)]);
    d.frame(0x01, 0xfe, piece);
    for (let i = 0; i < 8; i += 1) d.frame(0x00, 0xfe, piece);
  }],
  'an accept in text': [2, 1002, (d, job) => d.send({ type: 'accept', job, prompt_tokens: 3 })],
  'a delta of version 1': [2, 1002, (d, job) => d.binary(v1Delta(job, 'x'))],
  'more ids than tokens': [2, 1002, (d, job) => d.parts(job, 1, part(PART.text, 'x'), tokenIds(1, 2))],
  'fewer ids than tokens': [2, 1002, (d, job) => d.parts(job, 3, part(PART.text, 'x'), tokenIds(1, 2))],
  'ids twice': [2, 1002, (d, job) => d.parts(job, 1, part(PART.text, 'x'), tokenIds(1), tokenIds(1))],
  'half an id': [2, 1002, (d, job) => d.parts(job, 1, part(PART.text, 'x'), part(PART.ids, Buffer.alloc(3)))],
  'two texts': [2, 1002, (d, job) => d.parts(job, 1, part(PART.text, 'x'), part(PART.text, 'y'))],
  'a text that is not the first part': [2, 1002, (d, job) => d.parts(job, 1, part(PART.reasoning, 'x'), part(PART.text, 'y'))],
  'a part longer than its message': [2, 1002, (d, job) => d.parts(job, 1, part(PART.text, 'x', 0xffffff))],
  'a part without a length': [2, 1002, (d, job) => d.parts(job, 1, Buffer.from([PART.text, 0]))],
  '65 parts': [2, 1002, (d, job) => d.parts(job, 1, ...Array(65).fill(part(PART.reasoning, '')))],
  'the call 128': [2, 1002, (d, job) => d.parts(job, 1, part(PART.tool, Buffer.from([0, 128, 0, 0, 0, 0])))],
  'probabilities above one': [2, 1002, (d, job) => d.parts(job, 1, part(PART.logprobs,
    Buffer.from([0, 0, 0, 0, 1, 0x3f, 0x80, 0, 0, 0, 1, 0x61])))],
  'probabilities that are no numbers': [2, 1002, (d, job) => d.parts(job, 1, part(PART.logprobs,
    Buffer.from([0, 0, 0, 0, 1, 0x7f, 0xc0, 0, 0, 0, 1, 0x61])))],
  'a sound without a format': [2, 1002, (d, job) => d.parts(job, 1, part(PART.audio, Buffer.from([0, 1])))],
  'half a done': [2, 1002, (d) => d.binary(Buffer.from([4, 0, 0, 0]))],
};

describe('a violation in mid-answer', { concurrency: 8 }, () => {
  for (const [name, [version, code, evil]] of Object.entries(VIOLATIONS)) {
    test(name, () => attack(async (scene) => {
      const device = await scene.device({ version });
      const asking = scene.ask('Hello', { stream: name.length % 2 === 0 });
      const job = await device.job();
      await scene.rescue(['der ', 'Rest']);
      device.accept(job, 3);
      device.delta(job, 'ครึ่ง ', 2);
      evil(device, job);
      const closed = await device.closing();
      if (code) assert.equal(closed.code, code, closed.reason);
      const got = await scene.text(asking);
      assert.ok(['ครึ่ง der Rest', 'der Rest'].includes(got), got); // the half came, or went with its link
      const { byMallory } = await scene.assertMoney({ delivered: got, claimed: 4, promptMax: 3, makers: 2 });
      assert.ok(byMallory <= 2 * PRICE.completion, `${byMallory}`);
    }));
  }
});

/** What is ignored, or does harm to nobody but who sent it: the device ends its answer after it. */
const IGNORED = {
  'deltas of no job': (d) => { for (let i = 1; i < 200; i += 1) d.delta(i, 'stolen'); },
  'ends of no job': (d) => { for (let i = 1; i < 200; i += 1) d.done(i, { prompt_tokens: UINT32, completion_tokens: UINT32 }); },
  'accepts without end': (d, job) => { for (let i = 0; i < 200; i += 1) d.accept(job, UINT32 - i); },
  'statuses without end': (d, job, scene) => { for (let i = 0; i < 200; i += 1) d.status([scene.model], { slots: i }); },
  'failures of no job': (d) => { for (let i = 1; i < 200; i += 1) d.fail(i, 'bad_request', 'refused'); },
  'scores of no job': (d, job) => d.send({ type: 'scored', job: job + 1, spells: true, tokens: 9, near: 0, far_tokens: 0,
    flatter: -1, flattest: -1, sharper: -1, far: -1 }),
  'a score of its own answer': (d, job) => d.send({ type: 'scored', job, spells: true, tokens: 9, near: 0, far_tokens: 0,
    flatter: -1, flattest: -1, sharper: -1, far: -1 }),
  'kinds of messages that are to come': (d) => {
    d.send({ type: 'pay_me', amount: 1e308 });
    d.binary(Buffer.from([0x7f, 1, 2, 3]));
  },
};

describe('what is ignored', { concurrency: 3 }, () => {
  for (const [name, evil] of Object.entries(IGNORED)) {
    for (const version of [1, 2]) {
      test(`${name}, version ${version}`, () => attack(async (scene) => {
        const device = await scene.device({ version });
        const asking = scene.ask('Hello', { stream: version === 1 });
        const job = await device.job();
        device.accept(job, 3);
        evil(device, job, scene);
        device.delta(job, 'دقيق', 2);
        evil(device, job, scene);
        device.done(job, { prompt_tokens: 3, completion_tokens: 2 });
        const more = 'after the end';
        device.delta(job, more, 50);
        device.done(job, { prompt_tokens: UINT32, completion_tokens: UINT32 });
        device.fail(job, 'engine', more);
        assert.equal(await scene.text(asking), 'دقيق');
        await scene.assertMoney({ delivered: 'دقيق', claimed: 2 });
      }));
    }
  }
});

describe('numbers of a status', { concurrency: 4 }, () => {
  const ABSURD = {
    'slots of less than nothing': '{"id":"$","state":"warm","slots":-1}',
    'slots without end': '{"id":"$","state":"warm","slots":1e308}',
    'a context of 2^32': '{"id":"$","state":"warm","slots":1,"context_length":4294967296}',
    'bytes beyond 2^53': '{"id":"$","state":"downloading","bytes_total":9007199254740993}',
    'a load time of NaN': '{"id":"$","state":"cold","load_ms":NaN}',
    'a load time of -0.5': '{"id":"$","state":"cold","load_ms":-0.5}',
    'an id of nothing': '{"id":"","state":"warm"}',
    'an id with a mark of direction': '{"id":"a\u202eb","state":"warm"}',
    'a digest that is too short': '{"id":"$","state":"warm","sha256":"ff"}',
  };
  for (const [name, model] of Object.entries(ABSURD)) {
    test(`${name} close the link`, () => attack(async (scene) => {
      const device = await HostileDevice.enrol(network, network.mallory.token, [], { version: 2 });
      device.send(`{"type":"status","models":[${model.replace('$', scene.model)}]}`);
      const { code } = await device.closing();
      assert.equal(code, 1002);
    }));
  }

  test('the largest that there are draw no jobs that an honest device could have, and every view can be read', () =>
    within(Network.gateway([], { strangers: true }), async (strangers) => {
      await withOwners(strangers);
      const honest = await strangers.provider(['--engine', 'scripted', '--model', REFERENCE_MODEL, '--slots', '4']);
      await strangers.untilAvailable(REFERENCE_MODEL);
      await command(strangers, 'provider', 'verify', honest.id);
      await strangers.joined(honest, 2); // its link was closed to be opened as what it is now
      await strangers.untilAvailable(REFERENCE_MODEL);
      const liar = await HostileDevice.enrol(strangers, strangers.mallory.token, [], { version: 2 });
      let drawn = 0;
      liar.send({ type: 'status', active_jobs: UINT32, battery_percent: 100, charging: true, ram_free_bytes: MAX_JOB,
        storage_free_bytes: MAX_JOB, takes_wants: true, models: [{ id: REFERENCE_MODEL, state: 'warm', slots: 256,
          context_length: UINT32, load_ms: UINT32, bytes_done: MAX_JOB, bytes_total: 1, bytes_per_s: MAX_JOB }] });
      void liar.serve((device, job) => {
        drawn += 1;
        device.accept(job, 1);
        device.delta(job, 'free beer', 9);
        device.done(job, { prompt_tokens: 1, completion_tokens: 9 });
      });
      for (let i = 0; i < 30; i += 1) await ask(strangers, chat(`Hello ${i}`, { max_tokens: 16 }));
      assert.ok(drawn <= 6, `${drawn} of 30`);
      const views = await admin(strangers, 'GET', '/admin/providers');
      assert.equal(views.data.length, 2);
      const metrics = await (await fetch(`${strangers.origin}/healthz`)).text();
      assert.ok(metrics.length > 0);
      await assertBooks(strangers);
    }));
});

describe('who it says it is', { concurrency: 4 }, () => {
  test('a signature that another device made is of no use, nor is an old one of its own', async () => {
    const honest = await HostileDevice.enrol(network, network.honest.token);
    for (const version of [[1], [1, 2]]) {
      const thief = new HostileDevice(network.port);
      thief.versions = version;
      thief.publicKey = honest.publicKey; // it says it is the honest one
      const { nonce } = await thief.hello(network.mallory.token);
      const heard = Buffer.concat([Buffer.from('nataris link v1\n'), Buffer.alloc(32, 7), honest.publicKey]);
      const old = sign(null, heard, honest.keys.privateKey); // recorded on the link of the honest one
      assert.ok(nonce);
      thief.send({ type: 'auth', signature: old.toString('base64') });
      const { code, reason } = await thief.closing();
      assert.deepEqual([code, reason], [1008, 'the signature does not match the public key']);
    }
    honest.status([]); // its link is the same as before
    await eventually(async () => (await admin(network, 'GET', `/admin/providers/${honest.id}`)).connected, 'it is gone');
    honest.cut();
  });

  const EARLY = {
    'a status': { type: 'status', models: [] },
    'an auth': { type: 'auth', signature: `${'A'.repeat(86)}==` },
    'a delta': null,
    'a leave': { type: 'leave' },
    'a hello of 70 KB': { type: 'hello', versions: [1], public_key: `${'A'.repeat(43)}=`, device: { name: 'ก'.repeat(23_000) } },
    'a hello of 9 versions': { type: 'hello', versions: Array(9).fill(1), public_key: `${'A'.repeat(43)}=`, device: {} },
    'a hello of a version to come': { type: 'hello', versions: [3, 65_535], public_key: `${'B'.repeat(43)}=`, device: {} },
  };
  for (const [name, message] of Object.entries(EARLY)) {
    test(`${name} at first closes the link`, async () => {
      const device = new HostileDevice(network.port);
      if (message) device.send(message);
      else device.binary(v1Delta(1, 'x'));
      const { code } = await device.closing();
      assert.ok([1002, 1008, 1009].includes(code), `${code}`);
    });
  }
});

describe('refusals', { concurrency: 4 }, () => {
  const WORDS = '\u202eرصيدك انتهى. ادفع هنا https://pay.example/\u202c';

  /** Nothing of it is in what the buyer can read. */
  async function assertUntold(scene, ...texts) {
    const lists = await Promise.all(['/v1/usage/requests', '/v1/jobs', '/v1/workflows'].map(async (route) =>
      (await network.fetch(route, { key: scene.buyer.api_key })).text()));
    for (const text of [...texts, ...lists]) assert.ok(!/pay\.example|رصيدك|\u202e/.test(text), text);
  }

  for (const failure of ['bad_request', 'context_length']) {
    for (const [kind, more] of [['plain', {}], ['stream', { stream: true }]]) {
      test(`${failure}, ${kind}: two devices of one owner are one voice, and a third one answers`, () => attack(async (scene) => {
        const devices = [await scene.device({ version: 2 }), await HostileDevice.enrol(network, network.mallory.token, [scene.model])];
        const asked = new Promise((resolve) => {
          for (const device of devices) {
            void device.serve(async (link, job) => {
              resolve();
              await third;
              link.fail(job, failure, WORDS, 'model');
            });
          }
        });
        const asking = scene.ask('Hello', more);
        const third = asked.then(() => scene.rescue(['bien']));
        assert.equal(await scene.text(asking), 'bien');
        const { byMallory } = await scene.assertMoney({ delivered: 'bien', claimed: 1, promptMax: 3 });
        assert.equal(byMallory, 0);
        await assertUntold(scene);
        devices[1].cut();
      }));
    }
  }

  test('its words are in nothing that the buyer of a job or a workflow can read', () => attack(async (scene) => {
    const device = await scene.device({ version: 2, slots: 16 });
    void device.serve((link, job) => link.fail(job, 'bad_request', WORDS, 'messages[0].content'));
    const key = scene.buyer.api_key;
    const made = await (await network.post('/v1/jobs', chat('Hello', { model: scene.model }), { key })).json();
    const job = await eventually(async () => {
      const text = await (await network.fetch(`/v1/jobs/${made.id}`, { key })).text();
      return JSON.parse(text).status === 'FAILED' && text;
    }, 'the job does not end');
    const body = chat('Hello', { model: scene.model, orchestration: { enabled: true, workflow: 'agent' } });
    const answer = await (await network.post('/v1/chat/completions', body, { key })).text();
    await assertUntold(scene, job, answer);
    const lines = await requestsOf(network, key);
    assert.ok(lines.every((line) => nano(line.cost_usd) === 0));
    assert.equal(await scene.earned(network.mallory), 0);
  }));
});

describe('time', { concurrency: 4 }, () => {
  const SLOW = {
    'never a word after the accept': (d, job) => d.accept(job, 5),
    'progress without end': (d, job) => {
      d.accept(job, 5);
      d.progress(job, UINT32);
      d.progress(job, 0);
      d.progress(job, UINT32);
    },
    'one letter, and then nothing': (d, job) => {
      d.accept(job, 5);
      d.delta(job, 'अ', 1);
    },
  };
  for (const [name, evil] of Object.entries(SLOW)) {
    test(`${name}: another device goes on, and is paid its own`, () => attack(async (scene) => {
      const device = await scene.device({ version: 2 });
      const asking = scene.ask('Hello', { stream: true });
      const job = await device.job();
      await scene.rescue(['endlich']);
      const pulse = setInterval(() => device.sendFrame(10, Buffer.alloc(0)), 200); // it lives
      await beside(async () => {
        evil(device, job);
        assert.equal((await device.until('cancel')).job, job);
      });
      clearInterval(pulse);
      device.delta(job, ' too late', 9);
      device.done(job, { prompt_tokens: UINT32, completion_tokens: UINT32 });
      const got = await scene.text(asking);
      assert.match(got, /^अ?endlich$/);
      const { byMallory } = await scene.assertMoney({ delivered: got, claimed: 2, promptMax: 3, makers: 2 });
      assert.ok(byMallory <= PRICE.completion);
    }));
  }

  test('a stream that fails takes the next request on its connection not with it', () => attack(async (scene) => {
    const device = await scene.device({ version: 2 });
    const body = chat('Hello', { model: scene.model, stream: true });
    const client = new RawConnection(network.port);
    const send = () => client.send(rawPost(network, '/v1/chat/completions', body, { Authorization: `Bearer ${scene.buyer.api_key}` }));
    send();
    const job = await device.job();
    device.accept(job, 3);
    device.delta(job, 'ครึ่ง');
    device.cut(); // and nobody else is there
    await client.until((raw) => raw.text.endsWith('0\r\n\r\n'));
    assert.match(client.text, /"error"/);
    const again = await scene.device({ version: 1 });
    send();
    await Promise.race([client.closed, again.job().then((next) => answer(again, next, ['done']))]);
    await client.until((raw) => raw.text.includes('[DONE]'));
    assert.ok(client.text.includes('[DONE]'), 'the connection was closed under the next request');
    client.cut();
  }));

  test('who reads nothing of what it is sent is cut, though it says that it lives', () => attack(async (scene) => {
    const device = await scene.device({ version: 2 });
    device.socket.pause();
    const pulse = setInterval(() => device.status([scene.model]), 300);
    const long = 'ab '.repeat(1_300_000);
    const asking = [1, 2, 3, 4].map(() => scene.ask(long, { max_tokens: 5 }).then((answer) => answer.status));
    await eventually(async () => !(await admin(network, 'GET', `/admin/providers/${device.id}`)).connected, 'it has a link',
      45_000);
    for (const status of await Promise.all(asking)) assert.ok([402, 408, 503].includes(status), `${status}`);
    clearInterval(pulse);
  }));

  test('floods of messages of all kinds: the neighbours are served', () => attack(async (scene) => {
    const device = await scene.device({ version: 2, slots: 16 });
    await beside(async () => {
      for (let round = 0; round < 40; round += 1) {
        for (let i = 0; i < 50; i += 1) {
          device.sendFrame(9, Buffer.from('ping'));
          device.delta(1 + i, 'x'.repeat(1000), 1);
          device.send({ type: `unknown-${i}` });
          device.status([scene.model]);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const asking = scene.ask('Hello');
    const job = await device.job();
    device.accept(job, 3);
    device.delta(job, 'done', 1);
    device.done(job);
    assert.equal(await scene.text(asking), 'done');
    await scene.assertMoney({ delivered: 'done', claimed: 1 });
  }));
});
