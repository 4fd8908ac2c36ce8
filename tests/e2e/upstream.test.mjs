// A device that passes its jobs on to another server: a second gateway, whose devices are scripted.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertBooks, balanceOf, command, cost, createAccount } from './support/accounts.mjs';
import { ask, chat, openaiClient, script, textOf } from './support/chat.mjs';
import { eventually, Network, REFERENCE_MODEL, run, stopCleanly } from './support/network.mjs';
import { eventsOf, firstText, readStream, rest, textOfEvent } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';

/** Two gateways: `below` has a scripted device, and is the upstream of a device of `top`. */
class Pair {
  static async open(model = REFERENCE_MODEL) {
    const pair = new Pair();
    pair.below = await Network.gateway(['--log-level', 'debug']);
    pair.top = await Network.gateway(['--log-level', 'debug']);
    pair.deep = await pair.below.scripted();
    pair.keyFile = path.join(pair.top.folder, 'key');
    writeFileSync(pair.keyFile, `${pair.below.apiKey}\n`);
    pair.options = ['--engine', 'upstream', '--url', pair.below.baseURL, '--upstream-key-file', pair.keyFile];
    pair.device = await pair.top.provider([...pair.options, '--model', model]);
    await pair.top.untilAvailable(model.split('=')[0]);
    return pair;
  }

  async close() {
    await stopCleanly(this.top);
    await stopCleanly(this.below);
  }
}

/** Runs the story on a pair of its own. */
async function withPair(tell) {
  const pair = await Pair.open();
  try {
    await tell(pair);
  } catch (error) {
    error.message += `\n${pair.top.errors()}`;
    await pair.top.stop();
    await pair.below.stop();
    throw error;
  }
  await pair.close();
}

