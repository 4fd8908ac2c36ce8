// What an account's own devices do for it is free, also when its money does not cover the request; and no device of
// anybody else does anything for nothing.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertBooks, command, createAccount, nano, requestsOf, requestsWhen, showAccount, spendDownTo, usageOf }
  from './support/accounts.mjs';
import { chat, script } from './support/chat.mjs';
import { HandProvider } from './support/hand_provider.mjs';
import { Network, REFERENCE_MODEL, eventually, stopCleanly } from './support/network.mjs';
import { firstText, readStream, rest, textOfEvent } from './support/stream.mjs';
import { jsonOf, untilWorkflow, workflow } from './support/workflows.mjs';

const CHAT = '/v1/chat/completions';
const LEFT = 80_000; // too little for any answer of 1,000 tokens
const MORE = { max_tokens: 1000 };
const SCRIPTED = ['--engine', 'scripted', '--model', REFERENCE_MODEL];

async function errorOf(response, status, code) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  const { error } = JSON.parse(text);
  assert.equal(error.code, code, text);
  return error;
}

/** The device is there, as the gateway sees it, and has nothing to do. */
/** An account without any credit left. */
async function poorAccount(network, name) {
  const account = await createAccount(network, 'unlimited', name);
  await spendDownTo(network, account, LEFT);
  return account;
}

/** One whose key may spend nothing, which is no less a want of money, and quicker. */
async function cappedAccount(network, name) {
  const account = await createAccount(network, 'unlimited', name);
  const { key } = await command(network, 'key', 'create', account.id, '--cap-usd', '0.000000001');
  return { ...account, api_key: key };
}

async function earningsOf(network, account) {
  return jsonOf(await network.fetch('/v1/provider/earnings', { key: account.api_key }));
}

