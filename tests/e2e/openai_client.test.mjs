// What the users of OpenAI's official client do, against a gateway with a scripted provider.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { chat, openaiClient, script, textOf, user } from './support/chat.mjs';
import { ABSENT_MODEL, Network, REFERENCE_MODEL, stopCleanly, within } from './support/network.mjs';

const SOON_MS = 2000; // for what takes milliseconds, on a machine with much else to do

describe('answers', () => {
  let network;
  let client;
  before(async () => {
    // The one device is not retried elsewhere, and not left alone for long after it failed.
    network = await Network.gateway(['--max-attempts', '1', '--cooldown-ms', '50']);
    await network.scripted();
    client = openaiClient(network);
  });
  after(() => stopCleanly(network));

  const create = (body) => client.chat.completions.create(body);

  test('create answers with text, usage and the id of the request', async () => {
    const answer = await create(chat('What is Python?'));
    assert.match(answer.id, /^chatcmpl-\w+$/);
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.model, REFERENCE_MODEL);
    assert.equal(answer.choices.length, 1);
    assert.equal(answer.choices[0].message.role, 'assistant');
    assert.ok(textOf(answer).split(' ').length >= 12);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.equal(answer.usage.prompt_tokens, 3);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.equal(answer.nataris.inference_type, 'p2p');
    assert.match(answer._request_id, /^req_\w+$/);
  });

  test('the raw response shows the same request id', async () => {
    const { data, response, request_id: id } = await create(chat('Hello')).withResponse();
    assert.equal(response.headers.get('x-request-id'), id);
    assert.equal(data._request_id, id);
  });

  test('a stream iterates over chunks that add up to the plain answer', async () => {
    const plain = await create(chat('Tell me a story'));
    const stream = await create(chat('Tell me a story', { stream: true }));
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '' });
    assert.equal(chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join(''), textOf(plain));
    assert.deepEqual(chunks.at(-1).choices[0], { index: 0, delta: {}, finish_reason: 'stop' });
    assert.ok(chunks.length > 12, 'several deltas');
    assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  });

  test('include_usage ends the stream with a chunk of usage and no choices', async () => {
    const stream = await create(chat('one two three', { stream: true, stream_options: { include_usage: true } }));
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    assert.equal(last.usage.prompt_tokens, 3);
    assert.equal(last.usage.total_tokens, last.usage.prompt_tokens + last.usage.completion_tokens);
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && chunk.usage === null));
  });

  test('the stream helper gives events and the final message', async () => {
    const seen = { content: [], chunk: 0, message: 0, end: 0 };
    const runner = client.chat.completions
      .stream(chat(script({ text: 'all is well here' }), { stream_options: { include_usage: true } }))
      .on('content', (delta, snapshot) => seen.content.push([delta, snapshot]))
      .on('chunk', () => { seen.chunk += 1; })
      .on('message', () => { seen.message += 1; })
      .on('end', () => { seen.end += 1; });
    const message = await runner.finalMessage();
    assert.equal(message.role, 'assistant');
    assert.equal(message.content, 'all is well here');
    const words = seen.content.map(([delta]) => delta).filter(Boolean);
    assert.deepEqual(words, ['all', ' is', ' well', ' here']);
    assert.equal(seen.content.at(-1)[1], 'all is well here');
    assert.equal(await runner.finalContent(), 'all is well here');
    const completion = await runner.finalChatCompletion();
    assert.equal(completion.choices[0].finish_reason, 'stop');
    assert.equal(completion.usage.completion_tokens, 4);
    assert.deepEqual([seen.message, seen.end], [1, 1]);
    assert.ok(seen.chunk >= 6);
  });

  test('stop cuts the text and does not show up in it', async () => {
    const answer = await create(chat(script({ text: 'one two three four' }), { stop: ['three', 'never'] }));
    assert.equal(textOf(answer), 'one two ');
    assert.equal(answer.choices[0].finish_reason, 'stop');
  });

  test('max_tokens and max_completion_tokens end with finish_reason length', async () => {
    for (const limit of [{ max_tokens: 5 }, { max_completion_tokens: 5 }]) {
      const answer = await create(chat(script({ tokens: 50 }), limit));
      assert.equal(answer.choices[0].finish_reason, 'length');
      assert.equal(answer.usage.completion_tokens, 5);
      assert.equal(textOf(answer).split(' ').length, 5);
    }
  });

  test('the same seed gives the same text', async () => {
    const texts = await Promise.all([1, 2, 3].map(async () => textOf(await create(chat('Sing', { seed: 42 })))));
    assert.equal(new Set(texts).size, 1);
  });

  test('an answer of nothing is an answer', async () => {
    const body = chat(script({ tokens: 0 }));
    const answer = await create(body);
    assert.equal(textOf(answer), '');
    assert.equal(answer.usage.completion_tokens, 0);
    assert.equal(await client.chat.completions.stream(body).finalContent(), '');
  });

  test('content in text parts, a developer message and an alias work', async () => {
    const answer = await create({
      model: 'nataris-balanced',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: script({ text: 'parts' }) }, { type: 'text', text: ' end' }] },
      ],
    });
    assert.equal(answer.model, REFERENCE_MODEL);
    assert.equal(textOf(answer), 'parts');
  });

  test('models.list and models.retrieve agree', async () => {
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    const served = models.find((model) => model.id === REFERENCE_MODEL);
    assert.equal(served.object, 'model');
    assert.equal(served.available, true);
    assert.equal(typeof served.created, 'number');
    assert.equal(models.find((model) => model.id === ABSENT_MODEL).available, false);
    const one = await client.models.retrieve(REFERENCE_MODEL);
    const { _request_id: id, ...fields } = one;
    assert.match(id, /^req_/);
    assert.deepEqual(fields, served);
    assert.equal((await client.models.retrieve('nataris-balanced')).id, REFERENCE_MODEL);
  });

  const failing = [
    ['a wrong key', () => openaiClient(network, { apiKey: 'nat_live_nonsense' }).models.list(),
      OpenAI.AuthenticationError, { status: 401, code: 'INVALID_API_KEY', type: 'authentication_error', param: null }],
    ['an unknown model', () => create({ model: 'gpt-4o', messages: user('Hi') }),
      OpenAI.NotFoundError, { status: 404, code: 'MODEL_NOT_FOUND', type: 'not_found_error', param: 'model' }],
    ['an unknown model, retrieved', () => client.models.retrieve('gpt-4o'),
      OpenAI.NotFoundError, { status: 404, code: 'MODEL_NOT_FOUND', param: 'model' }],
    ['a number out of range', () => create(chat('Hi', { temperature: 3 })),
      OpenAI.BadRequestError, { status: 400, code: 'INVALID_REQUEST', type: 'invalid_request_error',
        param: 'temperature' }],
    ['a prompt over the context', () => create(chat('word '.repeat(5000))),
      OpenAI.BadRequestError, { status: 400, code: 'context_length_exceeded', param: 'messages' }],
    ['the same, streamed', () => create(chat('word '.repeat(5000), { stream: true })),
      OpenAI.BadRequestError, { status: 400, code: 'context_length_exceeded', param: 'messages' }],
    ['a model that no device has', () => create({ model: ABSENT_MODEL, messages: user('Hi') }),
      OpenAI.InternalServerError, { status: 503, code: 'model_unavailable', type: 'service_unavailable_error' }],
    ['a device that breaks', () => create(chat(script({ fail: 'engine' }))),
      OpenAI.InternalServerError, { status: 503, code: 'SERVICE_UNAVAILABLE' }],
  ];
  for (const [name, call, type, fields] of failing) {
    test(`${name} is a ${type.name} with its fields`, async () => {
      const error = await Promise.resolve(call()).then(() => assert.fail('no error'), (thrown) => thrown);
      assert.ok(error instanceof type, `${error}`);
      for (const [field, value] of Object.entries(fields)) assert.equal(error[field], value, field);
      assert.match(error.requestID, /^req_/);
      assert.ok(error.error.message.length > 10, 'words for a person');
    });
  }

  test('an engine that fails in mid-stream goes on behind what it has sent', async () => {
    let text = '';
    for await (const chunk of await create(chat(script({ tokens: 9, fail: 'engine', after: 3 }), { stream: true }))) {
      text += chunk.choices[0].delta.content ?? '';
    }
    assert.equal(text.trim().split(' ').length, 9);
  });

  test('the end of a stream that nobody can go on with is raised to the reader',
    () => within(Network.gateway(['--queue-ms', '300']), async (lonely) => {
      const device = await lonely.scripted();
      const stream = await openaiClient(lonely).chat.completions.create(
        chat(script({ tokens: 1000, rate: 50 }), { stream: true, max_tokens: 1000 }));
      let words = 0;
      await assert.rejects(async () => {
        for await (const chunk of stream) {
          if (chunk.choices[0].delta.content && ++words === 3) device.kill('SIGKILL');
        }
      }, (error) => error instanceof OpenAI.APIError && error.code === 'SERVICE_UNAVAILABLE');
      assert.ok(words >= 3);
    }));
});

