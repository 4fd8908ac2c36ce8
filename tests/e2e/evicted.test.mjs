// What was let in can be thrown out: devices, their keys, their accounts, their tokens. And it stays so.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { admin, assertBooks, command, createAccount, refusedCommand } from './support/accounts.mjs';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { HandProvider } from './support/hand_provider.mjs';
import { Network, REFERENCE_MODEL, SMALL_MODEL, eventually, run, within } from './support/network.mjs';
import { firstText, rest } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';
const SCRIPTED = ['--engine', 'scripted', '--model', REFERENCE_MODEL];

function story(name, tell, options = []) {
  test(name, () => within(Network.gateway(options), tell));
}

/** A device by hand that says hello with these keys and this token: its welcome, or how the link was closed. */
async function come(network, keys, token) {
  const device = new HandProvider(network.port);
  if (keys) {
    device.keys = keys;
    device.publicKey = keys.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  }
  const { nonce } = await device.hello(token);
  device.auth(nonce);
  const answer = await device.next();
  device.socket.destroy();
  return answer;
}

async function assertRefused(network, keys, token, words) {
  const { type, code, reason } = await come(network, keys, token);
  assert.deepEqual([type, code], ['closed', 1008], reason);
  assert.match(reason, words);
}

/** Reads on until the gateway closes the link. */
async function closing(device) {
  for (;;) {
    const message = await device.next();
    if (message.type === 'closed') return message;
  }
}

async function restart(network) {
  await network.main.stop();
  const args = network.main.args.map((a) => (a === '127.0.0.1:0' ? `127.0.0.1:${network.port}` : a));
  await network.untilReachable(network.start(args));
}

async function device(network, id, key) {
  const response = await network.fetch(`/v1/provider/devices/${id}`, { key });
  return { status: response.status, ...(await response.json()) };
}

