// A device is lost in the middle of an answer, and another one goes on with it: what a user of the official client sees (one
// answer), and what is seen while nobody is there.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  admin, assertBooks, balanceOf, cost, createAccount, requestsWhen, untilIdle,
} from './support/accounts.mjs';
import { ask, chat, openaiClient, script, textOf } from './support/chat.mjs';
import { DEMO_MODEL, Network, REFERENCE_MODEL, within } from './support/network.mjs';
import { withLoss } from './support/loss.mjs';
import { childrenOf } from './support/processes.mjs';
import { firstText, rest, textOfEvent } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';
const TEXT = 'Once upon a time, caf\u00e9 \u65e5\u672c\u8a9e \u{1f600}, there was a lamp on a wall and a boat that came home late in the '
  + 'evening, with nets full of silver and a boy who had slept through all of it.';
const WORDS = TEXT.split(' ');
const told = (more = {}) => chat(script({ text: TEXT, rate: 20 }), more); // for two seconds

/** A test with a gateway of its own, which is stopped after it. The gateway's log shows every move of a job. */
function story(name, gatewayOptions, tell) {
  test(name, (t) => within(Network.gateway(['--log-level', 'debug', ...gatewayOptions]), (network) => tell(network, t)));
}

/** Resolves once `count` jobs have come to `state`. */
function untilJobs(network, state, count) {
  const seen = () => network.main.errors.match(new RegExp(`core\\.job .* to=${state} `, 'g')) ?? [];
  return network.main.until(() => seen().length >= count, `${count} jobs in ${state}`);
}

/** How often another device went on with the answer. */
async function seamsOf(network, id) {
  const { steps } = await admin(network, 'GET', `/admin/jobs/${id}`);
  return steps.filter((step) => step.continues).length;
}

const losses = {
  'kill -9': (device) => device.kill('SIGKILL'),
  'a device that hangs': (device) => device.kill('SIGSTOP'),
};

