// A gateway among evil peers: devices that say random things (valid, half valid and not, from the grammar of the link) and
// clients that send random requests, while honest buyers ask honest devices, and the evil ones.
//   node tests/soak/evil_peer.mjs [--evil-steps N] [--evil-links N] [--seed N]
// Prints a line "ok NAME" or "FAILED NAME: why" for each thing that was shown. The seed decides what each peer says in which
// order, and what the buyers ask; which of it meets which is the machine's business.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { allPages, assertBooks, balanceOf, command, createAccount, nano, untilIdle } from '../e2e/support/accounts.mjs';
import { chat, script } from '../e2e/support/chat.mjs';
import { Network, REFERENCE_MODEL, SMALL_MODEL, stopCleanly } from '../e2e/support/network.mjs';
import { EvilClient, EvilLink } from './evil_links.mjs';
import { words } from './evil_grammar.mjs';
import { Random } from './random.mjs';
import { failures, pause, show } from './report.mjs';

const GRANT_USD = '1000';
const EVIL_MODEL = 'evil-model';
const SPARE_TOKENS = 4;
const LOG = 'build-logs/evil-gateway.log';
const BUYERS = 8;
const ATTEMPTS_MAX = 16;
const SHARE_PERCENT = 85;
const MEMORY_GROWTH_KB = 384 * 1024;
const SMALLER_QUARANTINE = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=16` };
/** Nobody waits long for a device that says nothing. */
const HASTE = ['--accept-ms', '1000', '--first-token-ms', '2000', '--silence-ms', '2000', '--whole-ms', '8000', '--queue-ms', '4000',
  '--cooldown-ms', '50', '--drain-s', '5'];

function memoryKb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

async function open() {
  const network = await Network.gateway(['--log-level', 'info', ...HASTE], { strangers: true, env: SMALLER_QUARANTINE });
  const honest = await network.provider(['--engine', 'scripted', '--model', REFERENCE_MODEL, '--model', SMALL_MODEL, '--slots', '16']);
  await command(network, 'provider', 'verify', honest.id);
  await network.joined(honest, 2);
  await network.untilAvailable(REFERENCE_MODEL);
  await network.untilAvailable(SMALL_MODEL);
  const [buyer, evil] = await Promise.all(['buyer', 'evil'].map((name) => createAccount(network, 'unlimited', name)));
  await command(network, 'credit', 'grant', buyer.id, GRANT_USD);
  const { token } = await network.invite('--account', evil.id, '--uses', '100000');
  buyer.start = await balanceOf(network, buyer);
  return { network, buyer, evil, token, key: evil.api_key, models: [EVIL_MODEL, SMALL_MODEL] };
}

/** Asks until told to stop. Models that only honest devices have are answered as ever; of all others the bytes are kept. */
class Buyers {
  constructor({ network, buyer }, random) {
    Object.assign(this, { network, buyer, random, bytes: new Map(), wrong: [],
      count: { honest: 0, shared: 0, evil: 0, refused: 0, left: 0 } });
  }

  start(count) {
    this.running = Array.from({ length: count }, () => this.#run());
  }

  async stop() {
    this.stopped = true;
    await Promise.all(this.running);
  }

  async #run() {
    while (!this.stopped) {
      const model = this.random.pick([REFERENCE_MODEL, SMALL_MODEL, EVIL_MODEL, EVIL_MODEL]);
      const started = new Date().toISOString();
      await (model === REFERENCE_MODEL ? this.#askHonest() : this.#ask(model)).catch((error) =>
        this.wrong.push(`${started} to ${new Date().toISOString()}: ${error.stack} ${error.cause?.stack ?? ''} ${JSON.stringify(error.cause?.socket)}`));
      await pause(2);
    }
  }

  async #post(body) {
    const response = await this.network.post('/v1/chat/completions', body, { key: this.buyer.api_key });
    return { status: response.status, text: await response.text() };
  }

  async #askHonest() {
    const text = `${words(this.random).replace(/["\\\]]/g, '')}!`;
    const { status, text: got } = await this.#post(chat(script({ text })));
    assert.equal(status, 200, got);
    const answer = JSON.parse(got);
    assert.equal(answer.choices[0].message.content, text);
    this.bytes.set(answer.id, Buffer.byteLength(text));
    this.count.honest += 1;
  }

  async #ask(model) {
    const stream = this.random.below(2) === 0;
    const body = chat(`${words(this.random)}?`, { model, max_tokens: 1 + this.random.below(200), stream });
    if (this.random.below(6) === 0) {
      await this.#leave(body);
      return;
    }
    const { status, text } = await this.#post(body);
    if (status !== 200) {
      assert.ok([400, 404, 408, 429, 503].includes(status), `${status} ${text}`);
      this.count.refused += 1;
      return;
    }
    const answers = stream ? text.split('\n').filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6)))
      : [JSON.parse(text)];
    const said = answers.map((answer) => answer.choices?.[0]?.delta?.content ?? answer.choices?.[0]?.message?.content ?? '').join('');
    const { id } = answers.find((answer) => answer.id) ?? {};
    if (id) this.bytes.set(id, Buffer.byteLength(said));
    this.count[model === SMALL_MODEL ? 'shared' : 'evil'] += 1;
  }

  /** Goes away at some moment. */
  async #leave(body) {
    const leaving = new AbortController();
    const answer = this.network.post('/v1/chat/completions', body, { key: this.buyer.api_key, signal: leaving.signal })
      .then((response) => response.text()).catch(() => undefined);
    await pause(this.random.below(40));
    leaving.abort();
    await answer;
    this.count.left += 1;
  }
}