describe('one slot', () => {
  let network;
  before(async () => {
    network = await Network.gateway(['--max-queue', '1']);
    await network.scripted(['--slots', '1']);
  });
  after(() => stopCleanly(network));

  const endless = chat(script({ tokens: 1000, rate: 20 }), { stream: true, max_tokens: 1000 });

  /** Reads on until there is text. (To break out of a loop over the stream would abort it.) */
  async function untilText(stream) {
    const chunks = stream[Symbol.asyncIterator]();
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      if (next.value.choices[0].delta.content) return performance.now();
    }
    return assert.fail('the stream ended without text');
  }

  /** A stream that has the slot, and one that waits for it: its headers are here (they leave after a second). */
  async function holdAndWait(client) {
    const holder = await client.chat.completions.create(endless);
    await untilText(holder);
    const waiting = await client.chat.completions.create(chat('I wait', { stream: true }));
    return { holder, waiting };
  }

  test('aborting a stream frees its slot for the one that waits', async () => {
    const { holder, waiting } = await holdAndWait(openaiClient(network));
    const abortedAt = performance.now();
    holder.controller.abort();
    const servedAt = await untilText(waiting);
    assert.ok(servedAt - abortedAt < SOON_MS, `${servedAt - abortedAt} ms`);
  });

  test('the stream helper aborts with APIUserAbortError', async () => {
    const client = openaiClient(network);
    const runner = client.chat.completions.stream(endless);
    runner.once('content', () => runner.abort());
    await assert.rejects(runner.finalMessage(), OpenAI.APIUserAbortError);
    assert.equal((await client.chat.completions.create(chat('Free again?'))).choices.length, 1);
  });

  test('a full queue is a RateLimitError that says when to come back', async () => {
    const client = openaiClient(network);
    const { holder, waiting } = await holdAndWait(client);
    const statuses = [];
    const watched = openaiClient(network, {
      maxRetries: 3,
      fetch: async (...call) => {
        const response = await fetch(...call);
        statuses.push(response.status);
        if (statuses.length === 1) holder.controller.abort(); // so that the client's own retry succeeds
        return response;
      } });
    const error = await client.chat.completions.create(chat('One too many')).then(() => undefined, (thrown) => thrown);
    assert.ok(error instanceof OpenAI.RateLimitError, `${error}`);
    assert.equal(error.code, 'RATE_LIMIT_EXCEEDED');
    assert.equal(error.type, 'rate_limit_error');
    assert.equal(error.headers.get('retry-after'), '1');
    assert.equal(error.error.retry_after, 1);
    assert.ok((await watched.chat.completions.create(chat('I come back'))).id);
    assert.deepEqual(statuses, [429, 200]);
    await untilText(waiting);
  });

  test('what will not help is not retried', async () => {
    let calls = 0;
    const client = openaiClient(network, { maxRetries: 2, fetch: (...call) => { calls += 1; return fetch(...call); } });
    await assert.rejects(client.chat.completions.create({ model: ABSENT_MODEL, messages: user('Hi') }),
      (error) => error.code === 'model_unavailable' && error.headers.get('x-should-retry') === 'false');
    assert.equal(calls, 1);
  });
});
