// kill -9 of the gateway at random moments under load, and what must be true of the money after each.
//   node tests/soak/crash_loop.mjs [--kills N] [--idempotency-rounds N] [--seed N] [--clients N]
// Prints a line "ok NAME" or "FAILED NAME: why" for each thing that was shown. The seed decides what the clients ask and
// when the gateway dies; which instruction that hits is the machine's business.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { admin, allPages, assertBooks, balanceOf, command, createAccount, nano, untilIdle } from '../e2e/support/accounts.mjs';
import { hammer } from '../e2e/support/hammer.mjs';
import { Network, REFERENCE_MODEL, stopCleanly } from '../e2e/support/network.mjs';
import { Clients } from './clients.mjs';
import { Random } from './random.mjs';
import { failures, pause, show } from './report.mjs';

const ACCOUNTS = 4;
const PROVIDERS = 2;
const GRANT_USD = '1000';
const SERVE_MAX_MS = 160; // from the first provider to the kill
const START_MAX_MS = 100; // from the start to the kill, when it dies before that
const SERVING_MAX_MS = 30_000;
const EARLY_PERCENT = 15;
const PROGRESS_KILLS = 50;

/** A network whose gateway can be killed and started again at the same address. */
async function open() {
  const network = await Network.gateway(['--log-level', 'warn', '--drain-s', '2']);
  for (let i = 0; i < PROVIDERS; i++) {
    const { token, url } = await network.invite();
    network.start(['provider', '--gateway', url, '--join', token, '--data', `${network.folder}/provider-${i}`, '--engine',
      'scripted', '--model', REFERENCE_MODEL, '--slots', '32', '--reconnect-ms', '2', '--log-level', 'info']);
  }
  await network.untilAvailable(REFERENCE_MODEL);
  const accounts = [];
  for (let i = 0; i < ACCOUNTS; i++) {
    const account = await createAccount(network);
    await command(network, 'credit', 'grant', account.id, GRANT_USD);
    accounts.push({ ...account, start: await balanceOf(network, account) });
  }
  return { network, accounts };
}