describe('devices', { concurrency: 3 }, () => {
  story('removed in the middle of an answer: another one goes on, and it never comes back', async (network) => {
    const bad = await HandProvider.join(network, [REFERENCE_MODEL]);
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = ask(network, chat('Tell me of the sea', { max_tokens: 50 }));
    const job = await bad.job();
    bad.accept(job);
    bad.delta(job, 'Once ');
    const good = await HandProvider.join(network, [REFERENCE_MODEL]);
    await eventually(async () => (await command(network, 'provider', 'list')).data.length === 2, 'two devices');
    await refusedCommand(network, 'provider', 'remove', bad.id); // without --yes
    await command(network, 'provider', 'remove', bad.id, '--yes', '--reason', 'it lied');
    const { code, reason } = await closing(bad);
    assert.equal(code, 1008);
    assert.match(reason, /removed from the network/);
    const next = await good.until('job');
    assert.equal(next.request.continue_text, 'Once ');
    good.accept(next.job);
    good.delta(next.job, 'upon a time');
    good.done(next.job);
    assert.equal(textOf(await answer), 'Once upon a time');
    const { token } = await network.invite('--uses', '9');
    for (let i = 0; i < 2; i += 1) {
      await assertRefused(network, bad.keys, undefined, /removed/);
      await assertRefused(network, bad.keys, token, /removed/);
      await restart(network);
    }
    const shown = await device(network, bad.id);
    assert.deepEqual([shown.standing, shown.standing_reason, shown.state], ['removed', 'it lied', 'removed']);
    assert.equal(shown.record.jobs, 1); // what it did stays in the books
    assert.match(await refusedCommand(network, 'provider', 'remove', bad.id, '--yes'), /for good/);
    await refusedCommand(network, 'provider', 'release', bad.id);
    const { data } = await command(network, 'audit', 'list');
    assert.ok(data.some((line) => line.action === 'provider.remove' && line.subject === bad.id
      && line.note === 'it lied'));
  });

  story('in quarantine: linked, told why, without jobs until released', async (network) => {
    const provider = await network.scripted();
    await command(network, 'provider', 'quarantine', provider.id, '--reason', 'odd <b>words</b>');
    assert.notEqual((await network.post(CHAT, chat('Hello'))).status, 200);
    const shown = await device(network, provider.id);
    assert.deepEqual([shown.standing, shown.state, shown.connected], ['quarantined', 'quarantined', true]);
    assert.ok(shown.why.some((line) => line.includes('quarantine') && line.includes('odd <b>words</b>')));
    assert.equal(shown.models[0].gate, 'quarantined');
    await restart(network);
    await eventually(async () => (await device(network, provider.id)).connected, 'it comes back');
    assert.notEqual((await network.post(CHAT, chat('Hello'))).status, 200);
    await command(network, 'provider', 'release', provider.id);
    await network.untilAvailable(REFERENCE_MODEL);
    await ask(network, chat('Hello'));
  });

  story('leave: the owner takes it out, on the device', async (network) => {
    const provider = await network.scripted();
    const leave = ['provider', 'leave', '--gateway', network.origin, '--data', provider.data];
    assert.notEqual((await run(leave)).code, 0); // without --yes
    assert.ok(existsSync(path.join(provider.data, 'device_key')));
    const { code, stdout, stderr } = await run([...leave, '--yes']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /has left/);
    assert.ok(!existsSync(path.join(provider.data, 'device_key')));
    const { code: ended } = await provider.exit; // the one that was running is refused and ends
    assert.notEqual(ended, 0);
    assert.equal((await device(network, provider.id)).standing, 'removed');
    assert.notEqual((await run([...leave, '--yes'])).code, 0); // there is nothing left to take out
    const { token } = await network.invite();
    const again = network.start(['provider', '--gateway', network.origin, '--join', token, '--data', provider.data,
      '--name', 'again', '--quiet', ...SCRIPTED]);
    again.name = 'again';
    assert.notEqual(await network.joined(again), provider.id); // a new device
  });

  story('DELETE: an owner takes out what is its own', async (network) => {
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => createAccount(network, 'unlimited', name)));
    const provider = await network.provider(SCRIPTED, { account: ada.id });
    const erase = async (id, key) => {
      const response = await network.fetch(`/v1/provider/devices/${id}`, { method: 'DELETE', key });
      return { status: response.status, ...(await response.json()) };
    };
    assert.equal((await erase(provider.id, bob.api_key)).status, 404);
    assert.equal((await erase(provider.id, ada.test_key)).status, 404);
    assert.equal((await erase(provider.id, undefined)).status, 404); // the operator's key is no other owner's
    assert.equal((await erase('prov_none', ada.api_key)).status, 404);
    assert.equal((await erase('%00', ada.api_key)).status, 404);
    for (let i = 0; i < 2; i += 1) {
      assert.deepEqual(await erase(provider.id, ada.api_key),
        { status: 200, id: provider.id, object: 'provider.device', deleted: true });
    }
    assert.notEqual((await provider.exit).code, 0);
    assert.equal((await device(network, provider.id, ada.api_key)).standing, 'removed');
    assert.equal((await erase(provider.id, bob.api_key)).status, 404); // nor is anybody told that it was there
  });

  story('DELETE in mid-answer, by several at once, and then the gateway is killed', async (network) => {
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => createAccount(network, 'unlimited', name)));
    const erase = async (id, key) => (await network.fetch(`/v1/provider/devices/${id}`, { method: 'DELETE', key })).status;
    const bad = await HandProvider.join(network, [REFERENCE_MODEL], {}, ada.id);
    await network.untilAvailable(REFERENCE_MODEL);
    const response = network.post(CHAT, chat('Tell me', { max_tokens: 50, stream: true }), { key: bob.api_key });
    const job = await bad.job();
    bad.accept(job);
    bad.delta(job, 'Once ');
    const { events } = await firstText(await response);
    const good = await HandProvider.join(network, [REFERENCE_MODEL]);
    await eventually(async () => (await command(network, 'provider', 'list')).data.length === 2, 'two devices');
    const keys = [ada, bob, ada, bob, ada].map((one) => one.api_key);
    assert.deepEqual(await Promise.all(keys.map((key) => erase(bad.id, key))), [200, 404, 200, 404, 200]);
    const next = await good.until('job');
    assert.equal(next.request.continue_text, 'Once ');
    good.accept(next.job);
    good.delta(next.job, 'more');
    good.done(next.job);
    await rest(events);
    network.main.condemned = true;
    await network.main.stop('SIGKILL');
    await assertBooks(network);
    const args = network.main.args.map((a) => (a === '127.0.0.1:0' ? `127.0.0.1:${network.port}` : a));
    await network.untilReachable(network.start(args));
    const { token } = await network.invite('--account', bob.id);
    await assertRefused(network, bad.keys, undefined, /removed/);
    await assertRefused(network, bad.keys, token, /removed/);
    assert.deepEqual([await erase(bad.id, ada.api_key), await erase(bad.id, bob.api_key)], [200, 404]);
    const parts = await Promise.all([ada, bob].map((one) => admin(network, 'GET', `/admin/accounts/${one.id}/earnings`)));
    assert.deepEqual(parts.map(({ jobs }) => jobs), [1, 0]); // the part that it made is its owner's
  });

  story('a device that moves in mid-answer: each owner earns what was made for it', async (network) => {
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => createAccount(network, 'unlimited', name)));
    const device = await HandProvider.join(network, [REFERENCE_MODEL], {}, ada.id);
    await network.untilAvailable(REFERENCE_MODEL);
    const response = network.post(CHAT, chat('Tell me', { max_tokens: 50, stream: true }));
    const job = await device.job();
    device.accept(job);
    device.delta(job, 'Once upon ', 2);
    const { events } = await firstText(await response);
    const moved = new HandProvider(network.port);
    Object.assign(moved, { keys: device.keys, publicKey: device.publicKey });
    const { token } = await network.invite('--account', bob.id);
    moved.auth((await moved.hello(token)).nonce);
    assert.equal((await moved.until('welcome')).provider_id, device.id);
    moved.status([REFERENCE_MODEL]);
    assert.match((await closing(device)).reason, /newer link/);
    const next = await moved.until('job');
    assert.equal(next.request.continue_text, 'Once upon ');
    moved.accept(next.job);
    moved.delta(next.job, 'a time', 2);
    moved.done(next.job, { prompt_tokens: 3, completion_tokens: 2 });
    await rest(events);
    const parts = await Promise.all([ada, bob].map((one) => admin(network, 'GET', `/admin/accounts/${one.id}/earnings`)));
    assert.deepEqual(parts.map(({ jobs, tokens }) => [jobs, tokens]), [[1, 2], [1, 5]]);
    await assertBooks(network);
  });

  story('a token for another key is worth nothing once the device is another account\'s', async (network) => {
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => createAccount(network, 'unlimited', name)));
    const device = await HandProvider.join(network, [REFERENCE_MODEL], {}, ada.id);
    const { token } = await command(network, 'provider', 'replace-key', device.id);
    const { token: moves } = await network.invite('--account', bob.id);
    assert.equal((await come(network, device.keys, moves)).provider_id, device.id);
    await assertRefused(network, undefined, token, /another account/);
    assert.equal((await come(network, device.keys)).provider_id, device.id);
  });

  story('--join moves it to the account of the token, or is refused aloud', async (network) => {
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => createAccount(network, 'unlimited', name)));
    const provider = await network.provider(SCRIPTED, { account: ada.id });
    await network.untilAvailable(REFERENCE_MODEL);
    await ask(network, chat('Hello'));
    await provider.stop();
    const startWith = (token) => {
      const program = network.start(['provider', '--gateway', network.origin, '--join', token, '--data', provider.data,
        '--name', provider.name, '--quiet', ...SCRIPTED]);
      return Object.assign(program, { name: provider.name, data: provider.data });
    };
    const { token } = await network.invite('--account', bob.id);
    const moved = startWith(token);
    assert.equal(await network.joined(moved, 2), provider.id);
    await network.untilAvailable(REFERENCE_MODEL);
    await ask(network, chat('Hello again'));
    const owed = async (account) => (await admin(network, 'GET', `/admin/accounts/${account.id}/earnings`)).jobs;
    await eventually(async () => (await owed(bob)) === 1 && (await owed(ada)) === 1, 'each earned with one job');
    await moved.stop();
    const again = startWith(token); // it is used up, and was for this account: the same options again
    await network.joined(again, 3);
    await again.stop();
    const { token: revoked } = await network.invite('--account', ada.id);
    const { data } = await command(network, 'provider', 'invite', 'list');
    assert.deepEqual([data[0].account_id, data[0].state], [ada.id, 'good']);
    await command(network, 'provider', 'invite', 'revoke', data[0].id);
    const refused = startWith(revoked);
    assert.notEqual((await refused.exit).code, 0);
    assert.match(refused.errors, /leave --join out/);
  });

  story('with another key it is the same device, and the former key is nobody', async (network) => {
    const first = await HandProvider.join(network, [REFERENCE_MODEL]);
    const { token } = await command(network, 'provider', 'replace-key', first.id);
    const second = new HandProvider(network.port);
    const { nonce } = await second.hello(token);
    second.auth(nonce);
    assert.equal((await second.until('welcome')).provider_id, first.id);
    const { code, reason } = await closing(first);
    assert.equal(code, 1008);
    assert.match(reason, /replaced/);
    await restart(network);
    await assertRefused(network, first.keys, undefined, /replaced/);
    await assertRefused(network, first.keys, (await network.invite()).token, /replaced/);
    assert.equal((await come(network, second.keys)).provider_id, first.id);
    await assertRefused(network, undefined, token, /no valid join token/); // it was for one key
  });

  story('keys of small order are nobody\'s', async (network) => {
    const { token } = await network.invite('--uses', '99');
    const neutral = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
    const keys = ['00'.repeat(32), neutral.toString('hex'), `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`,
      `${'ff'.repeat(32)}`, 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'];
    for (const key of keys) {
      const forger = new HandProvider(network.port);
      forger.send({ type: 'hello', versions: [1], public_key: Buffer.from(key, 'hex').toString('base64'),
        join_token: token, device: {} });
      const { type, code } = await forger.next();
      assert.deepEqual([type, code], ['closed', 1008], key);
    }
  });
});

