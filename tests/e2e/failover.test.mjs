// Devices that die, hang, leave and come back: what the clients of a network notice, and what they don't.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { assertBooks, command, createAccount, untilActive } from './support/accounts.mjs';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { ABSENT_MODEL, DEMO_MODEL, eventually, Network, REFERENCE_MODEL, within } from './support/network.mjs';
import { childrenOf } from './support/processes.mjs';
import { firstText, readStream, rest, textOfEvent } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';
const FOREVER = ['--script-prefill-ms', '600000']; // a device that never says its first word

/** A test with a gateway of its own, which is stopped after it. The gateway's log shows every move of a job. */
function story(name, gatewayOptions, tell) {
  test(name, () => within(Network.gateway(['--log-level', 'debug', ...gatewayOptions]), tell));
}

function stream(network, content, more = {}, options = {}) {
  return network.post(CHAT, chat(content, { stream: true, ...more }), options);
}

/** Resolves once `count` jobs have come to `state`. */
function untilJobs(network, state, count) {
  const seen = () => network.main.errors.match(new RegExp(`core\\.job .* to=${state} `, 'g')) ?? [];
  return network.main.until(() => seen().length >= count, `${count} jobs in ${state}`);
}

const endless = { tokens: 1000, rate: 20 };

describe('failover', { concurrency: 4 }, () => {
  story('kill -9 before the first token loses no request', [], async (network) => {
    const doomed = await network.scripted(FOREVER);
    const plain = ask(network, chat(script({ text: 'saved' })));
    const streamed = stream(network, script({ text: 'saved too' }));
    await untilJobs(network, 'prefill', 2);
    const other = await network.scripted();
    doomed.kill('SIGKILL');
    const answer = await plain;
    assert.equal(textOf(answer), 'saved');
    assert.equal(answer.nataris.attempts, 2);
    assert.equal(answer.nataris.provider.id, other.id);
    assert.notEqual(other.id, doomed.id);
    const { text, done } = await readStream(await streamed);
    assert.equal(text, 'saved too');
    assert.ok(done);
  });

  const hasty = ['--first-token-ms', '300', '--whole-ms', '1000', '--whole-per-token-ms', '1'];
  const long = 'word '.repeat(40); // 0.8 s, and the 0.3 above

  story('a slow device that works on a long prompt is not cut off', hasty, async (network) => {
    await network.scripted();
    const answer = await ask(network, chat(script({ text: 'at last', prefill: 3000 }) + long));
    assert.equal(textOf(answer), 'at last');
    assert.equal(answer.nataris.attempts, 1);
  });

  story('a device that is silent over a long prompt is noticed as ever', hasty, async (network) => {
    await network.scripted(FOREVER);
    const answer = await network.post(CHAT, chat(long, { max_tokens: 10 }));
    assert.equal(answer.status, 408);
  });

  story('a device that hangs is given up after the accept deadline', ['--accept-ms', '300'], async (network) => {
    const hung = await network.scripted();
    hung.kill('SIGSTOP');
    const plain = ask(network, chat(script({ text: 'elsewhere' })));
    await untilJobs(network, 'sent', 1);
    const other = await network.scripted();
    const answer = await plain;
    assert.equal(textOf(answer), 'elsewhere');
    assert.equal(answer.nataris.attempts, 2);
    assert.equal(answer.nataris.provider.id, other.id);
    hung.kill('SIGCONT');
  });

  story('with nobody else, a device that hangs makes a 408', ['--accept-ms', '300', '--queue-ms', '300'],
    async (network) => {
      const hung = await network.scripted();
      hung.kill('SIGSTOP');
      const response = await network.post('/v1/chat/completions', chat('Anybody?'));
      const { error } = await response.json();
      hung.kill('SIGCONT');
      assert.equal(response.status, 408, JSON.stringify(error));
      assert.equal(error.code, 'REQUEST_TIMEOUT');
      assert.equal(error.type, 'timeout_error');
      assert.equal(response.headers.get('retry-after'), '1');
    });

  story('kill -9 in mid-stream is told in the stream', ['--queue-ms', '500'], async (network) => {
    const doomed = await network.scripted();
    const { events } = await firstText(await stream(network, script(endless), { max_tokens: 1000 }));
    doomed.kill('SIGKILL');
    const last = (await rest(events)).at(-1);
    const { error } = JSON.parse(last.data);
    assert.equal(error.code, 'SERVICE_UNAVAILABLE');
    assert.equal(error.type, 'service_unavailable_error');
    assert.match(error.message, /lost/);
  });

  story('without a provider nobody is promised anything, and SDKs are told not to retry', [], async (network) => {
    for (const body of [chat('Hi'), chat('Hi', { stream: true }), chat('Hi', { model: ABSENT_MODEL })]) {
      const response = await network.post('/v1/chat/completions', body);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get('retry-after'), null);
      assert.equal(response.headers.get('x-should-retry'), 'false');
      const { error } = await response.json();
      assert.equal(error.code, 'model_unavailable');
      assert.match(error.message, /GET \/v1\/models/);
      assert.doesNotMatch(error.message, /minute/);
      assert.ok(!('retry_after' in error));
    }
    const { data } = await (await network.fetch('/v1/models')).json();
    assert.deepEqual([...new Set(data.map((model) => model.status))], ['unavailable']);
    assert.equal((await network.fetch('/readyz', { key: null })).status, 503);
    assert.equal((await network.fetch('/healthz', { key: null })).status, 200);
    await network.scripted();
    assert.equal((await network.fetch('/readyz', { key: null })).status, 200);
    const served = await (await network.fetch(`/v1/models/${REFERENCE_MODEL}`)).json();
    assert.equal(served.status, 'available');
  });

  story('a full queue refuses at once, and those inside are served', ['--max-queue', '2'], async (network) => {
    await network.scripted(['--slots', '1']);
    const { events } = await firstText(await stream(network, script(endless), { max_tokens: 1000 }));
    const waiting = [ask(network, chat(script({ text: 'first' }))), ask(network, chat(script({ text: 'second' })))];
    await untilJobs(network, 'queued', 3);
    const response = await network.post('/v1/chat/completions', chat('Too many'));
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('retry-after'), '1');
    const { error } = await response.json();
    assert.equal(error.code, 'RATE_LIMIT_EXCEEDED');
    assert.equal(error.retry_after, 1);
    await events.return(); // closes the stream
    assert.deepEqual((await Promise.all(waiting)).map(textOf).sort(), ['first', 'second']);
  });

  story('a device that comes back needs no token and is itself again', [], async (network) => {
    const first = await network.scripted();
    first.kill('SIGKILL');
    await network.untilAvailable(REFERENCE_MODEL, false);
    const again = network.start(['provider', '--gateway', network.origin, '--data', first.data, '--name', 'again',
      '--engine', 'scripted', '--model', REFERENCE_MODEL, '--quiet']);
    again.name = 'again';
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = await ask(network, chat(script({ text: 'back' })));
    assert.equal(textOf(answer), 'back');
    assert.equal(answer.nataris.provider.id, first.id);
  });

  story('a second provider gets its share of the jobs', [], async (network) => {
    const providers = [await network.scripted(['--slots', '2']), await network.scripted(['--slots', '2'])];
    const slow = chat(script({ text: 'one two three', rate: 20 }));
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(network, slow)));
    const ids = new Set(answers.map((answer) => answer.nataris.provider.id));
    assert.deepEqual([...ids].sort(), providers.map((provider) => provider.id).sort());
  });

  story('a gateway told to stop lets its streams end', [], async (network) => {
    await network.scripted();
    const { events } = await firstText(await stream(network, script({ tokens: 20, rate: 20 })));
    network.main.kill('SIGTERM');
    await network.main.untilLog('gateway.draining');
    await assert.rejects(network.fetch('/healthz'), 'nobody listens any more');
    const left = await rest(events);
    assert.equal(left.filter(textOfEvent).length, 19);
    assert.equal(left.at(-1).data, '[DONE]');
    assert.deepEqual(await network.main.exit, { code: 0, signal: null });
  });

  story('what still waits or runs when the drain is over is told so, and costs nothing', ['--drain-s', '1'],
    async (network) => {
      await network.scripted(['--slots', '2']);
      const account = await createAccount(network);
      const key = account.api_key;
      const sandboxed = network.post(CHAT, chat(script({ silent: true })), { key: account.test_key });
      const { events } = await firstText(await stream(network, script(endless), { max_tokens: 1000 }, { key }));
      const running = network.post(CHAT, chat(script({ ...endless, tokens: 999 }), { max_tokens: 1000 }), { key });
      await untilJobs(network, 'streaming', 2);
      const waiting = network.post(CHAT, chat('And me?'), { key });
      await untilActive(network, account, (count) => count === 3);
      network.main.kill('SIGTERM');
      for (const answer of await Promise.all([waiting, running, sandboxed])) {
        assert.equal(answer.status, 503);
        assert.equal(answer.headers.get('retry-after'), '1');
        const { error } = await answer.json();
        assert.equal(error.code, 'SERVICE_UNAVAILABLE');
        assert.match(error.message, /restarting\. You were not charged/);
      }
      const left = await rest(events);
      assert.equal(JSON.parse(left.at(-1).data).error.code, 'SERVICE_UNAVAILABLE');
      assert.deepEqual(await network.main.exit, { code: 0, signal: null });
      const { balance_usd: balance } = await command(network, 'account', 'show', account.id);
      assert.equal(balance, 5);
      await assertBooks(network);
    });

  story('so is what a second signal ends', [], async (network) => {
    await network.scripted();
    const account = await createAccount(network);
    const key = account.api_key;
    const { events } = await firstText(await stream(network, script(endless), { max_tokens: 1000 }, { key }));
    const plain = network.post(CHAT, chat(script({ ...endless, tokens: 999 }), { max_tokens: 1000 }), { key });
    await untilJobs(network, 'streaming', 2);
    network.main.kill('SIGTERM');
    await network.main.untilLog('gateway.draining');
    network.main.kill('SIGTERM');
    assert.equal((await (await plain).json()).error.code, 'SERVICE_UNAVAILABLE');
    assert.equal(JSON.parse((await rest(events)).at(-1).data).error.code, 'SERVICE_UNAVAILABLE');
    assert.deepEqual(await network.main.exit, { code: 0, signal: null });
    assert.equal((await command(network, 'account', 'show', account.id)).balance_usd, 5);
    await assertBooks(network);
  });

  story('a provider told to stop ends its streams and takes no more', [], async (network) => {
    const leaving = await network.scripted();
    const { events } = await firstText(await stream(network, script({ tokens: 20, rate: 20 })));
    leaving.kill('SIGTERM');
    await network.untilAvailable(REFERENCE_MODEL, false);
    const refused = await network.post('/v1/chat/completions', chat('Me too?'));
    assert.equal(refused.status, 503);
    const left = await rest(events);
    assert.equal(left.filter(textOfEvent).length, 19);
    assert.equal(left.at(-1).data, '[DONE]');
    assert.deepEqual(await leaving.exit, { code: 0, signal: null });
  });

  story('a gateway that restarts gets its providers back', [], async (network) => {
    const provider = await network.scripted();
    await network.main.stop();
    const again = network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`]);
    await network.untilReachable(again);
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = await ask(network, chat(script({ text: 'as before' })));
    assert.equal(textOf(answer), 'as before');
    assert.equal(answer.nataris.provider.id, provider.id);
  });

  story('the model\'s process may crash; the agent and its link stay', ['--cooldown-ms', '200', '--queue-ms', '2000'],
    async (network) => {
    const agent = await network.provider(['--model', DEMO_MODEL]);
    await network.untilAvailable(DEMO_MODEL);
    const [engine] = childrenOf(agent.pid);
    assert.equal(path.basename(engine.command), 'nataris-llama');
    const body = chat('Tell me about the sea.', { model: DEMO_MODEL, temperature: 0 });
    const text = textOf(await ask(network, body));
    const during = Array.from({ length: 8 }, () => network.post('/v1/chat/completions', body));
    process.kill(engine.pid, 'SIGKILL');
    for (const response of await Promise.all(during)) {
      assert.ok([200, 408, 503].includes(response.status), `${response.status}`);
      const answer = await response.json();
      if (response.status === 200) assert.equal(textOf(answer), text);
      else assert.ok(answer.error.message);
    }
    await eventually(() => childrenOf(agent.pid).some(({ pid }) => pid !== engine.pid), 'no new engine');
    await network.untilAvailable(DEMO_MODEL);
    const again = async () => (await network.post('/v1/chat/completions', body)).status === 200;
    await eventually(again, 'it never served again');
    assert.equal(textOf(await ask(network, body)), text);
    assert.equal(network.main.errors.match(/provider\.joined/g).length, 1, 'one link all the time');
    assert.equal(agent.ended, undefined);
  });
});
