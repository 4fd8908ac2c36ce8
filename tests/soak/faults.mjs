// Devices that are killed, stopped, continued and started again at random moments, by a schedule that a seed decides.
import { REFERENCE_MODEL } from '../e2e/support/network.mjs';
import { childrenOf, isAlive } from '../e2e/support/processes.mjs';
import { pause } from './report.mjs';

const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 600;
const OUTAGE_EVERY = 30; // faults
const OUTAGE_MAX_MS = 1500; // the shortest deadline of a waiting request is far longer
const READY_MS = 30_000;

/** One device: its process may be up, stopped or dead. */
class Device {
  constructor(network, index, { engine, model }) {
    this.network = network;
    this.name = `device-${index}`;
    this.options = ['provider', '--gateway', network.origin, '--data', `${network.folder}/${this.name}`, '--name', this.name,
      '--engine', engine, '--model', model, '--slots', '32', '--threads', '1', '--reconnect-ms', '50', '--log-level', 'info',
      '--quiet'];
    this.state = 'dead';
    this.engines = []; // processes of the model that a killed agent left behind
  }

  start(join = []) {
    this.program = this.network.start([...this.options, ...join]);
    this.state = 'up';
    this.crashed = false;
    this.#await(1);
  }

  /** `ready` resolves once it is in the network, with its model loaded so many times. */
  #await(loads) {
    const serves = ({ errors }) => errors.includes('provider.connected') && errors.split('model.ready').length > loads;
    this.ready = this.program.until(serves, 'sign that it serves');
    this.ready.catch(() => {}); // killed before that
  }

  stop() {
    this.program.kill('SIGSTOP');
    this.state = 'stopped';
  }

  cont() {
    this.program.kill('SIGCONT');
    this.state = 'up';
  }

  kill() {
    this.engines.push(...childrenOf(this.program.pid).map(({ pid }) => pid));
    this.program.kill('SIGKILL');
    this.state = 'dead';
  }

  /** The model's process alone dies; the agent starts it again, each further time after a longer pause. */
  crash() {
    for (const { pid } of childrenOf(this.program.pid)) process.kill(pid, 'SIGKILL');
    this.crashed = true;
    this.#await(2);
  }
}

export class Faults {
  constructor(network, random, count, { engine = 'scripted', model = REFERENCE_MODEL } = {}) {
    this.network = network;
    this.random = random;
    this.devices = Array.from({ length: count }, (_, i) => new Device(network, i, { engine, model }));
    this.model = model;
    this.harms = engine === 'scripted' ? ['kill', 'stop'] : ['kill', 'stop', 'crash'];
    this.count = { kill: 0, stop: 0, cont: 0, start: 0, crash: 0, outages: 0 };
    this.trail = []; // what was done, and when
  }

  async open() {
    for (const device of this.devices) device.start(['--join', (await this.network.invite()).token]);
    await Promise.all(this.devices.map((device) => device.ready));
  }

  /** Until the time is over, or `enough()`. */
  async run(durationMs, enough) {
    this.startedAt = performance.now();
    for (let step = 1; performance.now() < this.startedAt + durationMs && !enough(); step++) {
      await pause(PAUSE_MIN_MS + this.random.below(PAUSE_MAX_MS - PAUSE_MIN_MS));
      await (step % OUTAGE_EVERY === 0 ? this.#outage() : this.#fault());
    }
    for (const device of this.devices) this.#mend(device);
    await Promise.all(this.devices.map((device) => device.ready));
  }

  /** Whether a request from then on may have found no device at all. */
  nobodySince(time) {
    return this.outage || this.outageEndedAt >= time;
  }

  /** The processes of models that have outlived their agent. */
  orphans() {
    return this.devices.flatMap((device) => device.engines).filter(isAlive);
  }

  async #fault() {
    const device = this.random.pick(this.devices);
    if (device.state === 'stopped' && this.random.below(3) === 0) return this.#do(device, 'kill');
    if (device.state !== 'up') return this.#mend(device);
    const harm = this.random.pick(this.harms);
    const others = this.devices.filter((other) => other !== device && other.state === 'up');
    if (others.length === 0) return this.#mend(this.devices.find((other) => other !== device));
    await within(READY_MS, Promise.any(others.map((other) => other.ready))); // somebody can serve
    if (harm === 'crash') await within(READY_MS, device.ready);
    return this.#do(device, harm === 'crash' && device.crashed ? 'kill' : harm);
  }

  /** Nobody is there for a while. Two come back as new links, so that each request finds a device that never failed it. */
  async #outage() {
    this.count.outages += 1;
    this.outage = true;
    const [first, second] = [this.random.below(4), this.random.below(4)];
    for (const [i, device] of this.devices.entries()) {
      if (device.state === 'dead') continue;
      if (i === first || i === second || device.state === 'stopped') this.#do(device, 'kill');
      else this.#do(device, 'stop');
    }
    await pause(this.random.below(OUTAGE_MAX_MS));
    for (const device of this.devices) this.#mend(device);
    await within(READY_MS, Promise.any(this.devices.map((device) => device.ready)));
    this.outage = false;
    this.outageEndedAt = performance.now();
  }

  #mend(device) {
    if (device.state === 'stopped') this.#do(device, 'cont');
    else if (device.state === 'dead') this.#do(device, 'start');
  }

  #do(device, what) {
    this.count[what] += 1;
    this.trail.push(`${Math.round(performance.now() - this.startedAt)} ms: ${what} ${device.name}`);
    device[what]();
  }
}

function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('no device came back')), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
