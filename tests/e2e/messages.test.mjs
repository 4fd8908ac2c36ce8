// POST /v1/messages with Anthropic's official client, against a scripted provider that plays the model.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { anthropicClient, callsIn, message, readEvents, saidIn } from './support/anthropic.mjs';
import { script } from './support/chat.mjs';
import { withLoss } from './support/loss.mjs';
import { ABSENT_MODEL, eventually, Network, REFERENCE_MODEL, stopCleanly, within } from './support/network.mjs';

const WEATHER = { name: 'get_weather', description: 'Current weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } };
const NOW = { name: 'now', input_schema: { type: 'object', properties: {} } };
const tools = [WEATHER, NOW];

/** What a model writes to call a tool. */
const call = (name, args) => `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;
const says = (text, more = {}) => message(script({ text, ...more }), { tools });

describe('messages', () => {
  let network;
  let client;
  before(async () => {
    network = await Network.gateway();
    await network.scripted();
    client = anthropicClient(network);
  });
  after(() => stopCleanly(network));

  const create = (body, options) => client.messages.create(body, options);

  test('a message', async () => {
    const answer = await create(message(script({ text: 'Olá, 世界!' }), { system: 'Be brief.', temperature: 0, top_k: 5,
      top_p: 0.5, metadata: { user_id: 'someone' }, thinking: { type: 'enabled', budget_tokens: 1024 } }));
    assert.match(answer.id, /^msg_/);
    assert.deepEqual([answer.type, answer.role, answer.model], ['message', 'assistant', REFERENCE_MODEL]);
    assert.deepEqual(answer.content, [{ type: 'text', text: 'Olá, 世界!' }]);
    assert.deepEqual([answer.stop_reason, answer.stop_sequence], ['end_turn', null]);
    assert.ok(answer.usage.input_tokens + answer.usage.cache_read_input_tokens > 0);
    assert.equal(answer.usage.output_tokens, 2);
    assert.deepEqual(answer.nataris.ignored, ['thinking']);
    assert.match(answer._request_id, /^req_/);
    const cut = await create(message(script({ tokens: 40 }), { max_tokens: 3 }));
    assert.equal(cut.stop_reason, 'max_tokens');
  });

  test('which of the stop sequences ended it', async () => {
    const body = (more) => message(script({ text: 'one two three two' }), { stop_sequences: ['', 'never', ' three'], ...more });
    for (const key of [network.apiKey, network.testKey]) {
      const messages = anthropicClient(network, { apiKey: key }).messages;
      const answer = await messages.create(body());
      assert.deepEqual([saidIn(answer), answer.stop_reason, answer.stop_sequence], ['one two', 'stop_sequence', ' three']);
      const streamed = await messages.stream(body()).finalMessage();
      assert.deepEqual([saidIn(streamed), streamed.stop_reason, streamed.stop_sequence], ['one two', 'stop_sequence', ' three']);
      const whole = await messages.create(body({ stop_sequences: ['never'] }));
      assert.deepEqual([whole.stop_reason, whole.stop_sequence], ['end_turn', null]);
    }
  });

  test('blocks of text, and the thoughts of earlier turns', async () => {
    const answer = await create({ model: REFERENCE_MODEL, max_tokens: 64,
      system: [{ type: 'text', text: 'One.', cache_control: { type: 'ephemeral' } }, { type: 'text', text: 'Two.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }] },
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: 's' }, { type: 'text', text: 'c' }] },
        { role: 'user', content: [{ type: 'text', text: script({ text: 'Fine.' }), cache_control: { type: 'ephemeral' } }] }] });
    assert.equal(saidIn(answer), 'Fine.');
  });

  test('streamed: the client puts the message together', async () => {
    const kinds = [];
    const stream = client.messages.stream(message(script({ text: 'one two three', rate: 200 })))
      .on('streamEvent', (event) => kinds.push(event.type));
    const answer = await stream.finalMessage();
    assert.equal(saidIn(answer), 'one two three');
    assert.equal(answer.stop_reason, 'end_turn');
    assert.equal(answer.usage.output_tokens, 3);
    assert.deepEqual([kinds[0], kinds.at(-2), kinds.at(-1)], ['message_start', 'message_delta', 'message_stop']);
    assert.equal(kinds.filter((kind) => kind === 'content_block_start').length, 1);
  });

  test('the events as they are sent', async () => {
    const body = { ...says(`Let me see. ${call('get_weather', { city: 'Oslo' })}\n${call('now', {})}`), stream: true };
    const events = await readEvents(await network.post('/v1/messages?beta=true', body));
    for (const { name, data } of events) assert.equal(data.type, name);
    assert.equal(events[1].name, 'ping');
    const blocks = events.filter(({ name }) => name === 'content_block_start').map(({ data }) => data);
    assert.deepEqual(blocks.map(({ index, content_block: block }) => [index, block.type, block.name]),
      [[0, 'text', undefined], [1, 'tool_use', 'get_weather'], [2, 'tool_use', 'now']]);
    assert.deepEqual(events.filter(({ name }) => name === 'content_block_stop').map(({ data }) => data.index), [0, 1, 2]);
    for (const { name, data } of events) {
      if (name === 'content_block_delta') assert.equal(data.delta.type, data.index === 0 ? 'text_delta' : 'input_json_delta');
    }
    const { delta, usage } = events.at(-2).data;
    assert.deepEqual(delta, { stop_reason: 'tool_use', stop_sequence: null });
    assert.ok(usage.output_tokens > 0);
  });

  test('tools: call, result, answer', async () => {
    const asked = says(`Let me look.\n${call('get_weather', { city: 'Αθήνα' })}\n${call('now', {})}`);
    const first = await create(asked);
    assert.equal(first.stop_reason, 'tool_use');
    assert.equal(saidIn(first), 'Let me look.');
    assert.deepEqual(callsIn(first).map(({ name, input }) => [name, input]), [['get_weather', { city: 'Αθήνα' }], ['now', {}]]);
    for (const { id } of callsIn(first)) assert.match(id, /^toolu_[0-9A-Za-z]+$/);
    const results = callsIn(first).map(({ id }, at) => (at === 0
      ? { type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text: '21 degrees' }] }
      : { type: 'tool_result', tool_use_id: id, content: 'no clock', is_error: true }));
    const second = await create({ ...asked, messages: [...asked.messages, { role: 'assistant', content: first.content },
      { role: 'user', content: [...results, { type: 'text', text: script({ text: 'It is 21 degrees.' }) }] }] });
    assert.equal(saidIn(second), 'It is 21 degrees.');
    assert.equal(second.stop_reason, 'end_turn');
    const streamed = await client.messages.stream(asked).finalMessage();
    assert.deepEqual(streamed.content, first.content.map((block, at) => ({ ...block, ...(at > 0 && { id: streamed.content[at].id }) })));
  });

  test('tool_choice', async () => {
    const both = `${call('get_weather', { city: 'Rome' })}\n${call('now', {})}`;
    const one = await create({ ...says(both), tool_choice: { type: 'auto', disable_parallel_tool_use: true } });
    assert.equal(callsIn(one).length, 1);
    const none = await create({ ...says(both), tool_choice: { type: 'none' } });
    assert.equal(saidIn(none), both);
    const must = await create({ ...says(both), tool_choice: { type: 'any' } });
    assert.equal(callsIn(must).length, 2);
    const named = await create({ ...says(call('get_weather', { city: 'Rome' })),
      tool_choice: { type: 'tool', name: 'get_weather' } });
    assert.deepEqual(callsIn(named).map(({ name }) => name), ['get_weather']);
  });

  test('arguments that are no JSON stay within an object', async () => {
    const answer = await create(says('<tool_call>\n{"name": "get_weather", "arguments": {"city": Rome}}\n</tool_call>'));
    assert.deepEqual(callsIn(answer)[0]?.input, { INVALID_JSON: '{"city": Rome}' });
  });

  test('JSON of a schema', async () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false };
    const answer = await create(message(script({ text: '{"a": 1}' }), { output_config: { format: { type: 'json_schema', schema } } }));
    assert.deepEqual(JSON.parse(saidIn(answer)), { a: 1 });
  });

  test('tokens are counted', async () => {
    const { input_tokens: few } = await client.messages.countTokens({ model: REFERENCE_MODEL,
      messages: [{ role: 'user', content: 'Hello there' }] });
    const { input_tokens: more } = await client.messages.countTokens({ model: REFERENCE_MODEL, system: 'word '.repeat(100), tools,
      messages: [{ role: 'user', content: 'Hello there' }] });
    assert.ok(few > 0 && more > few + 100, `${few} and ${more}`);
    await assert.rejects(client.messages.countTokens({ model: REFERENCE_MODEL, messages: [] }), Anthropic.BadRequestError);
  });

  test('refusals are its client\'s exceptions', async () => {
    const cases = [
      [{ max_tokens: undefined }, Anthropic.BadRequestError, 'invalid_request_error', /max_tokens/],
      [{ temperature: 1.5 }, Anthropic.BadRequestError, 'invalid_request_error', /temperature/],
      [{ stop: ['x'] }, Anthropic.BadRequestError, 'invalid_request_error', /stop_sequences/],
      [{ messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: '' } }] }] },
        Anthropic.BadRequestError, 'invalid_request_error', /messages\[0\]\.content\[0\]\.type: blocks of type image/],
      [{ messages: [{ role: 'user', content: 'a' }, { role: 'assistant', content: '{' }] },
        Anthropic.BadRequestError, 'invalid_request_error', /prefill/],
      [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
        Anthropic.BadRequestError, 'invalid_request_error', /tools\[0\]\.type: tools of type web_search_20250305/],
      [{ model: 'claude-sonnet-4-5' }, Anthropic.NotFoundError, 'not_found_error', /claude-sonnet-4-5/],
    ];
    for (const [more, kind, type, words] of cases) {
      await assert.rejects(create(message('Hello', more)), (error) => {
        assert.ok(error instanceof kind, String(error));
        assert.equal(error.error.type, 'error');
        assert.equal(error.error.error.type, type);
        assert.match(error.error.error.message, words);
        assert.match(error.error.request_id, /^req_/);
        assert.equal(error.requestID, error.error.request_id);
        return true;
      });
    }
    await assert.rejects(anthropicClient(network, { apiKey: 'nat_live_none' }).messages.create(message('Hello')),
      Anthropic.AuthenticationError);
    await assert.rejects(create(message('Hello', { model: ABSENT_MODEL })), (error) => error.status === 529
      && error.error.error.type === 'overloaded_error');
  });

  test('what is wrong with the path or the method has its form, too', async () => {
    const shape = async (path, options) => {
      const response = await network.fetch(path, options);
      const { type, error, request_id: id } = await response.json();
      assert.equal(response.headers.get('request-id'), id);
      return [response.status, type, error.type];
    };
    assert.deepEqual(await shape('/v1/messages'), [405, 'error', 'invalid_request_error']);
    assert.deepEqual(await shape('/v1/messages/batches', { method: 'POST', body: '{}' }), [404, 'error', 'not_found_error']);
    assert.deepEqual(await shape('/v1/messages', { method: 'POST', body: '{' }), [400, 'error', 'invalid_request_error']);
    assert.deepEqual(await shape('/v1/messages', { method: 'POST', body: `"${'a'.repeat(5 << 20)}"` }),
      [413, 'error', 'request_too_large']);
    assert.ok('error' in await (await network.fetch('/v1/messageses')).json());
  });

  test('the key as x-api-key, as Bearer, or as both', async () => {
    const ask = (headers) => fetch(`${new URL(network.baseURL).origin}/v1/messages`, { method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', ...headers },
      body: JSON.stringify(message(script({ text: 'Hi.' }))) });
    const key = network.apiKey;
    assert.equal((await ask({ 'x-api-key': key })).status, 200);
    assert.equal((await ask({ authorization: `Bearer ${key}` })).status, 200);
    assert.equal((await ask({ authorization: `Bearer ${key}`, 'x-api-key': key })).status, 200);
    const both = await ask({ authorization: `Bearer ${key}`, 'x-api-key': 'another' });
    assert.equal(both.status, 400);
    assert.equal((await both.json()).error.type, 'invalid_request_error');
    assert.equal((await ask({})).status, 401);
    const byToken = new Anthropic({ baseURL: new URL(network.baseURL).origin, authToken: key, apiKey: null, maxRetries: 0 });
    assert.equal(saidIn(await byToken.messages.create(message(script({ text: 'Hi.' })))), 'Hi.');
  });

  test('the same key again gives the same message', async () => {
    const body = says(call('get_weather', { city: 'Oslo' }));
    const key = { headers: { 'Idempotency-Key': 'a message once' } };
    const first = await create(body, key);
    assert.deepEqual((await create(body, key)).content, first.content);
    const read = async () => (await network.post('/v1/messages', { ...body, stream: true },
      { headers: { 'Idempotency-Key': 'streamed' } }));
    const events = await readEvents(await read());
    const again = await read();
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
    const join = (list) => list.filter(({ name }) => name === 'content_block_delta').map(({ data }) => data.delta.partial_json).join('');
    const replayed = await readEvents(again);
    assert.equal(join(replayed), join(events));
    assert.deepEqual(replayed.map(({ name }) => name).at(-1), 'message_stop');
  });

  test('as a job', async () => {
    const made = await (await network.post('/v1/jobs', { type: 'messages', ...says(call('now', {})) })).json();
    const job = await eventually(async () => {
      const now = await (await network.fetch(`/v1/jobs/${made.id}`)).json();
      return now.status === 'COMPLETED' ? now : null;
    }, 'the job does not end');
    assert.equal(job.type, 'message');
    assert.equal(job.result.content[0].name, 'now');
    assert.match(job.result.id, /^msg_/);
  });

  test('a failure in mid-stream is an error event', async () => {
    const breaks = message(script({ tokens: 9, fail: 'engine', after: 4 }));
    const events = await readEvents(await network.post('/v1/messages', { ...breaks, stream: true }, { key: network.testKey }));
    const { name, data } = events.at(-1);
    assert.equal(name, 'error');
    assert.deepEqual([data.type, data.error.type], ['error', 'overloaded_error']);
    const sandbox = anthropicClient(network, { apiKey: network.testKey });
    await assert.rejects(sandbox.messages.stream(breaks).finalMessage(), Anthropic.APIError);
  });
});

test('a device that dies in the middle of a call\'s arguments leaves no seam', async () => {
  await within(Network.gateway(), async (network) => {
    const loseServing = await withLoss(network, (device) => device.kill('SIGKILL'));
    const args = { city: 'a long name '.repeat(20).trim() };
    let lost = null;
    let length = 0;
    const stream = anthropicClient(network).messages.stream(says(`Wait. ${call('get_weather', args)}`, { rate: 20 }));
    for await (const event of stream) {
      if (event.type === 'content_block_delta') length += (event.delta.partial_json ?? '').length;
      if (lost === null && length > 40) lost = await loseServing(stream.currentMessage.id);
    }
    const answer = await stream.finalMessage();
    assert.ok(lost !== null);
    assert.equal(saidIn(answer), 'Wait.');
    assert.deepEqual(callsIn(answer).map(({ input }) => input), [args]);
    assert.equal(answer.stop_reason, 'tool_use');
  });
});
