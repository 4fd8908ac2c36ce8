// A provider that speaks the link by hand (docs/PROTOCOL.md), to say what no honest one would.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import net from 'node:net';
import { cut, rawRequest } from './raw.mjs';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** One link. Messages that come in are read with next(); the gateway's close is { type: 'closed', code, reason }. */
export class HandProvider {
  /** `from` is the address that it connects from, if it matters. */
  constructor(port, from) {
    this.keys = generateKeyPairSync('ed25519');
    this.publicKey = this.keys.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    this.bytes = Buffer.alloc(0);
    this.messages = [];
    this.waiters = [];
    this.socket = net.connect({ port, host: '127.0.0.1', localAddress: from });
    this.socket.on('data', (data) => this.#take(data));
    this.socket.on('error', () => {}); // told by close
    this.socket.on('close', () => this.#push({ type: 'closed', code: 1006, reason: '' }));
    this.socket.write(rawRequest('GET', '/link', { Upgrade: 'websocket', Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      'Sec-WebSocket-Protocol': 'nataris.link.v1' }));
  }

  /** Joined, and with a status that offers these models; a device of that account, else of the operator's. */
  static async join(network, models = [], device = {}, account = undefined) {
    const provider = new HandProvider(network.port);
    const { token } = await network.invite(...(account ? ['--account', account] : []));
    const { nonce } = await provider.hello(token, device);
    provider.auth(nonce);
    provider.id = (await provider.until('welcome')).provider_id;
    provider.status(models);
    return provider;
  }

  async hello(token, device = {}) {
    const publicKey = this.publicKey.toString('base64');
    this.send({ type: 'hello', versions: [1], public_key: publicKey, join_token: token, device });
    return this.until('challenge');
  }

  auth(nonce) {
    const signed = Buffer.concat([Buffer.from('nataris link v1\n'), Buffer.from(nonce, 'base64'), this.publicKey]);
    this.send({ type: 'auth', signature: sign(null, signed, this.keys.privateKey).toString('base64') });
  }

  status(models, { slots = 4 } = {}) {
    const offers = models.map((id) => ({ id, state: 'warm', slots, context_length: 4096 }));
    this.send({ type: 'status', models: offers });
  }

  accept(job, promptTokens = 3) {
    this.send({ type: 'accept', job, prompt_tokens: promptTokens });
  }

  delta(job, text, tokens = 1) {
    const head = Buffer.alloc(11);
    head.writeUInt8(1, 0);
    head.writeUInt16BE(tokens, 1);
    head.writeBigUInt64BE(BigInt(job), 3);
    this.sendFrame(BINARY, Buffer.concat([head, Buffer.from(text)]));
  }

  done(job, usage = { prompt_tokens: 3, completion_tokens: 1 }) {
    this.send({ type: 'done', job, finish: 'stop', usage });
  }

  fail(job, failure, message, param) {
    this.send({ type: 'error', job, failure, message, param });
  }

  /** Resolves with the next job's number. */
  async job() {
    return (await this.until('job')).job;
  }

  /** An object becomes text of JSON; a string goes out as it is. */
  send(message) {
    this.sendFrame(TEXT, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)));
  }

  sendFrame(opcode, payload) {
    const mask = Buffer.alloc(4); // of zeros: the payload stays as it is
    let length;
    if (payload.length < 126) {
      length = Buffer.from([0x80 | payload.length]);
    } else if (payload.length < 65_536) {
      length = Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255]);
    } else {
      length = Buffer.alloc(9, 0x80 | 127);
      length.writeBigUInt64BE(BigInt(payload.length), 1);
    }
    this.socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, payload]));
  }

  /** Resolves with the next message of that type; rejects when the link closes first. */
  async until(type) {
    for (;;) {
      const message = await this.next();
      if (message.type === type) return message;
      if (message.type === 'closed') throw new Error(`closed: ${message.code} ${message.reason}`);
    }
  }

  async next() {
    while (this.messages.length === 0) await new Promise((resolve) => this.waiters.push(resolve));
    return this.messages[0].type === 'closed' ? this.messages[0] : this.messages.shift();
  }

  cut() {
    cut(this.socket);
  }

  #push(message) {
    this.messages.push(message);
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  #take(data) {
    this.bytes = Buffer.concat([this.bytes, data]);
    if (!this.open) {
      const end = this.bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.open = true;
      this.bytes = this.bytes.subarray(end + 4);
    }
    while (this.#takeFrame());
  }

  #takeFrame() {
    if (this.bytes.length < 2) return false;
    const short = this.bytes[1] & 127;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.bytes.length < start) return false;
    let length = short;
    if (short === 126) length = this.bytes.readUInt16BE(2);
    if (short === 127) length = Number(this.bytes.readBigUInt64BE(2));
    if (this.bytes.length < start + length) return false;
    const payload = this.bytes.subarray(start, start + length);
    this.#handle(this.bytes[0] & 15, payload);
    this.bytes = this.bytes.subarray(start + length);
    return true;
  }

  #handle(opcode, payload) {
    if (opcode === TEXT) {
      this.#push(JSON.parse(payload.toString()));
    } else if (opcode === PING) {
      this.sendFrame(PONG, payload);
    } else if (opcode === CLOSE) {
      const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0); // 1005: it names none
      this.#push({ type: 'closed', code, reason: payload.subarray(2).toString() });
      this.socket.end();
    }
  }
}
