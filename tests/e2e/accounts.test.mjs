// The operator's commands: accounts, keys, credit and the audit log, with a gateway running and without one.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  adminText, assertBooks, command, nano, refusedCommand, showAccount, untilActive,
} from './support/accounts.mjs';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { Network, REFERENCE_MODEL, run, SMALL_MODEL, stopCleanly, within } from './support/network.mjs';
import { RawConnection, rawRequest } from './support/raw.mjs';

const CHAT = '/v1/chat/completions';
const DAY_MS = 86_400_000;

function create(network, ...args) {
  return command(network, 'account', 'create', ...args);
}

function statusWith(network, key) {
  return network.fetch('/v1/models', { key }).then(async (response) => {
    await response.text();
    return response.status;
  });
}

/** What holds whether or not a gateway runs: every command once, and what it leaves behind. */
async function tellAll(network) {
  const made = await create(network, 'Ada Lovelace', '--tier', 'starter');
  assert.match(made.id, /^acct_[0-9A-Za-z]{20}$/);
  assert.match(made.api_key, /^nat_live_[0-9A-Za-z]{38}$/);
  assert.match(made.test_key, /^nat_test_[0-9A-Za-z]{38}$/);
  assert.equal(made.balance_usd, 5);

  const shown = await command(network, 'account', 'show', made.id);
  const { created_at: createdAt, kept, ...rest } = shown;
  assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < DAY_MS);
  assert.deepEqual(rest, { id: made.id, name: 'Ada Lovelace', tier: 'starter', suspended: false, owner: false,
    balance_usd: 5, given_usd: 5, held_usd: 0, active_requests: 0,
    audits: true });

  assert.deepEqual(kept.jobs, { rows: 0, rows_max: 100_000, bytes: 0, bytes_max: 2048 * 1024 * 1024 });

  assert.deepEqual(kept.jobs, { rows: 0, rows_max: 100_000, bytes: 0, bytes_max: 2048 * 1024 * 1024 });

  const { data: accounts } = await command(network, 'account', 'list');
  assert.deepEqual(accounts.map(({ owner }) => owner), [true, false], 'the owner came first');
  assert.deepEqual(accounts[1], { ...rest, created_at: createdAt });
  const page = await command(network, 'account', 'list', '--limit', '1');
  assert.equal(page.has_more, true);
  const next = await command(network, 'account', 'list', '--limit', '1', '--after', page.data[0].id);
  assert.deepEqual([next.data[0].id, next.has_more], [made.id, false]);

  assert.equal((await command(network, 'account', 'set-tier', made.id, 'pro')).tier, 'pro');
  assert.equal((await command(network, 'account', 'suspend', made.id)).suspended, true);
  assert.equal((await command(network, 'account', 'suspend', made.id, '--undo')).suspended, false);

  const key = await command(network, 'key', 'create', made.id, '--name', 'laptop', '--cap-usd', '0.25', '--expires-days',
    '3', '--model', SMALL_MODEL, '--model', REFERENCE_MODEL);
  assert.match(key.key, /^nat_live_/);
  const keyTest = await command(network, 'key', 'create', made.id, '--test');
  assert.match(keyTest.key, /^nat_test_/);
  assert.equal(keyTest.kind, 'test');
  assert.notEqual((await command(network, 'key', 'revoke', keyTest.id)).revoked_at, null);
  const { data: keys } = await command(network, 'key', 'list', made.id);
  assert.deepEqual(keys.map(({ kind, name }) => [kind, name]).slice(0, 3),
    [['live', 'default'], ['test', 'default'], ['live', 'laptop']]);
  const laptop = keys[2];
  assert.equal(laptop.id, key.id);
  assert.equal(laptop.key, undefined, 'shown once');
  assert.equal(laptop.cap_usd, 0.25);
  assert.equal(laptop.spent_usd, 0);
  assert.deepEqual([...laptop.models].sort(), [REFERENCE_MODEL, SMALL_MODEL].sort());
  assert.ok(Math.abs(Date.parse(laptop.expires_at) - Date.now() - 3 * DAY_MS) < DAY_MS);
  assert.notEqual(keys[3].revoked_at, null);

  const grant = await command(network, 'credit', 'grant', made.id, '1.000000001', '--note', 'for "testing", thanks');
  assert.equal(nano(grant.balance_usd), 6_000_000_001);
  const refund = await command(network, 'credit', 'refund', made.id, '0.5');
  assert.equal(nano(refund.balance_usd), 6_500_000_001);

  const { data: lines } = await command(network, 'audit', 'list');
  const told = lines.slice(0, 9).reverse().map((line) => [line.action, line.subject, nano(line.amount_usd), line.note]);
  assert.deepEqual(told, [
    ['account.create', made.id, 5_000_000_000, ''],
    ['account.tier', made.id, 0, 'pro'],
    ['account.suspend', made.id, 0, 'suspended'],
    ['account.suspend', made.id, 0, 'resumed'],
    ['key.create', key.id, 0, ''],
    ['key.create', keyTest.id, 0, ''],
    ['key.revoke', keyTest.id, 0, ''],
    ['credit.grant', made.id, 1_000_000_001, 'for "testing", thanks'],
    ['credit.refund', made.id, 500_000_000, ''],
  ]);
  assert.ok(lines.every((line) => line.actor === 'cli' || line.actor === 'up'));
  const older = await command(network, 'audit', 'list', '--limit', '2', '--before', `${lines[0].number}`);
  assert.deepEqual(older.data, lines.slice(1, 3));
  return made;
}