describe('an account without credit', { concurrency: 1 }, () => {
  let network, ada, own, other;
  const post = (route, body, options = {}) => network.post(route, body, { key: ada.api_key, ...options });
  before(async () => {
    network = await Network.gateway(['--accept-ms', '30000', '--queue-ms', '6000', '--audit-percent', '0']);
    ada = await poorAccount(network, 'ada');
    other = await network.scripted();
    own = await network.provider([...SCRIPTED, '--slots', '1'], { account: ada.id });
    await network.untilServes(own);
  });
  after(() => stopCleanly(network));
  afterEach(async () => {
    await eventually(async () => (await showAccount(network, ada)).active_requests === 0, 'idle');
    const { balance_usd: balance, held_usd: held } = await showAccount(network, ada);
    assert.deepEqual([nano(balance), held], [LEFT, 0]);
    const { earned_usd: earned, jobs } = await earningsOf(network, ada);
    assert.deepEqual([earned, jobs], [0, 0]);
    await assertBooks(network);
  });

  /** What its lines tell of the requests since: all free, all by own devices. */
  async function assertFree(count, before) {
    const lines = (await requestsOf(network, ada.api_key)).slice(0, -before || undefined);
    assert.equal(lines.length, count);
    for (const line of lines) {
      assert.deepEqual([line.cost_usd, line.given_cost_usd, line.own_devices], [0, 0, true], JSON.stringify(line));
    }
  }

  test('asks plainly, in streams and again under the same key', async () => {
    const before = (await requestsOf(network, ada.api_key)).length;
    const response = await post(CHAT, chat('Hello', MORE), { headers: { 'Idempotency-Key': 'one' } });
    const first = await response.text();
    assert.equal(response.status, 200, first);
    const again = await post(CHAT, chat('Hello', MORE), { headers: { 'Idempotency-Key': 'one' } });
    assert.deepEqual([again.headers.get('idempotent-replayed'), await again.text()], ['true', first]);
    const stream = await readStream(await post(CHAT, chat('Hello', { stream: true, ...MORE })));
    assert.ok(stream.done && stream.text.length > 0);
    const inference = await jsonOf(await post('/v1/inference', { model: REFERENCE_MODEL, prompt: 'Hello', ...MORE }));
    assert.equal(inference.cost_usd ?? 0, 0);
    await assertFree(3, before);
  });

  test('has jobs, conversations and workflows done, also with a key whose cap is used up', async () => {
    const { key } = await command(network, 'key', 'create', ada.id, '--cap-usd', '0.000000001');
    const before = (await requestsOf(network, ada.api_key)).length;
    const job = await jsonOf(await post('/v1/jobs', chat('Hello', MORE), { key }), 202);
    await eventually(async () => {
      const found = await jsonOf(await network.fetch(`/v1/jobs/${job.id}`, { key: ada.api_key }));
      assert.notEqual(found.status, 'FAILED', JSON.stringify(found));
      return found.status === 'COMPLETED';
    }, 'the job');
    const conversation = await jsonOf(await post('/v1/conversations', {}, { key }));
    await jsonOf(await post(CHAT, chat('Hello', { conversation_id: conversation.id, ...MORE }), { key }));
    await jsonOf(await post(CHAT, workflow('research', 'Why is the sea salt?'), { key }));
    const { workflows: [made] } = await jsonOf(await network.fetch('/v1/workflows', { key: ada.api_key }));
    const found = await untilWorkflow(network, made.id, ada.api_key);
    assert.equal(found.status, 'COMPLETED', JSON.stringify(found));
    assert.equal(found.total_cost_usd, 0);
    const lines = (await requestsOf(network, ada.api_key)).length - before;
    assert.ok(lines >= 4, `${lines}`);
    await assertFree(lines, before);
  });

  test('waits for its busy device, though others are free, but not for ever', async () => {
    const { events } = await firstText(await post(CHAT, chat(script({ tokens: 4000, rate: 100 }),
      { stream: true, max_tokens: 4000 })));
    const error = await errorOf(await post(CHAT, chat('Hello', MORE)), 408, 'REQUEST_TIMEOUT');
    assert.match(error.message, /own devices.*credit/s);
    const waits = post(CHAT, chat('Hello', MORE));
    await eventually(async () => (await showAccount(network, ada)).active_requests === 2, 'it waits');
    await events.return();
    assert.equal((await waits).status, 200);
    await (await waits).text();
  });

  test('is refused with both ways out when its device rests, and by explain\'s word goes nowhere else', async () => {
    await command(network, 'provider', 'quarantine', own.id, '--reason', 'looked at');
    for (const body of [chat('Hello', MORE), chat('Hello', { stream: true, ...MORE })]) {
      const { message } = await errorOf(await post(CHAT, body), 402, 'INSUFFICIENT_CREDITS');
      assert.match(message, /Add credits/);
      assert.match(message, /device of your own/);
    }
    const job = await jsonOf(await post('/v1/jobs', chat('Hello', MORE)), 202);
    await eventually(async () => {
      const found = await jsonOf(await network.fetch(`/v1/jobs/${job.id}`, { key: ada.api_key }));
      return found.status === 'FAILED' && found.error.code === 'INSUFFICIENT_CREDITS';
    }, 'the job fails');
    await command(network, 'provider', 'release', own.id);
    await network.untilServes(own);
    const answer = await jsonOf(await post(CHAT, chat('Hello', MORE)));
    const { data } = await command(network, 'job', 'explain', answer.id).then((story) => ({ data: story.steps }));
    const candidates = data.find((step) => step.state === 'placed').candidates;
    assert.deepEqual(candidates.map((one) => [one.provider_id, one.chosen]), [[own.id, true]]);
    assert.ok(other.id);
  });
});

