// Starts real nataris processes on loopback for the tests, and stops every one of them.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

export const NATARIS = process.env.NATARIS_BIN ?? path.resolve('build/nataris');
export const REFERENCE_MODEL = 'llama-3.2-1b-instruct-q4_k_m';
export const DEMO_MODEL = 'nataris-demo-2m';

const START_TIMEOUT_MS = 120_000;

/** One process of ours; `lines` grows with its standard output, `errors` with its log. */
export class Program {
  constructor(args, { env = {} } = {}) {
    this.args = args;
    this.lines = [];
    this.errors = '';
    this.waiters = [];
    this.child = spawn(NATARIS, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = this.child.pid;
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

  kill(signal) {
    if (!this.ended) this.child.kill(signal);
  }

  /** SIGTERM, then its exit status; a sanitizer's report shows as a status that is not 0. */
  async stop(signal = 'SIGTERM') {
    this.kill(signal);
    return this.exit;
  }
}

export function makeFolder() {
  return mkdtempSync(path.join(tmpdir(), 'nataris-e2e-'));
}

async function readJson(program) {
  const line = await program.until((p) => p.lines.find((l) => l.startsWith('{')), 'line of JSON');
  return JSON.parse(line);
}

/** Runs a command to its end: { code, stdout, stderr }. */
export async function run(args, options) {
  const program = new Program(args, options);
  const { code, signal } = await program.exit;
  return { code, signal, stdout: program.lines.join('\n'), stderr: program.errors };
}

/** A gateway with providers around it. Every process started through it ends in stop(). */
export class Network {
  constructor() {
    this.folder = makeFolder();
    this.data = path.join(this.folder, 'data');
    this.programs = [];
    this.providerCount = 0;
  }

  async #start(args, options) {
    const program = new Program(args, options);
    this.programs.push(program);
    return program;
  }

  async #adopt(program) {
    const { base_url, api_key, test_key } = await readJson(program);
    Object.assign(this, { main: program, baseURL: base_url, apiKey: api_key, testKey: test_key });
    this.origin = base_url.replace(/\/v1$/, '');
    this.port = Number(new URL(base_url).port);
    return this;
  }

  /** nataris up */
  static async up(args = [], options) {
    const network = new Network();
    const all = ['up', '--data', network.data, '--listen', '127.0.0.1:0', '--json', ...args];
    return network.#adopt(await network.#start(all, options));
  }

  /** nataris gateway, without providers */
  static async gateway(args = [], options) {
    const network = new Network();
    const all = ['gateway', '--data', network.data, '--listen', '127.0.0.1:0', '--json', ...args];
    return network.#adopt(await network.#start(all, options));
  }

  async invite() {
    const { code, stdout, stderr } = await run(['provider', 'invite', '--data', this.data, '--json']);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** A further provider, by the two commands of the README; resolves when it is connected. */
  async provider(args = [], options) {
    const { token, url } = await this.invite();
    this.providerCount += 1;
    const data = path.join(this.folder, `provider-${this.providerCount}`);
    const program = await this.#start(
      ['provider', '--gateway', url, '--join', token, '--data', data, '--quiet', ...args], options);
    program.data = data;
    return program;
  }

  /** A provider with the scripted engine; resolves once the model can be used. */
  async scripted(args = [], model = REFERENCE_MODEL) {
    const program = await this.provider(['--engine', 'scripted', '--model', model, ...args]);
    await this.untilAvailable(model);
    return program;
  }

  async untilAvailable(model, timeoutMs = START_TIMEOUT_MS) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const answer = await this.fetch(`/v1/models/${model}`);
      if (answer.status === 200 && (await answer.json()).available) return;
      if (Date.now() > deadline) throw new Error(`${model} did not become available\n${this.errors()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
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

  /** Stops all; returns the exits of those that were still running, newest first. */
  async stop() {
    const exits = [];
    for (const program of this.programs.slice().reverse()) {
      if (!program.ended) exits.push({ command: program.args[0], errors: program.errors, ...(await program.stop()) });
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

/** The data events of an SSE answer, each with its time of arrival: [{ at, data }]; comments as { at, comment }. */
export async function readEvents(response) {
  const events = [];
  let rest = '';
  for await (const chunk of response.body) {
    rest += Buffer.from(chunk).toString('utf8');
    const blocks = rest.split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      if (block.startsWith('data: ')) events.push({ at: performance.now(), data: block.slice(6) });
      else if (block.startsWith(':')) events.push({ at: performance.now(), comment: block.slice(1).trim() });
      else throw new Error(`not an event: ${block}`);
    }
  }
  if (rest !== '') throw new Error(`the stream ended inside an event: ${rest}`);
  return events;
}
