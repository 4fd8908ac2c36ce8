// Tools and structured output with OpenAI's official client, against a scripted provider that plays the model.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BadRequestError } from 'openai';
import { createAccount } from './support/accounts.mjs';
import { chat, openaiClient, script, textOf, user } from './support/chat.mjs';
import { withLoss } from './support/loss.mjs';
import { eventually, Network, REFERENCE_MODEL, stopCleanly, within } from './support/network.mjs';
import { readStream } from './support/stream.mjs';

const WEATHER = { type: 'function', function: {
  name: 'get_weather', description: 'Current weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };
const NOW = { type: 'function', function: { name: 'now' } };
const tools = [WEATHER, NOW];

/** What a model writes to call a tool. */
const call = (name, args) => `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;
const says = (text, more = {}) => chat(script({ text, ...more }), { tools });

describe('tools', () => {
  let network;
  let client;
  before(async () => {
    network = await Network.gateway();
    await network.scripted();
    client = openaiClient(network);
  });
  after(() => stopCleanly(network));

  const create = (body) => client.chat.completions.create(body);

  test('a call comes as a call', async () => {
    const answer = await create(says(`Let me look.\n${call('get_weather', { city: 'Αθήνα' })}`));
    const [choice] = answer.choices;
    assert.equal(choice.finish_reason, 'tool_calls');
    assert.equal(choice.message.content, 'Let me look.');
    assert.equal(choice.message.tool_calls.length, 1);
    const [made] = choice.message.tool_calls;
    assert.match(made.id, /^call_[0-9A-Za-z]+$/);
    assert.equal(made.type, 'function');
    assert.equal(made.function.name, 'get_weather');
    assert.deepEqual(JSON.parse(made.function.arguments), { city: 'Αθήνα' });
  });

  test('several calls, and none', async () => {
    const both = await create(says(`${call('get_weather', { city: 'Rome' })}\n${call('now', {})}`));
    assert.deepEqual(both.choices[0].message.tool_calls.map((made) => made.function.name), ['get_weather', 'now']);
    assert.equal(both.choices[0].message.content, null);
    const one = await create({ ...says(`${call('get_weather', { city: 'Rome' })}\n${call('now', {})}`),
      parallel_tool_calls: false });
    assert.equal(one.choices[0].message.tool_calls.length, 1);
    const none = await create(says('It is warm.'));
    assert.equal(none.choices[0].finish_reason, 'stop');
    assert.equal(none.choices[0].message.tool_calls, undefined);
    assert.equal(textOf(none), 'It is warm.');
  });

  test('streamed: the client puts the calls together', async () => {
    const text = `One moment. ${call('get_weather', { city: 'São Paulo', days: [1, 2] })}\n${call('now', {})}`;
    const runner = client.chat.completions.stream(says(text));
    const message = await runner.finalMessage();
    assert.equal(message.content, 'One moment.');
    assert.deepEqual(message.tool_calls.map((made) => [made.function.name, JSON.parse(made.function.arguments)]),
      [['get_weather', { city: 'São Paulo', days: [1, 2] }], ['now', {}]]);
    const plain = await create(says(text));
    assert.deepEqual(plain.choices[0].message.tool_calls.map((made) => made.function.arguments),
      message.tool_calls.map((made) => made.function.arguments));
    assert.equal((await runner.finalChatCompletion()).choices[0].finish_reason, 'tool_calls');
  });

  test('the whole round: call, result, answer', async () => {
    const asked = says(call('get_weather', { city: 'Rome' }));
    const first = await create(asked);
    const [{ message }] = first.choices;
    const second = await create({ model: REFERENCE_MODEL, tools, messages: [...asked.messages, message,
      { role: 'tool', tool_call_id: message.tool_calls[0].id, content: '{"degrees": 21}' },
      ...user(script({ text: 'It is 21 degrees.' }))] });
    assert.equal(textOf(second), 'It is 21 degrees.');
    const ran = [];
    const runner = client.chat.completions.runTools({ ...chat(script({ text: 'Done.' })), tools: [{ type: 'function',
      function: { name: 'now', parse: JSON.parse, function: (args) => { ran.push(args); return 'noon'; }, parameters: {} } }] });
    assert.equal(await runner.finalContent(), 'Done.');
    assert.deepEqual(ran, []);
  });

  test('the older form', async () => {
    const answer = await create({ ...chat(script({ text: call('now', {}) })), functions: [{ name: 'now' }] });
    assert.equal(answer.choices[0].message.tool_calls[0].function.name, 'now');
  });

  test('tool_choice none: the model is told of none, and what looks like a call is text', async () => {
    const answer = await create({ ...says(call('now', {})), tool_choice: 'none' });
    assert.equal(textOf(answer), call('now', {}));
  });

  test('the same key again gives the same call', async () => {
    const body = says(call('get_weather', { city: 'Oslo' }));
    const key = { headers: { 'Idempotency-Key': 'a call once' } };
    const [first, again] = [await client.chat.completions.create(body, key), await client.chat.completions.create(body, key)];
    assert.deepEqual(again.choices, first.choices);
    const streamed = { ...body, stream: true };
    const read = async () => {
      const response = await network.post('/v1/chat/completions', streamed, { headers: { 'Idempotency-Key': 'streamed' } });
      const { chunks } = await readStream(response);
      const pieces = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
      return pieces.map((piece) => piece.function.arguments ?? '').join('');
    };
    assert.equal(await read(), JSON.stringify({ city: 'Oslo' }));
    assert.equal(await read(), JSON.stringify({ city: 'Oslo' }));
  });

  test('as a job', async () => {
    const made = await (await network.post('/v1/jobs', says(call('get_weather', { city: 'Kyiv' })))).json();
    const job = await eventually(async () => {
      const now = await (await network.fetch(`/v1/jobs/${made.id}`)).json();
      return now.status === 'COMPLETED' ? now : null;
    }, 'the job does not end');
    const [{ message, finish_reason: reason }] = job.result.choices;
    assert.equal(reason, 'tool_calls');
    assert.equal(message.tool_calls[0].function.arguments, JSON.stringify({ city: 'Kyiv' }));
  });

  test('bad tools are the client\'s 400, with their place', async () => {
    const places = [
      [{ tools: [{ type: 'function', function: { name: 'a b' } }] }, 'tools[0].function.name'],
      [{ tools, tool_choice: { type: 'function', function: { name: 'rm' } } }, 'tool_choice'],
      [{ tool_choice: 'required' }, 'tool_choice'],
      [{ response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true,
        schema: { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } } } } },
      'response_format.json_schema.schema.properties.a.uniqueItems'],
    ];
    for (const [more, param] of places) {
      await assert.rejects(create({ ...chat('Hello'), ...more }), (error) => {
        assert.ok(error instanceof BadRequestError, String(error));
        assert.equal(error.param, param);
        return true;
      });
    }
  });
});

test('a device that dies in the middle of a call\'s arguments leaves no seam', async () => {
  await within(Network.gateway(), async (network) => {
    const loseServing = await withLoss(network, (device) => device.kill('SIGKILL'));
    const args = { city: 'a long name '.repeat(20).trim() };
    const stream = await openaiClient(network).chat.completions.create(
      { ...says(call('get_weather', args), { rate: 20 }), stream: true });
    let text = '';
    let lost = null;
    const ids = [];
    for await (const chunk of stream) {
      for (const { id, function: piece } of chunk.choices[0]?.delta.tool_calls ?? []) {
        if (id !== undefined) ids.push(id);
        text += piece.arguments ?? '';
      }
      if (lost === null && text.length > 40) lost = await loseServing(chunk.id);
    }
    assert.ok(lost !== null);
    assert.equal(ids.length, 1);
    assert.deepEqual(JSON.parse(text), args);
  });
});

const SCHEMA = { type: 'object', properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['city', 'degrees'], additionalProperties: false };
const asked = { response_format: { type: 'json_schema', json_schema: { name: 'weather', strict: true, schema: SCHEMA } } };

describe('devices that do not keep to a grammar', { concurrency: 3 }, () => {
  const lies = [
    ['something else', 'No JSON from me.'],
    ['the beginning, and then something else', '{"city": "Rome", "degrees": hot}'],
    ['the beginning alone', '{"city": "Rome"'],
    ['too much', '{"city": "Rome", "degrees": 1} Have a nice day!'],
  ];
  for (const [name, text] of lies) {
    test(`${name}: nobody sees it, and another device goes on`, async () => {
      await within(Network.gateway(), async (network) => {
        await network.scripted(['--script', `text=${JSON.stringify(text)}`]);
        const honest = await network.provider(['--engine', 'scripted', '--model', REFERENCE_MODEL]);
        await network.untilServes(honest);
        for (let i = 0; i < 12; i += 1) {
          const response = await network.post('/v1/chat/completions', { ...chat(`Weather ${i}`), ...asked, stream: i % 2 === 0 });
          assert.equal(response.status, 200);
          const said = i % 2 === 0 ? (await readStream(response)).text : textOf(await response.json());
          const { city, degrees } = JSON.parse(said);
          assert.equal(typeof city, 'string');
          assert.ok(Number.isInteger(degrees));
        }
        assert.match(network.main.errors, /provider\.grammar_broken/);
      });
    });
  }

  test('a made-up model plays along: the sandbox and scripted devices answer with what the schema allows', async () => {
    await within(Network.gateway(), async (network) => {
      await network.scripted();
      const account = await createAccount(network);
      for (const key of [account.api_key, account.test_key]) {
        const response = await network.post('/v1/chat/completions', { ...chat('Weather'), ...asked }, { key });
        assert.equal(response.status, 200);
        assert.deepEqual(Object.keys(JSON.parse(textOf(await response.json()))), ['city', 'degrees']);
      }
      const must = await (await network.post('/v1/chat/completions', { ...chat('Hello'), tools, tool_choice: 'required' },
        { key: account.test_key })).json();
      assert.equal(must.choices[0].finish_reason, 'tool_calls');
    });
  });
});