describe('continuation', { concurrency: 4 }, () => {
  for (const [name, lose] of Object.entries(losses)) {
    story(`${name}: a stream of the official client goes on`, [], async (network) => {
      const account = await createAccount(network);
      const loseServing = await withLoss(network, lose);
      const client = openaiClient(network, { apiKey: account.api_key });
      const stream = await client.chat.completions.create(told({ stream: true, stream_options: { include_usage: true } }));
      const chunks = [];
      let lost;
      for await (const chunk of stream) {
        chunks.push(chunk);
        if (chunks.length === 8) lost = await loseServing(chunk.id);
      }
      assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), TEXT);
      assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
      assert.equal(chunks.filter(({ choices }) => choices[0]?.delta.role).length, 1);
      assert.deepEqual(chunks.map(({ choices }) => choices[0]?.finish_reason).filter(Boolean), ['stop']);
      const [usage, ...more] = chunks.map((chunk) => chunk.usage).filter(Boolean);
      assert.equal(usage.completion_tokens, WORDS.length);
      assert.equal(more.length, 0);
      assert.equal(await seamsOf(network, chunks[0].id), 1);
      const [line] = await requestsWhen(network, account.api_key, 1);
      assert.deepEqual([line.completion_tokens, line.status], [WORDS.length, 'completed']);
      assert.equal(await balanceOf(network, account), 5e9 - cost(usage));
      lost.kill('SIGCONT');
      await assertBooks(network);
    });

    story(`${name}: so does its stream helper`, [], async (network) => {
      const loseServing = await withLoss(network, lose);
      const runner = openaiClient(network).chat.completions.stream(told());
      let lost;
      runner.once('chunk', async ({ id }) => {
        lost = await loseServing(id);
      });
      const answer = await runner.finalChatCompletion();
      assert.equal(textOf(answer), TEXT);
      assert.equal(answer.choices[0].finish_reason, 'stop');
      lost.kill('SIGCONT');
    });

    story(`${name}: a plain answer keeps what was made of it`, [], async (network) => {
      const loseServing = await withLoss(network, lose);
      const asked = openaiClient(network).chat.completions.create(told());
      await untilJobs(network, 'streaming', 1);
      const [, id] = network.main.errors.match(/core\.job job_id=(\S+) .* to=streaming /);
      const lost = await loseServing(id);
      const answer = await asked;
      assert.equal(textOf(answer), TEXT);
      assert.equal(answer.choices[0].finish_reason, 'stop');
      assert.equal(answer.usage.completion_tokens, WORDS.length);
      const { attempts, continued, provider } = answer.nataris;
      assert.deepEqual({ attempts, continued }, { attempts: 2, continued: 1 });
      assert.notEqual(provider.id, lost.id);
      lost.kill('SIGCONT');
    });
  }

  story('stop strings and max_tokens hold across the seam', [], async (network) => {
    const loseServing = await withLoss(network, losses['kill -9'], { count: 3 });
    const stream = async (more) => {
      const { first, events } = await firstText(await network.post(CHAT, told({ stream: true, ...more })));
      return { id: JSON.parse(first.data).id, first, events };
    };
    const cut = await stream({ max_tokens: 20 });
    const stopped = await stream({ stop: ['silver and a'] });
    const lost = await loseServing(cut.id);
    await lost.exit;
    if ((await seamsOf(network, stopped.id)) === 0) await loseServing(stopped.id); // else they had the same one
    const [short, ended] = [await rest(cut.events), await rest(stopped.events)];
    const textFrom = ({ first }, events) => [first, ...events].map(textOfEvent).join('');
    assert.equal(textFrom(cut, short), WORDS.slice(0, 20).join(' '));
    assert.match(short.at(-2).data, /"finish_reason":"length"/);
    assert.equal(textFrom(stopped, ended), TEXT.slice(0, TEXT.indexOf('silver and a')));
    assert.match(ended.at(-2).data, /"finish_reason":"stop"/);
    for (const { id } of [cut, stopped]) assert.ok((await seamsOf(network, id)) > 0);
  });

  for (const [what, lose] of [['its device', (device) => device.kill('SIGKILL')],
    ['the process of its model', (device) => process.kill(childrenOf(device.pid)[0].pid, 'SIGKILL')]]) {
    story(`the built-in model goes on with what it did not begin, when ${what} dies`, [], async (network) => {
      const start = () => network.provider(['--model', DEMO_MODEL, '--threads', '1']);
      const loseServing = await withLoss(network, lose, { start });
      await network.untilAvailable(DEMO_MODEL);
      const long = chat('Tell me about the sea.', { model: DEMO_MODEL, temperature: 2, top_p: 1, top_k: 0, seed: 7,
        max_tokens: 900, stream: true, stream_options: { include_usage: true } });
      const streams = Array.from({ length: 12 }, () => network.post(CHAT, long).then(firstText));
      const { first } = await streams[0];
      const { id } = JSON.parse(first.data);
      await loseServing(id);
      let seams = 0;
      for (const { first: begun, events } of await Promise.all(streams)) {
        const left = await rest(events); // fails on half a character
        assert.equal(left.at(-1).data, '[DONE]');
        const { usage } = JSON.parse(left.at(-2).data);
        const { finish_reason: finish } = JSON.parse(left.at(-3).data).choices[0];
        assert.equal(finish, usage.completion_tokens === 900 ? 'length' : 'stop');
        seams += await seamsOf(network, JSON.parse(begun.data).id);
      }
      assert.ok(seams > 0, 'all were over before'); // the one that was looked up may have been
    });
  }
});

