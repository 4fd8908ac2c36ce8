// Credits and limits: who is admitted, what each ending costs, and that the books add up after all of it.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ABSENT_PRICE, admin, allPages, assertBooks, balanceOf, command, cost, createAccount, NANO, nano, REFERENCE_PRICE,
  refusedCommand, requestsOf, requestsWhen, showAccount, spendDownTo, untilActive, untilIdle, usageOf, worstCase,
} from './support/accounts.mjs';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { HandProvider } from './support/hand_provider.mjs';
import { ABSENT_MODEL, Network, REFERENCE_MODEL, SMALL_MODEL, stopCleanly, within } from './support/network.mjs';
import { RawConnection, rawPost } from './support/raw.mjs';
import { firstText, readStream, rest, textOfEvent } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';
const WELCOME = 5_000_000_000;

function post(network, account, body, options = {}) {
  return network.post(CHAT, body, { key: account.api_key, ...options });
}

function askAs(network, account, body) {
  return ask(network, body, { key: account.api_key });
}

async function errorOf(response, status, code) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  const { error } = JSON.parse(text);
  assert.equal(error.code, code);
  return error;
}

/** What the lines of the request list cost is what the wallet lost. */
async function assertCharges(network, account, count = 0, balanceBefore = WELCOME) {
  await untilIdle(network, account);
  const lines = await requestsWhen(network, account.api_key, count);
  const charged = lines.reduce((sum, line) => sum + nano(line.cost_usd), 0);
  assert.equal(balanceBefore - (await balanceOf(network, account)), charged);
  return lines;
}

describe('limits', { concurrency: true }, () => {
  let network;
  before(async () => {
    network = await Network.gateway(['--tier-pro', '0/3']);
    await network.scripted(['--slots', '16']);
  });
  after(async () => {
    await assertBooks(network);
    await stopCleanly(network);
  });

  /** Asks until the answer is a 429: { served, refused, error }. `look` is shown the answers before it. */
  async function untilLimited(account, perMinute, look = () => {}) {
    const startedAt = performance.now();
    for (let served = 0; ; served++) {
      const leaked = () => Math.ceil((performance.now() - startedAt) * perMinute / 60_000); // those of a slow machine
      const response = await post(network, account, chat(script({ text: 'x' })));
      if (response.status !== 200) {
        assert.ok(served >= perMinute && served <= perMinute + leaked(), `${served} were served`);
        return { served, refused: response, error: await errorOf(response, 429, 'RATE_LIMIT_EXCEEDED') };
      }
      look(response.headers, perMinute - served - 1, leaked());
      await response.text();
    }
  }

  test('Free is ten requests a minute, counted down in the headers', async () => {
    const account = await createAccount(network, 'free');
    const { served, refused, error } = await untilLimited(account, 10, (headers, least, leaked) => {
      const remaining = Number(headers.get('x-ratelimit-remaining-requests'));
      assert.equal(headers.get('x-ratelimit-limit-requests'), '10');
      assert.ok(remaining >= least && remaining <= least + leaked, `${remaining}`);
      assert.match(headers.get('x-ratelimit-reset-requests'), /^(\d+m)?\d+(\.\d+)?s$/);
    });
    const waitMs = Number(refused.headers.get('retry-after-ms'));
    assert.ok(waitMs > 0 && waitMs <= 6000, `${waitMs}`);
    assert.equal(error.type, 'rate_limit_error');
    assert.equal(error.retry_after, Math.ceil(waitMs / 1000));
    assert.equal(refused.headers.get('retry-after'), `${error.retry_after}`);
    assert.equal(refused.headers.get('x-ratelimit-remaining-requests'), '0');
    const lines = await assertCharges(network, account);
    assert.equal(lines.filter((line) => line.status === 'completed').length, served);
  });

  test('the wait that a 429 tells is enough', async () => {
    const account = await createAccount(network, 'starter'); // one a second
    const { refused } = await untilLimited(account, 60);
    const waitMs = Number(refused.headers.get('retry-after-ms'));
    assert.ok(waitMs > 0 && waitMs <= 1000, `${waitMs}`);
    await sleep(waitMs + 1); // a timer here may be a millisecond early
    await askAs(network, account, chat('And now?'));
  });

  test('a tier limits the requests at once', async () => {
    const account = await createAccount(network, 'pro');
    const body = chat(script({ tokens: 2000, rate: 50 }), { stream: true, max_tokens: 2000 });
    const streams = await Promise.all([1, 2, 3].map(async () => firstText(await post(network, account, body))));
    const response = await post(network, account, chat('One more'));
    assert.equal(response.headers.get('retry-after'), '1');
    const error = await errorOf(response, 429, 'RATE_LIMIT_EXCEEDED');
    assert.match(error.message, /under way/);
    assert.equal((await showAccount(network, account)).active_requests, 3);
    await streams[0].events.return();
    await streams[1].events.return();
    await untilActive(network, account, (count) => count === 1);
    await askAs(network, account, chat('One more'));
    await streams[2].events.return();
    await assertCharges(network, account);
  });

  test('a higher tier helps at once', async () => {
    const account = await createAccount(network, 'free');
    await untilLimited(account, 10);
    await admin(network, 'PATCH', `/admin/accounts/${account.id}`, { tier: 'unlimited' });
    const response = await post(network, account, chat('Hi'));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-ratelimit-limit-requests'), null);
    await response.text();
  });

  test('the sandbox has no limits', async () => {
    const account = await createAccount(network, 'free');
    for (let i = 0; i < 15; i++) await ask(network, chat('Hi'), { key: account.test_key });
    assert.equal(await balanceOf(network, account), WELCOME);
  });
});

