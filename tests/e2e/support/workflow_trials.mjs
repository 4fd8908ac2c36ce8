// What must hold for workflows whatever happens: no cap is exceeded, and a gateway that is killed takes and pays no step
// twice. The tests run a few of each, the soak runs many.
import assert from 'node:assert/strict';
import { admin, assertBooks, balanceOf, createAccount, nano, requestsOf, untilIdle } from './accounts.mjs';
import { ask, script, textOf } from './chat.mjs';
import { Network } from './network.mjs';
import {
  CHAT, ENDED, allWorkflows, assertAnswer, assertSteps, generationsOf, getWorkflow, longText, untilWorkflow, workflow,
} from './workflows.mjs';

const WELCOME = 5_000_000_000;
const DEVICE = ['--slots', '16', '--context', '2048'];

/** The bodies that are tried: all kinds, with their loops. */
function tasks() {
  return {
    research: workflow('research', 'The sea'),
    code: workflow('code', 'Sort a list'),
    'code with faults': workflow('code', script({ text: 'FAULTS: it does not even begin' })),
    agent: workflow('agent', 'The moon'),
    'agent that goes on': workflow('agent', script({ text: 'Action: calculator[2 + 2]' }), { orchestration: { max_steps: 3 } }),
    map_reduce: workflow('map_reduce', longText(12_000), { orchestration: { max_steps: 40 } }),
  };
}

function kindOf(body) {
  return body.orchestration.workflow;
}

// --- Caps ---

function capped(body, cap) {
  return { ...body, orchestration: { ...body.orchestration, max_cost_usd: cap / 1e9 } };
}

/** One run under a cap of so many nano-dollars, on an account of its own; its answer. */
async function runCapped(network, body, cap) {
  const account = await createAccount(network);
  const answer = await ask(network, capped(body, cap), { key: account.api_key });
  const found = await assertAnswer(network, answer, kindOf(body), account.api_key);
  await untilIdle(network, account);
  const spent = WELCOME - await balanceOf(network, account);
  const lines = await requestsOf(network, account.api_key);
  const charged = lines.reduce((sum, line) => sum + nano(line.cost_usd), 0);
  const told = [answer.nataris.total_cost_usd, found.total_cost_usd].map(nano);
  for (const cost of [spent, charged, ...told]) assert.ok(cost <= cap, `${cost} of ${cap}: ${JSON.stringify(found)}`);
  assert.deepEqual([spent, charged, ...told], Array(4).fill(spent), 'wallet, requests, answer and workflow agree');
  assert.equal(nano(found.max_cost_usd), cap);
  if (answer.nataris.status === 'BUDGET_EXCEEDED') assert.equal(answer.choices[0].finish_reason, 'length');
  return answer;
}

/** The first cap, doubling, under which it ends as it does without one. */
async function enoughFor(network, body, free) {
  for (let cap = Math.max(1, nano(free.nataris.total_cost_usd)); cap < WELCOME; cap *= 2) {
    const { nataris } = await runCapped(network, body, cap);
    if (nataris.status === free.nataris.status) return cap;
    assert.equal(nataris.status, 'BUDGET_EXCEEDED');
  }
  throw new Error('no cap is enough');
}

async function sweepOne(network, body, runs) {
  const { api_key: key } = await createAccount(network); // the network's own pays nothing on its own devices
  const free = await ask(network, body, { key });
  const enough = await enoughFor(network, body, free);
  const seen = { BUDGET_EXCEEDED: 0, [free.nataris.status]: 0 };
  for (let i = 0; i < runs; i++) {
    const cap = runs > 1 ? Math.round(enough * i / (runs - 1)) : enough;
    const answer = await runCapped(network, body, cap);
    const { status, steps_executed: steps } = answer.nataris;
    assert.ok(status in seen, status);
    seen[status] += 1;
    if (cap === 0) assert.deepEqual([status, steps, textOf(answer) ?? ''], ['BUDGET_EXCEEDED', 0, '']);
    if (cap === enough) assert.equal(textOf(answer), textOf(free));
  }
  return seen;
}

/** Caps from 0 to enough, `runs` in all, every kind at the same time; how many ended how. */
export async function sweepCaps(network, runs) {
  await network.scripted(DEVICE);
  const all = Object.values(tasks());
  const counts = await Promise.all(all.map((body) => sweepOne(network, body, Math.ceil(runs / all.length))));
  const sum = {};
  for (const seen of counts) for (const [status, count] of Object.entries(seen)) sum[status] = (sum[status] ?? 0) + count;
  assert.ok(sum.BUDGET_EXCEEDED > 0 && sum.COMPLETED > 0, JSON.stringify(sum));
  await assertBooks(network);
  return sum;
}

// --- Kills ---

const PARALLEL = 4;
const LIFE_MAX_MS = 500;

