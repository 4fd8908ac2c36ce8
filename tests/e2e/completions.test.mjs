// POST /v1/completions as users of OpenAI's official client see it: texts that are gone on with, one or several.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertBooks, balanceOf, cost, createAccount, requestsWhen } from './support/accounts.mjs';
import { openaiClient, script } from './support/chat.mjs';
import { Network, REFERENCE_MODEL, stopCleanly, within } from './support/network.mjs';
import { withLoss } from './support/loss.mjs';

const ROUTE = '/v1/completions';
const ask = (prompt, more = {}) => ({ model: REFERENCE_MODEL, prompt, max_tokens: 100, ...more });

async function chunksOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** The text of each choice of a stream. */
function textsOf(chunks) {
  const texts = [];
  for (const { choices } of chunks) {
    for (const { index, text } of choices) texts[index] = (texts[index] ?? '') + text;
  }
  return texts;
}

describe('completions', () => {
  let network, client;
  before(async () => {
    network = await Network.gateway(['--max-attempts', '1', '--cooldown-ms', '50']);
    await network.scripted();
    client = openaiClient(network);
  });
  after(() => stopCleanly(network));

  const refusal = async (body) => {
    const response = await network.post(ROUTE, body);
    return [response.status, (await response.json()).error];
  };

  test('a prompt is gone on with', async () => {
    const answer = await client.completions.create(ask(script({ text: 'all is well' })));
    assert.match(answer.id, /^cmpl-\w+$/);
    assert.deepEqual([answer.object, answer.model], ['text_completion', REFERENCE_MODEL]);
    assert.deepEqual(answer.choices, [{ index: 0, text: 'all is well', logprobs: null, finish_reason: 'stop' }]);
    assert.equal(answer.usage.completion_tokens, 3);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + 3);
    assert.equal(answer.nataris.inference_type, 'p2p');
  });

  test('it has 16 tokens unless more are asked for', async () => {
    const { choices: [choice], usage } = await client.completions.create(
      { model: REFERENCE_MODEL, prompt: script({ tokens: 40 }) });
    assert.deepEqual([choice.finish_reason, usage.completion_tokens], ['length', 16]);
  });

  test('a stream has chunks that add up, and its usage when it is asked for', async () => {
    const text = 'caf\u00e9 \u65e5\u672c\u8a9e \u{1f600} fin';
    const chunks = await chunksOf(await client.completions.create(
      ask(script({ text }), { stream: true, stream_options: { include_usage: true } })));
    const last = chunks.pop();
    assert.deepEqual([last.choices, last.usage.completion_tokens], [[], 4]);
    assert.deepEqual(textsOf(chunks), [text]);
    assert.ok(chunks.every(({ object, usage }) => object === 'text_completion' && usage === null));
    assert.deepEqual(chunks.map(({ choices }) => choices[0].finish_reason).filter(Boolean), ['stop']);
    assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
  });

  test('echo says the prompt again, plain and streamed', async () => {
    const prompt = `"Say" \u{1f600}\n${script({ text: 'fine' })}`;
    const plain = await client.completions.create(ask(prompt, { echo: true }));
    assert.equal(plain.choices[0].text, `${prompt}fine`);
    assert.equal(plain.usage.completion_tokens, 1);
    const chunks = await chunksOf(await client.completions.create(ask(prompt, { echo: true, stream: true })));
    assert.deepEqual(textsOf(chunks), [`${prompt}fine`]);
    const long = `${'\u00e9'.repeat(100_000)} ${script({ text: 'end' })}`;
    const wide = await chunksOf(await client.completions.create(ask(long, { echo: true, stream: true })));
    assert.deepEqual(textsOf(wide), [`${long}end`]);
  });

  test('stop, seed and sampling are taken', async () => {
    const { choices: [{ text }] } = await client.completions.create(ask(script({ text: 'one two three' }), {
      stop: [' three'], seed: 7, temperature: 0, top_p: 1, presence_penalty: 0.5, frequency_penalty: -0.5, user: 'u',
      n: 1, best_of: 1, logprobs: null, suffix: null, echo: false }));
    assert.equal(text, 'one two');
  });

  test('several prompts have a choice each', async () => {
    const words = ['zero', 'one one', 'two two two', 'three', 'four', 'five', 'six'];
    const prompts = words.map((text) => script({ text }));
    const { choices, usage, nataris } = await client.completions.create(ask(prompts));
    assert.deepEqual(choices.map(({ index, text }) => [index, text]), words.map((text, i) => [i, text]));
    assert.equal(usage.completion_tokens, words.join(' ').split(' ').length);
    assert.equal(nataris.generations.length, words.length);
    const chunks = await chunksOf(await client.completions.create(
      ask(prompts, { stream: true, echo: true, stream_options: { include_usage: true } })));
    assert.equal(chunks.at(-1).usage.completion_tokens, usage.completion_tokens);
    assert.deepEqual(textsOf(chunks), words.map((text, i) => prompts[i] + text));
    const reasons = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.finish_reason);
    assert.deepEqual(reasons.map(({ index, finish_reason: why }) => [index, why]), words.map((_, i) => [i, 'stop']));
    const [one] = (await client.completions.create(ask([script({ text: 'only' })]))).choices;
    assert.equal(one.text, 'only');
  });

  test('several are billed one by one, and a retry under their key is free', async () => {
    const account = await createAccount(network);
    const mine = openaiClient(network, { apiKey: account.api_key });
    const prompts = ['a b', 'c', 'd e f'].map((text) => script({ text }));
    const options = { headers: { 'Idempotency-Key': 'three' } };
    const first = await mine.completions.create(ask(prompts), options);
    const { data: again, response } = await mine.completions.create(ask(prompts), options).withResponse();
    assert.equal(response.headers.get('idempotent-replayed'), 'true');
    assert.deepEqual(again.choices, first.choices);
    assert.deepEqual(again.nataris.generations, first.nataris.generations);
    const lines = await requestsWhen(network, account.api_key, 3);
    assert.deepEqual(new Set(lines.map(({ id }) => id)), new Set(first.nataris.generations.map(({ id }) => id)));
    assert.equal(await balanceOf(network, account), 5e9 - cost(first.usage));
    for (const body of [ask(prompts.slice(1)), ask(prompts[0]), ask([...prompts].reverse())]) {
      await assert.rejects(mine.completions.create(body, options), { status: 409, param: 'Idempotency-Key' });
    }
    for (const { id } of lines) {
      assert.equal((await network.fetch(`/v1/receipts/${id}`, { key: account.api_key })).status, 200);
    }
    await assertBooks(network);
  });

  test('one that fails fails all, and says what was charged', async () => {
    const account = await createAccount(network);
    // Four run at once: when the fifth begins one has ended.
    const prompts = [...Array(4).fill(script({ text: 'good' })), script({ fail: 'bad_request' })];
    const response = await network.post(ROUTE, ask(prompts), { key: account.api_key });
    const { error } = await response.json();
    assert.equal(response.status, 400);
    const charged = Number(error.message.match(/one of 5 prompts; (\d) were answered and charged/)[1]);
    assert.ok(charged >= 1 && charged <= 4);
    assert.ok((await requestsWhen(network, account.api_key, charged)).length >= charged);
  });

  test('what is not served is refused by name', async () => {
    const rows = [
      [{}, 'prompt'], [{ prompt: null }, 'prompt'], [{ prompt: '' }, 'prompt'], [{ prompt: [] }, 'prompt'],
      [{ prompt: 5 }, 'prompt'], [{ prompt: {} }, 'prompt'], [{ prompt: [1, 2, 3] }, 'prompt'],
      [{ prompt: [[1, 2], [3]] }, 'prompt'], [{ prompt: ['a', ''] }, 'prompt[1]'], [{ prompt: ['a', null] }, 'prompt[1]'],
      [{ prompt: Array(65).fill('a') }, 'prompt'], [{ prompt: 'a', suffix: 'b' }, 'suffix'],
      [{ prompt: 'a', best_of: 2 }, 'best_of'], [{ prompt: 'a', logprobs: 0 }, 'logprobs'],
      [{ prompt: 'a', logprobs: 5 }, 'logprobs'], [{ prompt: 'a', echo: 'yes' }, 'echo'],
      [{ prompt: 'a', max_tokens: 0 }, 'max_tokens'], [{ prompt: 'a', tools: [{}] }, 'tools'],
      [{ prompt: 'a', messages: [{ role: 'user', content: 'b' }] }, 'messages'],
    ];
    for (const [more, param] of rows) {
      const [status, error] = await refusal({ model: REFERENCE_MODEL, ...more });
      assert.deepEqual([status, error.param, error.type], [400, param, 'invalid_request_error'], JSON.stringify(more));
    }
    const [status, error] = await refusal({ endpoint: ROUTE, model: REFERENCE_MODEL, prompt: 'a' });
    assert.equal(status, 200, JSON.stringify(error));
    const job = await network.post('/v1/jobs', { endpoint: ROUTE, model: REFERENCE_MODEL, prompt: 'a' });
    assert.deepEqual([job.status, (await job.json()).error.param], [400, 'endpoint']);
  });

  test('test keys reach the sandbox with it', async () => {
    const mine = openaiClient(network, { apiKey: network.testKey });
    const { choices } = await mine.completions.create(ask([script({ text: 'one' }), script({ text: 'two' })]));
    assert.deepEqual(choices.map(({ text }) => text), ['one', 'two']);
    await assert.rejects(mine.completions.create(ask('[[sandbox error=FORBIDDEN]]')), { status: 403 });
    await assert.rejects(mine.completions.create(ask('[[sandbox what]]')), { status: 400, param: 'prompt' });
    const slow = await mine.completions.create(ask(`[[sandbox rate=500]] ${script({ text: 'x' })}`));
    assert.equal(slow.choices.length, 1);
  });
});

test('another device goes on with a text', () => within(Network.gateway([]), async (network) => {
  const account = await createAccount(network);
  const loseServing = await withLoss(network, (device) => device.kill('SIGKILL'));
  const text = 'Once upon a time there was a lamp on a wall and a boat that came home late in the evening';
  const client = openaiClient(network, { apiKey: account.api_key });
  const prompt = script({ text, rate: 20 });
  const stream = await client.completions.create(ask(prompt, { stream: true, echo: true }));
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
    if (chunks.length === 6) await loseServing(chunk.id);
  }
  assert.deepEqual(textsOf(chunks), [prompt + text]);
  await requestsWhen(network, account.api_key, 1);
  await assertBooks(network);
}));