describe('what each ending costs', () => {
  let network;
  before(async () => {
    network = await Network.gateway(['--accept-ms', '400', '--queue-ms', '400', '--max-attempts', '1']);
    await network.scripted(['--slots', '16', '--context', '200000', '--model', SMALL_MODEL]);
  });
  after(() => stopCleanly(network));
  afterEach(() => assertBooks(network));

  test('an answer: its prompt and its tokens, plain and as a stream', async () => {
    const account = await createAccount(network);
    const plain = await askAs(network, account, chat(script({ tokens: 20 })));
    assert.equal(await balanceOf(network, account), WELCOME - cost(plain.usage));
    const { chunks } = await readStream(await post(network, account,
      chat(script({ tokens: 30 }), { stream: true, stream_options: { include_usage: true }, max_tokens: 25 })));
    const { usage } = chunks.at(-1);
    assert.equal(usage.completion_tokens, 25);
    const lines = await assertCharges(network, account);
    assert.deepEqual(lines.map((line) => [line.status, nano(line.cost_usd), line.completion_tokens]),
      [['completed', cost(usage), 25], ['completed', cost(plain.usage), 20]]);
    assert.equal(lines[1].id, plain.id);
  });

  test('a client that goes away: the prompt and what was produced until then', async () => {
    const account = await createAccount(network);
    const body = chat(script({ tokens: 5000, rate: 100 }), { stream: true, max_tokens: 5000 });
    const { events } = await firstText(await post(network, account, body));
    for (let i = 0; i < 5;) i += textOfEvent((await events.next()).value) === '' ? 0 : 1;
    await events.return();
    const [line] = await assertCharges(network, account, 1);
    assert.equal(line.status, 'cancelled');
    assert.equal(nano(line.cost_usd), cost(line));
    assert.ok(line.completion_tokens >= 6 && line.completion_tokens < 1000, `${line.completion_tokens}`);
    assert.ok(line.prompt_tokens > 0);
  });

  test('a plain call whose client goes away: the same', async () => {
    const account = await createAccount(network);
    const client = new RawConnection(network.port);
    const body = chat(script({ tokens: 5000, rate: 200 }), { max_tokens: 5000 });
    client.send(rawPost(network, CHAT, body, { Authorization: `Bearer ${account.api_key}` }));
    await untilActive(network, account);
    await sleep(100); // some tokens
    client.cut();
    const [line] = await assertCharges(network, account, 1);
    assert.equal(line.status, 'cancelled');
    assert.equal(nano(line.cost_usd), cost(line));
    assert.ok(line.completion_tokens < 2500, `${line.completion_tokens}`);
  });

  /** Runs `tell` for an account that must come out with all its money, and its requests as failures. */
  async function assertFree(tell, requests) {
    const account = await createAccount(network);
    await tell(account);
    const lines = await assertCharges(network, account, requests);
    assert.deepEqual(lines.map((line) => [line.status, line.cost_usd]), Array(requests).fill(['failed', 0]));
    assert.equal(await balanceOf(network, account), WELCOME);
    assert.equal(nano((await usageOf(network, account.api_key)).total_cost_usd), 0);
  }

  test('a device that is lost: nothing, before the first token or after', async () => {
    await assertFree(async (account) => {
      let provider = await HandProvider.join(network, [ABSENT_MODEL]);
      await network.untilAvailable(ABSENT_MODEL);
      const answer = post(network, account, chat('Hi', { model: ABSENT_MODEL }));
      provider.accept(await provider.job());
      provider.cut();
      assert.equal((await answer).status, 503);
      await (await answer).text();
      provider = await HandProvider.join(network, [ABSENT_MODEL]);
      await network.untilAvailable(ABSENT_MODEL);
      const response = post(network, account, chat('Hi', { model: ABSENT_MODEL, stream: true }));
      const job = await provider.job();
      provider.accept(job);
      provider.delta(job, 'some text');
      const { events } = await firstText(await response);
      provider.cut();
      assert.equal(JSON.parse((await rest(events)).at(-1).data).error.code, 'SERVICE_UNAVAILABLE');
    }, 2);
  });

  test('a device that does not answer in time: nothing', async () => {
    await assertFree(async (account) => {
      const provider = await HandProvider.join(network, [ABSENT_MODEL]);
      await network.untilAvailable(ABSENT_MODEL);
      const answer = post(network, account, chat('Hi', { model: ABSENT_MODEL }));
      await provider.job();
      await errorOf(await answer, 408, 'REQUEST_TIMEOUT');
      provider.cut();
    }, 1);
  });

  test('a plain answer that is longer than the gateway takes: nothing', async () => {
    const DELTA = 'x'.repeat(64 * 1024);
    await assertFree(async (account) => {
      const provider = await HandProvider.join(network, [ABSENT_MODEL]);
      await network.untilAvailable(ABSENT_MODEL);
      const answer = post(network, account, chat('Hi', { model: ABSENT_MODEL, max_tokens: 100_000 }));
      const job = await provider.job();
      provider.accept(job);
      for (let sent = 0; sent <= 4 * 1024 * 1024; sent += DELTA.length) provider.delta(job, DELTA);
      const error = await errorOf(await answer, 503, 'SERVICE_UNAVAILABLE');
      assert.match(error.message, /longer than 4194304 bytes/);
      assert.equal((await provider.until('cancel')).job, job);
      provider.cut();
    }, 1);
  });

  test('no device, a request that a device refuses, a bad request: nothing', async () => {
    await network.untilAvailable(ABSENT_MODEL, false);
    await assertFree(async (account) => {
      await errorOf(await post(network, account, chat('Hi', { model: ABSENT_MODEL })), 503, 'model_unavailable');
      await errorOf(await post(network, account, chat(script({ fail: 'bad_request' }))), 400, 'INVALID_REQUEST');
      await errorOf(await post(network, account, chat('Hi', { temperature: 'hot' })), 400, 'INVALID_REQUEST');
      await errorOf(await post(network, account, chat('Hi', { model: 'nobody-has-this' })), 404, 'MODEL_NOT_FOUND');
      await errorOf(await post(network, account, chat(script({ fail: 'engine' }))), 503, 'SERVICE_UNAVAILABLE');
    }, 2); // those that were refused at once never were requests of the account
  });

  test('the sandbox: nothing of the wallet', async () => {
    const account = await createAccount(network);
    await ask(network, chat('Hi'), { key: account.test_key });
    await assertCharges(network, account);
    assert.equal(await balanceOf(network, account), WELCOME);
  });

  test('a device cannot charge more than was held for the request', async () => {
    const account = await createAccount(network);
    const provider = await HandProvider.join(network, [ABSENT_MODEL]);
    await network.untilAvailable(ABSENT_MODEL);
    const answer = askAs(network, account, chat('Hi', { model: ABSENT_MODEL, max_tokens: 5 }));
    const job = await provider.job();
    provider.accept(job, 1_000_000);
    provider.delta(job, 'much', 5);
    provider.done(job, { prompt_tokens: 1_000_000, completion_tokens: 5 });
    const { usage } = await answer;
    assert.ok(usage.prompt_tokens < 1000, `${usage.prompt_tokens}`);
    assert.equal(usage.completion_tokens, 5);
    assert.equal(await balanceOf(network, account), WELCOME - cost(usage, ABSENT_PRICE));
    provider.cut();
  });
});