describe('while nobody is there', { concurrency: 4 }, () => {
  /** The device's program again, on the same folder; resolves when it has joined. */
  function restart(network, device) {
    const program = network.start(['provider', '--gateway', network.origin, '--data', device.data, '--name', device.name,
      '--engine', 'scripted', '--model', REFERENCE_MODEL, '--quiet']);
    return network.joined(Object.assign(program, { name: device.name }), 2);
  }

  story('what waits is served as soon as the device is back', [], async (network, t) => {
    const account = await createAccount(network);
    const options = { key: account.api_key };
    const device = await network.scripted();
    const streamed = await firstText(await network.post(CHAT, told({ stream: true }), options));
    const plain = ask(network, told({ stop: ['lamp'] }), options);
    const before = network.post(CHAT, chat(script({ text: 'never begun', prefill: 600_000 }), { stream: true }), options);
    await untilJobs(network, 'prefill', 3);
    await untilJobs(network, 'streaming', 2);
    device.kill('SIGKILL');
    await network.untilAvailable(REFERENCE_MODEL, false);
    const refused = await network.post(CHAT, chat('Me too?'), options);
    assert.equal(refused.status, 503, 'who comes now is told to come back');

    const startedAt = performance.now();
    await restart(network, device);
    const next = await streamed.events.next();
    const resumedMs = performance.now() - startedAt;
    const left = [next.value, ...await rest(streamed.events)];
    assert.equal([streamed.first, ...left].map(textOfEvent).join(''), TEXT);
    assert.equal(left.at(-1).data, '[DONE]');
    assert.equal(textOf(await plain), TEXT.slice(0, TEXT.indexOf('lamp')));
    t.diagnostic(`the stream went on ${resumedMs.toFixed(0)} ms after the device's process was started`);
    assert.ok(resumedMs < 3000, `${resumedMs} ms`);
    assert.equal((await before).status, 200);
    await (await before).body.cancel();
  });

  story('who does not want to wait for a device is answered within the deadline, with the right headers, for nothing',
    ['--queue-ms', '700'], async (network) => {
      const account = await createAccount(network);
      const options = { key: account.api_key };
      const device = await network.scripted(['--script-prefill-ms', '600000']);
      const waiting = [network.post(CHAT, chat('Plain'), options), network.post(CHAT, chat('Plain too'), options)];
      await untilJobs(network, 'prefill', 2);
      device.kill('SIGKILL');
      await network.untilAvailable(REFERENCE_MODEL, false);
      const late = network.post(CHAT, chat('Nobody?'), options);
      for (const response of [...await Promise.all(waiting), await late]) {
        const { error } = await response.json();
        assert.equal(response.status, 503, JSON.stringify(error));
        assert.equal(error.code, 'model_unavailable');
        const seconds = Number(response.headers.get('retry-after'));
        assert.equal(error.retry_after, seconds);
        assert.equal(Number(response.headers.get('retry-after-ms')), 1000 * seconds);
        assert.equal(response.headers.get('x-should-retry'), seconds > 60 ? 'false' : null);
      }
      await untilIdle(network, account);
      assert.equal(await balanceOf(network, account), 5e9);
      await assertBooks(network);
    });

  story('a stream that nobody can go on with ends with an error, for nothing', ['--queue-ms', '700'], async (network) => {
    const account = await createAccount(network);
    const device = await network.scripted();
    const { events } = await firstText(await network.post(CHAT, told({ stream: true }), { key: account.api_key }));
    device.kill('SIGKILL');
    const { error } = JSON.parse((await rest(events)).at(-1).data);
    assert.deepEqual([error.code, error.type], ['SERVICE_UNAVAILABLE', 'service_unavailable_error']);
    assert.match(error.message, /lost.*not charged/);
    await untilIdle(network, account);
    assert.equal(await balanceOf(network, account), 5e9);
    await assertBooks(network);
  });

  story('a device that was only asleep serves again as soon as it wakes', [], async (network, t) => {
    const device = await network.scripted();
    device.kill('SIGSTOP');
    const plain = network.post(CHAT, told());
    await network.main.untilLog(/core\.job .* to=(queued|backoff) .*silent/);
    device.kill('SIGCONT');
    const wokenAt = performance.now();
    await ask(network, chat(script({ text: 'awake' })));
    const servedMs = performance.now() - wokenAt;
    t.diagnostic(`served ${servedMs.toFixed(0)} ms after it woke`);
    assert.ok(servedMs < 3000, `${servedMs} ms`);
    await network.scripted(); // the first request is for another device
    assert.equal(textOf(await (await plain).json()), TEXT);
  });
});
