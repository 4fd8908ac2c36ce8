// Starts real nataris processes on loopback for the tests, and stops every one of them.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

export const NATARIS = process.env.NATARIS_BIN ?? path.resolve('build/nataris');
export const REFERENCE_MODEL = 'llama-3.2-1b-instruct-q4_k_m';
export const SMALL_MODEL = 'qwen2.5-0.5b-instruct-q6_k';
/** In the catalog; no test serves it. */
export const ABSENT_MODEL = 'phi-3-mini-4k-instruct-q4_k_m';
export const DEMO_MODEL = 'nataris-demo-2m';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const FILE_TIMEOUT_MS = 1000 * (process.env.NATARIS_TEST_TIMEOUT_S ?? 300); // for all tests of a file

const running = new Set();
process.on('exit', () => running.forEach((program) => program.kill('SIGKILL'))); // a test that broke off
setTimeout(() => {
  console.error('the tests of this file take too long');
  process.exit(1);
}, FILE_TIMEOUT_MS).unref();

/** One process of ours; `lines` grows with its standard output, `errors` with its log. */
export class Program {
  constructor(args, { env = {} } = {}) {
    this.args = args;
    this.lines = [];
    this.errors = '';
    this.waiters = [];
    this.child = spawn(NATARIS, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = this.child.pid;
    running.add(this);
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#wake();
    });
    this.child.stderr.on('data', (data) => {
      this.errors += data;
      this.#wake();
    });
    this.exit = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.ended = { code, signal };
        running.delete(this);
        this.#wake();
        resolve(this.ended);
      });
    });
  }

  #wake() {
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  /** Resolves with the first truthy `find(this)`; rejects when the process ends before or time is up. */
  async until(find, what) {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const found = find(this);
      if (found) return found;
      if (this.ended || Date.now() > deadline) {
        throw new Error(`nataris ${this.args[0]}: no ${what}\n${this.lines.join('\n')}\n${this.errors}`);
      }
      await new Promise((resolve) => {
        this.waiters.push(resolve);
        setTimeout(resolve, 1000).unref();
      });
    }
  }

  /** Resolves once the log holds `text` (a string or a pattern). */
  untilLog(text) {
    const matches = typeof text === 'string' ? (p) => p.errors.includes(text) : (p) => text.test(p.errors);
    return this.until(matches, `log line with ${text}`);
  }

  kill(signal) {
    if (!this.ended) this.child.kill(signal);
    this.condemned ||= signal === 'SIGKILL'; // no clean end is expected
  }

  /** SIGTERM, then { code, signal }; a sanitizer's report shows as a code that is not 0, a hang as SIGKILL. */
  async stop(signal = 'SIGTERM') {
    this.kill(signal);
    const hang = setTimeout(() => this.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const ended = await this.exit;
    clearTimeout(hang);
    return ended;
  }
}

export function makeFolder() {
  return mkdtempSync(path.join(tmpdir(), 'nataris-e2e-'));
}

async function readJson(program) {
  const line = await program.until((p) => p.lines.find((l) => l.startsWith('{')), 'line of JSON');
  return JSON.parse(line);
}

