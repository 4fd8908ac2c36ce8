// A device by hand that speaks either version of the link (docs/PROTOCOL.md) and belongs to somebody; and what may have
// become of the money after whatever it did.
import assert from 'node:assert/strict';
import {
  admin, allPages, balanceOf, createAccount, nano, requestsOf, requestsWhen, untilIdle,
} from './accounts.mjs';
import { chat, user } from './chat.mjs';
import { HandProvider } from './hand_provider.mjs';
import { readStream } from './stream.mjs';

const TEXT = 1;
const BINARY = 2;
const WELCOME = 5_000_000_000;
const SHARE_PERCENT = 85;
const ACCEPT = 2;
const DELTA = 3;
const DONE = 4;
const PROGRESS = 5;
export const PART = { text: 1, ids: 2, reasoning: 3, tool: 4, logprobs: 5, audio: 6 };
/** Of a model that the catalog does not know (docs/LEDGER.md), in nano-dollars a token. */
export const PRICE = { prompt: 100, completion: 200 };
/** What a template adds at most, whatever the model (docs/TOKENS.md), and a message of it. */
const TEMPLATE_TOKENS = 256 + 16;
/** Tokens without text that an answer may have (docs/LEDGER.md#what-counts). */
const SPARE_TOKENS = 4;

function u32(...numbers) {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, i) => bytes.writeUInt32BE(number, 4 * i));
  return bytes;
}

/** A part of a delta of version 2; `length` may lie. */
export function part(tag, content, length = Buffer.byteLength(content)) {
  return Buffer.concat([Buffer.from([tag, length >> 16, length >> 8 & 255, length & 255]), Buffer.from(content)]);
}

export function tokenIds(...ids) {
  return part(PART.ids, u32(...ids));
}

export class HostileDevice extends HandProvider {
  /** By that token, with a status that offers these models; `version` is the highest that it speaks. */
  static async enrol(network, token, models = [], { version = 1, slots = 4, device = {} } = {}) {
    const hostile = new HostileDevice(network.port);
    hostile.versions = version === 1 ? [1] : [1, version];
    const { nonce, version: chosen } = await hostile.hello(token, device);
    hostile.version = chosen;
    hostile.auth(nonce);
    hostile.id = (await hostile.until('welcome')).provider_id;
    hostile.status(models, { slots });
    return hostile;
  }

  async hello(token, device = {}) {
    this.send({ type: 'hello', versions: this.versions ?? [1], public_key: this.publicKey.toString('base64'),
      join_token: token, device });
    return this.until('challenge');
  }

