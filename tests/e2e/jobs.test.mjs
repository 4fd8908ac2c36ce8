// Jobs that nobody waits for: stored before they are acknowledged, ended once, paid once.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  admin, allPages, assertBooks, balanceOf, cost, createAccount, nano, requestsOf, requestsWhen, untilActive, untilIdle,
} from './support/accounts.mjs';
import { chat, script, textOf } from './support/chat.mjs';
import { Network, REFERENCE_MODEL, eventually, stopCleanly, within } from './support/network.mjs';

const JOBS = '/v1/jobs';
const WELCOME = 5_000_000_000;
/** NATARIS_TEST_JOB_KILLS: how often the gateway is killed; the soak runs take more. */
const KILLS = Number(process.env.NATARIS_TEST_JOB_KILLS ?? 20);
const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED'];
/** An account may have so many jobs that have not ended. */
const OPEN_MAX = 1000;

async function jsonOf(response, status) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text);
}

async function create(network, account, body, { headers = {}, status = 202, key = account.api_key } = {}) {
  return jsonOf(await network.post(JOBS, body, { key, headers }), status);
}

async function get(network, account, id, { status = 200, key = account.api_key } = {}) {
  return jsonOf(await network.fetch(`${JOBS}/${id}`, { key }), status);
}

async function cancel(network, account, id, { status = 200, key = account.api_key } = {}) {
  return jsonOf(await network.fetch(`${JOBS}/${id}`, { key, method: 'DELETE' }), status);
}

function untilStatus(network, account, id, wanted, options) {
  return eventually(async () => {
    const job = await get(network, account, id, options);
    return wanted.includes(job.status) && job;
  }, () => `job ${id} did not become ${wanted}\n${network.errors()}`);
}

const untilEnded = (network, account, id, options) => untilStatus(network, account, id, ENDED, options);

