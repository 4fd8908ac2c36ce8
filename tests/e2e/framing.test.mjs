// Requests by hand: framing that two servers could read differently is refused, honest oddities are served.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Network, stopCleanly } from './support/network.mjs';
import { RawConnection, rawRequest } from './support/raw.mjs';

let network;
before(async () => {
  network = await Network.gateway();
});
after(async () => {
  assert.equal((await network.fetch('/healthz')).status, 200, 'it still serves');
  await stopCleanly(network);
});

const BODY = '{"model":"m","stream":false,"messages":[]}';
const LENGTH = `Content-Length: ${BODY.length}\r\n`;
const TE = 'Transfer-Encoding: chunked\r\n';
const SIZE = BODY.length.toString(16);
const END = '0\r\n\r\n';
const CHUNKED = `${SIZE}\r\n${BODY}\r\n${END}`;
const HOST = 'Host: a\r\n';

function post(headers, body, { host = HOST, method = 'POST', version = 'HTTP/1.1' } = {}) {
  const type = 'Content-Type: application/json\r\n';
  return `${method} /v1/chat/completions ${version}\r\n${host}${type}${headers}\r\n${body}`;
}

/** Sends a request with one good one behind it; resolves with the connection once it is closed. */
async function exchange(request) {
  const client = new RawConnection(network.port);
  client.send(request);
  client.send(rawRequest('GET', '/healthz', { Connection: 'close' }));
  await client.closed;
  return client;
}

describe('framed well', () => {
  const cases = {
    'content-length': post(LENGTH, BODY),
    chunked: post(TE, CHUNKED),
    'chunked with a capital': post(TE.replace('chunked', 'Chunked'), CHUNKED),
    'chunked with an extension': post(TE, `${SIZE};a=b\r\n${BODY}\r\n${END}`),
    'chunked with trailers': post(TE, `${SIZE}\r\n${BODY}\r\n0\r\nX-Sum: a\r\nContent-Length: 9\r\n\r\n`),
    'a chunk for each byte': post(TE, `${[...BODY].map((c) => `1\r\n${c}\r\n`).join('')}${END}`),
    'an empty line before': `\r\n${post(LENGTH, BODY)}`,
  };
  for (const [name, request] of Object.entries(cases)) {
    test(name, async () => {
      const { statuses } = await exchange(request);
      assert.deepEqual(statuses, [401, 200], 'without a key: 401, and the next request is the next request');
    });
  }
});

describe('refused', () => {
  const cases = {
    'length and chunked': post(`Content-Length: 5\r\n${TE}`, CHUNKED),
    'two different lengths': post(`${LENGTH}Content-Length: 0\r\n`, BODY),
    'length with sign': post(`Content-Length: +${BODY.length}\r\n`, BODY),
    'length in hex': post('Content-Length: 0x10\r\n', BODY),
    'length over 64 bits': post(`Content-Length: ${2n ** 64n + BigInt(BODY.length)}\r\n`, BODY),
    'space before colon': post('Transfer-Encoding : chunked\r\n', CHUNKED),
    'folded header': post(`X: y\r\n ${LENGTH}`, BODY),
    'folded transfer-encoding': post('Transfer-Encoding:\r\n chunked\r\n', CHUNKED),
    'unknown transfer-encoding': post('Transfer-Encoding: xchunked\r\n', CHUNKED),
    'chunked not last': post('Transfer-Encoding: chunked, identity\r\n', CHUNKED),
    'chunked twice': post(TE + TE, CHUNKED),
    'vertical tab': post('Transfer-Encoding: \x0bchunked\r\n', CHUNKED),
    'bare CR in header': post('X-Abc: \rxTransfer-Encoding: chunked\r\n', CHUNKED),
    'empty header name': post(`: x\r\n${LENGTH}`, BODY),
    'chunk size with 0x': post(TE, `0x${CHUNKED}`),
    'negative chunk size': post(TE, `-1\r\n${BODY}\r\n${END}`),
    'line feed in chunk extension': post(TE, `${SIZE};a\nb\r\n${BODY}\r\n${END}`),
    'chunk data without CRLF': post(TE, `${SIZE}\r\n${BODY}XX${END}`),
    'chunked in HTTP/1.0': post(TE, CHUNKED, { version: 'HTTP/1.0' }),
    'no Host': post(LENGTH, BODY, { host: '' }),
    'two Hosts': post(`Host: b\r\n${LENGTH}`, BODY),
    'odd method': post(LENGTH, BODY, { method: 'P@ST' }),
    '256 KiB of one header': post(`X: ${'a'.repeat(262_144)}\r\n${LENGTH}`, BODY),
    '10,000 headers': post(`${'X: a\r\n'.repeat(10_000)}${LENGTH}`, BODY),
    'a NUL in a header': post(`X: a\0b\r\n${LENGTH}`, BODY),
    'bare line feeds': post(LENGTH, BODY).replaceAll('\r\n', '\n'),
    'HTTP/2.0': post(LENGTH, BODY, { version: 'HTTP/2.0' }),
    'a long URL': rawRequest('GET', `/${'a'.repeat(8192)}`),
    'no HTTP at all': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  };
  const allowed = [400, 413, 414, 431, 501, 505];
  for (const [name, request] of Object.entries(cases)) {
    test(name, async () => {
      const { statuses, text } = await exchange(request);
      assert.ok(statuses.length <= 1, `answered more than once: ${statuses}`);
      if (statuses.length === 0) return; // closed without a word is as good
      assert.ok(allowed.includes(statuses[0]), `${statuses[0]}`);
      assert.match(text, /\r\nconnection: close\r\n/i);
      assert.ok(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).error.message);
    });
  }
});

