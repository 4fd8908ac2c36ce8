// The same request twice: one call, one charge, one answer.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  assertBooks, balanceOf, cost, createAccount, nano, requestsWhen, untilActive, untilIdle,
} from './support/accounts.mjs';
import { chat, openaiClient, script, textOf } from './support/chat.mjs';
import { hammer } from './support/hammer.mjs';
import { Network, REFERENCE_MODEL, stopCleanly, within } from './support/network.mjs';
import { firstText, readStream } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';
const WELCOME = 5_000_000_000;
const ROUNDS = Number(process.env.NATARIS_TEST_ROUNDS ?? 20);

let network;
before(async () => {
  network = await Network.gateway();
  await network.scripted(['--slots', '16', '--context', '200000']);
});
after(() => stopCleanly(network));
afterEach(() => assertBooks(network));

function send(account, key, body, { route = CHAT, headers = {} } = {}) {
  const all = key === undefined ? headers : { 'Idempotency-Key': key, ...headers };
  return network.post(route, body, { key: account.api_key, headers: all });
}

async function answerOf(response, replayed) {
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.equal(response.headers.get('idempotent-replayed'), replayed ? 'true' : null, 'Idempotent-Replayed');
  return text;
}

async function conflictOf(response) {
  const text = await response.text();
  assert.equal(response.status, 409, text);
  const { error } = JSON.parse(text);
  assert.equal(error.code, 'IDEMPOTENCY_CONFLICT');
  return { error, wait: response.headers.get('retry-after'), again: response.headers.get('x-should-retry') };
}

async function assertCalls(account, count) {
  await untilIdle(network, account);
  const lines = await requestsWhen(network, account.api_key, count);
  assert.equal(lines.length, count);
  const charged = lines.reduce((sum, line) => sum + nano(line.cost_usd), 0);
  assert.equal(await balanceOf(network, account), WELCOME - charged);
  return lines;
}

