// Clients and devices that mean harm, and a machine that misbehaves: nothing of it reaches others.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { HandProvider } from './support/hand_provider.mjs';
import { Network, REFERENCE_MODEL, SMALL_MODEL, stopCleanly, within } from './support/network.mjs';
import { childrenOf, isAlive } from './support/processes.mjs';
import { RawConnection, rawPost, rawRequest } from './support/raw.mjs';

const CHAT = '/v1/chat/completions';

function story(name, options, tell) {
  test(name, () => within(Network.gateway(options), tell));
}

/** The status and the error of an answer. */
async function refusal(response) {
  return { status: response.status, ...(await response.json()).error };
}

describe('clients', { concurrency: 4 }, () => {
  story('a test key whose script is silent gets a 408', ['--whole-ms', '300', '--whole-per-token-ms', '0'],
    async (network) => {
      const silent = (stream) => network.post(CHAT, chat(script({ silent: true }), { stream }),
        { key: network.testKey });
      const answers = await Promise.all(Array.from({ length: 257 }, () => silent(false))); // one more than slots
      for (const answer of answers) {
        const { status, code } = await refusal(answer);
        assert.deepEqual([status, code], [408, 'REQUEST_TIMEOUT']);
      }
      assert.match(await (await silent(true)).text(), /"code":"REQUEST_TIMEOUT"/);
      await ask(network, chat('still here'), { key: network.testKey });
    });

  story('requests cut at any byte leave nothing behind', [], async (network) => {
    await HandProvider.join(network, [REFERENCE_MODEL]);
    await network.untilAvailable(REFERENCE_MODEL);
    const upgrade = rawRequest('GET', '/link', { Upgrade: 'websocket', Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'nataris.link.v1' });
    for (const request of [rawPost(network, CHAT, chat('Hello')), upgrade]) {
      for (let length = 0; length <= request.length; length += 1) {
        const client = new RawConnection(network.port);
        await new Promise((resolve) => client.socket.write(request.slice(0, length), resolve));
        if (length % 2) client.cut();
        else client.socket.end();
        await client.closed;
      }
    }
    assert.equal((await network.fetch('/healthz')).status, 200);
  });
});

