// Buyers and passers-by that mean harm: to spend what they have not, to turn given credit into money, to speak to devices as
// the gateway does, to read or hold up what is others'.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  admin, assertBooks, balanceOf, createAccount, nano, refusedCommand, requestsOf, untilIdle, usageOf,
} from './support/accounts.mjs';
import { ask, chat, script, textOf, user } from './support/chat.mjs';
import { Attack, answer, HostileDevice, PRICE, withOwners } from './support/hostile_device.mjs';
import { Network, REFERENCE_MODEL, eventually, stopCleanly, within } from './support/network.mjs';
import { RawConnection, rawRequest } from './support/raw.mjs';
import { firstText } from './support/stream.mjs';
import { allWorkflows, untilWorkflow, workflow } from './support/workflows.mjs';

const CHAT = '/v1/chat/completions';
const JOBS = '/v1/jobs';
const WELCOME = 5_000_000_000;

let network;
before(async () => {
  network = await withOwners(await Network.gateway(['--earnings-hold-days', '0']));
  await network.scripted(['--slots', '16']);
});
after(async () => {
  assert.equal(textOf(await ask(network, chat(script({ text: 'all is well' })))), 'all is well');
  await assertBooks(network);
  await stopCleanly(network);
});

/** Resolves once a job has ended, whichever way. */
function untilJob(key, id) {
  return eventually(async () => {
    const job = await (await network.fetch(`${JOBS}/${id}`, { key })).json();
    return ['COMPLETED', 'FAILED', 'CANCELLED'].includes(job.status) && job;
  }, 'the job does not end');
}

/** Through each door at once: `count` of each. */
async function storm(key, model, count, tokens) {
  const bodies = Array.from({ length: count }, (_, i) => chat(`${script({ tokens: 30 })} ${i} สวัสดี`, { model, max_tokens: tokens }));
  const chats = bodies.map((body, i) => network.post(CHAT, { ...body, stream: i % 2 === 0 }, { key }).then((r) => r.text()));
  const jobs = bodies.map((body) => network.post(JOBS, body, { key }).then((r) => r.json())
    .then(({ id }) => id && untilJob(key, id)));
  const flows = bodies.slice(0, Math.ceil(count / 2)).map(() =>
    network.post(CHAT, workflow('research', script({ tokens: 30 }), { model, max_tokens: tokens }), { key }).then((r) => r.text()));
  await Promise.all([...chats, ...jobs, ...flows]);
  for (const { id, status } of await allWorkflows(network, key)) if (status === 'RUNNING') await untilWorkflow(network, id, key);
}

describe('spending', { concurrency: 4 }, () => {
  test('through all doors at once, no more than the cap of the key', async () => {
    const account = await createAccount(network);
    const cap = 200_000;
    const made = await admin(network, 'POST', `/admin/accounts/${account.id}/keys`, { kind: 'live', cap_usd: '0.0002' });
    await storm(made.key, REFERENCE_MODEL, 8, 60);
    await untilIdle(network, account);
    const lines = await requestsOf(network, account.api_key);
    const spent = lines.reduce((sum, line) => sum + nano(line.cost_usd), 0);
    assert.ok(spent > 0 && spent <= cap, `${spent} of ${cap}`);
    assert.equal(WELCOME - await balanceOf(network, account), spent);
    const view = await admin(network, 'GET', `/admin/accounts/${account.id}`);
    assert.equal(view.held_usd, 0);
  });

  for (const [name, pieces] of Object.entries({ thai: ['กา', 'แฟ', 'ร้อน'], emoji: ['👩‍👩‍👧', '🧑🏽‍🚀', '🏳️‍🌈'], arabic: ['قهوة', ' ساخنة', ' جدا'] })) {
    for (const seen of [1, 2, 3]) {
      test(`who goes away after ${seen} of 3 pieces pays for what had come (${name})`, async () => {
        const scene = await Attack.open(network);
        const device = await scene.device({ version: 1 + seen % 2 });
        const leaving = new AbortController();
        const asking = network.post(CHAT, chat('Hi', { model: scene.model, max_tokens: 20, stream: true }),
          { key: scene.buyer.api_key, signal: leaving.signal });
        scene.asked = { content: 'Hi', tokens: 20 };
        const job = await device.job();
        device.accept(job, 3);
        const delivered = pieces.slice(0, seen);
        for (const piece of delivered) device.delta(job, piece, 1);
        let text = (await firstText(await asking).then(async ({ first, events }) => {
          let all = JSON.parse(first.data).choices[0].delta.content;
          while (all !== delivered.join('')) all += JSON.parse((await events.next()).value.data).choices[0].delta.content;
          return all;
        }));
        leaving.abort();
        assert.equal((await device.until('cancel')).job, job);
        for (let i = 0; i < 5; i += 1) device.delta(job, 'more that nobody reads', 3);
        device.done(job, { prompt_tokens: 3, completion_tokens: 60 }, 'cancelled');
        const { cost } = await scene.assertMoney({ delivered: text, claimed: seen, promptMax: 3 });
        assert.equal(cost, 3 * PRICE.prompt + seen * PRICE.completion);
        scene.close();
      });
    }
  }
});