async function tellRefusals(network, made) {
  assert.match(await refusedCommand(network, 'account', 'create', ''), /name/);
  assert.match(await refusedCommand(network, 'account', 'create', 'x', '--tier', 'gold'), /tier must be/);
  assert.match(await refusedCommand(network, 'account', 'set-tier', made.id, 'gold'), /tier must be/);
  for (const args of [['account', 'show'], ['account', 'suspend'], ['key', 'create'], ['key', 'list']]) {
    assert.match(await refusedCommand(network, ...args, 'acct_00000000000000000000'), /no (such )?account/i);
  }
  assert.match(await refusedCommand(network, 'key', 'revoke', 'key_00000000000000000000'), /no (such )?key/i);
  for (const amount of ['0', 'ten', '-1', '0.0000000001', '99999999999']) {
    assert.match(await refusedCommand(network, 'credit', 'grant', made.id, amount), /amount/, amount);
  }
  assert.match(await refusedCommand(network, 'key', 'create', made.id, '--cap-usd', 'much'), /cap_usd/);
}

describe('with a gateway running', () => {
  let network;
  let made;
  before(async () => {
    network = await Network.gateway();
    await network.scripted(['--model', SMALL_MODEL]);
    await network.untilAvailable(SMALL_MODEL);
    made = await tellAll(network);
  });
  after(() => stopCleanly(network));

  test('nonsense is refused with the reason', () => tellRefusals(network, made));

  test('a new account\'s keys work at once', async () => {
    const account = await create(network, 'new');
    assert.equal(textOf(await ask(network, chat(script({ text: 'hello' })), { key: account.api_key })), 'hello');
    const sandbox = await ask(network, chat('Hi'), { key: account.test_key });
    assert.equal(sandbox.nataris.inference_type, 'sandbox');
  });

  test('a revoked key is refused from the next request on, and only that key', async () => {
    const account = await create(network, 'revoking');
    const other = await command(network, 'key', 'create', account.id);
    const { data: keys } = await command(network, 'key', 'list', account.id);
    for (const [id, secret] of [[keys[0].id, account.api_key], [keys[1].id, account.test_key]]) {
      assert.equal(await statusWith(network, secret), 200);
      await command(network, 'key', 'revoke', id);
      assert.equal(await statusWith(network, secret), 401);
    }
    assert.equal(await statusWith(network, other.key), 200);
    await command(network, 'key', 'revoke', keys[0].id); // again is no error
    await assertBooks(network);
  });

  /** GET /v1/models on a connection that stays open; resolves with the status. */
  async function statusOn(connection, key) {
    const before = connection.statuses.length;
    connection.send(rawRequest('GET', '/v1/models', { Authorization: `Bearer ${key}` }));
    await connection.until(() => connection.statuses.length > before);
    return connection.statuses.at(-1);
  }

  test('a revocation holds at once: under load, on a connection that is open, for a key that was just used', async (t) => {
    const account = await create(network, 'loaded', '--tier', 'unlimited');
    let loaded = true;
    const load = Array.from({ length: 8 }, async () => {
      while (loaded) await ask(network, chat(script({ tokens: 20 })), { key: account.api_key });
    });
    const times = [];
    for (let round = 0; round < 5; round++) {
      const { id, key } = await command(network, 'key', 'create', account.id);
      const connection = new RawConnection(network.port);
      assert.equal(await statusOn(connection, key), 200);
      await command(network, 'key', 'revoke', id);
      const returned = performance.now();
      assert.equal(await statusOn(connection, key), 401, 'the very first request after the command');
      times.push(performance.now() - returned);
      assert.equal(await statusWith(network, key), 401, 'nor on a new connection');
      connection.cut();
    }
    loaded = false;
    await Promise.all(load);
    t.diagnostic(`refused ${times.map((ms) => ms.toFixed(1)).join(', ')} ms after key revoke had returned`);
  });

  test('an answer that is under way when its key is revoked still comes', async () => {
    const account = await create(network, 'halfway');
    const { data: keys } = await command(network, 'key', 'list', account.id);
    const answer = ask(network, chat(script({ prefill: 1500, text: 'late' })), { key: account.api_key });
    await untilActive(network, account);
    await command(network, 'key', 'revoke', keys[0].id);
    assert.equal(await statusWith(network, account.api_key), 401);
    assert.equal(textOf(await answer), 'late');
  });

  test('a key for some models is refused the others', async () => {
    const only = await command(network, 'key', 'create', made.id, '--model', SMALL_MODEL);
    await ask(network, chat('Hi', { model: SMALL_MODEL }), { key: only.key });
    const response = await network.post(CHAT, chat('Hi'), { key: only.key });
    assert.equal(response.status, 403);
    const { error } = await response.json();
    assert.deepEqual([error.code, error.param], ['FORBIDDEN', 'model']);
  });

  test('a key for a model that nobody knows is made with a warning', async () => {
    const { code, stdout, stderr } = await run(['key', 'create', made.id, '--model', 'lama-3', '--model', SMALL_MODEL,
      '--data', network.data, '--json']);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).models, ['lama-3', SMALL_MODEL]);
    assert.equal(JSON.parse(stdout).warnings.length, 1);
    assert.match(stderr, /^nataris: warning: .*'lama-3'/);
  });

  test('a key stops at its cap, the account does not', async () => {
    const capped = await command(network, 'key', 'create', made.id, '--cap-usd', '0.0002');
    const body = chat(script({ tokens: 200 }), { max_tokens: 500 }); // may cost 0.0001 dollars, costs 0.00003
    await ask(network, body, { key: capped.key });
    let refused;
    for (let i = 0; refused === undefined && i < 10; i++) {
      const response = await network.post(CHAT, body, { key: capped.key });
      const { error } = await response.json();
      if (response.status === 402) refused = error;
    }
    assert.equal(refused.code, 'INSUFFICIENT_CREDITS');
    assert.match(refused.message, /key's spending cap/);
    await ask(network, body, { key: made.api_key });
    const { data: keys } = await command(network, 'key', 'list', made.id);
    const spent = nano(keys.find(({ id }) => id === capped.id).spent_usd);
    assert.ok(spent > 0 && spent <= 200_000, `${spent}`);
    await assertBooks(network);
  });

  test('a suspended account is refused, and let in again', async () => {
    const account = await create(network, 'suspended');
    await command(network, 'account', 'suspend', account.id);
    for (const key of [account.api_key, account.test_key]) {
      for (const stream of [false, true]) {
        const response = await network.post(CHAT, chat('Hi', { stream }), { key });
        assert.equal(response.status, 403);
        const { error } = await response.json();
        assert.equal(error.code, 'FORBIDDEN');
        assert.match(error.message, /suspended/);
      }
    }
    await command(network, 'account', 'suspend', account.id, '--undo');
    for (const key of [account.api_key, account.test_key]) await ask(network, chat('Hi'), { key });
  });

  test('metrics have the type that their name says', async () => {
    const text = await adminText(network, 'GET', '/metrics');
    const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]);
    assert.ok(types.some(([name]) => name === 'nataris_store_records_total'), text);
    for (const [name, type] of types) {
      assert.equal(type, name.endsWith('_total') ? 'counter' : 'gauge', name);
      assert.match(text, new RegExp(`^${name} \\d+$`, 'm'));
    }
  });

  test('a person can read what the commands print', async () => {
    const text = async (...args) => {
      const { code, stdout, stderr } = await run([...args, '--data', network.data]);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    assert.match(await text('account', 'create', 'Grace'), /Balance +\$5\n/);
    assert.match(await text('account', 'list'), /Grace +free +5 /);
    assert.match(await text('credit', 'grant', made.id, '0.0000004'), /^\$0\.0000004 to /);
    assert.match(await text('audit', 'list'), / 0\.0000004 /);
    assert.match(await text('credit', 'grant', made.id, '2'), /\$2 to acct_\S+; its balance is/);
    assert.match(await text('key', 'list', made.id), /laptop/);
    assert.match(await text('audit', 'list'), /credit\.grant/);
    assert.match(await text('ledger', 'check'), /everything adds up/);
  });
});

