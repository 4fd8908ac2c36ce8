// Passers-by and greedy tenants: what nobody known sends takes nothing from those who are.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import { describe, test } from 'node:test';
import { admin, command, createAccount } from './support/accounts.mjs';
import { ask, chat } from './support/chat.mjs';
import { HandProvider } from './support/hand_provider.mjs';
import { eventually, NATARIS, Network, stopCleanly, within } from './support/network.mjs';
import { rawRequest } from './support/raw.mjs';

const CHAT = '/v1/chat/completions';
const MIB = 1024 * 1024;

function story(name, args, tell) {
  test(name, () => within(Network.gateway(args), tell));
}

/** A connection from an address of its own; `text` grows with what arrives. */
class Passer {
  constructor(port, from = '127.0.0.2', options = {}) {
    this.text = '';
    this.socket = net.connect({ port, host: '127.0.0.1', localAddress: from, ...options });
    this.socket.on('data', (data) => { this.text += data.toString('latin1'); });
    this.socket.on('error', () => {});
    this.open = new Promise((resolve) => this.socket.once('connect', () => resolve(true)));
    this.closed = new Promise((resolve) => this.socket.once('close', () => { this.ended = true; resolve(this); }));
  }

  send(data) {
    this.socket.write(data);
    return this;
  }

  get status() {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }

  cut() {
    this.socket.destroy();
  }
}

function head(length, headers = {}) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `POST ${CHAT} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${lines}Content-Length: ${length}\r\n\r\n`;
}

/** A request from an address of its own: { status, headers, body }. */
function request(network, path, { from = '127.0.0.1', key, method = 'GET', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const all = key ? { Authorization: `Bearer ${key}`, ...headers } : headers;
    const asked = http.request({ port: network.port, host: '127.0.0.1', localAddress: from, path, method, headers: all,
      agent: false });
    asked.once('error', reject).once('response', async (answer) => {
      const pieces = [];
      for await (const piece of answer) pieces.push(piece);
      resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces).toString() });
    }).end();
  });
}