describe('given credit becomes no money', () => {
  async function payoutRefused(account) {
    for (const amount of ['0.000001', '1', '0.000000001']) {
      const said = await refusedCommand(network, 'provider', 'payout', account.id, amount, '--note', 'x');
      assert.match(said, /given credit is never paid out|can be paid out/);
    }
  }

  test('spent by many accounts on one\'s devices, through all doors, and handed on', async () => {
    const [boss, fence] = await Promise.all(['boss', 'fence'].map((name) => createAccount(network, 'unlimited', name)));
    const socks = await Promise.all([1, 2, 3].map((i) => createAccount(network, 'unlimited', `sock ${i}`)));
    const devices = {};
    for (const [name, account] of Object.entries({ boss, fence })) {
      const { token } = await network.invite('--account', account.id);
      devices[name] = await HostileDevice.enrol(network, token, [`washing-${name}`], { version: 2, slots: 16 });
      const words = Array(50).fill('คำ ');
      void devices[name].serve((link, job) => answer(link, job, words, { promptTokens: 9 }));
      await network.untilAvailable(`washing-${name}`);
    }
    for (const { api_key: key } of socks) await storm(key, 'washing-boss', 4, 60);
    for (const sock of socks) await untilIdle(network, sock);
    const earned = await balanceOf(network, boss) - WELCOME;
    const spent = (await Promise.all(socks.map(async (sock) => WELCOME - await balanceOf(network, sock)))).reduce((a, b) => a + b);
    assert.ok(spent > 0 && earned > 0 && earned <= Math.floor(spent * 85 / 100), `${earned} of ${spent}`);
    await payoutRefused(boss);
    await storm(boss.api_key, 'washing-fence', 4, 60); // what was earned is spent on an accomplice's devices
    await untilIdle(network, boss);
    await payoutRefused(fence);
    await storm(boss.api_key, 'washing-boss', 2, 60); // and on the own ones, where it costs nothing
    await untilIdle(network, boss);
    await payoutRefused(boss);
    for (const sock of socks) await admin(network, 'POST', `/admin/accounts/${sock.id}/credits`, { amount_usd: '0.000001', type: 'refund', note: 'x' });
    const view = await usageOf(network, socks[0].api_key);
    assert.equal(await balanceOf(network, socks[0]), nano(view.given_balance_usd), 'a refund of given credit is given credit');
    await payoutRefused(boss);
    for (const device of Object.values(devices)) device.cut();
    await assertBooks(network);
  });
});