describe('a job', () => {
  let network;
  let account;
  before(async () => {
    network = await Network.gateway();
    await network.scripted(['--slots', '16']);
    account = await createAccount(network);
  });
  after(() => stopCleanly(network));
  afterEach(() => assertBooks(network));

  test('with messages ends with the whole chat completion', async () => {
    const made = await create(network, account, chat(script({ text: 'one two' })));
    assert.match(made.id, /^job_\w{24}$/);
    assert.equal(made.object, 'job');
    assert.equal(made.type, 'chat.completion');
    assert.equal(made.status, 'QUEUED');
    assert.equal(made.model, REFERENCE_MODEL);
    assert.equal(made.completed_at, null);
    assert.equal(made.result, undefined);
    const job = await untilEnded(network, account, made.id);
    assert.equal(job.status, 'COMPLETED');
    assert.equal(job.result.object, 'chat.completion');
    assert.equal(job.result.id, `chatcmpl-${made.id.slice(4)}`);
    assert.equal(textOf(job.result), 'one two');
    assert.equal(job.result.choices[0].finish_reason, 'stop');
    assert.equal(job.result.usage.prompt_tokens, job.usage.prompt_tokens);
    assert.equal(job.usage.completion_tokens, 2);
    assert.equal(job.usage.total_tokens, job.usage.prompt_tokens + 2);
    assert.equal(nano(job.cost_usd), cost(job.usage));
    assert.equal(job.result.nataris.inference_type, 'p2p');
    assert.ok(job.created_at <= job.started_at && job.started_at <= job.completed_at);
    assert.equal(Date.parse(job.expires_at) - Date.parse(job.completed_at), 30 * 24 * 3600 * 1000);
    const line = (await requestsOf(network, account.api_key)).find(({ id }) => id === made.id);
    assert.equal(line.purpose, 'job');
    assert.equal(nano(line.cost_usd), nano(job.cost_usd));
  });

  test('with a prompt is an inference', async () => {
    const { id } = await create(network, account, { model: REFERENCE_MODEL, prompt: script({ text: 'three' }) });
    const job = await untilEnded(network, account, id);
    assert.equal(job.type, 'inference');
    assert.equal(job.result.object, 'inference');
    assert.equal(job.result.output, 'three');
  });

  test('may name its endpoint, and "stream" means nothing to it', async () => {
    const body = chat(script({ text: 'four' }), { endpoint: '/v1/chat/completions', type: 'chat', stream: true });
    const { id } = await create(network, account, body);
    assert.equal(textOf((await untilEnded(network, account, id)).result), 'four');
  });

  const bad = {
    'neither messages nor prompt': [{ model: REFERENCE_MODEL }, 400, 'messages'],
    'both': [{ ...chat('a'), prompt: 'b' }, 400, 'messages'],
    'an unknown endpoint': [{ ...chat('a'), endpoint: '/v1/embeddings' }, 400, 'endpoint'],
    'a type that is none': [{ ...chat('a'), type: 7 }, 400, 'type'],
    'an endpoint that does not fit the body': [{ ...chat('a'), endpoint: '/v1/inference' }, 400, 'prompt'],
    'a bad field': [chat('a', { temperature: 9 }), 400, 'temperature'],
    'an unknown model': [chat('a', { model: 'nobody' }), 404, 'model'],
    'no JSON': ['{', 400, null],
  };
  for (const [name, [body, status, param]] of Object.entries(bad)) {
    test(`with ${name} is refused at once`, async () => {
      const { error } = await create(network, account, body, { status });
      assert.equal(error.param, param);
    });
  }

  test('that the device refuses fails with its error, free of charge', async () => {
    const before = await balanceOf(network, account);
    const { id } = await create(network, account, chat(script({ fail: 'bad_request' })));
    const job = await untilEnded(network, account, id);
    assert.equal(job.status, 'FAILED');
    assert.equal(job.error.code, 'INVALID_REQUEST');
    assert.equal(job.result, undefined);
    assert.equal(job.cost_usd, 0);
    assert.equal(await balanceOf(network, account), before);
  });

  test('that is cancelled while it runs pays for what was made', async () => {
    const own = await createAccount(network);
    let spent = 0;
    for (let looks = 1; spent === 0; looks *= 2) { /* one that is cancelled before its first text costs nothing */
      assert.ok(looks < 100_000, 'some text comes before the cancel');
      const { id } = await create(network, own, chat(script({ tokens: 100, rate: 20 }), { max_tokens: 100 }));
      await untilStatus(network, own, id, ['RUNNING']);
      for (let i = 0; i < looks; i += 1) await get(network, own, id);
      assert.equal((await cancel(network, own, id)).status, 'CANCELLED');
      await untilIdle(network, own);
      spent = WELCOME - (await balanceOf(network, own));
      const job = await eventually(async () => {
        const now = await get(network, own, id);
        return nano(now.cost_usd) === spent && now;
      }, 'what it cost is known');
      assert.equal(job.status, 'CANCELLED');
      assert.ok(job.usage.completion_tokens < 100);
      assert.equal(spent > 0, job.usage.completion_tokens > 0);
      assert.equal(nano(job.cost_usd), spent > 0 ? cost(job.usage) : 0);
      assert.equal((await cancel(network, own, id)).status, 'CANCELLED', 'twice changes nothing');
    }
  });

  test('that has completed cannot be cancelled any more', async () => {
    const { id } = await create(network, account, chat('Done'));
    await untilEnded(network, account, id);
    const job = await cancel(network, account, id);
    assert.equal(job.status, 'COMPLETED');
    assert.ok(job.result);
  });

  test('of a test key is the sandbox\'s, and only its', async () => {
    const key = account.test_key;
    const before = await balanceOf(network, account);
    const { id } = await create(network, account, chat('Hello'), { key });
    const job = await untilEnded(network, account, id, { key });
    assert.equal(job.status, 'COMPLETED');
    assert.equal(job.result.nataris.inference_type, 'sandbox');
    assert.ok(job.usage.completion_tokens > 0);
    await get(network, account, id, { status: 404 });
    await cancel(network, account, id, { status: 404 });
    assert.ok((await allPages(network, account.api_key, JOBS)).every((line) => line.id !== id));
    assert.deepEqual((await allPages(network, key, JOBS)).map((line) => line.id), [id]);
    assert.equal(await balanceOf(network, account), before);
    const failing = await create(network, account, chat('[[sandbox error=INSUFFICIENT_CREDITS]]'), { key });
    const failed = await untilEnded(network, account, failing.id, { key });
    assert.equal(failed.error.code, 'INSUFFICIENT_CREDITS');
  });

  test('is listed, newest first, in pages and by status', async () => {
    const own = await createAccount(network);
    const ids = [];
    for (let i = 0; i < 7; i++) {
      const body = i === 3 ? chat(script({ fail: 'bad_request' })) : chat(`Number ${i}`);
      ids.unshift((await create(network, own, body)).id);
    }
    for (const id of ids) await untilEnded(network, own, id);
    assert.deepEqual((await allPages(network, own.api_key, JOBS, 3)).map(({ id }) => id), ids);
    const page = await jsonOf(await network.fetch(`${JOBS}?status=failed`, { key: own.api_key }), 200);
    assert.deepEqual(page.data.map(({ id }) => id), [ids[3]]);
    assert.equal(page.has_more, false);
    const done = await jsonOf(await network.fetch(`${JOBS}?status=COMPLETED&limit=2`, { key: own.api_key }), 200);
    assert.deepEqual(done.data.map(({ id }) => id), ids.slice(0, 2));
    assert.equal(done.has_more, true);
    assert.ok(done.data.every((job) => job.result === undefined), 'a list has no results');
    for (const query of ['status=asleep', 'limit=0', 'limit=101']) {
      await jsonOf(await network.fetch(`${JOBS}?${query}`, { key: own.api_key }), 400);
    }
    await jsonOf(await network.fetch(`${JOBS}?after=job_nobody`, { key: own.api_key }), 404);
  });

  test('under an Idempotency-Key is one job', async () => {
    const own = await createAccount(network);
    const headers = { 'Idempotency-Key': 'only once' };
    const body = chat(script({ tokens: 3 }));
    const made = await Promise.all(Array.from({ length: 16 }, () => create(network, own, body, { headers })));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    const job = await untilEnded(network, own, made[0].id);
    const again = await network.post(JOBS, body, { key: own.api_key, headers });
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
    assert.deepEqual(await jsonOf(again, 202), job);
    const { error } = await create(network, own, chat('Another'), { headers, status: 409 });
    assert.equal(error.code, 'IDEMPOTENCY_CONFLICT');
    assert.equal((await requestsWhen(network, own.api_key, 1)).length, 1);
    assert.equal(await balanceOf(network, own), WELCOME - cost(job.usage));
  });

  test('of a revoked key fails when its turn comes', async () => {
    const own = await createAccount(network, 'free'); // two at once
    const second = await admin(network, 'POST', `/admin/accounts/${own.id}/keys`, { name: 'short-lived', kind: 'live' });
    const busy = await Promise.all([0, 1].map(() => create(network, own, chat(script({ silent: true })))));
    for (const { id } of busy) await untilStatus(network, own, id, ['RUNNING']);
    const { id } = await create(network, own, chat('Too late'), { key: second.key });
    assert.equal((await get(network, own, id)).status, 'QUEUED');
    await admin(network, 'DELETE', `/admin/keys/${second.id}`);
    for (const one of busy) await cancel(network, own, one.id);
    const job = await untilEnded(network, own, id);
    assert.equal(job.status, 'FAILED');
    assert.equal(job.error.code, 'INVALID_API_KEY');
  });
});