describe('the key comes before the body', () => {
  story('200 keyless bodies held open take no room', [], async (network) => {
    await network.scripted();
    const passers = Array.from({ length: 200 }, (_, i) => new Passer(network.port)
      .send(head(i % 2 ? 4 * MIB : 40)).send(' '.repeat(i % 2 ? 100_000 : 39)));
    await ask(network, chat('Hello'));
    for (const passer of passers) {
      await passer.closed;
      assert.equal(passer.status, 401);
    }
  });

  const keyless = {
    'without a key': {},
    'with a malformed key': { Authorization: 'Bearer nat_live_x' },
    'with another scheme': { Authorization: 'Basic eDp5' },
    'that waits for 100 Continue': { Expect: '100-continue' },
    'with two keys': { Authorization: 'Bearer a', 'x-api-key': 'b' },
  };
  story('what is refused is refused at its head', [], async (network) => {
    for (const [name, headers] of Object.entries(keyless)) {
      const passer = await new Passer(network.port).send(head(4 * MIB, headers)).closed;
      assert.ok([400, 401].includes(passer.status), `${name}: ${passer.text}`);
      assert.doesNotMatch(passer.text, /100 Continue/, name);
    }
    const revoked = await createAccount(network, 'free', 'revoked');
    const { data: keys } = await admin(network, 'GET', `/admin/accounts/${revoked.id}/keys`);
    for (const { id } of keys) await command(network, 'key', 'revoke', id);
    const passer = await new Passer(network.port).send(head(MIB, { Authorization: `Bearer ${revoked.api_key}` })).closed;
    assert.equal(passer.status, 401);
  });

  story('a good key gets its 100 Continue, and its body is read', [], async (network) => {
    await network.scripted();
    const body = JSON.stringify({ ...chat('Hello'), metadata: undefined });
    const passer = new Passer(network.port, '127.0.0.1')
      .send(head(body.length, { Authorization: `Bearer ${network.apiKey}`, Expect: '100-continue' }));
    await eventually(() => passer.text.includes('100 Continue'), 'no 100 Continue');
    passer.send(body);
    await eventually(() => passer.text.includes('HTTP/1.1 200'), () => passer.text);
    passer.cut();
  });

  story('a suspended account and one without requests left are told at the head', ['--tier-free', '1/1'],
    async (network) => {
      await network.scripted();
      const account = await createAccount(network, 'free', 'buyer');
      const headers = { Authorization: `Bearer ${account.api_key}` };
      await ask(network, chat('Hello'), { key: account.api_key });
      const fast = await new Passer(network.port).send(head(MIB, headers)).closed;
      assert.equal(fast.status, 429);
      assert.match(fast.text, /Retry-After: \d/);
      await command(network, 'account', 'suspend', account.id);
      const suspended = await new Passer(network.port).send(head(MIB, headers)).closed;
      assert.equal(suspended.status, 403);
    });

  story('one account cannot fill the room', [], async (network) => {
    await network.scripted();
    const greedy = await createAccount(network, 'unlimited', 'greedy');
    const held = Array.from({ length: 70 }, () => new Passer(network.port)
      .send(head(4 * MIB, { Authorization: `Bearer ${greedy.api_key}` })).send(Buffer.alloc(4 * MIB - 1, ' ')));
    await eventually(() => held.some((passer) => passer.status === 429), 'none of its bodies was refused');
    const refused = held.find((passer) => passer.status === 429);
    await eventually(() => refused.text.includes('too many request bodies'), () => refused.text);
    await ask(network, chat('Hello'));
    const whole = JSON.stringify(chat(' '.repeat(MIB))); // a large one of somebody else
    assert.notEqual((await network.post(CHAT, whole)).status, 503);
    held.forEach((passer) => passer.cut());
  });

  story('a body for a route without a key is not kept', [], async (network) => {
    const passer = new Passer(network.port).send(head(2 * MIB).replace(`POST ${CHAT}`, 'GET /healthz'));
    for (let i = 0; i < 32; i += 1) passer.send('x'.repeat(MIB / 16));
    await eventually(() => passer.status === 200, () => passer.text);
    passer.cut();
  });
});