describe('accounts', { concurrency: 2 }, () => {
  story('suspended: its devices are cut off, and what they were doing goes elsewhere', async (network) => {
    const bad = await createAccount(network, 'unlimited', 'bad');
    const { token } = await network.invite('--account', bad.id, '--uses', '9');
    const provider = await network.provider([...SCRIPTED, '--script', 'rate=20'], { account: bad.id });
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = ask(network, chat(script({ tokens: 60, rate: 20 }), { max_tokens: 100 }));
    await eventually(async () => (await device(network, provider.id, bad.api_key)).active_jobs === 1, 'it works');
    const good = await network.provider(SCRIPTED);
    const webhook = { url: 'https://example.com/hook', events: ['job.completed'] };
    await command(network, 'account', 'suspend', bad.id);
    for (const [route, body] of [[CHAT, chat('Hello')], ['/v1/jobs', chat('Hello')], ['/v1/conversations', {}],
      ['/v1/webhooks', webhook]]) {
      for (const key of [bad.api_key, bad.test_key]) assert.equal((await network.post(route, body, { key })).status, 403);
    }
    for (const route of ['/v1/usage', '/v1/conversations', '/v1/provider/earnings']) {
      assert.equal((await network.fetch(route, { key: bad.api_key })).status, 200);
    }
    assert.notEqual((await provider.exit).code, 0);
    assert.match(provider.errors, /suspended/);
    const { nataris } = await answer;
    assert.equal(nataris.provider.id, good.id);
    const known = await come(network, undefined, token);
    assert.deepEqual([known.type, known.code], ['closed', 1008]);
    assert.match(known.reason, /suspended/);
    assert.match(await refusedCommand(network, 'provider', 'payout', bad.id, '0.000000001'), /suspended/);
    assert.match(await refusedCommand(network, 'provider', 'invite', '--account', bad.id), /suspended/);
    await restart(network);
    const back = network.start(['provider', '--gateway', network.origin, '--data', provider.data, '--quiet',
      ...SCRIPTED]);
    assert.notEqual((await back.exit).code, 0);
    await command(network, 'account', 'suspend', bad.id, '--undo');
    const fine = network.start(['provider', '--gateway', network.origin, '--data', provider.data, '--quiet',
      ...SCRIPTED]);
    await eventually(async () => (await device(network, provider.id, bad.api_key)).connected, 'it serves again');
    await fine.stop();
  });
});