describe('a request says what a client may say', () => {
  const SMUGGLED = { scope: '0'.repeat(32), kind: 'score', job: 1, continue_text: 'I owe you', max_tokens_given: false,
    answer: { token_ids: [1], text: 'x', finish: 'stop' }, token_ids: [1, 2], provider: 'prov_x', account: 'acct_x', price: 0,
    cost_usd: 0, charge_nano: -1, slot: 3, cached_tokens: 9, __proto__: { scope: 'x' }, constructor: 'x' };

  for (const stream of [false, true]) {
    test(`what only the gateway says does not pass through (${stream ? 'stream' : 'plain'})`, async () => {
      const scene = await Attack.open(network);
      const device = await scene.device({ version: 2 });
      const asking = scene.ask('Hello', { ...SMUGGLED, stream });
      const early = await Promise.race([asking, device.until('job')]);
      if (early.status) { // refused by name: as good
        assert.equal(early.status, 400);
      } else {
        const { job, kind, scope, answer: scored, request } = early;
        assert.deepEqual([kind, scored], ['generate', undefined]);
        assert.ok(scope !== SMUGGLED.scope && scope.length > 0);
        assert.equal(request.continue_text, undefined);
        for (const name of ['scope', 'kind', 'token_ids', 'account', 'price', 'cost_usd', 'slot', 'provider', 'answer']) {
          assert.ok(!Object.hasOwn(request, name), name);
        }
        answer(device, job, ['ok']);
        assert.equal(await scene.text(asking), 'ok');
        await scene.assertMoney({ delivered: 'ok', claimed: 1, promptMax: 3 });
      }
      scene.close();
    });
  }

  test('scopes of two accounts differ, on one device and for one text', async () => {
    const scene = await Attack.open(network);
    const other = await createAccount(network);
    const device = await scene.device({ version: 2 });
    const scopes = [];
    for (const key of [scene.buyer.api_key, scene.buyer.api_key, other.api_key]) {
      const asking = network.post(CHAT, chat('งานลับ', { model: scene.model, messages: user('งานลับ') }), { key });
      const { job, scope } = await device.until('job');
      scopes.push(scope);
      device.accept(job, 20);
      device.delta(job, 'ok');
      device.done(job, { prompt_tokens: 20, completion_tokens: 1, cached_tokens: 20 });
      const { usage } = await (await asking).json();
      if (scopes.length !== 2) assert.equal(usage.prompt_tokens_details.cached_tokens, 0, 'the first of its scope');
    }
    assert.equal(scopes[0], scopes[1]);
    assert.notEqual(scopes[0], scopes[2]);
    scene.close();
  });
});

describe('passers-by', { concurrency: 4 }, () => {
  const ROUTES = ['POST /v1/jobs', 'POST /v1/conversations', 'POST /v1/webhooks', 'POST /v1/workflows/estimate', 'PATCH /v1/webhooks/x',
    'POST /v1/inference', 'PUT /v1/chat/completions', 'POST /v1/embeddings', 'DELETE /v1/conversations/x'];
  const BODIES = {
    'of a length': ['Content-Length: 4000000\r\n', ' '.repeat(100_000)],
    'in chunks': ['Transfer-Encoding: chunked\r\n', `ffff\r\n${' '.repeat(0xffff)}\r\n`],
  };
  for (const [name, [head, body]] of Object.entries(BODIES)) {
    test(`bodies ${name} without a key are kept by no route`, async () => {
      const open = ROUTES.flatMap((route) => Array.from({ length: 6 }, () => {
        const [method, path] = route.split(' ');
        const keyed = ['', 'Authorization: Bearer nat_live_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'];
        return keyed.map((line) => new RawConnection(network.port)
          .send(rawRequest(method, path, `Content-Type: application/json\r\n${line}${head}`)).send(body));
      })).flat();
      await ask(network, chat(script({ text: 'served' })));
      for (const connection of open) {
        await connection.until((raw) => raw.statuses.length > 0);
        assert.ok([401, 404, 405, 429].includes(connection.statuses[0]), connection.text.slice(0, 200));
        connection.cut();
      }
    });
  }

  test('links that say nothing, or half a hello, keep no device out', async () => {
    const upgrade = rawRequest('GET', '/link', { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol': 'nataris.link.v1' });
    const halves = [Buffer.alloc(0), Buffer.from([0x81]), Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x7b]),
      Buffer.from([0x01, 0x80, 0, 0, 0, 0])];
    const knocking = Array.from({ length: 120 }, (_, i) => new RawConnection(network.port).send(upgrade).send(halves[i % 4]));
    const scene = await Attack.open(network);
    const device = await scene.device({ version: 2 });
    const asking = scene.ask('Hi');
    answer(device, await device.job(), ['ok']);
    assert.equal(await scene.text(asking), 'ok');
    knocking.forEach((connection) => connection.cut());
    scene.close();
  });

  test('an address that is turned away does not take the others with it', () => within(
    Network.gateway(['--address-failed-keys', '5']), async (guarded) => {
      await guarded.scripted();
      for (let i = 0; i < 12; i += 1) {
        const refused = new RawConnection(guarded.port).send(rawRequest('GET', '/v1/usage', { Authorization: `Bearer nat_live_${i}` }));
        await refused.until((raw) => raw.statuses.length > 0);
        assert.ok([401, 429].includes(refused.statuses[0]), refused.text);
        refused.cut();
      }
      const links = await HostileDevice.enrol(guarded, (await guarded.invite()).token).catch((error) => error);
      assert.ok(links instanceof HostileDevice, `a device behind that address comes: ${links}`);
      links.cut();
      const from = await createAccount(guarded);
      assert.equal(await balanceOf(guarded, from), WELCOME);
    }));
});
