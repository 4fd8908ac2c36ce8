// Two tenants of one network: neither can tell what the other has, and no log tells anybody's words.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { admin, assertBooks, command, createAccount, requestsOf, usageOf } from './support/accounts.mjs';
import { ask, chat, script } from './support/chat.mjs';
import { Network, stopCleanly } from './support/network.mjs';
import { readStream } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';

/** Another id of the same form. */
function missing(id) {
  const prefix = /^(chatcmpl-|[a-z]+_)/.exec(id)[0];
  return prefix + 'Z'.repeat(id.length - prefix.length);
}

describe('a foreign id answers like a missing one', () => {
  let network;
  let ours;
  let theirs; // what the other tenant has: { account, key, request, earning, device }
  before(async () => {
    network = await Network.gateway(['--webhooks-allow-private']);
    const device = await network.scripted();
    ours = await createAccount(network, 'unlimited', 'ours');
    const account = await createAccount(network, 'unlimited', 'theirs');
    await ask(network, chat('Ours'), { key: ours.api_key });
    const answer = await ask(network, chat('Theirs'), { key: account.api_key });
    const { data: keys } = await admin(network, 'GET', `/admin/accounts/${account.id}/keys`);
    const earnings = await (await network.fetch('/v1/provider/earnings')).json();
    const kept = await (await network.post('/v1/conversations', '', { key: account.api_key })).json();
    const job = await (await network.post('/v1/jobs', chat('Theirs'), { key: account.api_key })).json();
    theirs = { account: account.id, key: keys[0].id, request: answer.id, earning: earnings.data[0].id, job: job.id,
      conversation: kept.id, device: device.id, ...await addWebhook(account) };
  });
  after(async () => {
    await assertBooks(network);
    await stopCleanly(network);
  });

  /** With one delivery, which nobody takes. */
  async function addWebhook({ api_key: key }) {
    const { id } = await (await network.post('/v1/webhooks', { url: 'http://127.0.0.1:1/' }, { key })).json();
    const delivery = await (await network.post(`/v1/webhooks/${id}/test`, '', { key })).json();
    return { webhook: id, delivery: delivery.id };
  }

  async function answerTo(method, route, body) {
    const response = await network.fetch(route, { method, key: ours.api_key, body });
    const headers = Object.fromEntries(response.headers);
    delete headers['x-request-id'];
    delete headers.date;
    return { status: response.status, headers, body: await response.text() };
  }

  const routes = {
    'GET /v1/usage?key={key}': 404,
    'GET /v1/usage?period=2024-01&key={key}': 404,
    'GET /v1/usage/requests?after={request}': 404,
    'GET /v1/usage/requests?limit=1&after={request}': 404,
    'GET /v1/provider/earnings?after={earning}': 404,
    'GET /v1/provider/earnings?after={request}': 404,
    'GET /v1/jobs/{job}': 404,
    'HEAD /v1/jobs/{job}': 404,
    'DELETE /v1/jobs/{job}': 404,
    'GET /v1/jobs?after={job}': 404,
    'GET /v1/jobs?limit=1&status=COMPLETED&after={job}': 404,
    'GET /v1/webhooks/{webhook}': 404,
    'DELETE /v1/webhooks/{webhook}': 404,
    'POST /v1/webhooks/{webhook}/test': 404,
    'POST /v1/webhooks/{webhook}/rotate-secret': 404,
    'GET /v1/webhooks/{webhook}/deliveries': 404,
    'GET /v1/conversations/{conversation}': 404,
    'HEAD /v1/conversations/{conversation}': 404,
    'DELETE /v1/conversations/{conversation}': 404,
    'GET /v1/conversations?after={conversation}': 404,
    'GET /v1/provider/devices/{device}': 404,
    'HEAD /v1/provider/devices/{device}': 404,
    'GET /v1/provider/devices?after={device}': 404,
    'GET /v1/models/{key}': 404,
    'HEAD /v1/usage?key={key}': 404,
    'GET /v1/usage/requests/{request}': 404,
    'GET /v1/chat/completions/{request}': 404,
    'DELETE /v1/keys/{key}': 404,
    'GET /admin/accounts/{account}': 404,
    'DELETE /admin/keys/{key}': 404,
  };
  for (const [route, status] of Object.entries(routes)) {
    test(route, async () => {
      const [method, path] = route.split(' ');
      const [, kind] = /\{(\w+)\}/.exec(path);
      const foreign = await answerTo(method, path.replace(/\{\w+\}/, theirs[kind]));
      const none = await answerTo(method, path.replace(/\{\w+\}/, missing(theirs[kind])));
      assert.equal(foreign.status, status, foreign.body);
      // What a route that is not there says about its path is the path itself.
      const plain = ({ body, ...rest }) => ({ ...rest, body: body.replaceAll(theirs[kind], '-').replaceAll(missing(theirs[kind]), '-') });
      const said = plain(foreign);
      assert.deepEqual(said, plain(none));
      assert.ok(!said.body.includes('theirs') && !said.body.includes(theirs.account));
    });
  }

  test('a foreign webhook and its delivery, in requests with a body', async () => {
    const { webhook, delivery } = await addWebhook(ours);
    const same = async (method, kind, route, body) => {
      const [foreign, none] = await Promise.all([theirs[kind], missing(theirs[kind])].map((id) =>
        answerTo(method, route.replace('{id}', id), body && JSON.stringify(body).replace('{id}', id))));
      assert.equal(foreign.status, 404, foreign.body);
      assert.deepEqual(foreign, none);
    };
    await same('PATCH', 'webhook', '/v1/webhooks/{id}', { status: 'disabled' });
    await same('POST', 'webhook', '/v1/webhooks/{id}/redeliver', { delivery_id: delivery });
    await same('POST', 'delivery', `/v1/webhooks/${webhook}/redeliver`, { delivery_id: '{id}' });
    await same('GET', 'delivery', `/v1/webhooks/${webhook}/deliveries?after={id}`);
    const own = JSON.parse((await answerTo('GET', '/v1/webhooks')).body);
    assert.deepEqual(own.data.map(({ id }) => id), [webhook]);
  });

  test('and an own one is found', async () => {
    const [{ id, key_id: keyId }] = await requestsOf(network, ours.api_key);
    assert.equal((await usageOf(network, ours.api_key, `?key=${keyId}`)).total_requests, 1);
    assert.equal((await answerTo('GET', `/v1/usage/requests?after=${id}`)).status, 200);
  });

  test('the lists hold only what is one\'s own', async () => {
    const lines = await requestsOf(network, ours.api_key);
    assert.equal(lines.length, 1);
    assert.ok(lines.every(({ id }) => id !== theirs.request));
    assert.equal((await usageOf(network, ours.api_key)).total_requests, 1);
    for (const route of ['/v1/provider/earnings', '/v1/provider/devices', '/v1/jobs']) {
      assert.deepEqual(JSON.parse((await answerTo('GET', route)).body).data, []);
    }
  });

  test('an Idempotency-Key of the other tenant means nothing', async () => {
    const headers = { 'Idempotency-Key': 'secret-of-theirs' };
    const { data: keys } = await admin(network, 'GET', `/admin/accounts/${theirs.account}/keys`);
    assert.ok(keys.length > 0);
    const other = await createAccount(network, 'unlimited', 'third');
    await ask(network, chat('First'), { key: other.api_key, headers });
    for (const content of ['First', 'Second']) {
      const response = await network.post(CHAT, chat(content), { key: ours.api_key,
        headers: { 'Idempotency-Key': `secret-of-theirs${content === 'First' ? '' : '2'}` } });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('idempotent-replayed'), null);
      await response.text();
    }
  });
});

