// Webhooks: what is sent, that it can be verified, that it arrives, and where it never goes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { balanceOf, command, createAccount, NANO } from './support/accounts.mjs';
import { ask, chat, script } from './support/chat.mjs';
import { eventually, Network, stopCleanly, within } from './support/network.mjs';
import { Receiver } from './support/receiver.mjs';

const ALLOW = ['--webhooks-allow-private'];

async function call(network, account, method, route, body) {
  const options = { method, key: account.api_key };
  if (body !== undefined) Object.assign(options, { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  const response = await network.fetch(`/v1/webhooks${route}`, options);
  return { status: response.status, ...await response.json() };
}

async function create(network, account, url, more = {}) {
  const webhook = await call(network, account, 'POST', '', { url, ...more });
  assert.equal(webhook.status, 'enabled', JSON.stringify(webhook));
  return webhook;
}

async function fire(network, account, webhook) {
  const delivery = await call(network, account, 'POST', `/${webhook.id}/test`);
  assert.equal(delivery.event, 'test', JSON.stringify(delivery));
  return delivery;
}

/** The newest delivery once `wanted` of it. */
function delivered(network, account, webhook, wanted = ({ status }) => status !== 'waiting') {
  let last;
  return eventually(async () => {
    [last] = (await call(network, account, 'GET', `/${webhook.id}/deliveries`)).data;
    return last && wanted(last) && last;
  }, () => `the delivery is not as expected: ${JSON.stringify(last)}`);
}

const failedOnce = ({ attempts }) => attempts === 1;

describe('webhooks', () => {
  let network;
  let receiver;
  let hanging;
  const hang = '/hang';
  const accounts = {};
  before(async () => {
    [network, receiver] = await Promise.all([Network.gateway([...ALLOW, '--log-level', 'debug']), Receiver.open()]);
    await network.scripted();
    for (const name of ['managing', 'events', 'receivers']) accounts[name] = await createAccount(network, 'unlimited', name);
    hanging = await create(network, accounts.receivers, receiver.on(hang, () => {}));
    await fire(network, accounts.receivers, hanging);
  });
  after(async () => {
    await receiver.close();
    await stopCleanly(network);
  });

  test('are made, shown, changed and deleted; the secret is shown once', async () => {
    const account = accounts.managing;
    const made = await create(network, account, 'https://example.com/hook?a=1', {
      description: 'ours', events: ['balance.low'], balance_low_usd: 0.000000001, usage_thresholds_usd: [1, 2.5] });
    assert.match(made.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    const { secret, ...rest } = made;
    assert.deepEqual(await call(network, account, 'GET', `/${made.id}`), rest);
    const { data } = await call(network, account, 'GET', '');
    assert.deepEqual(data, [rest]);
    const patched = await call(network, account, 'PATCH', `/${made.id}`, { status: 'disabled', url: 'http://localhost/x' });
    assert.deepEqual(patched, { ...rest, status: 'disabled', url: 'http://localhost/x' });
    const refused = await call(network, account, 'POST', `/${made.id}/test`);
    assert.equal(refused.error.code, 'INVALID_REQUEST');
    const rotated = await call(network, account, 'POST', `/${made.id}/rotate-secret`);
    assert.notEqual(rotated.secret, secret);
    assert.ok(Date.parse(rotated.old_secret_expires_at) > Date.now() + 23 * 3600 * 1000);
    assert.equal((await call(network, account, 'DELETE', `/${made.id}`)).deleted, true);
    assert.equal((await call(network, account, 'GET', `/${made.id}`)).error.code, 'NOT_FOUND');
    assert.equal((await call(network, account, 'DELETE', `/${made.id}`)).error.code, 'NOT_FOUND');
    assert.ok(!network.errors().includes(secret) && !network.errors().includes(rotated.secret));
  });

  test('refuse what they cannot be', async () => {
    const account = accounts.managing;
    const url = 'https://example.com/';
    const bodies = [[{}, 'url'], [{ url: 1 }, 'url'], [{ url: 'ftp://example.com/' }, 'url'], [{ url, events: [] }, 'events'],
      [{ url: `https://example.com/${'x'.repeat(2048)}` }, 'url'], [{ url, events: ['job.started'] }, 'events'],
      [{ url, events: ['test'] }, 'events'], [{ url, balance_low_usd: 0 }, 'balance_low_usd'],
      [{ url, balance_low_usd: '1' }, 'balance_low_usd'], [{ url, description: 'x'.repeat(128) }, 'description'],
      [{ url, usage_thresholds_usd: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, 'usage_thresholds_usd'], [{ url, status: 'gone' }, 'status']];
    for (const [body, param] of bodies) {
      const { error } = await call(network, account, 'POST', '', body);
      assert.deepEqual([error?.code, error?.param], ['INVALID_REQUEST', param], JSON.stringify(body));
    }
    assert.equal((await call(network, account, 'POST', '', [])).error.code, 'INVALID_REQUEST');
    const test = await call(network, { api_key: account.test_key }, 'GET', '');
    assert.equal(test.error.code, 'FORBIDDEN');
    const many = [];
    for (let i = 0; i < 16; i++) many.push(await create(network, account, url));
    assert.match((await call(network, account, 'POST', '', { url })).error.message, /at most 16/);
    for (const { id } of many) await call(network, account, 'DELETE', `/${id}`);
    assert.deepEqual((await call(network, account, 'GET', '')).data, []);
  });

  test('the library of Standard Webhooks verifies them, with both secrets while they change', async () => {
    const account = accounts.receivers;
    const webhook = await create(network, account, receiver.url('/verified'));
    const asked = await fire(network, account, webhook);
    const [first] = await receiver.until('/verified', 1);
    assert.deepEqual(new Webhook(webhook.secret).verify(first.body, first.headers).data, {});
    assert.equal(first.headers['webhook-id'], asked.event_id);
    assert.equal(first.headers['content-type'], 'application/json');
    assert.throws(() => new Webhook(webhook.secret).verify(`${first.body} `, first.headers));
    const { secret } = await call(network, account, 'POST', `/${webhook.id}/rotate-secret`);
    await fire(network, account, webhook);
    const [, second] = await receiver.until('/verified', 2);
    for (const key of [secret, webhook.secret]) {
      assert.equal(new Webhook(key).verify(second.body, second.headers).type, 'test');
    }
    assert.throws(() => new Webhook(secret).verify(first.body, first.headers), 'the first was signed before');
    const done = await delivered(network, account, webhook);
    assert.deepEqual([done.status, done.attempts, done.last_response.status], ['delivered', 1, 204]);
    const again = await call(network, account, 'POST', `/${webhook.id}/redeliver`, { delivery_id: asked.id });
    assert.ok(again.id !== asked.id && again.requested && again.event_id === asked.event_id);
    const [, , third] = await receiver.until('/verified', 3);
    assert.equal(third.headers['webhook-id'], first.headers['webhook-id']);
    const page = await call(network, account, 'GET', `/${webhook.id}/deliveries?limit=2`);
    assert.equal(page.data.length, 2);
    assert.equal(page.has_more, true);
    const rest = await call(network, account, 'GET', `/${webhook.id}/deliveries?after=${page.data[1].id}`);
    assert.deepEqual(rest.data.map(({ id }) => id), [asked.id]);
  });

  test('tell of a low balance and of usage once for each crossing', async () => {
    const account = accounts.events;
    const body = chat(script({ tokens: 5 }));
    const before = await balanceOf(network, account);
    await ask(network, body, { key: account.api_key });
    const cost = before - await balanceOf(network, account);
    const low = await balanceOf(network, account) / NANO;
    const amounts = [2, 3].map((n) => n * cost / NANO);
    const webhook = await create(network, account, receiver.url('/money'), {
      events: ['balance.low', 'usage.threshold'], balance_low_usd: low, usage_thresholds_usd: amounts });
    for (let i = 0; i < 4; i++) await ask(network, body, { key: account.api_key });
    const first = await receiver.until('/money', 3);
    const events = first.map(({ body: text, headers }) => new Webhook(webhook.secret).verify(text, headers));
    const [balance] = events.filter(({ type }) => type === 'balance.low');
    assert.deepEqual(balance.data, { threshold_usd: low, balance_usd: (before - 2 * cost) / NANO });
    const usage = events.filter(({ type }) => type === 'usage.threshold');
    assert.deepEqual(usage.map(({ data }) => [data.threshold_usd, data.spent_usd]).sort(), amounts.map((a) => [a, a]).sort());
    assert.match(usage[0].data.period_start, /^\d{4}-\d\d-01T00:00:00/);
    // Above again, and below again; the month's spending has no second crossing.
    await command(network, 'credit', 'grant', account.id, String(4 * cost / NANO), '--note', 'more');
    await ask(network, body, { key: account.api_key });
    const all = await receiver.until('/money', 4);
    assert.equal(JSON.parse(all[3].body).type, 'balance.low');
    const { data } = await call(network, account, 'GET', `/${webhook.id}/deliveries`);
    assert.equal(data.length, 4);
  });

  test('come again when they were not taken', async () => {
    const account = accounts.receivers;
    const url = receiver.on('/fails', (response, _, count) => response.writeHead(count === 1 ? 500 : 200).end('what'));
    const webhook = await create(network, account, url);
    await fire(network, account, webhook);
    const waiting = await delivered(network, account, webhook, failedOnce);
    assert.equal(waiting.status, 'waiting');
    assert.deepEqual([waiting.last_response.status, waiting.last_response.body], [500, 'what']);
    const wait = Date.parse(waiting.next_attempt_at) - Date.parse(waiting.last_attempt_at);
    assert.ok(wait >= 4500 && wait < 8000, `${wait} ms`);
    const [one, two] = await receiver.until('/fails', 2);
    assert.equal(one.headers['webhook-id'], two.headers['webhook-id']);
    assert.equal(new Webhook(webhook.secret).verify(two.body, two.headers).type, 'test');
    const done = await delivered(network, account, webhook);
    assert.deepEqual([done.status, done.attempts], ['delivered', 2]);
  });

  test('a receiver that is gone, redirects, asks for patience, breaks off or answers without end', async () => {
    const account = accounts.receivers;
    const hook = (path, answer) => create(network, account, receiver.on(path, answer));
    const gone = await hook('/gone', (response) => response.writeHead(410).end());
    const redirect = await hook('/redirect', (response) => response.writeHead(307, { Location: receiver.url('/target') }).end());
    const patience = await hook('/patience', (response) => response.writeHead(429, { 'Retry-After': '3000' }).end());
    const broken = await hook('/broken', (response) => response.destroy());
    const huge = await hook('/huge', (response) => {
      response.writeHead(200);
      const more = () => { while (!response.destroyed && response.write('x'.repeat(16384))); };
      response.on('drain', more).on('error', () => {});
      more();
    });
    for (const webhook of [gone, redirect, patience, broken, huge]) await fire(network, account, webhook);
    assert.equal((await delivered(network, account, gone)).status, 'failed');
    assert.equal((await call(network, account, 'GET', `/${gone.id}`)).status, 'gone');
    assert.equal((await call(network, account, 'POST', `/${gone.id}/test`)).error.code, 'INVALID_REQUEST');
    const redirected = await delivered(network, account, redirect, failedOnce);
    assert.match(redirected.last_response.error, /redirects/);
    assert.equal(receiver.at('/target').length, 0);
    const later = await delivered(network, account, patience, failedOnce);
    assert.ok(Date.parse(later.next_attempt_at) - Date.parse(later.last_attempt_at) >= 3_000_000);
    const cut = await delivered(network, account, broken, failedOnce);
    assert.deepEqual([cut.status, cut.last_response.status], ['waiting', null]);
    const long = await delivered(network, account, huge);
    assert.deepEqual([long.status, long.last_response.body.length], ['delivered', 1024]);
    const enabled = await call(network, account, 'PATCH', `/${gone.id}`, { status: 'enabled', url: receiver.url('/back') });
    assert.equal(enabled.status, 'enabled');
    await fire(network, account, gone);
    await receiver.until('/back', 1);
  });

  test('no more than ten tests of one webhook in a minute', async () => {
    const account = accounts.receivers;
    const webhook = await create(network, account, receiver.url('/often'));
    for (let i = 0; i < 10; i++) await fire(network, account, webhook);
    const refused = await call(network, account, 'POST', `/${webhook.id}/test`);
    assert.equal(refused.error.code, 'RATE_LIMIT_EXCEEDED');
    assert.equal(new Set((await receiver.until('/often', 10)).map(({ headers }) => headers['webhook-id'])).size, 10);
  });

  test('a receiver that hangs is given up for now after 15 seconds', async () => {
    const late = await delivered(network, accounts.receivers, hanging, failedOnce);
    assert.equal(late.status, 'waiting');
    assert.match(late.last_response.error, /15 seconds/);
  });
});

test('a gateway killed with deliveries under way makes them after its next start', async () => {
  const receiver = await Receiver.open();
  try {
    await within(Network.gateway(ALLOW), async (network) => {
      const account = await createAccount(network, 'unlimited', 'somebody');
      const held = [];
      const webhook = await create(network, account, receiver.on('/kept', (response) => held.push(response)));
      const ids = [];
      for (let i = 0; i < 10; i++) ids.push((await fire(network, account, webhook)).event_id);
      await receiver.until('/kept', 1);
      network.main.kill('SIGKILL');
      await network.main.exit;
      receiver.on('/kept', (response) => response.writeHead(200).end());
      await network.untilReachable(network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`,
        '--json', ...ALLOW]));
      const arrived = () => new Set(receiver.at('/kept').map(({ headers }) => headers['webhook-id']));
      await eventually(async () => {
        const { data } = await call(network, account, 'GET', `/${webhook.id}/deliveries`);
        return data.every(({ status }) => status === 'delivered');
      }, 'not all were delivered');
      assert.deepEqual([...arrived()].sort(), ids.sort());
    });
  } finally {
    await receiver.close();
  }
});

/** The same gateway with other options, after a clean stop. */
async function restart(network, ...options) {
  await network.main.stop('SIGTERM');
  const again = network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`, ...ALLOW, ...options]);
  await network.untilReachable(again);
  return again;
}

async function jobsEnd(network, account, count) {
  for (let i = 0; i < count; i++) {
    const job = await (await network.post('/v1/jobs', chat('Hello', { max_tokens: 8 }), { key: account.api_key })).json();
    await eventually(async () => (await (await network.fetch(`/v1/jobs/${job.id}`, { key: account.api_key })).json())
      .status === 'COMPLETED', 'the job did not end');
  }
}

test('a dead receiver takes half of its account\'s quota and nothing of others; a full disk stops all sending', async () => {
  const receiver = await Receiver.open();
  const quota = ['--quota-free', '0/0,0/0,0/0,0/0,4/0', '--tier-free', '0/0/0'];
  try {
    await within(Network.gateway([...ALLOW, ...quota]), async (network) => {
      await network.scripted();
      const [account, other] = [await createAccount(network, 'free', 'dead'), await createAccount(network, 'free', 'other')];
      const dead = await create(network, account, receiver.on('/dead', (response) => response.writeHead(500).end()));
      const good = await create(network, other, receiver.url('/good'));
      await jobsEnd(network, account, 4);
      await jobsEnd(network, other, 6);
      await receiver.until('/good', 6);
      const shown = await call(network, account, 'GET', `/${dead.id}`);
      assert.deepEqual([shown.waiting, shown.dropped], [2, 2], 'what it cannot take is not kept');
      assert.ok(shown.last_dropped_at);
      assert.equal((await call(network, other, 'GET', `/${good.id}`)).dropped, 0);
      const { kept } = await command(network, 'account', 'show', other.id);
      assert.ok(kept.deliveries.rows <= 4, 'old ones make room');
      assert.equal(kept.deliveries.rows_max, 4);
      assert.equal((await command(network, 'gateway', 'status')).webhooks.dropped, 2);

      await restart(network, ...quota, '--disk-floor', '4000000000');
      const status = await command(network, 'gateway', 'status');
      assert.equal(status.disk.state, 'scarce');
      assert.equal(status.webhooks.paused, true);
      const before = receiver.at('/dead').length;
      const answer = await call(network, account, 'POST', `/${dead.id}/test`);
      assert.equal(answer.status, 503);
      assert.match(answer.error.message, /disk is nearly full/);
      assert.equal((await call(network, account, 'GET', `/${dead.id}`)).waiting, 2, 'what waits goes on waiting');
      receiver.on('/dead', (response) => response.writeHead(200).end());
      await restart(network, ...quota);
      assert.equal(receiver.at('/dead').length, before, 'nothing was sent meanwhile');
      await command(network, 'gateway', 'status');
      assert.equal((await call(network, account, 'PATCH', `/${dead.id}`, { description: 'now' })).description, 'now');
    });
  } finally {
    await receiver.close();
  }
});

test('nothing inside is reached', async () => {
  const receiver = await Receiver.open();
  try {
    await within(Network.gateway(), async (network) => {
      const account = await createAccount(network, 'unlimited', 'somebody');
      const { port } = receiver;
      const hosts = ['127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1',
        '017700000001', '127.0.0.01', '0', '0.0.0.0', '0x0', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255',
        '192.168.0.1', '169.254.169.254', '100.64.0.1', '100.127.255.255', '192.0.0.1', '192.0.2.1', '198.18.0.1',
        '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', 'localhost', 'LOCALHOST', 'localhost.',
        '127.0.0.1.', 'router', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]',
        '[fc00::1]', '[fd00::1]', '[fe80::1]', '[fe80::1%25lo]', '[ff02::1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]',
        '[2002:7f00:1::]', '[2001::1]', '[2001:db8::1]', '[100::1]', '[5f00::1]', '[3fff::1]', '[fec0::1]',
        'user@127.0.0.1', 'example.com@127.0.0.1', '127.0.0.1%00.example.com', '127%2e0%2e0%2e1',
        '\u2460\u2461\u2466.0.0.1', '127\u30020\u30020\u30021', '127.0.0.1\\@example.com', '127.0.0.1 .example.com',
        '127.0.0.1\t', 'example..com', '-example.com', '[::1', '::1', ''];
      assert.ok(hosts.length >= 60);
      const urls = hosts.flatMap((host) => [`https://${host}:${port}/`, `http://${host}:${port}/`, `https://${host}/`]);
      urls.push(`http://example.com:${port}/`, `https://example.com:22/`, 'https://example.com:0/', 'https://example.com:70000/',
        '//127.0.0.1/', 'https:/127.0.0.1/', 'https:127.0.0.1', 'file:///etc/passwd', `gopher://127.0.0.1:${port}/`);
      for (const url of urls) {
        const answer = await call(network, account, 'POST', '', { url });
        assert.deepEqual([answer.error?.code, answer.error?.param], ['INVALID_REQUEST', 'url'], url);
      }
      assert.equal(receiver.connections, 0);
    });
  } finally {
    await receiver.close();
  }
});
