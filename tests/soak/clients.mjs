// Clients of a gateway that dies now and then: each asks, retries what got lost, and remembers what it was told.
import assert from 'node:assert/strict';
import http from 'node:http';
import { chat, script } from '../e2e/support/chat.mjs';
import { Random } from './random.mjs';

const RETRY_MS = 20;
const PATH = '/v1/chat/completions';

/** What a client may ask for; `keyed`: how its retries are known to be the same request. */
const KINDS = [
  { weight: 3, keyed: 'key' },
  { weight: 2, keyed: 'key', stream: true },
  { weight: 2, keyed: 'sdk' },
  { weight: 1, keyed: 'sdk', stream: true },
  { weight: 2 },
  { weight: 2, stream: true },
  { weight: 1, fails: true },
  { weight: 1, fails: true, keyed: 'key' },
  { weight: 1, leaves: true, stream: true },
].flatMap(({ weight, ...kind }) => Array(weight).fill(kind));

export class Clients {
  constructor(network, accounts, random, count) {
    Object.assign(this, { port: network.port, accounts, random, size: count });
    this.agent = new http.Agent({ keepAlive: true });
    this.acknowledged = new Map(); // id to account: answers that came whole and were not looked for yet
    this.answers = []; // { id, usage } of all of them
    this.keyed = []; // { label, id } of each request with a key, once it is answered
    this.failed = []; // labels of those that got an error and must cost nothing
    this.count = { asked: 0, acknowledged: 0, replayed: 0, lost: 0, refused: 0, left: 0 };
    this.next = 0;
  }

  start() {
    const runs = Array.from({ length: this.size }, () => this.#run(new Random(this.random.next())));
    this.running = Promise.all(runs);
    this.running.catch(() => {}); // told by stop()
  }

  /** Every client ends what it has begun. */
  async stop() {
    this.stopping = true;
    await this.running;
    this.agent.destroy();
  }

  async #run(random) {
    while (!this.stopping) await this.#askUntilAnswered(random);
  }

  async #askUntilAnswered(random) {
    const kind = random.pick(KINDS);
    const account = random.pick(this.accounts);
    const name = `r${this.next++}`;
    // Not context_length: the gateway sees itself that the context is long enough, and believes the device no more.
    const directive = kind.fails ? script({ fail: 'bad_request' })
      : script({ tokens: 1 + random.below(20), ...(random.below(3) === 0 && { rate: 200 }) });
    for (let attempt = 0; ; attempt++) {
      const label = kind.keyed ? name : `${name}.${attempt}`; // the retry of a request with a key has the same body
      const body = JSON.stringify(chat(`${name} ${directive}`, { stream: kind.stream === true, conversation_id: label }));
      const answer = await this.#send(account, kind, body, name, attempt);
      if (this.#judge(kind, account, label, answer)) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Whether the request is over. */
  #judge(kind, account, label, { outcome, status, id, usage, replayed, text }) {
    if (outcome === 'lost' || outcome === 'left') {
      this.count[outcome] += 1;
      return outcome === 'left';
    }
    if (outcome === 'whole') {
      assert.ok(!kind.fails, `${label} was served\n${text}`);
      this.count.acknowledged += 1;
      this.count.replayed += replayed ? 1 : 0;
      this.acknowledged.set(id, account);
      this.answers.push({ id, usage });
      if (kind.keyed) this.keyed.push({ label, id });
      return true;
    }
    this.count.refused += 1;
    if (kind.fails && status === 400) {
      this.failed.push(label);
      return true;
    }
    assert.ok([200, 409, 429, 503].includes(status), `${label}: ${status} ${text}`); // 200: a stream's error event
    if (!kind.keyed) this.failed.push(label);
    return false;
  }

  #headers(account, kind, body, name, attempt) {
    const headers = { Authorization: `Bearer ${account.api_key}`, 'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body) };
    if (kind.keyed === 'key') headers['Idempotency-Key'] = name;
    if (kind.keyed === 'sdk') headers['x-stainless-retry-count'] = `${attempt}`;
    return headers;
  }

  #send(account, kind, body, name, attempt) {
    this.count.asked += 1;
    return new Promise((resolve) => {
      const lost = () => resolve({ outcome: 'lost' });
      const request = http.request({ port: this.port, host: '127.0.0.1', method: 'POST', path: PATH, agent: this.agent,
        headers: this.#headers(account, kind, body, name, attempt) });
      request.on('error', lost);
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('error', lost);
        response.on('close', lost); // after end nothing changes any more
        response.on('data', (data) => {
          text += data;
          if (kind.leaves && text.includes('"content":" ')) {
            resolve({ outcome: 'left' });
            request.destroy();
          }
        });
        response.on('end', () => resolve(read(response, kind, text)));
      });
      request.end(body);
    });
  }
}

/** A body that came to its end, as HTTP sees it. */
function read(response, kind, text) {
  const status = response.statusCode;
  const replayed = response.headers['idempotent-replayed'] === 'true';
  if (status !== 200) return { outcome: 'refused', status, text };
  if (!kind.stream) {
    const { id, usage } = JSON.parse(text);
    return { outcome: 'whole', id, usage, replayed };
  }
  if (!text.endsWith('data: [DONE]\n\n')) return { outcome: 'refused', status, text };
  const { id } = JSON.parse(text.slice('data: '.length, text.indexOf('\n\n')));
  return { outcome: 'whole', id, replayed };
}
