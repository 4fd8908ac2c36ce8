// Clients that are not quite as the reference has them: paths, keys, headers, bodies (docs/CLIENTS.md).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chat, script, textOf } from './support/chat.mjs';
import { Network, REFERENCE_MODEL, stopCleanly } from './support/network.mjs';

let network;
before(async () => {
  network = await Network.gateway();
  await network.scripted();
  await network.untilAvailable(REFERENCE_MODEL);
});
after(() => stopCleanly(network));

const CHAT = '/v1/chat/completions';
const GOOD = JSON.stringify(chat(script({ text: 'fine' })));

/** One request without any header but those given. */
async function send(path, { method = 'POST', body = GOOD, headers = { Authorization: `Bearer ${network.apiKey}` } } = {}) {
  const response = await fetch(network.origin + path, { method, headers, body: method === 'GET' ? undefined : body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : null };
}

test('a slash behind the path, and /health', async () => {
  for (const path of [`${CHAT}/`, `${CHAT}/?api-version=1`]) assert.equal(textOf((await send(path)).json), 'fine', path);
  for (const path of ['/v1/models/', '/health', '/health/']) assert.equal((await send(path, { method: 'GET' })).status, 200);
});

test('a path that is none names the one that was meant', async () => {
  const meant = {
    '/chat/completions': CHAT,
    '/v1/v1/chat/completions': CHAT,
    '/v1//chat/completions': CHAT,
    '/api/v1/chat/completions': CHAT,
    '/v1/chat/completion': CHAT,
    '/completions': '/v1/completions',
    '/v1/completion': '/v1/completions',
    '/tags': '/v1/models',
    '/v1/batches': '/v1/jobs',
  };
  for (const [path, use] of Object.entries(meant)) {
    const { status, json } = await send(path, { headers: {} });
    assert.equal(status, 404, path);
    assert.ok(json.error.message.includes(path) && json.error.message.includes(use), json.error.message);
  }
});

test('the key in other headers; never one of two', async () => {
  const key = network.apiKey, other = network.testKey ?? 'nat_live_other';
  const rows = [
    [{ 'x-api-key': key }, 200],
    [{ 'api-key': key }, 200],
    [{ 'x-api-key': key, Authorization: `Bearer ${key}` }, 200],
    [{ 'x-api-key': other, Authorization: `Bearer ${key}` }, 400],
    [{ 'x-api-key': key, 'api-key': other }, 400],
    [{ 'x-api-key': 'nat_live_wrong' }, 401],
  ];
  for (const [headers, status] of rows) {
    const answer = await send(CHAT, { headers });
    assert.equal(answer.status, status, JSON.stringify(Object.keys(headers)));
    assert.ok(!JSON.stringify(answer.json).includes(other), 'no key is quoted');
  }
});

test('bodies: a byte order mark is passed over, a key that is there twice is named', async () => {
  assert.equal(textOf((await send(CHAT, { body: `\ufeff${GOOD}` })).json), 'fine');
  const job = await send('/v1/jobs', { body: `\ufeff${GOOD}` });
  assert.equal(job.status, 202);
  const twice = {
    model: `{"model":"a",${GOOD.slice(1)}`,
    role: '{"model":"m","messages":[{"role":"user","content":"hi","r\\u006fle":"user"}]}',
  };
  for (const path of [CHAT, '/v1/jobs', '/v1/conversations', '/v1/webhooks']) {
    for (const [param, body] of Object.entries(twice)) {
      const { status, json } = await send(path, { body });
      assert.deepEqual([status, json.error.param], [400, param], path);
    }
  }
  const many = Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`).join(',');
  const { json } = await send(CHAT, { body: `{${many},"k500":1}` });
  assert.equal(json.error.param, 'k500');
});

test('methods that a route lacks are 405, and a page can read every error', async () => {
  for (const method of ['PUT', 'PROPFIND', 'QUERY', 'BREW']) {
    const answer = await send(CHAT, { method });
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST, OPTIONS'], method);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  }
  const asked = 'authorization,http-referer,x-title,x-whatever';
  const headers = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': asked };
  const { headers: allowed } = await fetch(network.origin + CHAT, { method: 'OPTIONS', headers });
  const names = allowed.get('access-control-allow-headers').split(', ');
  for (const name of asked.split(',')) assert.ok(names.includes(name), name);
});
