// Somebody else's server, as a webhook finds it.
import http from 'node:http';

export class Receiver {
  constructor() {
    this.calls = []; // { path, headers, body }, in order of arrival
    this.connections = 0;
    this.waiters = [];
    this.answers = new Map(); // by path: (response, call, count) => ...
  }

  static async open() {
    const receiver = new Receiver();
    receiver.server = http.createServer((request, response) => receiver.#take(request, response));
    receiver.server.on('connection', () => { receiver.connections += 1; });
    await new Promise((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    receiver.port = receiver.server.address().port;
    return receiver;
  }

  url(path) {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** What is answered at that path; else 204. */
  on(path, answer) {
    this.answers.set(path, answer);
    return this.url(path);
  }

  at(path) {
    return this.calls.filter((call) => call.path === path);
  }

  /** Resolves with the calls at that path once there are so many. */
  async until(path, count) {
    while (this.at(path).length < count) await new Promise((resolve) => this.waiters.push(resolve));
    return this.at(path);
  }

  async #take(request, response) {
    const call = { path: request.url, headers: request.headers, body: Buffer.concat(await request.toArray()).toString() };
    this.calls.push(call);
    const answer = this.answers.get(request.url) ?? (() => response.writeHead(204).end());
    answer(response, call, this.at(request.url).length);
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  async close() {
    this.server.closeAllConnections?.();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
