// Keys: which are refused and how, what a test key reaches, and that no secret ends up in a log.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, chat, openaiClient, script, textOf } from './support/chat.mjs';
import { DEMO_MODEL, Network, REFERENCE_MODEL, stopCleanly } from './support/network.mjs';
import { readStream } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';

describe('a key', () => {
  let network;
  let stranger; // a key that is well made, of another network
  before(async () => {
    network = await Network.gateway();
    const other = await Network.gateway();
    stranger = other.apiKey;
    await stopCleanly(other);
  });
  after(() => stopCleanly(network));

  async function refuse(headers) {
    for (const route of [['/v1/models', {}], [CHAT, { method: 'POST', body: JSON.stringify(chat('Hi')) }]]) {
      const response = await network.fetch(route[0], { ...route[1], key: null, headers });
      assert.equal(response.status, 401);
      assert.equal(response.headers.get('www-authenticate'), 'Bearer');
      assert.equal(response.headers.get('x-should-retry'), 'false');
      const text = await response.text();
      const { error } = JSON.parse(text);
      assert.equal(error.code, 'INVALID_API_KEY');
      assert.equal(error.type, 'authentication_error');
      const sent = (headers.Authorization ?? '').replace(/^\S+ /, '');
      assert.ok(sent.length < 8 || !text.includes(sent), 'the key is not repeated');
    }
  }

  test('looks as promised', () => {
    assert.match(network.apiKey, /^nat_live_[0-9A-Za-z]{38}$/);
    assert.match(network.testKey, /^nat_test_[0-9A-Za-z]{38}$/);
  });

  const swapped = (key) => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
  const wrong = {
    missing: () => ({}),
    empty: () => ({ Authorization: '' }),
    'without Bearer': () => ({ Authorization: network.apiKey }),
    'with Basic': () => ({ Authorization: `Basic ${network.apiKey}` }),
    'Bearer and nothing': () => ({ Authorization: 'Bearer ' }),
    'of another kind': () => ({ Authorization: 'Bearer sk-1234567890abcdef1234567890abcdef' }),
    'too short': () => ({ Authorization: `Bearer ${network.apiKey.slice(0, -1)}` }),
    'too long': () => ({ Authorization: `Bearer ${network.apiKey}0` }),
    'very long': () => ({ Authorization: `Bearer ${network.apiKey.repeat(100)}` }),
    'with a wrong checksum': () => ({ Authorization: `Bearer ${swapped(network.apiKey)}` }),
    'with another prefix': () => ({ Authorization: `Bearer ${network.apiKey.replace('live', 'test')}` }),
    unknown: () => ({ Authorization: `Bearer ${stranger}` }),
  };
  for (const [name, headers] of Object.entries(wrong)) {
    test(`${name} is a 401`, () => refuse(headers()));
  }

  test('is taken with any case of the scheme', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { Authorization: `${scheme} ${network.apiKey}` };
      assert.equal((await network.fetch('/v1/models', { key: null, headers })).status, 200, scheme);
    }
  });

  test('is kept in clear only in the owner\'s file, readable by nobody else', () => {
    const file = path.join(network.data, 'owner.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).api_key, network.apiKey);
    for (const name of readdirSync(network.data).filter((entry) => entry.startsWith('nataris.db'))) {
      const stored = readFileSync(path.join(network.data, name));
      assert.ok(!stored.includes(network.apiKey) && !stored.includes(network.testKey), name);
    }
  });
});