test('more jobs than the tier allows at once wait for their turn', () => within(Network.gateway(), async (network) => {
  await network.scripted(['--slots', '16']);
  const account = await createAccount(network, 'starter'); // five at once
  const made = [];
  for (let i = 0; i < 20; i++) made.push(await create(network, account, chat(script({ tokens: 4, rate: 40 }))));
  let most = 0;
  await eventually(async () => {
    const open = await jsonOf(await network.fetch(`${JOBS}?status=RUNNING&limit=100`, { key: account.api_key }), 200);
    most = Math.max(most, open.data.length);
    const done = await jsonOf(await network.fetch(`${JOBS}?status=COMPLETED&limit=100`, { key: account.api_key }), 200);
    return done.data.length === made.length;
  }, 'all have completed');
  assert.ok(most >= 2 && most <= 5, `${most} at once`);
  assert.equal((await requestsWhen(network, account.api_key, 20)).length, 20);
  await assertBooks(network);
}));

test('an account has so many open jobs and no more', () => within(Network.gateway(), async (network) => {
  const account = await createAccount(network); // no provider: all of them wait
  const other = await createAccount(network);
  const body = chat('Wait');
  for (let i = 0; i < OPEN_MAX; i += 50) {
    await Promise.all(Array.from({ length: 50 }, () => create(network, account, body)));
  }
  const refused = await network.post(JOBS, body, { key: account.api_key });
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await jsonOf(refused, 429)).error.code, 'RATE_LIMIT_EXCEEDED');
  const { id } = await create(network, other, body);
  const [oldest] = (await allPages(network, account.api_key, JOBS)).slice(-1);
  await cancel(network, account, oldest.id);
  await create(network, account, body);
  assert.equal((await get(network, other, id)).status, 'QUEUED');
  await network.scripted();
  assert.equal((await untilEnded(network, other, id)).status, 'COMPLETED');
}));

