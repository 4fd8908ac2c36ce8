// The shortest way through everything: up, one plain and one streamed answer of the built-in model, stop.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DEMO_MODEL, Network, stopCleanly } from './support/network.mjs';
import { readEvents } from './support/stream.mjs';

let network;
before(async () => {
  network = await Network.up(['--model', DEMO_MODEL]);
});
after(() => stopCleanly(network));

const question = [{ role: 'user', content: 'What is the capital of France?' }];

test('a plain chat answer makes sense', async () => {
  const body = { model: DEMO_MODEL, messages: question, temperature: 0 };
  const response = await network.post('/v1/chat/completions', body);
  assert.equal(response.status, 200, network.errors());
  const answer = await response.json();
  assert.match(answer.choices[0].message.content, /Paris/);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.equal(answer.nataris.inference_type, 'p2p');
});

test('a streamed answer is the same text', async () => {
  const body = { model: DEMO_MODEL, messages: question, temperature: 0, stream: true };
  const events = await readEvents(await network.post('/v1/chat/completions', body));
  assert.equal(events.at(-1).data, '[DONE]');
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.data));
  assert.match(chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join(''), /Paris/);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
});

test('a test key reaches the sandbox, with any catalog model', async () => {
  const body = { model: 'llama-3.2-1b-instruct-q4_k_m', messages: question };
  const response = await network.post('/v1/chat/completions', body, { key: network.testKey });
  assert.equal(response.status, 200);
  assert.equal((await response.json()).nataris.inference_type, 'sandbox');
});
