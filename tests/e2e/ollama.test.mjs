// Ollama's API, as its documentation has it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requestsWhen } from './support/accounts.mjs';
import { script, user } from './support/chat.mjs';
import { Network, REFERENCE_MODEL, stopCleanly } from './support/network.mjs';
import { Ollama } from './support/ollama.mjs';

let network, client;
const as = (key) => new Ollama(network, key);
before(async () => {
  network = await Network.gateway(['--max-attempts', '1', '--cooldown-ms', '50']);
  await network.scripted();
  client = as(network.apiKey);
});
after(() => stopCleanly(network));

const model = REFERENCE_MODEL;
const all = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
};
const weather = { type: 'function', function: { name: 'weather', description: 'Tells it',
  parameters: { type: 'object', required: ['city'], properties: { city: { type: 'string' } } } } };

test('chat, whole and streamed', async () => {
  const messages = [{ role: 'system', content: 'Be kind.' }, ...user(script({ text: 'caf\u00e9 \u{1f600} ok' }))];
  const answer = await client.chat({ model, messages, keep_alive: '5m', options: { temperature: 0, num_ctx: 2048,
    num_predict: -1, top_k: 20, top_p: 0.9, seed: 1, repeat_penalty: 1.1, stop: ['zzz'] } });
  assert.deepEqual(answer.message, { role: 'assistant', content: 'caf\u00e9 \u{1f600} ok' });
  assert.deepEqual([answer.done, answer.done_reason, answer.eval_count], [true, 'stop', 3]);
  assert.ok(answer.prompt_eval_count > 0 && answer.total_duration >= 0);
  const parts = await all(await client.chat({ model: `${model}:latest`, messages, stream: true }));
  assert.equal(parts.map(({ message }) => message.content).join(''), 'caf\u00e9 \u{1f600} ok');
  assert.deepEqual(parts.map(({ done }) => done), [...Array(parts.length - 1).fill(false), true]);
  assert.ok(parts.length > 3);
  const raw = await network.post('/api/chat', { model, messages }); // a stream unless it says otherwise
  assert.equal(raw.headers.get('content-type'), 'application/x-ndjson');
  assert.ok((await raw.text()).trimEnd().split('\n').every((line) => JSON.parse(line).model === model));
  const short = await client.chat({ model, messages, options: { num_predict: 1 } });
  assert.deepEqual([short.done_reason, short.eval_count], ['length', 1]);
});

test('tools go round', async () => {
  const call = '{"name":"weather","arguments":{"city":"K\u00f6ln"}}';
  for (const stream of [false, true]) {
    const asked = { model, tools: [weather], messages: user(script({ text: `<tool_call>${call}</tool_call>` })), stream };
    const parts = stream ? await all(await client.chat(asked)) : [await client.chat(asked)];
    const calls = parts.flatMap(({ message }) => message.tool_calls ?? []);
    assert.deepEqual(calls.map(({ function: { name, arguments: given } }) => [name, given]), [['weather', { city: 'K\u00f6ln' }]]);
    assert.equal(parts.map(({ message }) => message.content).join(''), '');
    const messages = [...user('How is it?'), { role: 'assistant', content: '', tool_calls: calls },
      { role: 'tool', tool_name: 'weather', content: '{"sky":"grey"}' }, ...user(script({ text: 'Grey.' }))];
    const told = await client.chat({ model, tools: [weather], messages });
    assert.equal(told.message.content, 'Grey.');
  }
});

test('generate, with a system text, raw, and of a format', async () => {
  const prompt = script({ text: 'one two' });
  const answer = await client.generate({ model, prompt, system: 'Be brief.' });
  assert.deepEqual([answer.response, answer.done, answer.done_reason], ['one two', true, 'stop']);
  const parts = await all(await client.generate({ model, prompt, raw: true, stream: true }));
  assert.equal(parts.map(({ response }) => response).join(''), 'one two');
  const json = await client.generate({ model, prompt: script({ text: '{"a":1}' }), format: 'json' });
  assert.deepEqual(JSON.parse(json.response), { a: 1 });
  const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false };
  const formed = await client.chat({ model, messages: user(script({ text: '{"a":2}' })), format: schema });
  assert.deepEqual(JSON.parse(formed.message.content), { a: 2 });
});

test('models are listed and shown', async () => {
  const { models } = await client.list();
  const entry = models.find(({ name }) => name === model);
  assert.deepEqual([entry.details.format, entry.details.family, entry.details.quantization_level], ['gguf', 'llama', 'Q4_K_M']);
  assert.ok((await client.ps()).models.some(({ name }) => name === model));
  const shown = await client.show({ model });
  assert.ok(shown.model_info['llama.context_length'] > 0);
  assert.deepEqual(shown.capabilities, ['completion', 'tools']);
  assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/);
  await assert.rejects(client.show({ model: 'none' }), { status_code: 404 });
});

test('refusals have its form and name the field', async () => {
  const rows = [
    [{ messages: user('a'), options: { num_predict: 'x' } }, /max_tokens|num_predict/], [{}, /messages/],
    [{ messages: [{ role: 'user', content: 'a', images: ['aa'] }] }, /images/],
    [{ messages: user('a'), options: { temperature: 9 } }, /temperature/],
    [{ messages: user('a'), options: { mirostat: 2 } }, /mirostat/], [{ messages: user('a'), format: 'xml' }, /format/],
    [{ messages: user('a'), logprobs: true }, /logprobs/],
    [{ messages: user('a'), think: true }, /think/], [{ messages: 5 }, /messages/], [{ messages: [5] }, /messages\[0\]/],
    [{ messages: user('a'), stream: 'no' }, /stream/], [{ messages: user('a'), options: 3 }, /options/],
  ];
  for (const [more, words] of rows) {
    const response = await network.post('/api/chat', { model, ...more });
    const { error } = await response.json();
    assert.equal(response.status, 400, JSON.stringify([more, error]));
    assert.match(error, words);
  }
  for (const [more, words] of [[{}, /prompt/], [{ prompt: '' }, /prompt/], [{ prompt: 'a', template: 't' }, /template/],
    [{ prompt: 'a', context: [1] }, /context/], [{ prompt: 'a', suffix: 's' }, /suffix/],
    [{ prompt: 'a', images: ['a'] }, /images/], [{ prompt: 'a', raw: true, system: 's' }, /system/]]) {
    const response = await network.post('/api/generate', { model, ...more });
    assert.equal(response.status, 400, JSON.stringify(more));
    assert.match((await response.json()).error, words);
  }
  await assert.rejects(as('nat_live_wrong').list(), { status_code: 401 });
  await assert.rejects(client.chat({ model: 'none', messages: user('a') }), { status_code: 404 });
  const lost = await network.fetch('/api/nothing');
  assert.equal(typeof (await lost.json()).error, 'string');
});

test('test keys reach the sandbox, a fault in mid-stream is told, and usage has lines', async () => {
  const mine = as(network.testKey);
  assert.equal((await mine.chat({ model, messages: user(script({ text: 'sand' })) })).message.content, 'sand');
  const broken = await mine.chat({ model, stream: true, messages: user('[[sandbox error=device_lost after=3]]') });
  await assert.rejects(all(broken), /./);
  assert.ok((await requestsWhen(network, network.apiKey, 1)).length >= 1);
});