test('no key, prompt, answer or name is in a log of level debug', async () => {
  const network = await Network.gateway(['--log-level', 'debug']);
  try {
    await network.scripted(['--log-level', 'debug']);
    const account = await createAccount(network, 'pro', 'Zanzibar Ltd');
    const { key } = await command(network, 'key', 'create', account.id, '--name', 'walrus-key');
    await command(network, 'credit', 'grant', account.id, '1', '--note', 'pelican-note');
    const headers = { 'Idempotency-Key': 'ostrich-idempotency' };
    for (const secret of [account.api_key, account.test_key, key]) {
      const body = chat(`flamingo ${script({ text: 'platypus answer' })}`);
      for (let i = 0; i < 2; i++) await ask(network, body, { key: secret, headers });
      await (await network.post(CHAT, chat('flamingo two'), { key: secret, headers })).text();
      await readStream(await network.post(CHAT, chat(script({ text: 'platypus stream' }), { stream: true }), { key: secret }));
      await (await network.post(CHAT, chat(`flamingo ${script({ fail: 'bad_request' })}`), { key: secret })).text();
      for (const route of ['/v1/usage?key=walrus', '/v1/usage/requests?after=walrus', '/v1/usage?period=walrus']) {
        await (await network.fetch(route, { key: secret })).text();
      }
    }
    await command(network, 'account', 'suspend', account.id);
    await (await network.post(CHAT, chat('flamingo'), { key })).text();
    await network.stop().then((exits) => assert.deepEqual(exits.map(({ code }) => code), exits.map(() => 0)));
    const log = network.errors();
    assert.match(log, /core\.job .*to=/, 'the log is as talkative as it gets');
    assert.match(log, /admin\.request/);
    for (const word of [account.api_key, account.test_key, key, network.apiKey, 'Zanzibar', 'walrus', 'pelican', 'ostrich',
      'flamingo', 'platypus']) {
      assert.ok(!log.includes(word), `${word} is in the log:\n${log.split('\n').find((line) => line.includes(word))}`);
    }
  } finally {
    await network.stop();
  }
});
