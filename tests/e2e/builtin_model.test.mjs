// Real text from the built-in model: that it answers the question, knows what was said before, and repeats itself when
// it should.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, textOf, user } from './support/chat.mjs';
import { DEMO_MODEL, Network, stopCleanly } from './support/network.mjs';
import { readStream, textOfEvent } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';

let network;
before(async () => {
  network = await Network.up(['--model', DEMO_MODEL]);
});
after(() => stopCleanly(network));

function body(messages, more = {}) {
  const conversation = typeof messages === 'string' ? user(messages) : messages;
  return { model: DEMO_MODEL, messages: conversation, temperature: 0, ...more };
}

/** Says the lines one after the other, each with all that was said before; resolves with the last answer. */
async function converse(lines, more) {
  const messages = [];
  let answer;
  for (const line of lines) {
    messages.push({ role: 'user', content: line });
    answer = await ask(network, body(messages, more));
    messages.push({ role: 'assistant', content: textOf(answer) });
  }
  return answer;
}

describe('plain questions', { concurrency: true }, () => {
  const cases = [
    ['What is the capital of France?', /Paris/],
    ['What is the capital of Japan?', /Tokyo/],
    ['What is the opposite of hot?', /cold/],
    ['What is 7 + 8?', /15/],
    ['Who are you?', /Nataris/i],
  ];
  for (const [question, answer] of cases) {
    test(question, async () => assert.match(textOf(await ask(network, body(question))), answer));
  }
});

describe('history', { concurrency: true }, () => {
  const cases = [
    [['My name is Ada.', 'What is the capital of Peru?', 'What is my name?'], /Ada/],
    [['I have a cat called Minka.', 'I live in Lisbon.', 'What is my cat called?'], /Minka/],
    [['I have a cat called Minka.', 'I live in Lisbon.', 'Where do I live?'], /Lisbon/],
    [['What is the capital of Portugal?', 'And the capital of Japan?'], /Tokyo/],
  ];
  for (const [lines, answer] of cases) {
    test(lines.join(' '), async () => assert.match(textOf(await converse(lines)), answer));
  }

  test('is all there is: without it nothing is known', async () => {
    assert.doesNotMatch(textOf(await ask(network, body('What is my name?'))), /Ada/);
  });

  test('is found in the slot where it was computed', async () => {
    const between = ['What is the capital of Norway?', 'What is the capital of Chile?'];
    const answer = await converse(['My name is Grace.', ...between, 'What is my name?']);
    assert.match(textOf(answer), /Grace/);
    const { prompt_tokens: all, prompt_tokens_details: { cached_tokens: cached } } = answer.usage;
    assert.ok(cached > 0 && cached < all, `${cached} of ${all} from the cache`);
  });
});

describe('sampling', () => {
  const wild = (seed) => body('Tell me about the sea.', { temperature: 1.5, top_p: 1, seed, max_tokens: 60 });
  const textFor = async (seed) => textOf(await ask(network, wild(seed)));

  test('the same seed gives the same text, another seed another', async () => {
    const first = await textFor(7);
    assert.equal(await textFor(7), first);
    const others = await Promise.all([8, 9, 10, 11].map(textFor));
    assert.ok(others.some((text) => text !== first));
  });

  test('temperature 0 needs no seed', async () => {
    const haiku = async () => textOf(await ask(network, body('Write a haiku about the sea.')));
    const texts = await Promise.all([haiku(), haiku(), haiku()]);
    assert.equal(new Set(texts).size, 1);
    assert.equal(texts[0].trim().split('\n').length, 3, texts[0]);
  });

  test('whatever is sampled is whole UTF-8, plain and streamed', async () => {
    const odd = 'caf\u00e9 \u65e5\u672c\u8a9e \u{1f600} \u00df?';
    await Promise.all([1, 2, 3, 4, 5, 6].map(async (seed) => {
      const request = body(odd, { temperature: 2, top_p: 1, top_k: 0, seed, max_tokens: 100, stream: true });
      const { text, done } = await readStream(await network.post(CHAT, request)); // fails on half a character
      assert.ok(done);
      assert.equal(textOf(await ask(network, { ...request, stream: false })), text);
    }));
  });
});

describe('the forms of an answer', () => {
  test('a stream is spread over deltas and says the same as the plain answer', async () => {
    const request = body('What is Nataris?');
    const plain = await ask(network, request);
    const { events, text, chunks } = await readStream(
      await network.post(CHAT, { ...request, stream: true, stream_options: { include_usage: true } }));
    assert.equal(text, textOf(plain));
    const deltas = events.filter(textOfEvent).length;
    assert.ok(deltas > 5, `${deltas} deltas`);
    assert.equal(chunks.at(-1).usage.completion_tokens, plain.usage.completion_tokens);
  });

  test('max_tokens and stop strings end it', async () => {
    const cut = await ask(network, body('What is Nataris?', { max_tokens: 4 }));
    assert.equal(cut.usage.completion_tokens, 4);
    assert.equal(cut.choices[0].finish_reason, 'length');
    const whole = textOf(await ask(network, body('What is the capital of France?')));
    const stopped = await ask(network, body('What is the capital of France?', { stop: 'Paris' }));
    assert.equal(textOf(stopped), whole.slice(0, whole.indexOf('Paris')));
    assert.equal(stopped.choices[0].finish_reason, 'stop');
  });

  test('inference answers a prompt', async () => {
    const response = await network.post('/v1/inference', {
      model: DEMO_MODEL, prompt: 'Write a haiku about the moon.', max_tokens: 50, temperature: 0 });
    const answer = await response.json();
    assert.equal(response.status, 200);
    assert.equal(answer.object, 'inference');
    assert.match(answer.output, /moon/i);
    assert.ok(answer.usage.prompt_tokens > 0 && answer.usage.completion_tokens > 5);
  });

  test('eight at once are as right as one alone', async () => {
    const capitals = { France: 'Paris', Japan: 'Tokyo', Peru: 'Lima', Norway: 'Oslo', Italy: 'Rome', Spain: 'Madrid',
      Portugal: 'Lisbon', Chile: 'Santiago' };
    await Promise.all(Object.entries(capitals).map(async ([country, capital]) => {
      const request = body(`What is the capital of ${country}?`, { stream: true });
      const { text, done } = await readStream(await network.post(CHAT, request));
      assert.ok(text.includes(capital), `${country}: ${text}`);
      assert.ok(done);
    }));
  });
});