describe('devices', { concurrency: 4 }, () => {
  story('a wrong or old signature is refused for good', [], async (network) => {
    const honest = await HandProvider.join(network);
    const { token } = await network.invite();
    for (const wrong of ['another key', 'an old nonce']) {
      const device = new HandProvider(network.port);
      const { nonce } = await device.hello(token);
      if (wrong === 'another key') device.keys = honest.keys;
      device.auth(wrong === 'an old nonce' ? Buffer.alloc(32).toString('base64') : nonce);
      const { code, reason } = await device.next();
      assert.deepEqual([code, reason], [1008, 'the signature does not match the public key'], wrong);
    }
  });

  story('its claims about tokens are bounded by the request', [], async (network) => {
    const device = await HandProvider.join(network, [REFERENCE_MODEL]);
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = ask(network, chat('Hello', { max_tokens: 5 }));
    const job = await device.job();
    device.accept(job, 4_294_967_295);
    device.delta(job, 'Hi', 65_535);
    device.done(job, { prompt_tokens: 4e9, completion_tokens: 4e9, cached_tokens: 4e9 });
    const { usage } = await answer;
    assert.equal(usage.completion_tokens, 5);
    assert.ok(usage.prompt_tokens < 2000 && usage.prompt_tokens_details.cached_tokens <= usage.prompt_tokens);
  });

  story('it cannot speak for the job of another', [], async (network) => {
    const device = await HandProvider.join(network, [REFERENCE_MODEL]);
    const thief = await HandProvider.join(network, [SMALL_MODEL]);
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = ask(network, chat('Hello'));
    const job = await device.job();
    thief.accept(job);
    thief.delta(job, 'stolen');
    thief.fail(job, 'bad_request', 'stolen');
    thief.done(job);
    thief.status([]); // in order: the gateway has read all of the above once this shows
    await network.untilAvailable(SMALL_MODEL, false);
    device.accept(job);
    device.delta(job, 'mine');
    device.done(job);
    device.delta(job, 'too late');
    device.done(job);
    assert.equal(textOf(await answer), 'mine');
  });

  story('its words do not reach the client', [], async (network) => {
    const device = await HandProvider.join(network, [REFERENCE_MODEL]);
    await network.untilAvailable(REFERENCE_MODEL);
    for (const words of ['a\r\n"b"\\ \u001b[31m </script>', 'é'.repeat(512)]) {
      const answer = network.post(CHAT, chat('Hello'));
      device.fail(await device.job(), 'bad_request', words, 'messages\n"');
      const { status, message, param } = await refusal(await answer);
      assert.equal(status, 400);
      assert.ok(!message.includes(words.slice(0, 8)) && message.length > 20, message);
      assert.notEqual(param, 'messages\n"');
    }
  });

  story('an answer without end is cut off', [], async (network) => {
    const device = await HandProvider.join(network, [REFERENCE_MODEL]);
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = network.post(CHAT, chat('Hello'));
    const job = await device.job();
    device.accept(job);
    for (let i = 0; i < 70; i += 1) device.delta(job, '"'.repeat(65_000));
    assert.equal((await device.until('cancel')).job, job);
    const { choices: [choice], usage } = await (await answer).json();
    assert.equal(choice.finish_reason, 'length');
    assert.ok(choice.message.content.length < 65_000 * 70, 'as much as max_tokens allows');
    assert.ok(usage.completion_tokens <= 256);
  });

  const violations = {
    'a model id with an escape sequence': [1002, { type: 'status', models: [{ id: 'a\u001b[31m', state: 'warm' }] }],
    '65 models': [1002, { type: 'status', models: Array(65).fill({ id: 'a', state: 'warm' }) }],
    'a second hello': [1002, { type: 'hello', versions: [1], public_key: `${'A'.repeat(43)}=`, device: {} }],
    'no JSON': [1002, '{'],
    'deep nesting': [1002, `{"type":"status","models":${'['.repeat(1000)}${']'.repeat(1000)}}`],
    '200 KB': [1009, `{"type":"x","text":"${'x'.repeat(200_000)}"}`],
  };
  story('a violation closes the link with the reason', [], async (network) => {
    for (const [name, [expected, message]] of Object.entries(violations)) {
      const device = await HandProvider.join(network);
      device.send(message);
      const { type, code, reason } = await device.next();
      assert.deepEqual([type, code], ['closed', expected], name);
      assert.ok(reason.length > 10, name);
    }
  });

  story('its name cannot forge lines of the log', [], async (network) => {
    await HandProvider.join(network, [], { name: 'a\n2026-01-01 error forged\u001b[31m', region: 'DE' });
    await network.main.untilLog('provider.joined');
    assert.doesNotMatch(network.main.errors, /^2026-01-01 error forged|\u001b/m);
  });
});

describe('a machine that misbehaves', () => {
  test('nataris up ends although its provider hangs', async () => {
    const network = await Network.up(['--engine', 'scripted', '--model', REFERENCE_MODEL]);
    const [provider] = childrenOf(network.main.pid);
    process.kill(provider.pid, 'SIGSTOP');
    await stopCleanly(network);
    assert.ok(!isAlive(provider.pid));
  });

  test('a gateway whose data folder is gone stops and says so', async () => {
    const network = await Network.gateway();
    const device = await HandProvider.join(network, [REFERENCE_MODEL]);
    await network.untilAvailable(REFERENCE_MODEL);
    rmSync(network.data, { recursive: true });
    const answer = network.post('/v1/chat/completions', chat('Hello')); // what cannot be settled ends the gateway
    const job = await device.job();
    device.accept(job);
    device.done(job);
    assert.equal((await answer).status, 503, 'an answer that is not settled does not leave');
    const { code } = await network.main.exit;
    assert.equal(code, 1);
    assert.match(network.main.errors, /nataris: The database .* was deleted or renamed while in use/);
    await network.stop();
  });
});