test('a gateway that stops leaves its jobs to the next one', () => within(Network.gateway(['--drain-s', '0']),
  async (network) => {
    await network.scripted();
    const account = await createAccount(network);
    const { id } = await create(network, account, chat(script({ tokens: 20, rate: 20 })));
    await untilStatus(network, account, id, ['RUNNING']);
    network.main.kill('SIGTERM');
    assert.deepEqual(await network.main.exit, { code: 0, signal: null });
    await restart(network);
    const job = await untilEnded(network, account, id);
    assert.equal(job.status, 'COMPLETED');
    assert.equal((await requestsOf(network, account.api_key)).length, 1);
    assert.equal(await balanceOf(network, account), WELCOME - cost(job.usage));
    await assertBooks(network);
  }));

async function restart(network) {
  const again = network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`]);
  await network.untilReachable(again);
}

/** The same device, started anew: one that is left alone waits longer with every gateway that is gone. */
async function replace(network, provider) {
  provider.kill('SIGKILL');
  await provider.exit;
  const again = network.start(['provider', '--gateway', network.origin, '--data', provider.data, '--name', 'again',
    '--engine', 'scripted', '--model', REFERENCE_MODEL, '--slots', '4', '--quiet']);
  again.data = provider.data;
  await network.untilAvailable(REFERENCE_MODEL);
  return again;
}

/** Posts until the gateway is gone, or enough; what was acknowledged is in `made`. */
async function postWhileAlive(network, account, made, round) {
  for (let i = 0; i < 40; i++) {
    const headers = { 'Idempotency-Key': `${round}-${i}` };
    const body = chat(`${round} ${i} ${script({ tokens: 3, rate: 200 })}`);
    const response = await network.post(JOBS, body, { key: account.api_key, headers }).catch(() => undefined);
    const job = await response?.json().catch(() => undefined);
    if (job === undefined) return;
    assert.equal(response.status, 202, JSON.stringify(job));
    made.set(job.id, i);
  }
}

test(`kill -9 at a random moment, ${KILLS} times: each job ends once and is paid once`,
  () => within(Network.gateway(), async (network) => {
    let provider = await network.scripted(['--slots', '4']);
    const account = await createAccount(network, 'pro');
    const unlimited = await createAccount(network);
    const made = new Map();
    const cancelled = new Set();
    for (let round = 0; round < KILLS; round++) {
      const posts = postWhileAlive(network, unlimited, made, round);
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 400));
      const victim = [...made.keys()].at(-1);
      const asked = round % 4 === 3 && victim
        ? cancel(network, unlimited, victim).then(({ status }) => status === 'CANCELLED' && cancelled.add(victim), () => {})
        : undefined;
      network.main.kill('SIGKILL');
      await network.main.exit;
      await Promise.all([posts, asked]);
      await restart(network);
      provider = await replace(network, provider);
    }
    assert.ok(made.size > KILLS, `${made.size} jobs`);
    let charged = 0;
    for (const id of made.keys()) {
      const job = await untilEnded(network, unlimited, id);
      if (!cancelled.has(id)) assert.ok(job.status === 'COMPLETED' || job.status === 'CANCELLED', JSON.stringify(job));
      else assert.equal(job.status, 'CANCELLED');
    }
    await untilIdle(network, unlimited);
    const lines = await requestsOf(network, unlimited.api_key);
    assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length, 'no id twice');
    const byId = new Map(lines.map((line) => [line.id, line]));
    for (const id of made.keys()) {
      const job = await get(network, unlimited, id);
      if (job.status === 'COMPLETED') {
        assert.equal(textOf(job.result).split(' ').length, 3);
        assert.equal(nano(byId.get(id).cost_usd), nano(job.cost_usd));
        assert.equal(nano(job.cost_usd), cost(job.usage));
      }
    }
    // What was stored but not acknowledged is a job, too: it ended like the others.
    for (const job of await allPages(network, unlimited.api_key, JOBS)) {
      assert.ok(ENDED.includes((await untilEnded(network, unlimited, job.id)).status));
    }
    await untilIdle(network, unlimited);
    for (const line of await requestsOf(network, unlimited.api_key)) charged += nano(line.cost_usd);
    assert.equal(await balanceOf(network, unlimited), WELCOME - charged);
    assert.equal(await balanceOf(network, account), WELCOME, 'nobody else paid');
    await untilActive(network, account, (count) => count === 0);
    await assertBooks(network);
  }));
