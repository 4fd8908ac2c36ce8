// Refused requests in the gateway's log: with code, account, key id and address, never with the key; and not without end.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Network, run, stopCleanly } from './support/network.mjs';

const UNKNOWN_KEY = 'nat_live_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
let network;
before(async () => {
  network = await Network.gateway();
});
after(() => stopCleanly(network));

const refusals = () => network.main.errors.split('\n').filter((line) => line.includes(' http.refused '));

async function command(...args) {
  const { code, stdout, stderr } = await run([...args, '--data', network.data, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('a suspended account is named, with its key and address', async () => {
  const account = await command('account', 'create', 'ada');
  await command('account', 'suspend', account.id);
  const body = { model: 'nataris-demo-2m', messages: [{ role: 'user', content: 'hello' }] };
  const answer = await network.post('/v1/chat/completions', body, { key: account.api_key });
  assert.equal(answer.status, 403);
  await network.main.untilLog(/ http\.refused /);
  const [line] = refusals();
  assert.match(line, / status=403 code=FORBIDDEN account=acct_\w+ key=key_\w+ address=127\.0\.0\.1$/);
  assert.ok(line.includes(`account=${account.id} `));
  assert.ok(!network.main.errors.includes(account.api_key));
});

test('an unknown key is not told, and a flood has few lines', async () => {
  const before = refusals().length;
  for (let i = 0; i < 40; i += 1) {
    const answer = await network.fetch('/v1/usage', { key: UNKNOWN_KEY });
    assert.equal(answer.status, 401);
    await answer.arrayBuffer();
  }
  await network.main.untilLog(/code=INVALID_API_KEY account=- key=- address=127\.0\.0\.1/);
  const lines = refusals().length - before;
  assert.ok(lines > 0 && lines <= 5, `${lines} lines`);
  assert.ok(!network.main.errors.includes(UNKNOWN_KEY.slice(9)));
});

test('an erased account is refused, and its name is gone', async () => {
  const account = await command('account', 'create', 'Grace Hopper');
  assert.equal((await network.fetch('/v1/usage', { key: account.api_key })).status, 200);
  const hint = await run(['account', 'erase', account.id, '--data', network.data]);
  assert.equal(hint.code, 2);
  assert.match(hint.stderr, /Say --yes/);
  assert.equal((await network.fetch('/v1/usage', { key: account.api_key })).status, 200);
  await command('account', 'erase', account.id, '--yes');
  assert.equal((await network.fetch('/v1/usage', { key: account.api_key })).status, 401);
  const shown = await command('account', 'show', account.id);
  assert.equal(shown.name, 'erased');
  assert.equal(shown.suspended, true);
});
