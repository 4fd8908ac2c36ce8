// Bodies that are wrong: each gets its status, its code and the field at fault, and the gateway goes on.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, chat, script, textOf, user } from './support/chat.mjs';
import { DEMO_MODEL, eventually, Network, REFERENCE_MODEL, stopCleanly } from './support/network.mjs';
import { RawConnection, rawRequest } from './support/raw.mjs';
import { readStream } from './support/stream.mjs';
import { jsonOf } from './support/workflows.mjs';

let network;
before(async () => {
  network = await Network.up(['--model', DEMO_MODEL]);
  await network.scripted();
});
after(async () => {
  assert.equal((await network.fetch('/healthz')).status, 200, 'it still serves');
  assert.equal(textOf(await ask(network, chat(script({ text: 'fine' })))), 'fine');
  await stopCleanly(network);
});

const CHAT = '/v1/chat/completions';
const INFERENCE = '/v1/inference';

/** Sends it and checks the error envelope. */
async function refuse(path, body, status, code, param) {
  const response = await network.post(path, body);
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.match(response.headers.get('content-type'), /^application\/json/);
  assert.equal(response.headers.get('x-should-retry'), 'false');
  const { error } = JSON.parse(text);
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type']);
  assert.equal(error.code, code, text);
  assert.equal(error.param, param, text);
  assert.equal(error.type, status === 404 ? 'not_found_error' : 'invalid_request_error');
  assert.ok(error.message.length > 5 && error.message.length < 500, error.message);
}

/** Rows of [what, body or fields beside a good chat's, param]: all 400 INVALID_REQUEST. */
function refuseEach(rows) {
  for (const [what, fields, param] of rows) {
    test(what, () => refuse(CHAT, { ...chat('Hi'), ...fields }, 400, 'INVALID_REQUEST', param));
  }
}

