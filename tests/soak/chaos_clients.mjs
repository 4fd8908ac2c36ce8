// Clients of a network whose devices come and go: each asks, and finds its answer right or remembers why not.
import assert from 'node:assert/strict';
import { admin } from '../e2e/support/accounts.mjs';
import { eventsOf, textOfEvent } from '../e2e/support/stream.mjs';
import { Random } from './random.mjs';
import { pause } from './report.mjs';

const CHAT = '/v1/chat/completions';
const RETRY_MS = 50;

export class ChaosClients {
  constructor(network, faults, account, random, makeWork) {
    Object.assign(this, { network, faults, account, random, makeWork });
    this.answers = []; // { label, id, usage }
    this.broken = []; // { label, why }
    const none = { all: 0, continued: 0, seams: 0 };
    this.count = { streams: { ...none }, plain: { ...none }, refused: 0 };
    this.longestGapMs = 0; // between two texts of one stream
    this.next = 0;
  }

  /** So many ask for streams, so many for plain answers. */
  start(streams, plain) {
    const one = (stream) => this.#run(stream, new Random(this.random.next()));
    this.running = Promise.all([
      ...Array.from({ length: streams }, () => one(true)), ...Array.from({ length: plain }, () => one(false))]);
  }

  /** Each ends what it has begun. */
  async stop() {
    this.stopping = true;
    await this.running;
  }

  async #run(stream, random) {
    while (!this.stopping && this.broken.length === 0) {
      const work = this.makeWork(random);
      const label = `${stream ? 's' : 'p'}${this.next++}`;
      const askedAt = performance.now();
      try {
        const answer = stream ? await this.#stream(work.body(label)) : await this.#plain(work.body(label));
        work.check(answer);
        await this.#remember(label, stream, answer);
      } catch (error) {
        if (error.refused && this.faults.nobodySince(askedAt)) {
          this.count.refused += 1;
          await pause(RETRY_MS);
          continue;
        }
        this.broken.push({ label, why: `${error.stack}\n  ${JSON.stringify(work.body(label))}` });
      }
    }
  }

  async #remember(label, stream, { id, usage }) {
    this.answers.push({ label, id, usage });
    const { steps } = await admin(this.network, 'GET', `/admin/jobs/${id}`);
    const seams = steps.filter((step) => step.continues).length;
    const count = stream ? this.count.streams : this.count.plain;
    count.all += 1;
    count.seams += seams;
    count.continued += seams > 0 ? 1 : 0;
  }

  async #plain(body) {
    const response = await this.network.post(CHAT, body, { key: this.account.api_key });
    await refuse(response);
    const answer = await response.json();
    const [{ message, finish_reason: finish }] = answer.choices;
    return { id: answer.id, text: message.content, finish, usage: answer.usage };
  }

  async #stream(body) {
    const streamed = { ...body, stream: true, stream_options: { include_usage: true } };
    const response = await this.network.post(CHAT, streamed, { key: this.account.api_key });
    await refuse(response);
    const events = [];
    let saidAt;
    for await (const event of eventsOf(response)) { // throws on half a character
      events.push(event);
      if (textOfEvent(event) === '') continue;
      const now = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, now - (saidAt ?? now));
      saidAt = now;
    }
    return read(events);
  }
}

/** Throws unless it is a 200; `refused`: it came when nobody had the model, and was told so at once. */
async function refuse(response) {
  if (response.status === 200) return;
  const text = await response.text();
  throw Object.assign(new Error(`${response.status} ${text}`), { refused: /"model_(warming|unavailable)"/.test(text) });
}

/** The answer that a stream's events make, which is one answer and no more. */
function read(events) {
  const data = events.filter((event) => event.data !== undefined).map((event) => event.data);
  assert.equal(data.at(-1), '[DONE]', data.at(-1));
  const chunks = data.slice(0, -1).map((text) => JSON.parse(text));
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1, 'one id');
  assert.equal(chunks.filter(({ choices: [choice] }) => choice?.delta.role).length, 1, 'one role');
  const ends = chunks.filter(({ choices: [choice] }) => choice?.finish_reason);
  assert.equal(ends.length, 1, 'one finish reason');
  const bills = chunks.filter(({ usage }) => usage);
  assert.equal(bills.length, 1, 'one usage');
  const [{ usage }] = bills;
  return { id: chunks[0].id, text: events.map(textOfEvent).join(''), finish: ends[0].choices[0].finish_reason, usage };
}