test('lines, totals and the ledger tell the same of paid, given and free', async () => {
  const network = await Network.gateway(['--audit-percent', '0']);
  try {
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => createAccount(network, 'unlimited', name)));
    const own = await network.provider([...SCRIPTED, '--slots', '1'], { account: ada.id });
    await network.untilServes(own);
    const asks = async (account, count) => {
      for (let i = 0; i < count; i += 1) {
        await jsonOf(await network.post(CHAT, chat(`Hello ${i}`, { max_tokens: 30 }), { key: account.api_key }));
      }
    };
    await asks(ada, 2); // free
    await asks(bob, 3); // of given credit
    await asks({ api_key: network.apiKey }, 2); // of paid credit
    const { data: entries } = await command(network, 'ledger', 'export', '--format', 'json').then(
      (all) => (Array.isArray(all) ? { data: all } : all));
    const sumOf = (ledger, id, kind = 'settlement') => entries.filter((one) => one.kind === kind
      && one.ledger_account === `${ledger}:${id}`).reduce((sum, one) => sum + nano(one.amount_usd), 0);
    const sum = (lines, field) => lines.reduce((all, line) => all + nano(line[field]), 0);
    for (const { id, api_key: key } of [ada, bob]) {
      const lines = await requestsOf(network, key);
      const usage = await usageOf(network, key);
      const models = Object.values(usage.by_model);
      assert.deepEqual([sum(lines, 'cost_usd'), sum(lines, 'given_cost_usd')],
        [nano(usage.total_cost_usd), nano(usage.given_cost_usd)]);
      assert.deepEqual([sum(models, 'cost_usd'), sum(models, 'given_cost_usd')],
        [nano(usage.total_cost_usd), nano(usage.given_cost_usd)]);
      assert.equal(sum(lines, 'given_cost_usd') + (id === bob.id ? sumOf('given', id) : 0), 0);
      assert.equal(sum(lines, 'cost_usd') - sum(lines, 'given_cost_usd') + sumOf('wallet', id), 0);
      assert.ok(lines.every((line) => line.own_devices === (id === ada.id)));
      assert.equal(usage.balance_usd, (await showAccount(network, { id })).balance_usd);
    }
    const earned = await earningsOf(network, ada);
    assert.equal(earned.jobs, 5, 'the free ones are none of these');
    assert.deepEqual([sum(earned.data, 'earned_usd'), sum(earned.data, 'given_usd')],
      [nano(earned.earned_usd), nano(earned.given_usd)]);
    assert.deepEqual([sumOf('given', ada.id), sumOf('earnings', ada.id)],
      [nano(earned.given_usd), nano(earned.earned_usd) - nano(earned.given_usd)]);
    assert.equal(nano(earned.ripening_usd), sumOf('earnings', ada.id));
    assert.deepEqual([earned.payable_usd, earned.escrow_usd], [0, 0]);
    const told = await command(network, 'provider', 'earnings', ada.id);
    assert.deepEqual([told.earned_usd, told.given_usd, told.ripening_usd],
      [earned.earned_usd, earned.given_usd, earned.ripening_usd]);
    await assertBooks(network);
  } finally {
    await stopCleanly(network);
  }
});

