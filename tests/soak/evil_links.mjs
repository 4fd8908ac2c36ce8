// Peers that mean harm: links of devices, and connections of clients, both from an address of their own.
import net from 'node:net';
import { HostileDevice } from '../e2e/support/hostile_device.mjs';
import { CORPUS, httpRequest, JOB_ACTS, LINK_ACTS, mutate, weighted } from './evil_grammar.mjs';
import { pause } from './report.mjs';

const ADDRESS = '127.0.0.6';
const TRAIL = 60;
const UNSENT_BYTES = 1 << 20;
const ACTS_AT_ONCE = 12;
const OPEN_MS = 3000;
const ANSWER_MS = 400;

/** The same, or undefined when it takes longer. */
function soon(promise, ms) {
  return Promise.race([promise.catch(() => undefined), pause(ms)]);
}

/** One peer that comes back again and again until its steps are used up. `trail` has what it did last. */
export class EvilLink {
  constructor({ network, token, models }, random, steps) {
    Object.assign(this, { network, token, models, random, steps, trail: [], count: { links: 0, welcomes: 0, jobs: 0 } });
  }

  #note(what) {
    this.trail.push(what);
    if (this.trail.length > TRAIL) this.trail.shift();
  }

  /** A device, welcome or not. */
  async #open() {
    const { random } = this;
    const device = new HostileDevice(this.network.port, ADDRESS);
    this.count.links += 1;
    device.versions = random.pick([[1], [1, 2], [1, 2], [2], [2, 9]]);
    if (this.keys && random.below(3)) {
      device.keys = this.keys;
      device.publicKey = this.publicKey;
    }
    if (random.below(8) === 0) { // a wrong beginning
      const [opcode, bytes] = random.pick(CORPUS);
      device.sendFrame(opcode, random.below(2) ? bytes : mutate(random, bytes));
    }
    const challenge = await soon(device.hello(random.below(12) ? this.token : 'join_nobody'), OPEN_MS);
    if (!challenge) return device;
    device.version = challenge.version;
    device.auth(random.below(12) ? challenge.nonce : 'AAAA');
    if (await soon(device.until('welcome'), OPEN_MS)) {
      this.count.welcomes += 1;
      [this.keys, this.publicKey] = [device.keys, device.publicKey];
      device.status(this.models);
    }
    device.version ??= 1;
    return device;
  }

  /** Takes what came; false when the link has ended. */
  #read(device, jobs) {
    while (device.messages.length > 0) {
      if (device.messages[0].type === 'closed') return false;
      const message = device.messages.shift();
      if (message.type === 'job') {
        this.count.jobs += 1;
        jobs.push(message.job);
      }
    }
    return true;
  }

  #act(device, jobs) {
    const { random } = this;
    if (jobs.length > 0 && random.below(12)) {
      const job = random.pick(jobs);
      const act = weighted(random, JOB_ACTS);
      this.#note(`${device.version} job ${job} ${act}`);
      act(random, device, job, (ended) => {
        if (random.below(4)) jobs.splice(jobs.indexOf(ended), 1); // else there is more to say of it
      });
    } else if (random.below(jobs.length > 0 ? 6 : 60) === 0) {
      const act = weighted(random, LINK_ACTS);
      this.#note(`${device.version} link ${act}`);
      act(random, device, this.models);
    }
  }

  async run() {
    while (this.steps > 0) {
      const device = await this.#open();
      const jobs = [];
      for (let left = 20 + this.random.below(200); left > 0 && this.steps > 0 && this.#read(device, jobs); left -= 1) {
        for (let i = 1 + this.random.below(ACTS_AT_ONCE); i > 0; i -= 1) this.#act(device, jobs);
        this.steps -= 1;
        while (device.socket.writableLength > UNSENT_BYTES && !device.socket.destroyed) await pause(5);
        await pause(jobs.length > 0 ? 1 : 8);
      }
      this.steps -= 1;
      if (this.random.below(2)) device.cut();
      else device.socket.end();
    }
  }
}

/** Requests that no client would send; `bad` gets those that were answered with 500. */
export class EvilClient {
  constructor({ network, key, models }, random, steps) {
    Object.assign(this, { network, key, models, random, steps, bad: [], statuses: {} });
  }

  async run() {
    for (; this.steps > 0; this.steps -= 1) {
      const bytes = httpRequest(this.random, this.random.pick(this.models), this.key);
      const socket = net.connect({ port: this.network.port, host: '127.0.0.1', localAddress: ADDRESS });
      let text = '';
      const answered = new Promise((resolve) => {
        socket.on('data', (data) => {
          text += data.toString('latin1');
          resolve(true);
        });
        socket.on('error', () => resolve(true)).on('close', () => resolve(true));
      });
      socket.write(bytes);
      if (this.random.below(4)) await soon(answered, ANSWER_MS);
      socket.destroy();
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? [null, 'none'];
      this.statuses[status] = (this.statuses[status] ?? 0) + 1;
      if (status === '500') this.bad.push({ request: bytes.toString('base64'), text });
    }
  }
}