describe('a body that is no JSON object', () => {
  const deep = (depth) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
  const rows = [
    ['nothing', ''],
    ['blanks', '  \n '],
    ['a word', 'hello'],
    ['half an object', '{"model": "x", "messages": ['],
    ['two objects', '{} {}'],
    ['a comma too many', '{"model": "x",}'],
    ['single quotes', "{'model': 'x'}"],
    ['NaN', '{"temperature": NaN}'],
    ['a number with a leading zero', '{"max_tokens": 01}'],
    ['a raw line feed in a string', '{"model": "a\nb"}'],
    ['an unknown escape', '{"model": "a\\qb"}'],
    ['half a surrogate pair', '{"model": "\\ud800"}'],
    ['an array', '[]'],
    ['a string', '"hello"'],
    ['null', 'null'],
    ['arrays 1000 deep', deep(1000)],
    ['arrays 100,000 deep', deep(100_000)],
    ['a field 1000 deep', `{"model": "${REFERENCE_MODEL}", "metadata": ${deep(1000)}}`],
    ['objects 1000 deep', `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`],
  ];
  for (const [what, body] of rows) test(what, () => refuse(CHAT, body, 400, 'INVALID_REQUEST', null));

  const encodings = [
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a character', [0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['past the last character', [0xf4, 0x90, 0x80, 0x80]],
    ['0xff', [0xff]],
  ];
  for (const [what, bytes] of encodings) {
    test(`bad UTF-8: ${what}`, async () => {
      const [before, after] = JSON.stringify(chat('SPLIT')).split('SPLIT');
      const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
      const response = await network.fetch(CHAT, {
        method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
      assert.equal(response.status, 400);
      assert.equal((await response.json()).error.code, 'INVALID_REQUEST');
    });
  }
});

describe('wrong types', () => refuseEach([
  ['model is a number', { model: 5 }, 'model'],
  ['model is missing', { model: undefined }, 'model'],
  ['model is null', { model: null }, 'model'],
  ['model is empty', { model: '' }, 'model'],
  ['model is very long', { model: 'm'.repeat(1000) }, 'model'],
  ['messages are missing', { messages: undefined }, 'messages'],
  ['messages are a string', { messages: 'Hi' }, 'messages'],
  ['messages are an object', { messages: { role: 'user', content: 'Hi' } }, 'messages'],
  ['messages are empty', { messages: [] }, 'messages'],
  ['a message is a string', { messages: ['Hi'] }, 'messages[0]'],
  ['a message is null', { messages: [...user('Hi'), null] }, 'messages[1]'],
  ['max_tokens is a string', { max_tokens: '5' }, 'max_tokens'],
  ['max_tokens is a fraction', { max_tokens: 1.5 }, 'max_tokens'],
  ['max_tokens is an array', { max_tokens: [5] }, 'max_tokens'],
  ['temperature is a string', { temperature: 'hot' }, 'temperature'],
  ['top_p is true', { top_p: true }, 'top_p'],
  ['stream is a string', { stream: 'yes' }, 'stream'],
  ['stream is a number', { stream: 1 }, 'stream'],
  ['stream_options is true', { stream: true, stream_options: true }, 'stream_options'],
  ['include_usage is a number', { stream: true, stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
  ['stop is a number', { stop: 5 }, 'stop'],
  ['stop holds a number', { stop: ['a', 5] }, 'stop[1]'],
  ['seed is a string', { seed: 'x' }, 'seed'],
  ['seed is a fraction', { seed: 0.5 }, 'seed'],
  ['n is a string', { n: '1' }, 'n'],
  ['conversation_id is a number', { conversation_id: 7 }, 'conversation_id'],
  ['user is an object', { user: {} }, 'user'],
  ['metadata is a string', { metadata: 'x' }, 'metadata'],
  ['orchestration is true', { orchestration: true }, 'orchestration'],
  ['orchestration.enabled is a string', { orchestration: { enabled: 'yes' } }, 'orchestration.enabled'],
]));

describe('numbers out of range', () => refuseEach([
  ['temperature 2.1', { temperature: 2.1 }, 'temperature'],
  ['temperature -0.1', { temperature: -0.1 }, 'temperature'],
  ['temperature 1e300', { temperature: 1e300 }, 'temperature'],
  ['top_p 1.1', { top_p: 1.1 }, 'top_p'],
  ['top_p -1', { top_p: -1 }, 'top_p'],
  ['max_tokens 0', { max_tokens: 0 }, 'max_tokens'],
  ['max_tokens -1', { max_tokens: -1 }, 'max_tokens'],
  ['max_tokens 2^53', { max_tokens: 2 ** 53 }, 'max_tokens'],
  ['max_completion_tokens 0', { max_completion_tokens: 0 }, 'max_completion_tokens'],
  ['two limits that differ', { max_tokens: 5, max_completion_tokens: 6 }, 'max_completion_tokens'],
  ['n 0', { n: 0 }, 'n'],
  ['n 2', { n: 2 }, 'n'],
  ['n 5', { n: 5 }, 'n'],
  ['frequency_penalty 3', { frequency_penalty: 3 }, 'frequency_penalty'],
  ['presence_penalty -3', { presence_penalty: -3 }, 'presence_penalty'],
  ['top_logprobs 21', { top_logprobs: 21 }, 'top_logprobs'],
  ['a bias above 100', { logit_bias: { 5: 101 } }, 'logit_bias'],
  ['a bias of no token', { logit_bias: { the: 1 } }, 'logit_bias'],
  ['301 biases', { logit_bias: Object.fromEntries(Array.from({ length: 301 }, (_, i) => [i, 1])) }, 'logit_bias'],
  ['an effort that is none', { reasoning_effort: 'all night' }, 'reasoning_effort'],
  ['17 stop strings', { stop: Array.from({ length: 17 }, (_, i) => `${i}`) }, 'stop'],
  ['a long stop string', { stop: 'x'.repeat(1000) }, 'stop'],
  ['stream_options without a stream', { stream_options: { include_usage: true } }, 'stream_options'],
  ['a long conversation_id', { conversation_id: 'c'.repeat(1000) }, 'conversation_id'],
  ['2049 messages', { messages: Array.from({ length: 2049 }, () => user('Hi')[0]) }, 'messages'],
]));

describe('messages', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
  refuseEach([
    ['an unknown role', { messages: [{ role: 'robot', content: 'Hi' }] }, 'messages[0].role'],
    ['no role', { messages: [{ content: 'Hi' }] }, 'messages[0].role'],
    ['a role that is a number', { messages: [{ role: 1, content: 'Hi' }] }, 'messages[0].role'],
    ['no content', { messages: [...user('Hi'), { role: 'user' }] }, 'messages[1].content'],
    ['null content', { messages: [{ role: 'user', content: null }] }, 'messages[0].content'],
    ['content that is a number', { messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
    ['content that is an object', { messages: [{ role: 'user', content: {} }] }, 'messages[0].content'],
    ['an image', { messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] }] },
      'messages[0].content[1].type'],
    ['a part of an unknown type', { messages: [{ role: 'user', content: [{ type: 'smell' }] }] },
      'messages[0].content[0].type'],
    ['a part that is a string', { messages: [{ role: 'user', content: ['Hi'] }] }, 'messages[0].content[0]'],
    ['a text part without text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages[0].content[0].text'],
    ['a tool message without its id', { messages: [...user('Hi'), { role: 'tool', content: '5' }] },
      'messages[1].tool_call_id'],
  ]);
});

describe('what would change the answer and is not there yet', () => refuseEach([
  ['tool_choice required without tools', { tool_choice: 'required' }, 'tool_choice'],
  ['an answer in a form that is not there', { response_format: { type: 'regex' } }, 'response_format.type'],
  ['logprobs in a workflow', { logprobs: true, orchestration: { enabled: true } }, 'logprobs'],
  ['logit_bias in a workflow', { logit_bias: { 50256: -100 }, orchestration: { enabled: true } }, 'logit_bias'],
  ['audio', { modalities: ['text', 'audio'] }, 'modalities'],
  ['web search', { web_search_options: {} }, 'web_search_options'],
  ['a grammar', { guided_json: { type: 'object' } }, 'guided_json'],
  ['the same in another spelling', { guidedChoice: ['a', 'b'] }, 'guidedChoice'],
  ['thinking', { reasoning: { effort: 'low' } }, 'reasoning'],
  ['a sampler', { typical_p: 0.9 }, 'typical_p'],
  ['a field of ours in another spelling', { maxTokens: 5 }, 'maxTokens'],
  ['a prompt in a chat', { prompt: 'Hi' }, 'prompt'],
  ['tools with a workflow that has no use for them', { orchestration: { enabled: true, workflow: 'research' },
    tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
]));

describe('what asks for nothing, or for what is there', () => {
  const rows = [
    ['null for a default', { temperature: null, stop: null, stream: null, n: null, tools: null }],
    ['empty tools', { tools: [] }],
    ['tool_choice none', { tool_choice: 'none' }],
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['functions', { functions: [{ name: 'f' }] }],
    ['response_format text', { response_format: { type: 'text' } }],
    ['response_format json_object', { response_format: { type: 'json_object' } }],
    ['n 1', { n: 1 }],
    ['no stop strings', { stop: [] }],
    ['an empty stop string', { stop: '' }],
    ['16 stop strings', { stop: Array.from({ length: 16 }, (_, i) => `<${i}>`) }],
    ['min_p', { min_p: 0.05 }],
    ['values of others that ask for nothing', { reasoning_effort: 'none', best_of: 1, logit_bias: {}, mirostat: 0, typical_p: 1,
      ignore_eos: false, suffix: null, grammar: '', thinking: { type: 'disabled' } }],
    ['the edges of ranges', { temperature: 2, top_p: 1, frequency_penalty: -2, presence_penalty: 2, seed: -1 }],
    ['a whole number written as 5.0', { max_tokens: 5.0, seed: 2 ** 52 }],
  ];
  for (const [what, fields] of rows) {
    test(what, async () => assert.ok((await ask(network, { ...chat('Hi'), ...fields })).id));
  }
});

test('fields that change nothing are named in the answer, plain, in a stream, of an inference and of a job', async () => {
  const unknown = { service_tier: 'auto', 'x "y"': [{}], nothing: null };
  const named = ['service_tier', 'x "y"'];
  const plain = await ask(network, { ...chat('Hi'), ...unknown });
  assert.deepEqual(plain.nataris.ignored, named);
  assert.equal((await ask(network, chat('Hi'))).nataris.ignored, undefined);
  const { chunks } = await readStream(await network.post(CHAT, { ...chat('Hi'), ...unknown, stream: true }));
  assert.deepEqual(chunks.filter((chunk) => chunk.nataris).map((chunk) => chunk.nataris), [{ ignored: named }]);
  const inference = await jsonOf(await network.post(INFERENCE, { model: REFERENCE_MODEL, prompt: 'Hi', ...unknown }));
  assert.deepEqual(inference.nataris.ignored, named);
  const { id } = await jsonOf(await network.post('/v1/jobs', { type: 'chat', ...chat('Hi'), ...unknown }), 202);
  const job = await eventually(async () => {
    const now = await jsonOf(await network.fetch(`/v1/jobs/${id}`));
    return now.status === 'COMPLETED' && now;
  });
  assert.deepEqual(job.result.nataris.ignored, named);
});

describe('models and routes', () => {
  test('an unknown model', () =>
    refuse(CHAT, { model: 'gpt-4o', messages: user('Hi') }, 404, 'MODEL_NOT_FOUND', 'model'));
  test('an unknown model in inference', () =>
    refuse(INFERENCE, { model: 'gpt-4o', prompt: 'Hi' }, 404, 'MODEL_NOT_FOUND', 'model'));
  test('an unknown route', async () => {
    const response = await network.post('/v1/nothing', {});
    assert.equal(response.status, 404);
    assert.equal((await response.json()).error.code, 'NOT_FOUND');
  });
  test('a wrong method', async () => {
    const response = await network.fetch(CHAT);
    assert.equal(response.status, 405);
    assert.match(response.headers.get('allow'), /POST/);
    assert.equal((await response.json()).error.code, 'METHOD_NOT_ALLOWED');
  });
  test('an unknown model, looked at', async () => {
    for (const id of ['gpt-4o', '%00', '%zz', 'a%2fb', 'm'.repeat(500)]) {
      const response = await network.fetch(`/v1/models/${id}`);
      assert.equal(response.status, 404, id);
      assert.equal((await response.json()).error.code, 'MODEL_NOT_FOUND');
    }
  });
  for (const [what, fields, param] of [
    ['no prompt', { prompt: undefined }, 'prompt'], ['a prompt of parts', { prompt: ['Hi'] }, 'prompt'],
    ['an empty prompt', { prompt: '' }, 'prompt'], ['max_tokens 0', { max_tokens: 0 }, 'max_tokens']]) {
    test(`inference with ${what}`, () =>
      refuse(INFERENCE, { model: REFERENCE_MODEL, prompt: 'Hi', ...fields }, 400, 'INVALID_REQUEST', param));
  }
});

describe('the context', () => {
  const overlong = 'What is the capital of France? '.repeat(3000);
  for (const model of [DEMO_MODEL, REFERENCE_MODEL]) {
    for (const stream of [false, true]) {
      test(`a prompt over it, ${model}${stream ? ', streamed' : ''}`, () =>
        refuse(CHAT, { model, messages: user(overlong), stream }, 400, 'context_length_exceeded', 'messages'));
    }
    test(`max_tokens over it, ${model}`, () =>
      refuse(CHAT, { model, messages: user('Hi'), max_tokens: 131_072 }, 400, 'context_length_exceeded', 'messages'));
  }
  test('a default of max_tokens is lowered to fit', async () => {
    const { data } = await (await network.fetch('/v1/models')).json();
    const { context_length: context } = data.find((model) => model.id === REFERENCE_MODEL);
    const prompt = `${script({ tokens: 1000 })} ${'word '.repeat(context - 12)}`;
    const answer = await ask(network, chat(prompt));
    assert.equal(answer.choices[0].finish_reason, 'length');
    assert.equal(answer.usage.total_tokens, context);
  });
});

describe('sizes', () => {
  const MB = 1024 * 1024;
  const headers = () => `Authorization: Bearer ${network.apiKey}\r\nContent-Type: application/json\r\n`;

  test('a body of 10 MB that says so', async () => {
    const client = new RawConnection(network.port);
    client.send(rawRequest('POST', CHAT, `${headers()}Content-Length: ${10 * MB}\r\n`));
    client.send(Buffer.alloc(10 * MB, 'x'));
    await client.closed;
    assert.deepEqual(client.statuses, [413]);
    assert.match(client.text, /"code":"REQUEST_TOO_LARGE"/);
  });

  test('a body of 10 MB in chunks', async () => {
    const client = new RawConnection(network.port);
    client.send(rawRequest('POST', CHAT, `${headers()}Transfer-Encoding: chunked\r\n`));
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65536, 'x'), Buffer.from('\r\n')]);
    for (let i = 0; i < 160; i += 1) client.send(chunk);
    await client.closed;
    assert.deepEqual(client.statuses, [413]);
  });

  test('a long good prompt is no error of size', async () => {
    const answer = await ask(network, { ...chat('x'.repeat(3 * MB) + script({ text: 'long' })) });
    assert.equal(textOf(answer), 'long');
  });

  test('a compressed body is refused by name', async () => {
    const response = await network.post(CHAT, chat('Hi'), { headers: { 'Content-Encoding': 'gzip' } });
    assert.equal(response.status, 415);
  });
});