describe('requests of an account that is suspended', { concurrency: 2 }, () => {
  story('what waits is refused, what runs is finished', async (network) => {
    const bad = await createAccount(network, 'unlimited', 'bad');
    await network.scripted(['--slots', '1']);
    const post = (route, body) => network.post(route, body, { key: bad.api_key });
    const { events } = await firstText(await post(CHAT, chat(script({ tokens: 60, rate: 30 }),
      { stream: true, max_tokens: 100 })));
    const plain = post(CHAT, chat('Hello'));
    const steps = post(CHAT, chat('Why?', { orchestration: { enabled: true, workflow: 'research' } }));
    const job = await (await post('/v1/jobs', chat('Hello'))).json();
    await eventually(async () => (await admin(network, 'GET', `/admin/accounts/${bad.id}`)).active_requests === 4, 'four');
    await command(network, 'account', 'suspend', bad.id);
    assert.deepEqual([(await plain).status, (await steps).status], [403, 403]);
    await eventually(async () => {
      const found = await (await network.fetch(`/v1/jobs/${job.id}`, { key: bad.api_key })).json();
      return found.status === 'FAILED' && found.error.code === 'FORBIDDEN';
    }, 'the job fails');
    assert.equal((await rest(events)).at(-1).data, '[DONE]');
    await assertBooks(network);
  });
});