  #head(kind, job) {
    const head = Buffer.alloc(9);
    head.writeUInt8(kind, 0);
    head.writeBigUInt64BE(BigInt(job), 1);
    return head;
  }

  binary(...pieces) {
    this.sendFrame(BINARY, Buffer.concat(pieces));
  }

  accept(job, promptTokens = 3) {
    if (this.version === 1) super.accept(job, promptTokens);
    else this.binary(this.#head(ACCEPT, job), u32(promptTokens));
  }

  progress(job, tokens) {
    this.binary(this.#head(PROGRESS, job), u32(tokens));
  }

  delta(job, text, tokens = 1) {
    if (this.version === 1) super.delta(job, text, tokens);
    else this.parts(job, tokens, part(PART.text, text));
  }

  /** A delta of version 2 with these parts. */
  parts(job, tokens, ...parts) {
    this.binary(this.#head(DELTA, job), Buffer.from([tokens >> 8, tokens & 255]), ...parts);
  }

  done(job, usage = { prompt_tokens: 3, completion_tokens: 1 }, finish = 'stop') {
    if (this.version === 1) {
      this.send({ type: 'done', job, finish, usage });
    } else {
      const number = { stop: 1, length: 2, cancelled: 3 }[finish] ?? finish;
      this.binary(this.#head(DONE, job), Buffer.from([number]),
        u32(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens ?? 0, 0, 0, 0), Buffer.from([0]));
    }
  }

  /** Bytes as they are, in no frame of ours. */
  raw(bytes) {
    this.socket.write(bytes);
  }

  /** A frame whose head says what it likes: `first` and `second` are its first two bytes, `rest` what follows. */
  frame(first, second, rest = Buffer.alloc(0)) {
    this.raw(Buffer.concat([Buffer.from([first, second]), rest]));
  }

  /** Does so with each job, until the link ends. */
  async serve(behave) {
    for (;;) {
      const message = await this.next();
      if (message.type === 'closed') return message;
      if (message.type === 'job') await behave(this, message.job, message.request);
    }
  }

  /** Resolves with { code, reason }, whatever comes before. */
  closing() {
    return this.serve(() => {});
  }
}

/** A whole answer in pieces, with one token each as an honest device says it. */
export function answer(device, job, pieces, { promptTokens = 3 } = {}) {
  device.accept(job, promptTokens);
  for (const piece of pieces) device.delta(job, piece);
  device.done(job, { prompt_tokens: promptTokens, completion_tokens: pieces.length });
}

/** A network with two owners of devices: one that means harm, one that does not. */
export async function withOwners(network) {
  for (const name of ['mallory', 'honest']) {
    const account = await createAccount(network, 'unlimited', name);
    const { token } = await network.invite('--account', account.id, '--uses', '1000');
    network[name] = { ...account, token };
  }
  return network;
}

let modelCount = 0;

/** A buyer, and a model that only this attack's devices have. */
export class Attack {
  static async open(network) {
    const attack = new Attack();
    modelCount += 1;
    attack.network = network;
    attack.model = `strange-model-${modelCount}`;
    attack.buyer = await createAccount(network, 'unlimited', 'buyer');
    attack.helpers = [];
    return attack;
  }

  async device(options) {
    this.hostile = await HostileDevice.enrol(this.network, this.network.mallory.token, [this.model], options);
    await this.network.untilAvailable(this.model);
    return this.hostile;
  }

  /** One of another owner, that answers with these pieces. */
  async rescue(pieces = ['honest'], options = {}) {
    const device = await HostileDevice.enrol(this.network, this.network.honest.token, [this.model], options);
    void device.serve((link, job) => answer(link, job, pieces));
    this.helpers.push(device);
    return device;
  }

  ask(content = 'Hello', more = {}) {
    const body = chat(content, { model: this.model, messages: user(content), max_tokens: 64, ...more });
    this.asked = { content, tokens: body.max_tokens };
    return this.network.post('/v1/chat/completions', body, { key: this.buyer.api_key });
  }

  /** The text of an answer of either kind; fails when it is none. */
  async text(answering) {
    const response = await answering;
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      const { text, done } = await readStream(response);
      assert.ok(done, 'the stream ends as streams end');
      return text;
    }
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text).choices[0].message.content;
  }

  /** What that owner earned by this buyer's requests. */
  async earned(owner) {
    const ids = new Set((await requestsOf(this.network, this.buyer.api_key)).map(({ id }) => id));
    const lines = await allPages(this.network, owner.api_key, '/v1/provider/earnings');
    return lines.filter(({ id }) => ids.has(id)).reduce((sum, line) => sum + nano(line.earned_usd), 0);
  }

  /**
   * The one request of the buyer: charged for `delivered` (bytes that came) and `claimed` (the least that was said of tokens) at most,
   * the owners earned their share of that at most; and the books add up. Returns its line.
   */
  async assertMoney({ delivered, claimed = Infinity, promptMax, makers = 1 } = {}) {
    const { network, buyer, asked } = this;
    await untilIdle(network, buyer);
    const [line, ...others] = await requestsWhen(network, buyer.api_key, 1);
    assert.deepEqual(others, []);
    const bytes = Buffer.byteLength(delivered ?? '');
    const most = bytes === 0 ? 0 : Math.min(claimed, bytes + SPARE_TOKENS * makers, asked.tokens);
    const prompt = bytes === 0 ? 0 : Math.min(promptMax ?? Infinity, TEMPLATE_TOKENS + Buffer.byteLength(asked.content));
    assert.ok(line.completion_tokens <= most, `${line.completion_tokens} tokens of ${bytes} bytes, not ${most}`);
    assert.ok(line.prompt_tokens <= prompt || nano(line.cost_usd) === 0, `${line.prompt_tokens} of prompt, not ${prompt}`);
    const cost = nano(line.cost_usd);
    assert.ok(cost <= most * PRICE.completion + prompt * PRICE.prompt, `${cost}`);
    assert.equal(WELCOME - await balanceOf(network, buyer), cost, 'what the list says is what the wallet lost');
    const shares = await Promise.all([network.mallory, network.honest].map((owner) => this.earned(owner)));
    assert.equal(shares[0] + shares[1], Math.floor(cost * SHARE_PERCENT / 100));
    const view = await admin(network, 'GET', `/admin/accounts/${buyer.id}`);
    assert.equal(view.held_usd, 0);
    return { ...line, cost, byMallory: shares[0] };
  }

  close() {
    this.hostile?.cut();
    for (const helper of this.helpers) helper.cut();
  }
}

export { BINARY, TEXT };