describe('the same key and body', () => {
  const bodies = {
    'a chat': [CHAT, chat('Hello')],
    'a chat as a stream': [CHAT, chat(script({ tokens: 20, rate: 500 }), { stream: true })],
    'a stream with usage': [CHAT, chat('Hello', { stream: true, stream_options: { include_usage: true } })],
    'an inference': ['/v1/inference', { model: REFERENCE_MODEL, prompt: 'Hello' }],
    'an inference as a stream': ['/v1/inference', { model: REFERENCE_MODEL, prompt: 'Hello', stream: true }],
  };
  for (const [name, [route, body]] of Object.entries(bodies)) {
    test(`${name} gets the stored answer, charged once`, async () => {
      const account = await createAccount(network);
      const types = new Set();
      const texts = [];
      for (const replayed of [false, true, true]) {
        const response = await send(account, 'k', body, { route });
        types.add(response.headers.get('content-type'));
        texts.push(await answerOf(response, replayed));
      }
      assert.equal(types.size, 1);
      assert.equal(texts[2], texts[1]);
      if (!body.stream) {
        assert.equal(texts[1], texts[0]);
      } else {
        assert.deepEqual(summaryOf(texts[1]), summaryOf(texts[0]));
      }
      await assertCalls(account, 1);
    });
  }

  /** What a stream says, however its text is cut. */
  function summaryOf(text) {
    const events = text.trimEnd().split('\n\n').map((event) => event.replace(/^data: /, ''));
    assert.equal(events.pop(), '[DONE]');
    const chunks = events.map((event) => JSON.parse(event));
    const of = (pick) => chunks.map(pick).filter((value) => value !== undefined && value !== null);
    return { ids: [...new Set(chunks.map(({ id, created, object, model }) => `${id} ${created} ${object} ${model}`))],
      text: of((chunk) => chunk.choices?.[0]?.delta?.content ?? chunk.output).join(''),
      finish: of((chunk) => chunk.choices?.[0]?.finish_reason ?? chunk.finish_reason),
      usage: of((chunk) => chunk.usage) };
  }

  test('are not limited by the rate: nothing runs', async () => {
    const account = await createAccount(network, 'free');
    for (let i = 0; i < 15; i++) await answerOf(await send(account, 'again', chat('Hi')), i > 0);
    await assertCalls(account, 1);
  });

  test('run again when the call had failed', async () => {
    const account = await createAccount(network);
    const body = chat(script({ fail: 'bad_request' }));
    for (let i = 0; i < 2; i++) {
      const response = await send(account, 'unlucky', body);
      assert.equal(response.status, 400);
      assert.equal(response.headers.get('idempotent-replayed'), null);
      await response.text();
    }
    assert.ok((await assertCalls(account, 2)).every((line) => line.status === 'failed'));
  });

  test('run again when the client had gone away', async () => {
    const account = await createAccount(network);
    const body = chat(script({ tokens: 100, rate: 100 }), { stream: true });
    const { events } = await firstText(await send(account, 'gone', body));
    await events.return();
    await untilIdle(network, account);
    const { done } = await readStream(await send(account, 'gone', body));
    assert.ok(done);
    assert.deepEqual((await assertCalls(account, 2)).map((line) => line.status), ['completed', 'cancelled']);
  });

  test('of a call that runs is a 409 with the time to wait', async () => {
    const account = await createAccount(network);
    const body = chat(script({ prefill: 1500, text: 'patience' }));
    const first = send(account, 'slow', body);
    await untilActive(network, account);
    const { error, wait, again } = await conflictOf(await send(account, 'slow', body));
    assert.match(error.message, /still running/);
    assert.deepEqual([wait, again], ['1', null]);
    const client = openaiClient(network, { apiKey: account.api_key, maxRetries: 5 });
    const options = { headers: { 'Idempotency-Key': 'slow' } };
    const retried = await client.chat.completions.create(body, options); // the SDK sends the same bytes as we do
    assert.equal(textOf(retried), 'patience');
    assert.equal(JSON.parse(await answerOf(await first, false)).id, retried.id);
    await assertCalls(account, 1);
  });
});

describe('the same key', () => {
  test('with another body or route is a 409 that no retry helps', async () => {
    const account = await createAccount(network);
    await answerOf(await send(account, 'k', chat('Hello')), false);
    const others = [[chat('Hello!')], [chat('Hello', { temperature: 0.5 })], [chat('Hello', { stream: true })],
      [`${JSON.stringify(chat('Hello'))} `], [{ model: REFERENCE_MODEL, prompt: 'Hello' }, { route: '/v1/inference' }]];
    for (const [body, options] of others) {
      const { error, wait, again } = await conflictOf(await send(account, 'k', body, options));
      assert.equal(error.param, 'Idempotency-Key');
      assert.deepEqual([wait, again], [null, 'false']);
    }
    await answerOf(await send(account, 'k', chat('Hello')), true);
    await assertCalls(account, 1);
  });

  test('of another account is another key', async () => {
    const accounts = [await createAccount(network), await createAccount(network)];
    for (const account of accounts) {
      await answerOf(await send(account, 'shared', chat('Hello')), false);
      await assertCalls(account, 1);
    }
  });

  test('is checked', async () => {
    const account = await createAccount(network);
    for (const key of ['', 'x'.repeat(256), 'caf\u00e9']) {
      const response = await send(account, key, chat('Hello'));
      const { error } = await response.json();
      assert.deepEqual([response.status, error.param], [400, 'Idempotency-Key'], key);
    }
    await answerOf(await send(account, 'x'.repeat(255), chat('Hello')), false);
    await answerOf(await send(account, 'x'.repeat(255), chat('Hello')), true);
    await assertCalls(account, 1);
  });
});