describe('an address has limits before it has a key', () => {
  story('connections', ['--address-connections', '5'], async (network) => {
    const idle = Array.from({ length: 5 }, () => new Passer(network.port));
    await Promise.all(idle.map((passer) => passer.open));
    const sixth = await new Passer(network.port).closed;
    assert.equal(sixth.status, 429);
    assert.match(sixth.text, /too many connections/);
    assert.equal((await request(network, '/healthz')).status, 200, 'another address');
    idle[0].send(`GET /v1/usage HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${network.apiKey}\r\n\r\n`);
    await eventually(() => idle[0].status === 200, () => idle[0].text);
    assert.equal((await request(network, '/healthz', { from: '127.0.0.2' })).status, 200,
      'one of them has shown a key, and is no passer-by any more');
    idle.forEach((passer) => passer.cut());
    await eventually(async () => (await request(network, '/healthz', { from: '127.0.0.2' })).status === 200, 'no room');
  });

  story('new connections in a second', ['--address-rate', '3'], async (network) => {
    const flood = Array.from({ length: 60 }, () => new Passer(network.port));
    await eventually(() => flood.some((passer) => passer.ended && passer.text.includes('opens them too fast')),
      'none was refused');
    assert.equal((await request(network, '/healthz')).status, 200);
    for (let i = 0; i < 20; i += 1) { // those with a key are not counted
      assert.equal((await request(network, '/v1/usage', { key: network.apiKey, from: '127.0.0.3' })).status, 200);
    }
    flood.forEach((passer) => passer.cut());
  });

  story('wrong keys', ['--address-failed-keys', '3'], async (network) => {
    const wrong = `nat_live_${'x'.repeat(40)}`;
    const statuses = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await request(network, '/v1/usage', { key: wrong })).status);
    assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
    const told = await request(network, '/v1/usage', { key: wrong });
    assert.match(told.headers['retry-after'], /^\d+$/);
    assert.equal(JSON.parse(told.body).error.code, 'RATE_LIMIT_EXCEEDED');
    assert.equal((await request(network, '/v1/usage', { key: network.apiKey })).status, 200, 'a neighbour with a key');
    assert.equal((await request(network, '/v1/usage', { key: wrong, from: '127.0.0.2' })).status, 401);
    assert.equal((await request(network, '/v1/usage')).status, 401, 'no key is no wrong key');
  });

  story('behind a proxy that is trusted each client has its own', ['--address-failed-keys', '1', '--trusted-proxy',
    '127.0.0.9'], async (network) => {
    const as = (client, from = '127.0.0.9') =>
      request(network, '/v1/usage', { key: 'nat_live_wrong', from, headers: { 'X-Forwarded-For': client } });
    assert.equal((await as('192.0.2.1')).status, 401);
    assert.equal((await as('192.0.2.1')).status, 429);
    assert.equal((await as('10.0.0.1, 192.0.2.1')).status, 429, 'what the client claims of itself does not count');
    assert.equal((await as('192.0.2.2')).status, 401);
    assert.equal((await as('2001:db8::1')).status, 401);
    assert.equal((await as('2001:db8::2')).status, 429, 'one customer has a /64');
    assert.equal((await as('192.0.2.3', '127.0.0.8')).status, 401);
    assert.equal((await as('192.0.2.4', '127.0.0.8')).status, 429, 'who is no proxy cannot choose its address');
  });

  test('a proxy has a numeric address', async () => {
    const child = spawn(NATARIS, ['gateway', '--data', '/nonexistent', '--trusted-proxy', 'localhost']);
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.notEqual(code, 0);
  });
});

/** A gateway that may open `files` files. */
async function withFiles(files, args = []) {
  const network = new Network();
  const script = `ulimit -n ${files}; exec "$0" "$@"`;
  const child = spawn('bash', ['-c', script, NATARIS, 'gateway', '--data', network.data, '--listen', '127.0.0.1:0',
    '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let errors = '';
  child.stdout.on('data', (data) => { out += data; });
  child.stderr.on('data', (data) => { errors += data; });
  process.on('exit', () => child.kill('SIGKILL'));
  await eventually(() => out.includes('\n') || child.exitCode !== null, 'the gateway did not start');
  const { base_url: url, api_key: key } = JSON.parse(out);
  Object.assign(network, { port: Number(new URL(url).port), apiKey: key, origin: url.replace(/\/v1$/, ''), baseURL: url });
  network.end = async () => {
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => child.once('close', resolve));
    await network.stop();
    assert.equal(code, 0, errors);
  };
  return network;
}

describe('an account has limits', () => {
  story('requests of any kind in a minute', ['--tier-free', '10/2/20'], async (network) => {
    const account = await createAccount(network, 'free', 'busy');
    const other = await createAccount(network, 'free', 'other');
    const routes = ['/v1/usage', '/v1/models', '/v1/jobs', '/v1/conversations', '/v1/webhooks', '/v1/account', '/v1/usage/requests',
      '/v1/provider/earnings', '/v1/provider/devices', '/v1/workflows', '/v1/jobs/job_none'];
    for (let i = 0; i < 20; i += 1) {
      const { status } = await network.fetch(routes[i % routes.length], { key: account.api_key });
      assert.ok([200, 404].includes(status), `${status}`);
    }
    for (const route of routes) {
      const answer = await network.fetch(route, { key: account.api_key });
      if (answer.status === 404) continue; // one of them is no route
      assert.equal(answer.status, 429, route);
      assert.match(answer.headers.get('retry-after'), /^[1-9]\d*$/, route);
    }
    assert.equal((await network.fetch('/v1/usage', { key: other.api_key })).status, 200);
    assert.equal((await network.fetch('/v1/usage')).status, 200, 'the owner has no limit');
  });
});

describe('an account keeps so much', () => {
  story('conversations', ['--tier-free', '10/2/0'], async (network) => {
    const { api_key: key } = await createAccount(network, 'free', 'collector');
    const create = async () => {
      const answer = await network.post('/v1/conversations', '{}', { key });
      return { status: answer.status, body: await answer.json() };
    };
    let last;
    for (let made = 0; made < 1000; made += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, create));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      last = answers[0].body.id;
    }
    const refused = await create();
    assert.equal(refused.status, 403);
    assert.match(refused.body.error.message, /keeps 1000 conversations.*DELETE/);
    assert.equal((await network.fetch(`/v1/conversations/${last}`, { method: 'DELETE', key })).status, 200);
    assert.equal((await create()).status, 200);
    assert.equal((await network.post('/v1/conversations', '{}')).status, 200, 'the owner has no limit');
  });
});