async function storm(world, random, { links, steps, seed }) {
  const peers = Array.from({ length: links }, (_, i) =>
    new EvilLink(world, new Random(seed * 1000 + i), Math.ceil(steps / links)));
  const clients = Array.from({ length: links }, (_, i) =>
    new EvilClient(world, new Random(seed * 1000 + 500 + i), Math.ceil(steps / links / 4)));
  const buyers = new Buyers(world, random);
  buyers.start(BUYERS);
  const running = Promise.all([...peers, ...clients].map((peer) => peer.run()));
  await Promise.race([running, world.network.main.exit]);
  if (world.network.main.ended) {
    for (const { trail } of peers) console.log(`  ${trail.slice(-12).join('\n  ')}`);
    throw new Error(`the gateway ended: ${JSON.stringify(world.network.main.ended)}\n${world.network.main.errors.slice(-8000)}`);
  }
  await buyers.stop();
  assert.deepEqual(buyers.wrong.slice(0, 3), [], `${buyers.wrong.length} wrong answers`);
  assert.deepEqual(clients.flatMap((client) => client.bad).slice(0, 3), []);
  const sum = (of) => peers.reduce((total, peer) => total + peer.count[of], 0);
  assert.ok(sum('jobs') > 0 && buyers.count.honest > 0 && buyers.count.evil > 0, JSON.stringify(buyers.count));
  const statuses = {};
  for (const client of clients) for (const [status, count] of Object.entries(client.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
  console.log(`  ${sum('links')} links, ${sum('welcomes')} welcome, ${sum('jobs')} jobs; requests ${JSON.stringify(statuses)}`);
  return [buyers, JSON.stringify(buyers.count)];
}

async function judge({ network, buyer, evil }, buyers) {
  await untilIdle(network, buyer);
  await untilIdle(network, evil);
  const lines = await allPages(network, buyer.api_key, '/v1/usage/requests');
  await show('no answer is charged beyond what came of it', () => {
    let known = 0;
    for (const line of lines) {
      const bytes = buyers.bytes.get(line.id);
      if (bytes === undefined) continue;
      known += 1;
      assert.ok(line.completion_tokens <= bytes + SPARE_TOKENS * ATTEMPTS_MAX, `${line.id}: ${line.completion_tokens} of ${bytes} bytes`);
      assert.ok(bytes > 0 || line.cost_usd === 0, `${line.id} is empty and costs ${line.cost_usd}`);
    }
    for (const line of lines) assert.ok(line.status !== 'failed' || line.cost_usd === 0, line.id);
    return `${known} of ${lines.length}`;
  });
  await show('the wallet lost what the list says, and nothing is on hold', async () => {
    const spent = lines.reduce((sum, line) => sum + nano(line.cost_usd), 0);
    assert.equal(buyer.start - await balanceOf(network, buyer), spent);
  });
  await show('devices earn 85% of it at most', async () => {
    const earned = (await Promise.all([evil.api_key, network.apiKey].map((key) => allPages(network, key, '/v1/provider/earnings')))).flat();
    const all = [...lines, ...await allPages(network, evil.api_key, '/v1/usage/requests')];
    const most = all.reduce((sum, line) => sum + Math.floor(nano(line.cost_usd) * SHARE_PERCENT / 100), 0);
    assert.ok(earned.reduce((sum, line) => sum + nano(line.earned_usd), 0) <= most);
  });
  await show('the books add up', async () => `${(await assertBooks(network)).entries} entries`);
}

const { values } = parseArgs({ options: {
  'evil-steps': { type: 'string', default: '2400' },
  'evil-links': { type: 'string', default: '6' },
  seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
} });
const options = { steps: Number(values['evil-steps']), links: Number(values['evil-links']), seed: Number(values.seed) };
console.log(`evil: --seed ${values.seed} --evil-steps ${values['evil-steps']} --evil-links ${values['evil-links']}`);
const world = await open();
const before = memoryKb(world.network.main.pid);
let buyers;
await show(`${options.steps} steps of ${options.links} evil devices and clients: the gateway lives, honest requests are answered`, async () => {
  let told;
  [buyers, told] = await storm(world, new Random(options.seed), options);
  return told;
});
if (failures() > 0) {
  writeFileSync(LOG, world.network.main.errors);
  console.log(`  the gateway's log is in ${LOG}`);
}
if (buyers) {
  await show('its memory is bounded', () => {
    const grown = memoryKb(world.network.main.pid) - before;
    assert.ok(grown < MEMORY_GROWTH_KB, `${grown} KB more`);
    return `${grown} KB more than before`;
  });
  await judge(world, buyers);
}
await show('everything ends well', () => stopCleanly(world.network));
process.exit(failures() === 0 ? 0 : 1);