describe('one connection', { concurrency: true }, () => {
  test('pipelined requests are answered in order', async () => {
    const paths = ['/healthz', '/v1/nothing', '/readyz', '/v1/models', '/healthz'];
    const client = new RawConnection(network.port);
    client.send(paths.map((path, i) => rawRequest('GET', path, i === 4 ? { Connection: 'close' } : {})).join(''));
    await client.closed;
    assert.deepEqual(client.statuses, [200, 404, 503, 401, 200]);
  });

  test('pipelined bodies are told apart, however they are cut', async () => {
    const key = `Authorization: Bearer ${network.apiKey}\r\n`;
    const requests = post(`${key}${LENGTH}`, BODY) + post(`${key}${TE}`, CHUNKED) +
      rawRequest('GET', '/healthz', { Connection: 'close' });
    const client = new RawConnection(network.port);
    client.socket.setNoDelay(true);
    for (let at = 0; at < requests.length; at += 7) {
      client.send(requests.slice(at, at + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.closed;
    assert.deepEqual(client.statuses, [400, 400, 200]);
  });

  test('100-continue is answered before the body is sent', async () => {
    const client = new RawConnection(network.port);
    const key = `Authorization: Bearer ${network.apiKey}\r\n`;
    client.send(post(`${key}${LENGTH}Expect: 100-continue\r\nConnection: close\r\n`, ''));
    await client.until((raw) => raw.statuses.length > 0);
    assert.deepEqual(client.statuses, [100]);
    client.send(BODY);
    await client.closed;
    assert.equal(client.statuses.length, 2);
    assert.notEqual(client.statuses[1], 401);
  });

  test('who has no key gets 401 in place of 100', async () => {
    const client = new RawConnection(network.port);
    client.send(post(`${LENGTH}Expect: 100-continue\r\nConnection: close\r\n`, ''));
    await client.closed;
    assert.deepEqual(client.statuses, [401]);
  });

  test('a body too large gets its refusal in place of 100', async () => {
    const client = new RawConnection(network.port);
    client.send(post('Content-Length: 100000000\r\nExpect: 100-continue\r\n', ''));
    await client.closed;
    assert.deepEqual(client.statuses, [413]);
  });

  test('HEAD has the headers of GET and no body', async () => {
    const client = new RawConnection(network.port);
    client.send(rawRequest('HEAD', '/healthz', { Connection: 'close' }));
    await client.closed;
    assert.deepEqual(client.statuses, [200]);
    assert.match(client.text, /content-length: [1-9]/i);
    assert.ok(client.text.endsWith('\r\n\r\n'));
  });

  test('HTTP/1.0 closes after the answer unless asked to keep alive', async () => {
    const client = new RawConnection(network.port);
    client.send(rawRequest('GET', '/healthz', {}, '', 'HTTP/1.0'));
    await client.closed;
    assert.deepEqual(client.statuses, [200]);
  });

  test('one that sends its headers by drops is cut within 10 s', async () => {
    const client = new RawConnection(network.port);
    client.send('GET /healthz HTTP/1.1\r\nHost: a\r\n');
    const drip = setInterval(() => client.send('X: y\r\n'), 500);
    await client.closed;
    clearInterval(drip);
    assert.deepEqual(client.statuses, [408]);
    assert.match(client.text, /"code":"REQUEST_TIMEOUT"/);
  });

  test('the link is for WebSockets only', async () => {
    const response = await network.fetch('/link', { key: null });
    assert.equal(response.status, 426);
    assert.equal(response.headers.get('upgrade'), 'websocket');
  });

  test('a WebSocket that says nothing is cut', async () => {
    const client = new RawConnection(network.port);
    client.send(rawRequest('GET', '/link', { Upgrade: 'websocket', Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'nataris.link.v1' }));
    await client.until((raw) => raw.statuses.length > 0);
    assert.deepEqual(client.statuses, [101]);
    await client.closed;
  });
});