describe('an own device that dies', { concurrency: 1 }, () => {
  test('in mid-answer: another own one goes on, or nobody; never somebody else\'s', async () => {
    const network = await Network.gateway(['--queue-ms', '1500', '--accept-ms', '30000']);
    try {
      const ada = await cappedAccount(network, 'ada');
      const other = await HandProvider.join(network, [REFERENCE_MODEL]);
      const one = await HandProvider.join(network, [REFERENCE_MODEL], {}, ada.id);
      await network.untilServes(one);
      const begun = await firstTextOf(network, ada, one);
      const second = await HandProvider.join(network, [REFERENCE_MODEL], {}, ada.id);
      await network.untilServes(second);
      one.cut();
      const next = await second.until('job');
      assert.equal(next.request.continue_text, 'Once ');
      second.accept(next.job);
      second.delta(next.job, 'upon a time');
      second.done(next.job);
      assert.equal((await rest(begun.events)).map(textOfEvent).join(''), 'upon a time');

      const { events, first: event } = await firstTextOf(network, ada, second);
      second.cut();
      const tail = await rest(events);
      assert.match(JSON.stringify(tail.map(({ data }) => data)), /no other one of yours could go on/);
      assert.equal(textOfEvent(event), 'Once ');
      assert.ok(!other.messages.some(({ type }) => type === 'job'), 'nobody else was asked');
      const lines = await requestsWhen(network, ada.api_key, 2);
      assert.deepEqual(lines.slice(0, 2).map((line) => [line.status, line.cost_usd]), [['failed', 0], ['completed', 0]]);
      await assertBooks(network);
    } finally {
      await stopCleanly(network);
    }
  });

  test('moves to another account in mid-answer: it does not go on for nothing', async () => {
    const network = await Network.gateway(['--queue-ms', '1500', '--accept-ms', '30000']);
    try {
      const ada = await cappedAccount(network, 'ada');
      const bob = await createAccount(network, 'unlimited', 'bob');
      const one = await HandProvider.join(network, [REFERENCE_MODEL], {}, ada.id);
      await network.untilServes(one);
      const begun = await firstTextOf(network, ada, one);
      const { token } = await network.invite('--account', bob.id);
      const moved = new HandProvider(network.port);
      Object.assign(moved, { keys: one.keys, publicKey: one.publicKey });
      moved.auth((await moved.hello(token)).nonce);
      assert.equal((await moved.until('welcome')).provider_id, one.id);
      moved.status([REFERENCE_MODEL]);
      const tail = await rest(begun.events);
      assert.match(JSON.stringify(tail.map(({ data }) => data)), /no other one of yours could go on/);
      await errorOf(await network.post(CHAT, chat('Hello', MORE), { key: ada.api_key }), 402, 'INSUFFICIENT_CREDITS');
      assert.ok(!moved.messages.some(({ type }) => type === 'job'));
      for (const account of [ada, bob]) assert.equal((await earningsOf(network, account)).earned_usd, 0);
      await assertBooks(network);
    } finally {
      await stopCleanly(network);
    }
  });

  test('outlives a gateway that is killed: what was free stays so', async () => {
    const network = await Network.gateway(['--accept-ms', '30000']);
    try {
      const ada = await cappedAccount(network, 'ada');
      const own = await network.provider(SCRIPTED, { account: ada.id });
      await network.untilServes(own);
      const asked = { key: ada.api_key, headers: { 'Idempotency-Key': 'twice' } };
      const first = await network.post(CHAT, chat('Hello', MORE), asked);
      assert.equal(first.status, 200);
      const text = await first.text();
      const open = await firstText(await network.post(CHAT, chat(script({ tokens: 4000, rate: 50 }),
        { stream: true, max_tokens: 4000 }), { key: ada.api_key }));
      network.main.condemned = true;
      await network.main.stop('SIGKILL');
      await assert.rejects(rest(open.events));
      await assertBooks(network);
      const args = network.main.args.map((one) => (one === '127.0.0.1:0' ? `127.0.0.1:${network.port}` : one));
      await network.untilReachable(network.start(args));
      assert.equal(await (await network.post(CHAT, chat('Hello', MORE), asked)).text(), text);
      await network.untilServes(own);
      await jsonOf(await network.post(CHAT, chat('Hello', MORE), { key: ada.api_key }));
      const { balance_usd: balance, held_usd: held } = await showAccount(network, ada);
      assert.deepEqual([balance, held], [5, 0]);
      await assertBooks(network);
    } finally {
      await stopCleanly(network);
    }
  });

  async function firstTextOf(network, account, device) {
    const response = network.post(CHAT, chat('Tell me', { max_tokens: 1000, stream: true }), { key: account.api_key });
    const job = await device.job();
    device.accept(job);
    device.delta(job, 'Once ');
    return firstText(await response);
  }
});
