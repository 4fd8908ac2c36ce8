// POST /v1/responses with OpenAI's official client, against a scripted provider that plays the model.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { APIError, AuthenticationError, BadRequestError, NotFoundError } from 'openai';
import { createAccount } from './support/accounts.mjs';
import { openaiClient, script } from './support/chat.mjs';
import { withLoss } from './support/loss.mjs';
import { eventually, Network, REFERENCE_MODEL, stopCleanly, within } from './support/network.mjs';

const tools = [
  { type: 'function', name: 'get_weather', description: 'Current weather of a city', strict: false,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
  { type: 'function', name: 'now', strict: false, parameters: null },
];
/** What a model writes to call a tool. */
const call = (name, args) => `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;
const says = (text, more = {}, fields = {}) =>
  ({ model: REFERENCE_MODEL, input: script({ text, ...more }), ...fields });
const kinds = (events) => events.map((event) => event.type);
/** But for what a client's helper adds. */
const without = ({ output_text, _request_id, ...rest }) => rest;
const collect = async (stream) => {
  const events = [];
  for await (const event of stream) {
    events.push(event);
  }
  return events;
};
/** Numbered without a gap, and each event about an item names one that is open. */
const assertInOrder = (events) => {
  const open = new Set();
  events.forEach((event, index) => {
    assert.equal(event.sequence_number, index, event.type);
    if (event.type === 'response.output_item.added') {
      assert.equal(event.output_index, open.size);
      open.add(event.item.id);
    } else if (event.item_id !== undefined) {
      assert.ok(open.has(event.item_id), event.type);
    }
  });
};

describe('responses', () => {
  let network;
  let client;
  before(async () => {
    network = await Network.gateway();
    await network.scripted();
    client = openaiClient(network);
  });
  after(() => stopCleanly(network));
  const create = (body) => client.responses.create(body);

  test('a text', async () => {
    const answer = await create(says('Γειά σου, κόσμε!', {}, { instructions: 'Be brief.', temperature: 0,
      metadata: { a: 'b' }, user: 'me' }));
    assert.match(answer.id, /^resp_[0-9A-Za-z]{24}$/);
    assert.equal(answer.object, 'response');
    assert.equal(answer.status, 'completed');
    assert.equal(answer.output_text, 'Γειά σου, κόσμε!');
    assert.equal(answer.output.length, 1);
    assert.equal(answer.output[0].role, 'assistant');
    assert.equal(answer.instructions, 'Be brief.');
    assert.deepEqual(answer.metadata, { a: 'b' });
    assert.equal(answer.temperature, 0);
    assert.equal(answer.error, null);
    assert.equal(answer.incomplete_details, null);
    assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
    assert.equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens);
    assert.equal(answer.usage.output_tokens_details.reasoning_tokens, 0);
    assert.equal(answer.usage.input_tokens_details.cached_tokens, 0);
  });

  test('a text that is cut is incomplete', async () => {
    const body = says('one two three four five six seven eight', {}, { max_output_tokens: 3 });
    const answer = await create(body);
    assert.equal(answer.status, 'incomplete');
    assert.deepEqual(answer.incomplete_details, { reason: 'max_output_tokens' });
    assert.equal(answer.output[0].status, 'incomplete');
    const events = await collect(await create({ ...body, stream: true }));
    assert.equal(events.at(-1).type, 'response.incomplete');
    assert.equal(events.at(-1).response.status, 'incomplete');
  });

  test('streamed: its events in their order', async () => {
    const text = 'Ein langer Satz, in Stücken: 今日は.';
    const events = await collect(await create(says(text, {}, { stream: true })));
    assertInOrder(events);
    const deltas = events.filter((event) => event.type === 'response.output_text.delta');
    assert.equal(deltas.map((event) => event.delta).join(''), text);
    assert.deepEqual(kinds(events).filter((type) => type !== 'response.output_text.delta'), [
      'response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added',
      'response.output_text.done', 'response.content_part.done', 'response.output_item.done', 'response.completed']);
    assert.equal(events[0].response.status, 'in_progress');
    assert.equal(events.find((event) => event.type === 'response.output_text.done').text, text);
    const { response } = events.at(-1);
    assert.equal(response.id, events[0].response.id);
    assert.equal(response.output[0].content[0].text, text);
    assert.ok(response.usage.output_tokens > 0);
  });

  test('streamed: the client\'s helper', async () => {
    const runner = client.responses.stream(says(`One moment. ${call('now', {})}`, {}, { tools }));
    const final = await runner.finalResponse();
    assert.equal(final.output_text, 'One moment.');
    assert.deepEqual(final.output.map((item) => item.type), ['message', 'function_call']);
  });

  test('calls, whole and streamed', async () => {
    const text = `Let me look. ${call('get_weather', { city: 'São Paulo', days: [1, 2] })}\n${call('now', {})}`;
    const answer = await create(says(text, {}, { tools }));
    assert.deepEqual(answer.output.map((item) => item.type), ['message', 'function_call', 'function_call']);
    const [, weather, now] = answer.output;
    assert.deepEqual(JSON.parse(weather.arguments), { city: 'São Paulo', days: [1, 2] });
    assert.match(weather.call_id, /^call_/);
    assert.notEqual(weather.call_id, now.call_id);
    assert.equal(weather.status, 'completed');
    const events = await collect(await create(says(text, {}, { tools, stream: true })));
    assertInOrder(events);
    const { output } = events.at(-1).response;
    assert.deepEqual(output.map((item) => [item.type, item.name, item.arguments]),
      answer.output.map((item) => [item.type, item.name, item.arguments]));
    const pieces = events.filter((event) => event.type === 'response.function_call_arguments.delta' &&
      event.item_id === output[1].id);
    assert.equal(pieces.map((event) => event.delta).join(''), weather.arguments);
    const done = events.filter((event) => event.type === 'response.output_item.done');
    assert.deepEqual(done.map((event) => event.item), output);
  });

  test('the whole round: call, result, answer', async () => {
    const first = await create(says(call('get_weather', { city: 'Rome' }), {}, { tools }));
    const [made] = first.output;
    const second = await create({ model: REFERENCE_MODEL, tools, instructions: 'Be brief.', input: [
      { role: 'user', content: 'The weather in Rome?' },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' },
      ...first.output,
      { type: 'function_call_output', call_id: made.call_id, output: '{"degrees": 21}' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: script({ text: 'It is 21 degrees.' }) }] }] });
    assert.equal(second.output_text, 'It is 21 degrees.');
  });

  test('a tool that must be called, and tools of others', async () => {
    const answer = await create(says(call('now', {}), {}, { tools: [...tools, { type: 'web_search' }],
      tool_choice: { type: 'function', name: 'now' } }));
    assert.equal(answer.output[0].name, 'now');
    assert.deepEqual(answer.nataris.ignored, ['tools[].web_search']);
    const none = await create(says('Nothing.', {}, { tools: [{ type: 'local_shell' }] }));
    assert.equal(none.output_text, 'Nothing.');
  });

  test('structured output', async () => {
    const format = { type: 'json_schema', name: 'person', strict: true, schema: { type: 'object',
      properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false } };
    const answer = await client.responses.parse(says('{"name":"Zoë"}', {}, { text: { format } }));
    assert.deepEqual(JSON.parse(answer.output_text), { name: 'Zoë' });
    assert.deepEqual(answer.text.format, format);
    const bad = { ...format, schema: { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } } };
    await assert.rejects(create(says('x', {}, { text: { format: bad } })), (error) => error instanceof BadRequestError &&
      error.param === 'text.format.schema.properties.a.uniqueItems');
  });

  test('what agents send whoever serves them', async () => {
    const answer = await create(says('Fine.', {}, { include: ['reasoning.encrypted_content'], store: false,
      reasoning: { effort: 'medium', summary: 'auto' }, prompt_cache_key: 'k', parallel_tool_calls: true,
      service_tier: 'auto', truncation: 'disabled', text: { verbosity: 'low' }, client_metadata: { a: 'b' } }));
    assert.equal(answer.output_text, 'Fine.');
    assert.equal(answer.store, false);
    assert.deepEqual([...answer.nataris.ignored].sort(), ['client_metadata', 'reasoning', 'text.verbosity']);
  });

  test('the same key again gives the same answer', async () => {
    const key = { headers: { 'Idempotency-Key': 'a response once' } };
    const body = says(`Once. ${call('now', {})}`, {}, { tools });
    const first = await client.responses.create(body, key);
    assert.deepEqual(await client.responses.create(body, key), first);
    const streamed = { headers: { 'Idempotency-Key': 'a stream once' } };
    const live = await collect(await client.responses.create({ ...body, stream: true }, streamed));
    const again = await collect(await client.responses.create({ ...body, stream: true }, streamed));
    assertInOrder(again);
    assert.deepEqual(again.at(-1), { ...live.at(-1), sequence_number: again.length - 1 });
  });

  test('as a job, by its type', async () => {
    const made = await (await network.post('/v1/jobs', { ...says('Later.'), type: 'responses' })).json();
    const job = await eventually(async () => {
      const now = await (await network.fetch(`/v1/jobs/${made.id}`)).json();
      return now.status === 'COMPLETED' ? now : null;
    }, 'the job does not end');
    assert.match(job.result.id, /^resp_/);
    assert.equal(job.result.output[0].content[0].text, 'Later.');
    assert.equal(job.result.store, false);
  });

  test('kept: read, gone on with, deleted', async () => {
    const first = await create(says('I am one.', {}, { instructions: 'Count.' }));
    assert.equal(first.store, true);
    assert.deepEqual(without(await client.responses.retrieve(first.id)), without(first));
    const second = await create(says('I am two.', {}, { previous_response_id: first.id }));
    assert.equal(second.previous_response_id, first.id);
    assert.equal(second.instructions, null);
    assert.ok(second.usage.input_tokens > first.usage.input_tokens);
    const third = await create({ ...says(`I am three. ${call('now', {})}`, {}, { tools, previous_response_id: second.id }) });
    const made = third.output[1];
    const fourth = await create({ model: REFERENCE_MODEL, tools, previous_response_id: third.id, input: [
      { type: 'function_call_output', call_id: made.call_id, output: 'noon' },
      { role: 'user', content: script({ text: 'I am four.' }) }] });
    assert.equal(fourth.output_text, 'I am four.');
    const items = [];
    for await (const item of client.responses.inputItems.list(fourth.id, { limit: 3, order: 'asc' })) items.push(item);
    assert.deepEqual(items.map((item) => item.type), ['message', 'message', 'message', 'message', 'message', 'message',
      'function_call', 'function_call_output', 'message']);
    assert.equal(items[1].content[0].text, 'I am one.');
    assert.equal(items[6].call_id, made.call_id);
    assert.equal(new Set(items.map((item) => item.id)).size, items.length);
    const newest = await client.responses.inputItems.list(fourth.id, { limit: 2 });
    assert.deepEqual(newest.data.map((item) => item.id), [items[8].id, items[7].id]);
    assert.equal(newest.has_more, true);
    await client.responses.delete(first.id);
    await assert.rejects(client.responses.retrieve(first.id), NotFoundError);
    await assert.rejects(client.responses.delete(first.id), NotFoundError);
    await assert.rejects(create(says('x', {}, { previous_response_id: first.id })), (error) =>
      error instanceof BadRequestError && error.param === 'previous_response_id');
    assert.equal((await create(says('I am five.', {}, { previous_response_id: second.id }))).output_text, 'I am five.');
    await assert.rejects(client.responses.cancel(second.id), BadRequestError);
    await assert.rejects(client.responses.cancel('resp_none'), NotFoundError);
  });

  test('streamed ones are kept, too, and so is the answer to a retry', async () => {
    const events = await collect(await create(says('Streamed.', {}, { stream: true, store: true })));
    const { response } = events.at(-1);
    assert.equal(response.store, true);
    assert.deepEqual(without(await client.responses.retrieve(response.id)), without(response));
    const key = { headers: { 'Idempotency-Key': 'kept once' } };
    const once = await client.responses.create(says('Once.'), key);
    await client.responses.create(says('Once.'), key);
    assert.equal((await client.responses.retrieve(once.id)).output_text, 'Once.');
  });

  test('items by their names', async () => {
    const first = await create(says(`Looking. ${call('now', {})}`, {}, { tools }));
    const [said, made] = first.output;
    const second = await create({ model: REFERENCE_MODEL, tools, input: [
      { role: 'user', content: 'What time is it?' }, { type: 'item_reference', id: said.id }, { id: made.id },
      { type: 'function_call_output', call_id: made.call_id, output: 'noon' },
      { role: 'user', content: script({ text: 'It is noon.' }) }] });
    assert.equal(second.output_text, 'It is noon.');
    const { data } = await client.responses.inputItems.list(second.id, { order: 'asc' });
    assert.deepEqual(data.map((item) => item.type),
      ['message', 'message', 'function_call', 'function_call_output', 'message']);
    for (const id of ['msg_1', `${said.id}9`, `${made.id.slice(0, -3)}009`, 'x'.repeat(200)]) {
      await assert.rejects(create({ model: REFERENCE_MODEL, input: [{ type: 'item_reference', id }] }), (error) =>
        error instanceof BadRequestError && error.param === 'input');
    }
  });

  test('what is not to be kept is not', async () => {
    const answer = await create(says('Forget me.', {}, { store: false }));
    assert.equal(answer.store, false);
    await assert.rejects(client.responses.retrieve(answer.id), NotFoundError);
    await assert.rejects(create(says('x', {}, { previous_response_id: answer.id })), BadRequestError);
    const sandbox = openaiClient(network, { apiKey: network.testKey });
    const tried = await sandbox.responses.create({ model: REFERENCE_MODEL, input: 'Hello', store: true });
    assert.equal(tried.store, false);
    await assert.rejects(sandbox.responses.retrieve(tried.id), NotFoundError);
  });

  test('nobody has another\'s', async () => {
    const mine = await create(says(`Mine. ${call('now', {})}`, {}, { tools }));
    const other = openaiClient(network, { apiKey: (await createAccount(network)).api_key });
    await assert.rejects(other.responses.retrieve(mine.id), NotFoundError);
    await assert.rejects(other.responses.inputItems.list(mine.id), NotFoundError);
    await assert.rejects(other.responses.delete(mine.id), NotFoundError);
    await assert.rejects(other.responses.create(says('x', {}, { previous_response_id: mine.id })), BadRequestError);
    await assert.rejects(other.responses.create({ model: REFERENCE_MODEL, input: [
      { type: 'item_reference', id: mine.output[0].id }] }), BadRequestError);
    assert.equal((await client.responses.retrieve(mine.id)).id, mine.id);
  });

  test('what is wrong is the client\'s 400, with its place', async () => {
    const user = { role: 'user', content: 'Hello' };
    const places = [
      [{ input: undefined }, 'input'],
      [{ input: '' }, 'input'],
      [{ input: [] }, 'input'],
      [{ input: [{ type: 'reasoning', summary: [] }] }, 'input'],
      [{ input: [user, 7] }, 'input[1]'],
      [{ input: [{}] }, 'input[0].type'],
      [{ input: [{ type: 'item_reference' }] }, 'input[0].id'],
      [{ input: [{ type: 'web_search_call', id: 'ws_1' }] }, 'input[0].type'],
      [{ input: [{ role: 'tool', content: 'x' }] }, 'input[0].role'],
      [{ input: [user, { role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }, 'input[1].content[0].type'],
      [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, 'input[0].content[0].text'],
      [{ input: [{ type: 'function_call', name: 'a', arguments: '{}' }] }, 'input[0].call_id'],
      [{ input: [{ type: 'function_call_output', call_id: 'a' }] }, 'input[0].output'],
      [{ tools: [{ type: 'function' }] }, 'tools[0].name'],
      [{ tools: [{ type: 'web_search' }, { type: 'function', name: 'a b' }] }, 'tools[1].name'],
      [{ tool_choice: 'required' }, 'tool_choice'],
      [{ tools, tool_choice: { type: 'web_search' } }, 'tool_choice'],
      [{ background: true }, 'background'],
      [{ truncation: 'auto' }, 'truncation'],
      [{ conversation: 'conv_1' }, 'conversation'],
      [{ prompt: { id: 'pmpt_1' } }, 'prompt'],
      [{ messages: [user] }, 'messages'],
      [{ max_tokens: 5 }, 'max_tokens'],
      [{ max_output_tokens: 0 }, 'max_output_tokens'],
      [{ maxOutputTokens: 10 }, 'maxOutputTokens'],
      [{ include: ['message.output_text.logprobs'] }, 'include'],
      [{ top_logprobs: 2 }, 'top_logprobs'],
      [{ text: { format: { type: 'yaml' } } }, 'text.format.type'],
      [{ response_format: { type: 'json_object' } }, 'response_format'],
    ];
    for (const [more, param] of places) {
      await assert.rejects(create({ model: REFERENCE_MODEL, input: 'Hello', ...more }), (error) => {
        assert.ok(error instanceof BadRequestError, `${JSON.stringify(more)}: ${error}`);
        assert.equal(error.param, param, JSON.stringify(more));
        return true;
      });
    }
    await assert.rejects(create({ model: 'no such model', input: 'x' }), NotFoundError);
    await assert.rejects(openaiClient(network, { apiKey: 'nat_live_no' }).responses.create(says('x')), AuthenticationError);
  });
});

test('a device that dies in the middle of a call\'s arguments leaves no seam', async () => {
  await within(Network.gateway(), async (network) => {
    const loseServing = await withLoss(network, (device) => device.kill('SIGKILL'));
    const args = { city: 'a long name '.repeat(20).trim() };
    const stream = await openaiClient(network).responses.create(
      says(call('get_weather', args), { rate: 20 }, { tools, stream: true }));
    const events = [];
    let text = '';
    let lost = null;
    for await (const event of stream) {
      events.push(event);
      text += event.type === 'response.function_call_arguments.delta' ? event.delta : '';
      if (lost === null && text.length > 40) lost = await loseServing(events[0].response.id);
    }
    assert.ok(lost !== null);
    assertInOrder(events);
    assert.deepEqual(JSON.parse(text), args);
    assert.equal(events.at(-1).response.output[0].arguments, text);
    assert.equal(events.at(-1).response.nataris.continued, 1);
  });
});

test('when no device is left, the stream says that it failed', async () => {
  await within(Network.gateway(), async (network) => {
    const long = says('one two three four five six seven eight nine ten', { rate: 5 }, { stream: true });
    const first = await network.scripted();
    const response = await network.post('/v1/responses', long);
    let text = '';
    for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
      text += bytes;
      if (text.includes('output_text.delta')) first.kill('SIGKILL');
    }
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data));
    assertInOrder(events);
    assert.deepEqual(kinds(events).slice(-2), ['error', 'response.failed']);
    assert.equal(events.at(-1).response.error.code, 'server_error');
    assert.equal(events.at(-1).response.status, 'failed');
    const second = await network.scripted();
    const stream = await openaiClient(network).responses.create(long);
    await assert.rejects(async () => {
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') second.kill('SIGKILL');
      }
    }, (error) => error instanceof APIError && error.code === 'SERVICE_UNAVAILABLE');
  });
});