describe('a test key', () => {
  let network;
  before(async () => {
    network = await Network.gateway();
  });
  after(() => stopCleanly(network));

  const sandbox = (content, more) => network.post(CHAT, chat(content, more), { key: network.testKey });

  test('gets the same answer each time, without any device', async () => {
    const answers = await Promise.all([1, 2].map(() => ask(network, chat('Hello'), { key: network.testKey })));
    assert.equal(answers[0].nataris.inference_type, 'sandbox');
    assert.equal(answers[0].nataris.provider.id, null);
    assert.ok(textOf(answers[0]).length > 20);
    assert.equal(textOf(answers[0]), textOf(answers[1]));
    assert.notEqual(answers[0].id, answers[1].id);
  });

  test('streams and infers as a live key does', async () => {
    const { text, done } = await readStream(await sandbox(script({ text: 'one two', rate: 100 }), { stream: true }));
    assert.equal(text, 'one two');
    assert.ok(done);
    const body = { model: REFERENCE_MODEL, prompt: script({ text: 'three' }) };
    const response = await network.post('/v1/inference', body, { key: network.testKey });
    assert.equal((await response.json()).output, 'three');
  });

  test('works with the official client', async () => {
    const client = openaiClient(network, { apiKey: network.testKey });
    const answer = await client.chat.completions.create(chat(script({ text: 'hello sandbox' })));
    assert.equal(textOf(answer), 'hello sandbox');
  });

  const failures = [
    ['engine', 503, 'SERVICE_UNAVAILABLE'],
    ['overloaded', 429, 'RATE_LIMIT_EXCEEDED'],
    ['context_length', 400, 'context_length_exceeded'],
    ['bad_request', 400, 'INVALID_REQUEST'],
    ['model_missing', 503, 'SERVICE_UNAVAILABLE'],
    ['draining', 503, 'SERVICE_UNAVAILABLE'],
  ];
  for (const [fail, status, code] of failures) {
    test(`meets ${code} with [[script fail=${fail}]]`, async () => {
      const response = await sandbox(script({ fail }));
      assert.equal(response.status, status);
      assert.equal((await response.json()).error.code, code);
    });
  }

  test('meets a device that is lost in mid-stream', async () => {
    const { events, text, done } = await readStream(
      await sandbox(script({ tokens: 9, fail: 'engine', after: 4 }), { stream: true }));
    assert.equal(text.split(' ').length, 4);
    assert.ok(!done);
    assert.equal(JSON.parse(events.at(-1).data).error.code, 'SERVICE_UNAVAILABLE');
  });

  test('learns that its directive is not understood', async () => {
    const response = await sandbox('[[script speed=5]]');
    assert.equal(response.status, 400);
    const { error } = await response.json();
    assert.equal(error.code, 'INVALID_REQUEST');
    assert.equal(error.param, 'messages');
  });

  test('leaves the live key without a device as it was', async () => {
    assert.equal((await network.post(CHAT, chat('Hello'))).status, 503);
  });
});

test('keys, tokens, prompts and answers never reach a log', async () => {
  const network = await Network.up(['--model', DEMO_MODEL, '--log-level', 'debug']);
  const secret = 'zanzibar-seven-three';
  try {
    await network.scripted(['--log-level', 'debug']);
    const { token } = await network.invite();
    const demo = { model: DEMO_MODEL, temperature: 0, messages: [
      { role: 'system', content: secret }, { role: 'user', content: 'What is the capital of France?' }] };
    const answer = await ask(network, demo);
    assert.match(textOf(answer), /Paris/);
    for (const key of [network.apiKey, network.testKey]) {
      await ask(network, chat(`${secret} ${script({ text: 'platypus answer' })}`), { key });
      const stream = chat(script({ text: `platypus ${secret}` }), { stream: true, stop: ['ostrich-stop'] });
      await readStream(await network.post(CHAT, stream, { key }));
      for (const bad of [{ temperature: secret }, { model: `no ${secret}` }, { messages: [{ role: secret }] },
        { messages: [{ role: 'user', content: [{ type: secret }] }] }]) {
        await (await network.post(CHAT, chat(secret, bad), { key })).text();
      }
      await (await network.post(CHAT, `{"model": "${secret}`, { key })).text();
    }
    await (await network.fetch(`/v1/models?key=${secret}`, { key: `${network.apiKey}0` })).text();
    await (await network.fetch(`/v1/${secret}`)).text();
    await network.stop().then((exits) => assert.deepEqual(exits.map(({ code }) => code), exits.map(() => 0)));
    const log = network.errors();
    assert.match(log, /core\.job .*to=streaming/, 'the log is as talkative as it gets');
    assert.match(log, /http\.request/);
    for (const word of [network.apiKey, network.testKey, token, secret, 'Paris', 'platypus', 'ostrich']) {
      assert.ok(!log.includes(word), `${word} is in the log:\n${log.split('\n').filter((l) => l.includes(word))[0]}`);
    }
  } finally {
    await network.stop();
  }
});