describe('usage', () => {
  let network;
  let account;
  const answers = [];
  before(async () => {
    network = await Network.gateway(['--earnings-hold-days', '0']);
    await network.scripted(['--model', SMALL_MODEL]);
    await network.untilAvailable(SMALL_MODEL);
    account = await createAccount(network);
    for (let i = 0; i < 7; i++) {
      const model = i % 3 === 0 ? SMALL_MODEL : REFERENCE_MODEL;
      answers.push(await askAs(network, account, chat(`Question ${i}`, { model })));
    }
  });
  after(async () => {
    await assertBooks(network);
    await stopCleanly(network);
  });

  test('has the reference\'s fields, and they are right', async () => {
    const usage = await usageOf(network, account.api_key);
    const now = new Date();
    const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
    const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - 1000);
    const iso = (date) => date.toISOString().replace('.000Z', 'Z');
    const of = (model) => answers.filter((answer) => answer.model === model);
    const tokens = (list) => list.reduce((sum, answer) => sum + answer.usage.total_tokens, 0);
    assert.equal(usage.object, 'usage');
    assert.equal(usage.period_start, iso(first));
    assert.equal(usage.period_end, iso(last));
    assert.equal(nano(usage.balance_usd), await balanceOf(network, account));
    assert.equal(usage.total_requests, 7);
    assert.equal(usage.total_tokens, tokens(answers));
    assert.equal(nano(usage.total_cost_usd), WELCOME - nano(usage.balance_usd));
    assert.deepEqual(Object.keys(usage.by_model).sort(), [REFERENCE_MODEL, SMALL_MODEL].sort());
    for (const model of [REFERENCE_MODEL, SMALL_MODEL]) {
      const { requests, tokens: total } = usage.by_model[model];
      assert.deepEqual({ requests, total }, { requests: of(model).length, total: tokens(of(model)) });
    }
    const reference = of(REFERENCE_MODEL).reduce((sum, answer) => sum + cost(answer.usage), 0);
    assert.equal(nano(usage.by_model[REFERENCE_MODEL].cost_usd), reference);
  });

  test('of another period is empty, and a period that is none is refused', async () => {
    const past = await usageOf(network, account.api_key, '?period=2024-02');
    assert.equal(past.period_start, '2024-02-01T00:00:00Z');
    assert.equal(past.period_end, '2024-02-29T23:59:59Z');
    assert.deepEqual([past.total_requests, past.total_tokens, past.total_cost_usd, past.by_model], [0, 0, 0, {}]);
    for (const period of ['2024-13', '2024-00', '2024', 'now', '2024-1', '']) {
      const response = await network.fetch(`/v1/usage?period=${period}`, { key: account.api_key });
      assert.equal((await errorOf(response, 400, 'INVALID_REQUEST')).param, 'period', period);
    }
  });

  test('of one key counts that key only', async () => {
    const { key, id } = await admin(network, 'POST', `/admin/accounts/${account.id}/keys`,
      { kind: 'live', name: 'second' });
    const answer = await ask(network, chat('Hi'), { key });
    const usage = await usageOf(network, account.api_key, `?key=${id}`);
    assert.equal(usage.key_id, id);
    assert.equal(usage.total_requests, 1);
    assert.equal(usage.total_tokens, answer.usage.total_tokens);
    assert.equal(nano(usage.total_cost_usd), cost(answer.usage));
    answers.push(answer);
  });

  test('lists the requests in pages, newest first', async () => {
    const lines = await requestsOf(network, account.api_key, 3);
    assert.deepEqual(lines.map(({ id }) => id), answers.map(({ id }) => id).reverse());
    for (const [i, line] of [...lines].reverse().entries()) {
      const { usage, model, created } = answers[i];
      const { id, prompt_tokens: prompt, completion_tokens: completion } = line;
      assert.deepEqual([id, prompt, completion], [answers[i].id, usage.prompt_tokens, usage.completion_tokens]);
      assert.deepEqual([line.model, line.created, line.status], [model, created, 'completed']);
      assert.match(line.key_id, /^key_/);
      assert.ok(line.latency_ms >= 0);
    }
    assert.deepEqual(await requestsOf(network, account.api_key, 100), lines);
    for (const limit of ['0', '101', 'all', '-1', '']) {
      const response = await network.fetch(`/v1/usage/requests?limit=${limit}`, { key: account.api_key });
      assert.equal((await errorOf(response, 400, 'INVALID_REQUEST')).param, 'limit', limit);
    }
  });

  test('the device\'s owner earns 85% of each request, and is paid out what came from paid credit', async () => {
    const buyer = await createAccount(network);
    await spendDownTo(network, buyer, 200_000);
    const given = await balanceOf(network, buyer); // which is spent first
    await command(network, 'credit', 'grant', buyer.id, '1');
    const bought = await askAs(network, buyer, chat(script({ tokens: 3000 }), { max_tokens: 3500 }));
    assert.ok(cost(bought.usage) > given);
    const lines = await allPages(network, network.apiKey, '/v1/provider/earnings', 2);
    const requests = (await Promise.all([account, buyer].map((one) => requestsOf(network, one.api_key)))).flat();
    assert.equal(lines.length, requests.length);
    const costs = new Map(requests.map((line) => [line.id, nano(line.cost_usd)]));
    const price = cost(bought.usage);
    const owed = Math.floor(Math.floor(price * 85 / 100) * (price - given) / price);
    let earned = 0;
    for (const line of lines) {
      assert.equal(nano(line.earned_usd), Math.floor(costs.get(line.id) * 85 / 100));
      assert.match(line.provider_id, /^prov_/);
      earned += nano(line.earned_usd);
    }
    const response = await network.fetch('/v1/provider/earnings');
    const summary = await response.json();
    assert.equal(summary.object, 'provider.earnings');
    assert.deepEqual([nano(summary.earned_usd), nano(summary.given_usd), nano(summary.owed_usd), summary.paid_usd, summary.jobs],
      [earned, earned - owed, owed, 0, lines.length]);
    assert.deepEqual([nano(summary.payable_usd), summary.hold_days], [owed, 0]);
    const owner = await command(network, 'provider', 'earnings');
    assert.deepEqual([nano(owner.earned_usd), owner.jobs], [earned, lines.length]);
    await command(network, 'provider', 'payout', owner.account_id, '0.000001', '--note', 'first payout');
    const paid = await (await network.fetch('/v1/provider/earnings')).json();
    assert.deepEqual([nano(paid.owed_usd), nano(paid.paid_usd)], [owed - 1000, 1000]);
    const tooMuch = [owner.account_id, String((owed - 999) / NANO)];
    assert.match(await refusedCommand(network, 'provider', 'payout', ...tooMuch), /given credit is never paid out/);
    const none = await network.fetch('/v1/provider/earnings', { key: account.api_key });
    assert.deepEqual((await none.json()).data, [], 'a client has no devices');
  });
});