/** What stays the same however often it was interrupted. The prompt of a think has the time at which its workflow began. */
function essence({ status, steps, answer, total_cost_usd: cost }) {
  return { status, answer, cost, steps: steps.map((step) => [step.number, step.name, step.status,
    step.name === 'think' || step.prompt_sha256, step.output, step.completion_tokens, step.cost_usd]) };
}

export class KillCampaign {
  /** `below(n)` gives a random number; options of the gateway beside its folder and address. */
  constructor(below) {
    this.below = below;
    this.posts = new Map(); // by idempotency key: { name, body, answer }
    this.wanted = {}; // by task: how it ends undisturbed
    this.interrupted = 0;
    this.served = true; // by devices
  }

  async open() {
    this.network = await Network.gateway(['--drain-s', '2', '--no-counting']);
    const device = [...DEVICE, '--script-rate', '200', '--reconnect-ms', '5', '--log-level', 'info'];
    for (let i = 0; i < 2; i++) await this.network.scripted(device);
    this.account = await createAccount(this.network);
    for (const [name, body] of Object.entries(tasks())) {
      const account = await createAccount(this.network);
      const answer = await ask(this.network, body, { key: account.api_key });
      this.wanted[name] = essence(await assertAnswer(this.network, answer, kindOf(body), account.api_key));
    }
    return this;
  }

  async #post(key) {
    const { body } = this.posts.get(key);
    const response = await this.network.post(CHAT, body, { key: this.account.api_key, headers: { 'Idempotency-Key': key } });
    return { status: response.status, answer: await response.json() };
  }

  /** One life of the gateway: some workflows are asked for, whether a device is there yet or not, and at a random moment it
   * dies. */
  async round(number) {
    const names = Object.keys(this.wanted);
    const asked = [];
    for (let i = 0; i < PARALLEL; i++) {
      const name = names[this.below(names.length)];
      const key = `${number}-${i}`;
      this.posts.set(key, { name, body: tasks()[name] });
      asked.push(this.#post(key).then(({ status, answer }) => {
        if (status === 200) this.posts.get(key).answer = answer;
        else assert.ok(status >= 500 || status === 429, JSON.stringify(answer));
      }, () => { this.interrupted += 1; }));
    }
    await new Promise((resolve) => setTimeout(resolve, this.below(LIFE_MAX_MS)));
    const { network } = this;
    network.main.kill('SIGKILL');
    const { code, signal } = await network.main.exit;
    assert.equal(signal, 'SIGKILL', `the gateway ended by itself with ${code}\n${network.main.errors}`);
    await Promise.all(asked);
    network.programs = network.programs.filter((program) => !program.ended);
    await network.untilReachable(network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`,
      '--log-level', 'warn', '--drain-s', '2', '--no-counting', '--json']));
    this.served = this.below(5) > 0;
    if (this.served) await network.untilAvailable(tasks().research.model);
  }

  /** After the last kill: each ends as if nothing had been, once, and is paid once. */
  async judge() {
    const { network, account: { api_key: key } } = this;
    await network.untilAvailable(tasks().research.model);
    for (const { id } of await allWorkflows(network, key)) await untilWorkflow(network, id, key);
    await untilIdle(network, this.account);
    const byKey = new Map();
    for (const [name, post] of this.posts) {
      const { status, answer } = await this.#post(name); // one that was lost before it was stored runs now
      assert.equal(status, 200, JSON.stringify(answer));
      if (post.answer) assert.deepEqual(answer, post.answer, 'what was acknowledged stays');
      byKey.set(name, answer.nataris.workflow_id);
    }
    assert.equal(new Set(byKey.values()).size, this.posts.size, 'one workflow for each key');
    const all = await allWorkflows(network, key);
    assert.deepEqual(all.map(({ id }) => id).sort(), [...byKey.values()].sort(), 'and no other');
    let [steps, cost] = [0, 0];
    for (const [name, id] of byKey) {
      const found = await getWorkflow(network, id, key);
      assert.ok(ENDED.includes(found.status));
      assertSteps(found, kindOf(this.posts.get(name).body));
      assert.deepEqual(essence(found), this.wanted[this.posts.get(name).name], `${name} ${id}`);
      steps += generationsOf(found).length;
      cost += nano(found.total_cost_usd);
    }
    await this.#judgeMoney(steps, cost);
    return { workflows: all.length, steps, interrupted: this.interrupted };
  }

  async #judgeMoney(steps, cost) {
    const { network, account } = this;
    await untilIdle(network, account);
    const lines = await requestsOf(network, account.api_key);
    assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length, 'no id is settled twice');
    assert.equal(lines.filter((line) => nano(line.cost_usd) > 0).length, steps, 'each step is paid once');
    assert.equal(lines.reduce((sum, line) => sum + nano(line.cost_usd), 0), cost);
    assert.equal(await balanceOf(network, account), WELCOME - cost);
    assert.equal((await admin(network, 'GET', `/admin/accounts/${account.id}`)).held_usd, 0);
    await assertBooks(network);
  }
}