describe('x-stainless-retry-count', () => {
  const retry = (count) => ({ headers: { 'x-stainless-retry-count': `${count}` } });

  test('a retry of the SDK gets the stored answer, charged once', async () => {
    const account = await createAccount(network);
    const body = chat('The answer got lost');
    const first = await answerOf(await send(account, undefined, body, retry(0)), false);
    for (const count of [1, 2]) assert.equal(await answerOf(await send(account, undefined, body, retry(count)), true), first);
    await assertCalls(account, 1);
  });

  test('a new call with the same body runs', async () => {
    const account = await createAccount(network);
    for (let i = 0; i < 3; i++) await answerOf(await send(account, undefined, chat('Roll a die'), retry(0)), false);
    await assertCalls(account, 3);
  });

  test('a retry of what never arrived runs', async () => {
    const account = await createAccount(network);
    await answerOf(await send(account, undefined, chat('Hello'), retry(1)), false);
    await answerOf(await send(account, undefined, chat('Hello'), retry(2)), true);
    await answerOf(await send(account, undefined, chat('Another'), retry(1)), false);
    await assertCalls(account, 2);
  });

  test('a retry while the call runs waits for it', async () => {
    const account = await createAccount(network);
    const body = chat(script({ prefill: 1000, text: 'slow' }));
    const first = send(account, undefined, body, retry(0));
    await untilActive(network, account);
    const { wait } = await conflictOf(await send(account, undefined, body, retry(1)));
    assert.equal(wait, '1');
    const text = await answerOf(await first, false);
    assert.equal(await answerOf(await send(account, undefined, body, retry(2)), true), text);
    await assertCalls(account, 1);
  });
});

test(`64 posts at once with one key, ${ROUNDS} times: one charge each`, async () => {
  const account = await createAccount(network);
  const ids = [];
  for (let i = 0; i < ROUNDS; i++) ids.push(await hammer(network, account, `round-${i}`));
  const lines = await assertCalls(account, ROUNDS);
  assert.deepEqual(lines.map(({ id }) => id).sort(), [...ids].sort());
  assert.ok(lines.every((line) => nano(line.cost_usd) === cost(line) && line.status === 'completed'));
});

test('the stored answer outlives kill -9', () => within(Network.gateway(), async (other) => {
  await other.scripted();
  const account = await createAccount(other);
  const post = (key, body) => other.post(CHAT, body, { key: account.api_key, headers: { 'Idempotency-Key': key } });
  const bodies = [chat('Remember me'), chat('And me', { stream: true })];
  const texts = [];
  for (const [i, body] of bodies.entries()) texts.push(await answerOf(await post(`k${i}`, body), false));
  const balance = await balanceOf(other, account);
  for (const program of other.programs) program.kill('SIGKILL');
  await other.main.exit;
  const again = other.start(['gateway', '--data', other.data, '--listen', `127.0.0.1:${other.port}`]);
  await other.untilReachable(again);
  assert.equal(await answerOf(await post('k0', bodies[0]), true), texts[0]);
  assert.match(await answerOf(await post('k1', bodies[1]), true), /data: \[DONE\]\n\n$/);
  await conflictOf(await post('k1', bodies[0]));
  assert.equal(await balanceOf(other, account), balance);
  await assertBooks(other);
}));

test('the sandbox checks the key but stores nothing', async () => {
  const account = await createAccount(network);
  const post = (body) => network.post(CHAT, body, { key: account.test_key, headers: { 'Idempotency-Key': 'k' } });
  for (let i = 0; i < 2; i++) await answerOf(await post(chat('Hi')), false);
  const slow = chat(script({ tokens: 1000, rate: 20 }), { stream: true });
  const options = { key: account.test_key, headers: { 'Idempotency-Key': 'slow' } };
  const { events } = await firstText(await network.post(CHAT, slow, options));
  assert.equal((await conflictOf(await network.post(CHAT, slow, options))).wait, '1');
  assert.equal((await conflictOf(await network.post(CHAT, chat('Other'), options))).wait, null);
  await events.return();
});