describe('the disk', () => {
  story('below its floor nothing is taken on, and all else goes on', ['--disk-floor', '4000000000'], async (network) => {
    await network.scripted();
    await network.main.untilLog('disk.low');
    const refused = {
      [CHAT]: chat('Hello'),
      '/v1/jobs': chat('Hello'),
      '/v1/conversations': {},
      '/v1/webhooks': { url: 'https://example.com/' },
    };
    for (const [route, body] of Object.entries(refused)) {
      const answer = await network.post(route, body);
      assert.equal(answer.status, 503, route);
      assert.match((await answer.json()).error.message, /disk is nearly full/, route);
      assert.ok(answer.headers.get('retry-after'), route);
    }
    const ready = await network.fetch('/readyz');
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /disk/);
    for (const route of ['/healthz', '/v1/usage', '/v1/models', '/v1/jobs']) {
      assert.equal((await network.fetch(route)).status, 200, route);
    }
    assert.equal((await network.fetch('/v1/conversations/conv_none', { method: 'DELETE' })).status, 404);
  });
});

describe('a device', () => {
  story('that floods its link is read more slowly, and others are served', [], async (network) => {
    await network.scripted();
    const flooder = await HandProvider.join(network);
    for (let i = 0; i < 5000; i += 1) flooder.send({ type: 'status', models: [] });
    for (let i = 0; i < 5; i += 1) await ask(network, chat('Hello'));
    assert.equal((await request(network, '/healthz')).status, 200);
  });
});

describe('descriptors', () => {
  const FLOODS = {
    silent: '',
    'slow heads': 'GET / HT',
    'keyless bodies': head(MIB) + 'x'.repeat(1000),
    'answers that are not taken': `GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(3),
    'answered, and not gone': 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'refused, and not gone': 'GET /v1/usage HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer nat_live_x\r\nContent-Length: 9\r\n\r\n',
    'links without a hello': rawRequest('GET', '/link', { Upgrade: 'websocket', Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol': 'nataris.link.v1' }),
  };
  for (const [kind, words] of Object.entries(FLOODS)) {
    test(`with 256 files and 3,000 knocking (${kind}) the admin socket and other addresses are answered`, async () => {
      const network = await withFiles(256);
      const flood = Array.from({ length: 3000 }, (_, i) =>
        new Passer(network.port, `127.0.${1 + Math.floor(i / 200)}.${1 + (i % 200)}`, { allowHalfOpen: true }).send(words));
      if (words.startsWith('GET')) flood.forEach((passer) => passer.socket.pause());
      const account = await createAccount(network, 'free', 'during the flood');
      assert.match(account.id, /^acct_/);
      assert.equal((await request(network, '/v1/usage', { key: account.api_key })).status, 200);
      for (let i = 0; i < 5; i += 1) assert.equal((await request(network, '/healthz')).status, 200);
      const list = await command(network, 'account', 'list');
      assert.ok(JSON.stringify(list).includes(account.id));
      flood.forEach((passer) => passer.cut());
      await network.end();
    });
  }
});
