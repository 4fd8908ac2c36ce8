// `up` with the smallest chat model: the built-in model answers at once, SmolLM2 as soon as it is fetched. It is kept in
// the user's model folder, so that a second run need not fetch it again. What is said here is checked roughly only: it is
// a model of demo quality. What the default can do is in default.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openaiClient, textOf, user } from '../support/chat.mjs';
import { testEachWorkflow } from '../support/each_workflow.mjs';
import { DEMO_MODEL, Network, stopCleanly } from '../support/network.mjs';
import { readStream, textOfEvent } from '../support/stream.mjs';

const MODEL = 'smollm2-135m-instruct-q4_1';
const DOWNLOAD_MS = 180_000;
const CHAT = '/v1/chat/completions';

/** The reference's example. */
const CONVERSATION = [
  { role: 'system', content: 'You are a helpful assistant.' },
  { role: 'user', content: 'What is Python?' },
  { role: 'assistant', content: 'Python is a programming language...' },
  { role: 'user', content: 'Show me an example' },
];

let network;
before(async () => {
  network = await Network.up(['--model', DEMO_MODEL, '--model', MODEL]);
});
after(() => stopCleanly(network));

function body(messages, more = {}) {
  return { model: MODEL, messages: typeof messages === 'string' ? user(messages) : messages, temperature: 0, ...more };
}

/** Several words, nearly all of it letters and signs of English, and not one line over and over. */
function assertSensible(text) {
  const plain = text.replace(/[^A-Za-z0-9\s.,:;!?'"()`#=[\]{}*/+<>_-]/g, '');
  const words = text.match(/[A-Za-z]{2,}/g) ?? [];
  assert.ok(words.length >= 5, text);
  assert.ok(plain.length > 0.95 * text.length, text);
  assert.ok(new Set(words).size >= Math.min(5, words.length), text);
}

test('the built-in model answers first', async () => {
  const question = { model: DEMO_MODEL, messages: user('What is the capital of France?'), temperature: 0 };
  const answer = await ask(network, question);
  assert.match(textOf(answer), /Paris/);
});

test('the other model can be used when it is here', async () => {
  await network.untilAvailable(MODEL, true, DOWNLOAD_MS);
  const { data } = await (await network.fetch('/v1/models')).json();
  const available = data.filter((model) => model.available).map((model) => model.id);
  assert.deepEqual(available.sort(), [DEMO_MODEL, MODEL].sort());
  assert.ok(data.find((model) => model.id === MODEL).context_length >= 2048);
});

test('the reference\'s chat example', async () => {
  const answer = await ask(network, body(CONVERSATION, { max_tokens: 256 }));
  assertSensible(textOf(answer));
  assert.match(textOf(answer), /python|def |print/i);
  assert.equal(answer.model, MODEL);
  assert.equal(answer.nataris.inference_type, 'p2p');
});

test('the reference\'s chat example with its defaults, where chance plays a part', async () => {
  const { temperature, ...defaults } = body(CONVERSATION, { max_tokens: 256 });
  assert.equal(temperature, 0);
  assertSensible(textOf(await ask(network, defaults)));
});

test('the reference\'s streaming example comes in many deltas', async () => {
  const { events, text, done } = await readStream(
    await network.post(CHAT, body(CONVERSATION, { max_tokens: 100, stream: true })));
  assertSensible(text);
  assert.ok(done);
  const deltas = events.filter(textOfEvent);
  assert.ok(deltas.length > 10, `${deltas.length} deltas`);
  assert.ok(new Set(deltas.map((event) => event.read)).size > 5, 'not one lump at the end');
});

test('the reference\'s inference example', async () => {
  const prompt = { model: MODEL, prompt: 'Write a haiku about AI', max_tokens: 50, temperature: 0.8, seed: 1 };
  const response = await network.post('/v1/inference', prompt);
  const answer = await response.json();
  assert.equal(response.status, 200);
  assertSensible(answer.output);
  assert.ok(answer.usage.completion_tokens <= 50);
});

test('questions within its reach', async () => {
  assert.match(textOf(await ask(network, body('What is the opposite of hot?', { max_tokens: 40 }))), /cold/i);
  const capital = [CONVERSATION[0], { role: 'user', content: 'What is the capital of France?' }];
  assert.match(textOf(await ask(network, body(capital, { max_tokens: 40 }))), /Paris/);
  const sea = textOf(await ask(network, body('Tell me about the sea.', { max_tokens: 60 })));
  assertSensible(sea);
  assert.match(sea, /sea|ocean|water/i);
});

test('history: it uses an earlier turn', async () => {
  const question = { role: 'user', content: 'What is the secret word?' };
  const told = [
    { role: 'user', content: 'The secret word is "banana". Remember it.' },
    { role: 'assistant', content: 'I will remember the secret word.' },
  ];
  assert.match(textOf(await ask(network, body([...told, question], { max_tokens: 40 }))), /banana/i);
  assert.doesNotMatch(textOf(await ask(network, body([question], { max_tokens: 40 }))), /banana/i);
});

test('the same seed gives the same text', async () => {
  const request = body('Tell me a story.', { temperature: 1, seed: 5, max_tokens: 30 });
  assert.equal(textOf(await ask(network, request)), textOf(await ask(network, request)));
});

test('the official client streams from it', async () => {
  const client = openaiClient(network);
  const runner = client.chat.completions.stream(body(CONVERSATION, { max_tokens: 60 }));
  let deltas = 0;
  runner.on('content', () => { deltas += 1; });
  const message = await runner.finalMessage();
  assertSensible(message.content);
  assert.ok(deltas > 5);
});

test('several at once are all answered', async () => {
  const subjects = ['the sea', 'a cat', 'the moon', 'bread', 'winter', 'a river'];
  const answers = await Promise.all(subjects.map((subject) =>
    ask(network, body(`Write one sentence about ${subject}.`, { max_tokens: 40 }))));
  for (const answer of answers) assertSensible(textOf(answer));
});

test('a prompt over the context is refused, plain and streamed', async () => {
  for (const stream of [false, true]) {
    const response = await network.post(CHAT, body('Tell me about the sea. '.repeat(8000), { stream }));
    assert.equal(response.status, 400);
    const { error } = await response.json();
    assert.equal(error.code, 'context_length_exceeded');
    assert.equal(error.param, 'messages');
  }
});

testEachWorkflow(() => network, MODEL, { bytes: 16_500 });