/** Polls until `find` gives something truthy, and returns that. */
export async function eventually(find, what, timeoutMs = START_TIMEOUT_MS) {
  const deadline = Date.now() + timeoutMs;
  for (let pauseMs = 10; ; pauseMs = Math.min(2 * pauseMs, 500)) {
    const found = await find();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(typeof what === 'function' ? what() : what);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Runs a command to its end: { code, stdout, stderr }. */
export async function run(args, options) {
  const program = new Program(args, options);
  const { code, signal } = await program.exit;
  return { code, signal, stdout: program.lines.join('\n'), stderr: program.errors };
}

/** A gateway with providers around it. Every process started through it ends in stop(). */
/** Devices of tests have all their slots at once, unless a test is of how strangers are treated (`strangers: true`). */
const trust = ({ strangers = false } = {}) => (strangers ? [] : ['--trust-devices']);

export class Network {
  constructor() {
    this.folder = makeFolder();
    this.data = path.join(this.folder, 'data');
    this.programs = [];
    this.providerCount = 0;
  }

  /** Any command of ours, ended by stop(). */
  start(args, options) {
    const program = new Program(args, options);
    this.programs.push(program);
    return program;
  }

  async #adopt(program) {
    const { base_url, api_key, test_key } = await readJson(program).catch(async (error) => {
      await this.stop();
      throw error;
    });
    Object.assign(this, { main: program, baseURL: base_url, apiKey: api_key, testKey: test_key });
    this.origin = base_url.replace(/\/v1$/, '');
    this.port = Number(new URL(base_url).port);
    return this;
  }

  /** nataris up */
  static async up(args = [], options) {
    const network = new Network();
    const all = ['up', '--data', network.data, '--listen', '127.0.0.1:0', '--json', '--log-level', 'info',
      ...trust(options), ...args];
    return network.#adopt(network.start(all, options));
  }

  /** nataris gateway, without providers; `prepare(network)` comes before it is started */
  static async gateway(args = [], { prepare, ...options } = {}) {
    const network = new Network();
    prepare?.(network);
    const all = ['gateway', '--data', network.data, '--listen', '127.0.0.1:0', '--json', ...trust(options), ...args];
    return network.#adopt(network.start(all, options));
  }

  async invite(...args) {
    const { code, stdout, stderr } = await run(['provider', 'invite', '--data', this.data, '--json', ...args]);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** A further provider, by the two commands of the README; resolves when it has joined. */
  async provider(args = [], { account, ...options } = {}) {
    const { token, url } = await this.invite(...(account ? ['--account', account] : []));
    this.providerCount += 1;
    const name = `provider-${this.providerCount}`;
    const data = path.join(this.folder, name);
    const program = this.start(['provider', '--gateway', url, '--join', token, '--data', data, '--name', name,
      '--quiet', ...args], options);
    Object.assign(program, { data, name });
    await this.joined(program);
    return program;
  }

  /** Resolves with the id that the gateway gave it; again after a further link when `times` is more than 1. */
  async joined(program, times = 1) {
    const pattern = new RegExp(`provider\\.joined provider_id=(\\S+) name=${program.name} `, 'g');
    const [, id] = await this.main.until((main) => {
      if (program.ended) throw new Error(`${program.name} ended\n${program.errors}`);
      return [...main.errors.matchAll(pattern)][times - 1];
    }, `provider.joined of ${program.name}`);
    program.id = id;
    return id;
  }

  /** A provider with the scripted engine; resolves once the model can be used. */
  async scripted(args = [], model = REFERENCE_MODEL) {
    const program = await this.provider(['--engine', 'scripted', '--model', model, ...args]);
    await this.untilAvailable(model);
    return program;
  }

  /** Until a program of `provider` can be given work: it joins before its models are ready. */
  async untilServes(program) {
    await eventually(async () => {
      const { code, stdout } = await run(['provider', 'list', '--data', this.data, '--json']);
      const device = code === 0 ? JSON.parse(stdout).data.find((one) => one.id === program.id) : undefined;
      return device?.models?.[0]?.gate === 'none';
    }, () => `${program.name} does not serve\n${this.errors()}`);
  }

  async untilAvailable(model, wanted = true, timeoutMs = START_TIMEOUT_MS) {
    await eventually(async () => {
      const answer = await this.fetch(`/v1/models/${model}`);
      return answer.status === 200 && (await answer.json()).available === wanted;
    }, () => `${model} did not become ${wanted ? 'available' : 'unavailable'}\n${this.errors()}`, timeoutMs);
  }

  /** For a gateway that was started again at the same address. */
  async untilReachable(program) {
    this.main = program;
    await eventually(() => this.fetch('/healthz').then(() => true, () => {
      if (program.ended) throw new Error(`the gateway ended\n${program.errors}`);
      return false;
    }), 'the gateway did not come back');
  }

  fetch(route, { key = this.apiKey, headers = {}, ...rest } = {}) {
    const all = key ? { Authorization: `Bearer ${key}`, ...headers } : headers;
    return fetch(this.origin + route, { headers: all, ...rest });
  }

  post(route, body, options = {}) {
    const headers = { 'Content-Type': 'application/json', ...options.headers };
    return this.fetch(route, {
      ...options, headers, method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  }

  errors() {
    return this.programs.map((p) => `--- nataris ${p.args[0]}\n${p.errors}`).join('\n');
  }

  /** Stops all; returns the exits of those that were to be still running, newest first. */
  async stop() {
    const exits = [];
    for (const program of this.programs.slice().reverse()) {
      if (program.condemned) await program.exit;
      if (program.ended) continue;
      const ended = await program.stop();
      exits.push({ command: program.args[0], errors: program.errors, ...ended });
    }
    rmSync(this.folder, { recursive: true, force: true });
    return exits;
  }
}

/** Stops the network and fails when a process did not end cleanly (sanitizers end with a status of their own). */
export async function stopCleanly(network) {
  for (const { command, code, signal, errors } of await network.stop()) {
    if (code !== 0) throw new Error(`nataris ${command} ended with ${code ?? signal}\n${errors}`);
  }
}

/** Tells a story about a network of its own, which is stopped after it. */
export async function within(starting, tell) {
  const network = await starting;
  try {
    await tell(network);
  } catch (error) {
    await network.stop();
    throw error;
  }
  await stopCleanly(network);
}
