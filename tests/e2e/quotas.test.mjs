// What an account may have kept: one that takes all it can get is stopped by name, and nobody else notices.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertBooks, createAccount, showAccount } from './support/accounts.mjs';
import { chat, script } from './support/chat.mjs';
import { eventually, Network, REFERENCE_MODEL, run, stopCleanly } from './support/network.mjs';

const CHAT = '/v1/chat/completions';
// Rows of conversations, jobs, workflows, stored answers; of jobs one MiB.
const QUOTAS = ['--quota-free', '2/0,5/1,2/0,3/0', '--tier-free', '0/2/0'];

let network;
before(async () => {
  network = await Network.gateway(QUOTAS);
  await network.scripted(['--slots', '8', '--context', '20000']);
});
after(() => stopCleanly(network));

function as(account, extra = {}) {
  return { key: account.api_key, ...extra };
}

async function refused(response, status, pattern) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.match(JSON.parse(text).error.message, pattern);
  return response;
}

async function keptOf(account) {
  return (await (await network.fetch('/v1/usage', as(account))).json()).kept;
}

async function jobs(account) {
  return (await (await network.fetch('/v1/jobs?limit=100', as(account))).json()).data;
}

function untilJobsEnd(account) {
  return eventually(async () => (await jobs(account)).every(({ status }) => status === 'COMPLETED'),
    'the jobs never ended');
}

function remove(account, path) {
  return network.fetch(path, as(account, { method: 'DELETE' }));
}

describe('quotas of what is kept', () => {
  test('however many jobs come at once, as many are taken as the tier allows', async () => {
    const greedy = await createAccount(network, 'free', 'greedy');
    const other = await createAccount(network, 'free', 'other');
    const answers = await Promise.all(Array.from({ length: 40 }, () =>
      network.post('/v1/jobs', chat('Hello', { max_tokens: 20 }), as(greedy))));
    assert.equal(answers.filter(({ status }) => status === 202).length, 5);
    await refused(answers.find(({ status }) => status !== 202), 403, /keeps 5 jobs of the 5 that its tier allows/);
    assert.equal((await network.post('/v1/jobs', chat('Hello', { max_tokens: 20 }), as(other))).status, 202);
    assert.equal((await network.post(CHAT, chat('Hello'), as(greedy))).status, 200, 'what is not kept goes on');
    await untilJobsEnd(greedy);
    await refused(await network.post('/v1/jobs', chat('Hello'), as(greedy)), 403, /Delete jobs that have ended/);
    const [{ id }] = await jobs(greedy);
    assert.equal((await remove(other, `/v1/jobs/${id}?forget=true`)).status, 404);
    assert.equal((await remove(greedy, `/v1/jobs/${id}?forget=true`)).status, 200);
    assert.equal((await network.fetch(`/v1/jobs/${id}`, as(greedy))).status, 404);
    assert.equal((await network.post('/v1/jobs', chat('Hello', { max_tokens: 20 }), as(greedy))).status, 202);
    const { jobs: kept } = (await showAccount(network, greedy)).kept;
    assert.deepEqual([kept.rows, kept.rows_max, kept.bytes_max], [5, 5, 1024 * 1024]);
    const { stdout } = await run(['account', 'show', greedy.id, '--data', network.data]);
    assert.match(stdout, /Kept {6}jobs: 5 of 5, \d+ of 1048576 bytes/);
  });

  test('bytes of jobs: room for the answer is set aside with the request', async () => {
    const greedy = await createAccount(network, 'free', 'bytes');
    const big = chat('x'.repeat(300_000), { max_tokens: 2000 });
    assert.equal((await network.post('/v1/jobs', big, as(greedy))).status, 202);
    const response = await network.post('/v1/jobs', big, as(greedy));
    await refused(response, 403, /of the 1048576 bytes that its tier allows/);
    await untilJobsEnd(greedy);
    assert.ok((await keptOf(greedy)).jobs.bytes < 100_000, 'what was set aside is given back, and the request goes');
    assert.equal((await network.post('/v1/jobs', big, as(greedy))).status, 202);
  });

  test('a request whose answer cannot be kept is refused before it runs; without a key it runs', async () => {
    const greedy = await createAccount(network, 'free', 'answers');
    const send = (key, body = chat('Hello')) => network.post(CHAT, body,
      as(greedy, { headers: key === undefined ? {} : { 'Idempotency-Key': key } }));
    for (const key of ['1', '2', '3']) assert.equal((await send(key)).status, 200);
    const past = await refused(await send('4'), 429, /keeps 3 stored answers of the 3 .* without an Idempotency-Key/);
    assert.equal(past.headers.get('retry-after'), '60');
    const again = await send('2');
    assert.equal(again.headers.get('idempotent-replayed'), 'true', 'what was promised is there');
    assert.equal((await send(undefined)).status, 200);
    const sdk = (retries) => network.post(CHAT, chat('From an SDK'),
      as(greedy, { headers: { 'x-stainless-retry-count': String(retries) } }));
    assert.equal((await sdk(0)).status, 200);
    await refused(await sdk(1), 429, /stored answers/);
    assert.equal((await keptOf(greedy)).answers.rows, 3);
  });

  test('conversations and workflows', async () => {
    const greedy = await createAccount(network, 'free', 'talker');
    const made = [];
    for (let i = 0; i < 2; i++) {
      made.push((await (await network.post('/v1/conversations', {}, as(greedy))).json()).id);
    }
    await refused(await network.post('/v1/conversations', {}, as(greedy)), 403, /keeps 2 conversations of the 2/);
    assert.equal((await remove(greedy, `/v1/conversations/${made[0]}`)).status, 200);
    assert.equal((await network.post('/v1/conversations', {}, as(greedy))).status, 200);
    const workflow = () => network.post(CHAT, chat(script({ text: 'Answer: 4' }),
      { orchestration: { enabled: true, workflow: 'agent', max_steps: 2 } }), as(greedy));
    for (let i = 0; i < 2; i++) assert.equal((await workflow()).status, 200);
    await refused(await workflow(), 403, /keeps 2 workflows of the 2/);
    const { workflows } = await (await network.fetch('/v1/workflows', as(greedy))).json();
    assert.equal((await remove(greedy, `/v1/workflows/${workflows[0].id}?forget=true`)).status, 200);
    assert.equal((await workflow()).status, 200);
  });

  test('a restart keeps what is kept, and what erasing frees', async () => {
    const greedy = await createAccount(network, 'free', 'again');
    for (let i = 0; i < 5; i++) {
      assert.equal((await network.post('/v1/jobs', chat('Hello', { max_tokens: 20 }), as(greedy))).status, 202);
    }
    await untilJobsEnd(greedy);
    await network.main.stop('SIGKILL');
    const again = network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`, ...QUOTAS]);
    await network.untilReachable(again);
    await refused(await network.post('/v1/jobs', chat('Hello'), as(greedy)), 403, /keeps 5 jobs of the 5/);
    const { code, stderr } = await run(['account', 'erase', greedy.id, '--yes', '--data', network.data]);
    assert.equal(code, 0, stderr);
    for (const { rows, bytes } of Object.values((await showAccount(network, greedy)).kept)) {
      assert.deepEqual([rows, bytes], [0, 0]);
    }
    await assertBooks(network);
  });
});