const WEATHER = { type: 'function', function: {
  name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };
const call = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Αθήνα"}}\n</tool_call>';

describe('an upstream', () => {
  let pair;
  before(async () => { pair = await Pair.open(); });
  after(() => pair.close());

  test('answers are those of the server, and so are their counts and what they cost', async () => {
    const { top, below } = pair;
    const account = await createAccount(top, 'pro');
    await command(top, 'credit', 'grant', account.id, '1');
    const before = await balanceOf(top, account);
    for (const content of ['Hello', 'Καλημέρα κόσμε 👋', script({ text: 'one two ثلاثة four' })]) {
      const here = await ask(top, chat(content), { key: account.api_key });
      const there = await ask(below, chat(content));
      assert.equal(textOf(here), textOf(there));
      assert.deepEqual(here.usage, there.usage);
      assert.equal(here.choices[0].finish_reason, there.choices[0].finish_reason);
      const streamed = await readStream(await top.post(CHAT, chat(content, { stream: true })));
      assert.equal(streamed.text, textOf(there));
      assert.ok(streamed.done);
      assert.ok(streamed.chunks.length > 3);
    }
    const spent = before - await balanceOf(top, account);
    const { data } = await (await top.fetch('/v1/usage/requests', { key: account.api_key })).json();
    assert.equal(data.length, 3);
    assert.equal(spent, data.reduce((sum, line) => sum + cost(line), 0));
    await assertBooks(top);
    await assertBooks(below);
  });

  test('max_tokens and stop strings hold', async () => {
    const { top } = pair;
    const cut = await ask(top, chat(script({ text: 'one two three four' }), { max_tokens: 2 }));
    assert.equal(textOf(cut), 'one two');
    assert.equal(cut.choices[0].finish_reason, 'length');
    assert.equal(cut.usage.completion_tokens, 2);
    const stopped = await ask(top, chat(script({ text: 'one two three four' }), { stop: ['o th', 'never'] }));
    assert.equal(textOf(stopped), 'one tw');
    assert.equal(stopped.choices[0].finish_reason, 'stop');
    const many = await ask(top, chat(script({ text: 'one two three four' }), { stop: ['a', 'b', 'c', 'd', 'ree'] }));
    assert.equal(textOf(many), 'one two th'); // the server is told of four only
  });

  test('tools are called, and their results are read', async () => {
    const client = openaiClient(pair.top);
    const tools = [WEATHER];
    const first = await client.chat.completions.create({ ...chat(script({ text: call })), tools });
    const [made] = first.choices[0].message.tool_calls;
    assert.deepEqual(JSON.parse(made.function.arguments), { city: 'Αθήνα' });
    assert.equal(first.choices[0].finish_reason, 'tool_calls');
    const messages = [{ role: 'user', content: 'What is the weather?' }, first.choices[0].message,
      { role: 'tool', tool_call_id: made.id, content: script({ text: 'It has been read.' }) }];
    const second = await client.chat.completions.create({ model: REFERENCE_MODEL, messages, tools });
    assert.equal(textOf(second), 'It has been read.'); // of the result, which is what the model reads last
  });

  test('what needs a grammar is not sent to a server that knows none', async () => {
    const body = chat('[[script text="{}"]]', { response_format: { type: 'json_object' } });
    const refused = await pair.top.post(CHAT, body);
    assert.equal((await refused.json()).error.code, 'no_matching_provider');
  });

  test('a request that does not fit is refused as here', async () => {
    const response = await pair.top.post(CHAT, chat('word '.repeat(5000)));
    const { error } = await response.json();
    assert.equal(response.status, 400);
    assert.equal(error.code, 'context_length_exceeded');
  });

  test('the doctor asks the server', async () => {
    const { top, below, device, options } = pair;
    const doctor = (...args) => run(['provider', 'doctor', '--data', device.data, '--json', ...args]);
    const good = JSON.parse((await doctor(...options, '--model', `ours=${REFERENCE_MODEL}`)).stdout);
    const found = (report, check) => report.checks.find((one) => one.check === check);
    assert.equal(good.ok, true, JSON.stringify(good));
    assert.equal(found(good, 'upstream').level, 'ok');
    assert.match(found(good, 'model').message, /^ours: the upstream has it as/);
    assert.match(found(good, 'job').message, /tokens\/s/);
    const missing = JSON.parse((await doctor(...options, '--model', 'absent')).stdout);
    assert.equal(missing.ok, false);
    assert.match(found(missing, 'model').message, new RegExp(`does not have absent; it has: .*${REFERENCE_MODEL}`));
    const keyless = JSON.parse((await doctor('--engine', 'upstream', '--url', below.baseURL)).stdout);
    assert.match(found(keyless, 'upstream').message, /refuses the key/);
    const wrong = await run(['provider', '--gateway', top.origin, '--data', `${device.data}-2`, '--engine', 'upstream']);
    assert.match(wrong.stderr, /--engine upstream needs --url/);
  });
});

describe('an upstream that changes', { concurrency: 2 }, () => {
  test('its death in mid-stream is continued on another device', () => withPair(async ({ top, below }) => {
    const content = script({ tokens: 60, rate: 20 });
    const response = await top.post(CHAT, chat(content, { stream: true, stream_options: { include_usage: true } }));
    const { first, events } = await firstText(response);
    const other = await top.scripted();
    await top.untilServes(other);
    below.main.kill('SIGKILL');
    const all = [first, ...await rest(events)];
    const text = all.map(textOfEvent).join('');
    assert.equal(text.split(' ').length, 60);
    const usage = all.filter((one) => one.data?.startsWith('{')).map((one) => JSON.parse(one.data).usage).find(Boolean);
    assert.equal(usage.completion_tokens, 60);
    await assertBooks(top);
  }));

  test('also in the middle of a call that its model writes', () => withPair(async ({ top, below }) => {
    const city = Array.from({ length: 40 }, (_, i) => `wörd${i}`).join(' ');
    const text = `<tool_call>\n{"name": "get_weather", "arguments": {"city": "${city}"}}\n</tool_call>`;
    const response = await top.post(CHAT, chat(script({ text, rate: 20 }), { stream: true, tools: [WEATHER] }));
    const other = await top.scripted();
    await top.untilServes(other);
    let made = '';
    const ids = new Set();
    for await (const { data } of eventsOf(response)) {
      const delta = data?.startsWith('{') ? JSON.parse(data).choices[0]?.delta : undefined;
      const [part] = delta?.tool_calls ?? [];
      if (part?.id) ids.add(part.id);
      made += part?.function?.arguments ?? '';
      if (made.length > 40) below.main.kill('SIGKILL'); // again and again is no harm
    }
    assert.deepEqual(JSON.parse(made), { city });
    assert.equal(ids.size, 1);
    await assertBooks(top);
  }));

  test('a client that leaves ends the request there at once', () => withPair(async ({ top, below }) => {
    const stop = new AbortController();
    const response = await top.post(CHAT, chat(script({ tokens: 1000, rate: 20 }), { stream: true }),
      { signal: stop.signal });
    await firstText(response).then(() => stop.abort());
    await below.main.until((main) => /core\.job .* to=(cancelling|settling)/.test(main.errors), 'end of the job below');
    await eventually(async () => {
      const { data } = await (await below.fetch('/v1/usage/requests')).json();
      return data.length === 1 && data[0].completion_tokens < 900;
    }, 'the request below is not over');
  }));

  test('the model is offered while the server has it', () => withPair(async ({ top, below, deep, device }) => {
    deep.kill('SIGKILL');
    await below.untilAvailable(REFERENCE_MODEL, false);
    await top.untilAvailable(REFERENCE_MODEL, false);
    assert.match(device.errors, /upstream\.away model=\S+ reason="it does not have the model"/);
    await below.scripted();
    await top.untilAvailable(REFERENCE_MODEL);
    assert.ok(textOf(await ask(top, chat('Hello'))).length > 0);
  }));

  test('without --model, all that the server can serve is offered', () => withPair(async ({ top, options }) => {
    const all = await top.provider(options);
    await top.untilServes(all);
    assert.match(all.errors, /upstream\.offers models=1 /);
  }));
});

test('a network over such a server with one command', async () => {
  const pair = await Pair.open();
  const { below, keyFile } = pair;
  const up = await Network.up(['--engine', 'upstream', '--url', below.baseURL, '--upstream-key-file', keyFile]);
  assert.equal(textOf(await ask(up, chat('Hello'))), textOf(await ask(below, chat('Hello'))));
  await stopCleanly(up);
  await pair.close();
});

test('a server with TLS is believed by its certificate only', async () => {
  const top = await Network.gateway();
  const file = (name) => path.join(top.folder, name);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', file('k.pem'), '-out',
    file('c.pem'), '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'],
  { stdio: 'ignore' });
  const below = await Network.gateway(['--tls-cert', file('c.pem'), '--tls-key', file('k.pem')]);
  writeFileSync(file('key'), below.apiKey);
  const options = ['--engine', 'upstream', '--url', below.baseURL, '--upstream-key-file', file('key'), '--model', 'm'];
  assert.match(below.baseURL, /^https:/);
  const stranger = await top.provider(options);
  await stranger.untilLog(/upstream\.away model=m reason="it does not answer: .*certificate/);
  const friend = await top.provider([...options, '--ca-file', file('c.pem')]);
  await friend.untilLog(/upstream\.away model=m reason="it does not have the model"/); // it has asked
  await stopCleanly(top);
  await stopCleanly(below);
});
