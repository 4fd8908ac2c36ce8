// Devices are killed with kill -9, stopped and started again at random while streams run over them, and no client notices.
//   node tests/soak/chaos.mjs [--seconds N] [--engine scripted|llama|both] [--seed N] [--streams N] [--plain N]
// Prints a line "ok NAME" or "FAILED NAME: why" for each thing that was shown. The seed decides what the clients ask and
// what happens to which device after which pause; where in a stream that hits is the machine's business.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import {
  admin, allPages, assertBooks, balanceOf, command, cost, createAccount, nano, untilIdle,
} from '../e2e/support/accounts.mjs';
import { DEMO_MODEL, eventually, Network, stopCleanly } from '../e2e/support/network.mjs';
import { ChaosClients } from './chaos_clients.mjs';
import { modelWork, scriptedWork } from './chaos_work.mjs';
import { Faults } from './faults.mjs';
import { Random } from './random.mjs';
import { failures, show } from './report.mjs';

const DEVICES = 4;
const GRANT_USD = '1000';
const TRAIL_SHOWN = 30;
const PROGRESS_MS = 10_000;
const SHARE_PERCENT = 85;
const DEMO_PRICE = { prompt: 10, completion: 20 };

const ENGINES = {
  scripted: { makeWork: scriptedWork, price: undefined, device: {} },
  llama: { makeWork: modelWork, price: DEMO_PRICE, device: { engine: 'llama', model: DEMO_MODEL } },
};

function told({ all, continued, seams }, what) {
  return `${all} ${what} of which ${continued} lost their device in the middle, ${seams} times in all`;
}

async function storm({ network, faults, clients }, options) {
  clients.start(options.streams, options.plain);
  const progress = setInterval(() => console.log(`  ${clients.answers.length} answers, ${JSON.stringify(faults.count)}`),
    PROGRESS_MS);
  await faults.run(1000 * options.seconds, () => clients.broken.length > 0);
  await clients.stop();
  clearInterval(progress);
  for (const { label, why } of clients.broken) console.log(`  broken ${label}: ${why}`);
  if (clients.broken.length > 0) console.log(`  ${faults.trail.slice(-TRAIL_SHOWN).join('\n  ')}\n${network.main.errors}`);
  assert.equal(clients.broken.length, 0, 'broken answers');
  const { streams, plain, refused } = clients.count;
  assert.ok(streams.continued > 0 && plain.continued > 0, `no device was lost in the middle: ${JSON.stringify(clients.count)}`);
  return `${told(streams, 'streams')}, ${told(plain, 'plain answers')}; longest pause in a stream `
    + `${Math.round(clients.longestGapMs)} ms; ${refused} refused while nobody was there`;
}

function groupBy(lines, keyOf) {
  const groups = new Map();
  for (const line of lines) groups.set(keyOf(line), [...(groups.get(keyOf(line)) ?? []), line]);
  return groups;
}

async function judge({ network, account, clients, faults }, price) {
  await untilIdle(network, account);
  const all = await allPages(network, account.api_key, '/v1/usage/requests');
  const lines = all.filter((line) => line.status === 'completed');
  const byLabel = groupBy(lines, (line) => line.label);
  const earnings = await allPages(network, network.apiKey, '/v1/provider/earnings');
  const earnedFor = groupBy(earnings, (line) => line.id);

  await show('each answer is charged once, by its own counts', () => {
    for (const { label, id, usage } of clients.answers) {
      const found = byLabel.get(label) ?? [];
      assert.deepEqual(found.map((line) => [line.id, line.status, line.prompt_tokens, line.completion_tokens]),
        [[id, 'completed', usage.prompt_tokens, usage.completion_tokens]], label);
      assert.equal(nano(found[0].cost_usd), cost(usage, price), label);
    }
    assert.equal(lines.length, clients.answers.length, 'and nothing else is');
    for (const line of all) assert.ok(line.status === 'completed' || line.cost_usd === 0, line.label);
    return `${lines.length} charges`;
  });
  await show('what the list costs is what the wallet lost', async () => {
    const spent = lines.reduce((sum, line) => sum + nano(line.cost_usd), 0);
    assert.equal(account.start - (await balanceOf(network, account)), spent);
    assert.equal((await admin(network, 'GET', `/admin/accounts/${account.id}`)).held_usd, 0);
  });
  await show('its devices earn 85% of each answer, however many made it', async () => {
    assert.equal(earnings.length, lines.length);
    for (const { id, cost_usd: charged } of lines) {
      const earned = (earnedFor.get(id) ?? []).reduce((sum, line) => sum + nano(line.earned_usd), 0);
      assert.equal(earned, Math.floor(nano(charged) * SHARE_PERCENT / 100), id);
    }
    const total = earnings.reduce((sum, line) => sum + nano(line.earned_usd), 0);
    assert.equal(nano((await command(network, 'provider', 'earnings')).earned_usd), total);
  });
  await show('the books add up, each part of a shared answer too', async () => `${(await assertBooks(network)).entries} entries`);
  await show('no process of a model outlives its device', () =>
    eventually(() => faults.orphans().length === 0, () => `left: ${faults.orphans()}`, 10_000));
}

async function chaos(name, options) {
  const { makeWork, price, device } = ENGINES[name];
  const random = new Random(options.seed);
  const network = await Network.gateway(['--log-level', 'warn']);
  const faults = new Faults(network, new Random(random.next()), DEVICES, device);
  await faults.open();
  await network.untilAvailable(faults.model);
  const account = await createAccount(network);
  await command(network, 'credit', 'grant', account.id, GRANT_USD);
  account.start = await balanceOf(network, account);
  const world = { network, faults, account, clients: new ChaosClients(network, faults, account, random, makeWork) };
  const before = failures();
  await show(`${name}: ${options.streams} streams over ${DEVICES} devices for ${options.seconds} s: none breaks, none has a seam`,
    () => storm(world, options));
  console.log(`  ${JSON.stringify(faults.count)}`);
  if (failures() === before) await judge(world, price);
  await show('everything ends well', () => stopCleanly(network));
}

const { values } = parseArgs({ options: {
  seconds: { type: 'string', default: '35' },
  engine: { type: 'string', default: 'both' },
  seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
  streams: { type: 'string', default: '20' },
  plain: { type: 'string', default: '4' },
} });
const options = { seconds: Number(values.seconds), seed: Number(values.seed), streams: Number(values.streams),
  plain: Number(values.plain) };
console.log(`chaos: --seed ${values.seed} --seconds ${values.seconds} --engine ${values.engine}`);
for (const name of values.engine === 'both' ? Object.keys(ENGINES) : [values.engine]) await chaos(name, options);
process.exit(failures() === 0 ? 0 : 1);