function startGateway(network) {
  network.programs = network.programs.filter((program) => !program.ended);
  network.main = network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`, '--log-level',
    'warn', '--drain-s', '2', '--trust-devices', '--json']);
  return network.main;
}

async function killGateway(network) {
  network.main.kill('SIGKILL');
  const { code, signal } = await network.main.exit;
  assert.equal(signal, 'SIGKILL', `the gateway ended by itself with ${code}\n${network.main.errors}`);
}

/** Every answer of `due` (Map of id to account) is in its account's list, completed. */
async function assertSettled(network, accounts, due) {
  for (const account of accounts) {
    const missing = new Set([...due].filter(([, owner]) => owner === account).map(([id]) => id));
    for (let after = ''; missing.size > 0;) {
      const response = await network.fetch(`/v1/usage/requests?limit=100${after}`, { key: account.api_key });
      const page = await response.json();
      for (const { id, status } of page.data) if (status === 'completed') missing.delete(id);
      assert.ok(missing.size === 0 || page.has_more, `acknowledged but not settled: ${[...missing].join(', ')}`);
      if (page.has_more) after = `&after=${page.data.at(-1).id}`;
    }
  }
}

async function untilServing(network) {
  const startedAt = performance.now();
  while ((await network.fetch('/readyz', { key: null })).status !== 200) {
    assert.ok(performance.now() - startedAt < SERVING_MAX_MS, `no provider came back\n${network.errors()}`);
    await pause(5);
  }
}

/** One life of the gateway after a kill: it starts, the books are checked, and it dies again. */
async function liveOnce(world) {
  const { network, accounts, clients, random } = world;
  const due = new Map(clients.acknowledged);
  clients.acknowledged.clear();
  const gateway = startGateway(network);
  const books = assertBooks(network);
  if (random.below(100) < EARLY_PERCENT) {
    await pause(random.below(START_MAX_MS));
    for (const [id, owner] of due) clients.acknowledged.set(id, owner); // to be looked for next time
  } else {
    await gateway.until((program) => program.lines.length > 0, 'line that it listens');
    await assertSettled(network, accounts, due);
    await untilServing(network);
    await pause(random.below(SERVE_MAX_MS));
  }
  await books;
  await killGateway(network);
}

async function crash(world, kills) {
  await pause(100);
  await killGateway(world.network);
  const startedAt = Date.now();
  for (let i = 1; i < kills; i++) {
    await liveOnce(world);
    if (i % PROGRESS_KILLS === 0) {
      console.log(`  ${i} kills, ${world.clients.count.acknowledged} answers, ${Math.round((Date.now() - startedAt) / 1000)} s`);
    }
  }
  const minutes = (Date.now() - startedAt) / 60_000;
  await world.network.untilReachable(startGateway(world.network));
  await world.network.untilAvailable(REFERENCE_MODEL);
  await world.clients.stop();
  return `${Math.round(kills / minutes)} kills a minute`;
}

/** The lines of all accounts by label, and the checks on what each kind of request left there. */
async function readLines({ network, accounts }) {
  const lines = [];
  for (const account of accounts) {
    for (const line of await allPages(network, account.api_key, '/v1/usage/requests')) lines.push({ ...line, account });
  }
  return lines;
}

async function judge(world) {
  const { network, accounts, clients } = world;
  await Promise.all(accounts.map((account) => untilIdle(network, account)));
  const lines = await readLines(world);
  const byLabel = new Map();
  for (const line of lines) byLabel.set(line.label, [...(byLabel.get(line.label) ?? []), line]);
  const byId = new Map(lines.map((line) => [line.id, line]));
  const chargedOf = (label) => (byLabel.get(label) ?? []).filter((line) => nano(line.cost_usd) > 0);

  await show('every acknowledged answer is settled', () => {
    for (const { id, usage } of clients.answers) {
      const line = byId.get(id);
      assert.equal(line?.status, 'completed', id);
      if (usage) {
        assert.deepEqual([line.prompt_tokens, line.completion_tokens], [usage.prompt_tokens, usage.completion_tokens], id);
      }
      assert.ok(nano(line.cost_usd) > 0, id);
    }
    assert.ok(clients.answers.length > 0);
    return `${clients.answers.length} answers`;
  });
  await show('no request with a key is charged twice', () => {
    for (const { label, id } of clients.keyed) {
      assert.deepEqual(chargedOf(label).map((line) => line.id), [id], label);
    }
    return `${clients.keyed.length} requests, ${clients.count.replayed} of them answered from the store`;
  });
  await show('no failed request is charged', () => {
    for (const label of clients.failed) assert.deepEqual(chargedOf(label), [], label);
    assert.ok(lines.every((line) => line.status !== 'failed' || line.cost_usd === 0));
    return `${clients.failed.length} failures`;
  });
  await show('what the lists cost is what the wallets lost', async () => {
    for (const account of accounts) {
      const cost = lines.filter((line) => line.account === account).reduce((sum, line) => sum + nano(line.cost_usd), 0);
      assert.equal(account.start - (await balanceOf(network, account)), cost);
      assert.equal((await admin(network, 'GET', `/admin/accounts/${account.id}`)).held_usd, 0);
    }
  });
  await show('the books add up at the end', async () => `${(await assertBooks(network)).entries} entries`);
}

async function crashLoop(kills, seed, count) {
  const { network, accounts } = await open();
  const random = new Random(seed);
  const clients = new Clients(network, accounts, random, count);
  const world = { network, accounts, clients, random };
  clients.start();
  await show(`${kills} kills: after each the books add up and no acknowledged answer is lost`, () => crash(world, kills));
  if (failures() === 0) await judge(world);
  console.log(`  ${JSON.stringify(clients.count)}`);
  await show('everything ends well', () => stopCleanly(network));
}

async function idempotencyRounds(rounds) {
  const { network, accounts: [account] } = await open();
  await show(`64 posts at once with one key, ${rounds} times: one charge each`, async () => {
    const ids = [];
    for (let i = 0; i < rounds; i++) ids.push(await hammer(network, account, `round-${i}`));
    await untilIdle(network, account);
    const lines = await allPages(network, account.api_key, '/v1/usage/requests');
    assert.deepEqual(lines.map(({ id }) => id).sort(), [...ids].sort());
    const cost = lines.reduce((sum, line) => sum + nano(line.cost_usd), 0);
    assert.equal(account.start - (await balanceOf(network, account)), cost);
    await assertBooks(network);
  });
  await show('everything ends well', () => stopCleanly(network));
}

const { values } = parseArgs({ options: {
  kills: { type: 'string', default: '100' },
  'idempotency-rounds': { type: 'string', default: '100' },
  seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
  clients: { type: 'string', default: '12' },
} });
const kills = Number(values.kills);
const rounds = Number(values['idempotency-rounds']);
console.log(`crash loop: --seed ${values.seed} --kills ${kills} --idempotency-rounds ${rounds}`);
if (kills > 0) await crashLoop(kills, Number(values.seed), Number(values.clients));
if (rounds > 0) await idempotencyRounds(rounds);
process.exit(failures() === 0 ? 0 : 1);