test('an account says itself whether it may be audited', () => within(Network.gateway(), async (network) => {
  const account = await create(network, 'Self-determined');
  const other = await create(network, 'Somebody else');
  const patch = async (body, key = account.api_key, status = 200) => {
    const response = await network.fetch('/v1/account', { method: 'PATCH', key, body,
      headers: { 'Content-Type': 'application/json' } });
    const text = await response.text();
    assert.equal(response.status, status, text);
    return { answer: JSON.parse(text), retryAfter: response.headers.get('retry-after') };
  };
  const read = async (key) => (await network.fetch('/v1/account', { key })).json();
  const { created_at: createdAt, ...rest } = await read(account.api_key);
  assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < DAY_MS);
  assert.deepEqual(rest, { id: account.id, object: 'account', name: 'Self-determined', tier: 'free', suspended: false,
    audits: true });
  assert.equal((await read(account.test_key)).id, account.id);
  assert.equal((await network.fetch('/v1/account', { key: '' })).status, 401);
  for (const body of ['{}', '{"audits":null}', '{"audits":"false"}', '{"audits":0}', '{"audits":true,"tier":"pro"}',
    '{"audits":true,"audits":false}', '{"suspended":false}', '[]', 'false', '{"audits":false', '']) {
    await patch(body, account.api_key, 400);
  }
  await patch('{"audits":false}', account.test_key, 403);
  assert.equal((await read(account.api_key)).audits, true, 'nothing of that has done anything');
  assert.equal((await patch('{"audits":false}')).answer.audits, false);
  for (let i = 0; i < 20; i += 1) await patch('{"audits":false}'); // what it is already is no change
  assert.equal((await command(network, 'account', 'show', account.id)).audits, false);
  assert.equal((await read(other.api_key)).audits, true);
  const lines = () => command(network, 'audit', 'list').then(({ data }) => data.filter(({ action }) => action === 'account.audits'));
  const [line, ...more] = await lines();
  assert.deepEqual([line.actor, line.subject, line.note, more.length], ['owner', account.id, 'off', 0]);
  await command(network, 'account', 'set-audits', account.id, 'on');
  assert.equal((await read(account.api_key)).audits, true, 'the operator\'s word is seen');
  for (let i = 0; i < 9; i += 1) await patch(`{"audits":${i % 2 === 1}}`);
  const { answer, retryAfter } = await patch('{"audits":true}', account.api_key, 429);
  assert.match(answer.error.message, /too often in an hour/);
  assert.ok(Number(retryAfter) > 60);
  assert.equal((await read(account.api_key)).audits, false, 'the last one holds');
  await patch('{"audits":false}', other.api_key); // others have their own
  assert.equal((await lines()).length, 12);
}));

test('without a gateway the same commands work on the store', () => within(Network.gateway(), async (network) => {
  const { code } = await network.main.stop();
  assert.equal(code, 0);
  const made = await tellAll(network);
  await tellRefusals(network, made);
  await assertBooks(network);
  const again = network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`]);
  await network.untilReachable(again);
  assert.equal(await statusWith(network, made.api_key), 200);
  assert.equal(nano((await showAccount(network, made)).balance_usd), 6_500_000_001);
}));

test('a folder without a gateway\'s data is refused, not made', () => within(Network.gateway(), async (network) => {
  for (const args of [['account', 'list'], ['ledger', 'check'], ['audit', 'list']]) {
    const { code, stderr } = await run([...args, '--data', `${network.folder}/nothing`]);
    assert.notEqual(code, 0);
    assert.match(stderr, /no data folder/);
  }
}));
