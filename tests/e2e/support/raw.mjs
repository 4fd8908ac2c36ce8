// HTTP by hand, for what no client would send.
import net from 'node:net';

/** One connection: what arrives is in `bytes`; `closed` resolves when the other side has ended or cut it. */
export class RawConnection {
  constructor(port) {
    this.bytes = Buffer.alloc(0);
    this.waiters = [];
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('data', (data) => {
      this.bytes = Buffer.concat([this.bytes, data]);
      this.#wake();
    });
    this.socket.on('error', () => {}); // a cut connection is an answer too
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.ended = true;
        this.#wake();
        resolve();
      });
    });
  }

  #wake() {
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  send(data) {
    this.socket.write(data);
    return this;
  }

  get text() {
    return this.bytes.toString('latin1');
  }

  /** The status codes of the answers so far, 100 included. */
  get statuses() {
    return [...this.text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]));
  }

  /** Resolves once `find(this)` is truthy or the connection has ended. */
  async until(find) {
    while (!this.ended && !find(this)) await new Promise((resolve) => this.waiters.push(resolve));
    return this;
  }

  cut() {
    cut(this.socket);
  }
}

/** Resets a connection. One that ends already is only let go of: Node 20 never exits when such a socket is reset. */
export function cut(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** A whole request as text; `headers` is an object or lines that end in CRLF. */
export function rawRequest(method, path, headers = {}, body = '', version = 'HTTP/1.1') {
  const lines = typeof headers === 'string' ? headers
    : Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${path} ${version}\r\nHost: test\r\n${lines}\r\n${body}`;
}

/** A POST of JSON with its length and the network's key. */
export function rawPost(network, path, body, headers = {}, version = 'HTTP/1.1') {
  const text = JSON.stringify(body);
  return rawRequest('POST', path, {
    Authorization: `Bearer ${network.apiKey}`, 'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text), ...headers }, text, version);
}