describe('credit', () => {
  let network;
  before(async () => {
    network = await Network.gateway(['--accept-ms', '30000']); // megabytes of prompt, on a busy machine
    await network.scripted(['--slots', '16', '--context', '200000']);
  });
  after(() => stopCleanly(network));
  afterEach(() => assertBooks(network));

  test('a request whose worst case is not covered is a 402, a smaller one is served', async () => {
    const account = await createAccount(network);
    await spendDownTo(network, account, 200_000);
    const big = await post(network, account, chat('Hi', { max_tokens: 1250 }));
    assert.equal(big.headers.get('x-should-retry'), 'false');
    assert.equal(big.headers.get('retry-after'), null);
    const error = await errorOf(big, 402, 'INSUFFICIENT_CREDITS');
    assert.match(error.message, /max_tokens/);
    assert.equal((await showAccount(network, account)).held_usd, 0, 'a refusal holds nothing');
    await askAs(network, account, chat('Hi', { max_tokens: 500 }));
    await errorOf(await post(network, account, chat('Hi', { max_tokens: 1250, stream: true })), 402,
      'INSUFFICIENT_CREDITS');
    await admin(network, 'POST', `/admin/accounts/${account.id}/credits`, { type: 'grant', amount_usd: '1' });
    await askAs(network, account, chat('Hi', { max_tokens: 1250 }));
  });

  test('what is held cannot be spent twice', async () => {
    const account = await createAccount(network);
    await spendDownTo(network, account, 400_000);
    const body = chat(script({ tokens: 2000, rate: 50 }), { stream: true, max_tokens: 2000 });
    const { events } = await firstText(await post(network, account, body));
    const { held_usd: held, balance_usd: balance } = await showAccount(network, account);
    assert.equal(nano(balance), 400_000);
    assert.ok(nano(held) >= 2000 * REFERENCE_PRICE.completion, `${held}`);
    await errorOf(await post(network, account, chat('Hi', { max_tokens: 1000 })), 402, 'INSUFFICIENT_CREDITS');
    await events.return();
    await untilIdle(network, account);
    await askAs(network, account, chat('Hi', { max_tokens: 1000 }));
  });

  test('of 200 requests at once on credit for 10, at most 10 are served', async () => {
    const TOKENS = 200;
    const PARALLEL = 200;
    const body = chat(script({ tokens: TOKENS, rate: 2000 }), { max_tokens: TOKENS });
    const probe = await createAccount(network);
    const charge = cost((await askAs(network, probe, body)).usage);
    const account = await createAccount(network);
    const start = Math.ceil((9 * charge + worstCase(body)) / 200) * 200; // exactly what the tenth one needs
    await spendDownTo(network, account, start);
    assert.ok(start < 11 * charge, 'the eleventh is not covered');

    let watching = true;
    let lowest = Infinity;
    const watcher = (async () => {
      while (watching) {
        const { balance_usd: balance, held_usd: held } = await showAccount(network, account);
        lowest = Math.min(lowest, nano(balance) - nano(held));
      }
    })();
    const statuses = await Promise.all(Array.from({ length: PARALLEL }, async () => {
      const response = await post(network, account, body);
      await response.text();
      return response.status;
    }));
    watching = false;
    await watcher;
    const count = (status) => statuses.filter((one) => one === status).length;
    assert.ok(count(200) >= 1 && count(200) <= 10, `${count(200)} served`);
    assert.equal(count(200) + count(402) + count(429), PARALLEL, `${new Set(statuses)}`);
    assert.ok(lowest >= 0, `spendable: ${lowest}`);

    let served = count(200);
    for (; (await post(network, account, body)).status === 200; served++);
    assert.equal(served, 10, 'not one fewer, either');
    const lines = await requestsOf(network, account.api_key);
    const charged = lines.filter((line) => line.model === REFERENCE_MODEL && line.status === 'completed');
    assert.deepEqual(charged.map((line) => nano(line.cost_usd)), Array(10).fill(charge));
    assert.equal(await balanceOf(network, account), start - 10 * charge);
  });
});

test('credit, usage and limits are there again after a restart', () => within(Network.gateway(), async (network) => {
  await network.scripted();
  const account = await createAccount(network, 'pro');
  const answer = await askAs(network, account, chat(script({ tokens: 15 })));
  assert.equal(textOf(answer).split(' ').length, 15);
  const usage = await usageOf(network, account.api_key);
  const shown = await showAccount(network, account);
  network.main.kill('SIGKILL');
  await network.main.exit;
  const again = network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`]);
  await network.untilReachable(again);
  assert.deepEqual(await usageOf(network, account.api_key), usage);
  assert.deepEqual(await showAccount(network, account), shown);
  await network.untilAvailable(REFERENCE_MODEL);
  const { usage: second } = await askAs(network, account, chat('Again'));
  assert.equal(await balanceOf(network, account), WELCOME - cost(answer.usage) - cost(second));
  await assertBooks(network);
}));