describe('caches', { concurrency: 2 }, () => {
  const texts = [
    'The meeting is at the old mill behind the river, and the word to say at the door is marigold.',
    'Das Treffen ist in der alten Mühle hinter dem Fluss, und das Wort an der Tür ist Ringelblume.',
    `${'pad '.repeat(40)}and the word is marigold.`,
  ];

  test('tell an account nothing of what another one has asked', () => within(
    Network.up(['--model', 'nataris-demo-2m']), async (network) => {
      const [victim, spy] = await Promise.all(['victim', 'spy'].map((n) => createAccount(network, 'unlimited', n)));
      const body = (content, more = {}) => ({ ...chat(content, { max_tokens: 1, ...more }), model: 'nataris-demo-2m' });
      const cached = async (account, asked) => {
        const { usage } = await ask(network, asked, { key: account.api_key });
        return usage.prompt_tokens_details.cached_tokens;
      };
      for (const text of texts) {
        await cached(victim, body(text));
        assert.ok(await cached(victim, body(text)) > 10, text);
        for (const guess of [text, text.slice(0, -3), text.slice(0, 20), `${text} Or is it?`]) {
          assert.equal(await cached(spy, body(`${guess}`, { temperature: 0 })), 0, guess);
          await cached(victim, body(text)); // it takes the slot back each time
          Object.assign(spy, await createAccount(network, 'unlimited', 'spy again'));
        }
      }
      const prompt = { model: 'nataris-demo-2m', prompt: texts[0], max_tokens: 1 };
      for (const account of [victim, victim, spy]) {
        const response = await network.post('/v1/inference', prompt, { key: account.api_key });
        assert.equal(response.status, 200);
        const usage = JSON.stringify(await response.json());
        if (account === spy) assert.match(usage, /"cached_tokens":0/);
      }
    }));

  test('a device that claims one is believed no more than the account can have left there', () => within(
    Network.gateway(), async (network) => {
      const liar = await HandProvider.join(network, [SMALL_MODEL]);
      await network.untilAvailable(SMALL_MODEL);
      for (let i = 0; i < 3; i += 1) {
        const answer = ask(network, { ...chat('Hello'), model: SMALL_MODEL });
        const { job, request } = await liar.until('job');
        assert.equal(typeof request.seed, 'number'); // it does not know scopes: it is to compute it anew
        liar.accept(job);
        liar.delta(job, 'Hi');
        liar.done(job, { prompt_tokens: 3, completion_tokens: 1, cached_tokens: 3 });
        assert.equal((await answer).usage.prompt_tokens_details.cached_tokens, 0);
      }
    }));
});
