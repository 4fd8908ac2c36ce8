// The examples of the API reference, run as they stand there with curl; only host and key are ours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Network, REFERENCE_MODEL, SMALL_MODEL, stopCleanly } from './support/network.mjs';
import { shell } from './support/processes.mjs';

const CHAT = `curl -X POST https://api.nataris.ai/v1/chat/completions \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "llama-3.2-1b-instruct-q4_k_m",
    "messages": [
      {"role": "system", "content": "You are a helpful assistant."},
      {"role": "user", "content": "What is Python?"},
      {"role": "assistant", "content": "Python is a programming language..."},
      {"role": "user", "content": "Show me an example"}
    ],
    "max_tokens": 256
  }'`;

const INFERENCE = `curl -X POST https://api.nataris.ai/v1/inference \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "qwen2.5-0.5b-instruct-q6_k",
    "prompt": "Write a haiku about AI",
    "max_tokens": 50,
    "temperature": 0.8
  }'`;

const MODELS = `curl https://api.nataris.ai/v1/models \\
  -H "Authorization: Bearer YOUR_API_KEY"`;

const ORCHESTRATION = `curl -X POST https://api.nataris.ai/v1/chat/completions \\
  -H "Authorization: Bearer YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "llama-3.2-1b-instruct-q4_k_m",
    "messages": [{"role": "user", "content": "Research renewable energy trends"}],
    "orchestration": {
      "enabled": true,
      "workflow": "research",
      "max_steps": 10,
      "max_cost_usd": 1.0
    }
  }'`;

let network;
before(async () => {
  network = await Network.gateway();
  await network.scripted(['--region', 'IN', '--model', SMALL_MODEL]);
  await network.untilAvailable(SMALL_MODEL);
});
after(() => stopCleanly(network));

/** Runs an example with a shell, as a reader would paste it. */
function paste(example, key = network.apiKey) {
  const command = example.replace('https://api.nataris.ai', network.origin).replace('YOUR_API_KEY', key);
  return shell(`${command} --silent --no-buffer`);
}

/** Whether `answer` has every field of the reference's example, each of the same JSON type; arrays by first item. */
function assertShape(answer, example, path = 'answer') {
  for (const [field, wanted] of Object.entries(example)) {
    const value = answer[field];
    const where = `${path}.${field}`;
    assert.notEqual(value, undefined, `${where} is missing`);
    assert.equal(Array.isArray(value), Array.isArray(wanted), where);
    assert.equal(typeof value, typeof wanted, where);
    if (typeof wanted === 'object') assertShape(value, wanted, where);
  }
}

test('chat completions', async () => {
  const answer = JSON.parse(await paste(CHAT));
  assertShape(answer, {
    id: 'chatcmpl-abc123xyz',
    object: 'chat.completion',
    created: 1706000000,
    model: REFERENCE_MODEL,
    choices: [{ index: 0, message: { role: 'assistant', content: 'text' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 45, completion_tokens: 20, total_tokens: 65 },
  });
  assert.match(answer.id, /^chatcmpl-/);
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.model, REFERENCE_MODEL);
  assert.ok(Math.abs(answer.created - Date.now() / 1000) < 60, 'created is in seconds');
  assert.equal(answer.usage.prompt_tokens, 17, 'all four messages reached the device');
  assert.equal(answer.nataris.provider.region, 'IN');
});

test('chat completions as a stream', async () => {
  const text = await paste(CHAT.replace('"max_tokens": 256', '"max_tokens": 256,\n    "stream": true'));
  const events = text.split('\n\n');
  assert.equal(events.pop(), '');
  assert.equal(events.pop(), 'data: [DONE]');
  const chunks = events.map((event) => JSON.parse(event.replace(/^data: /, '')));
  assertShape(chunks[0], { id: 'chatcmpl-abc123', choices: [{ delta: { role: 'assistant' } }] });
  for (const chunk of chunks.slice(1, -1)) {
    assertShape(chunk, { id: 'chatcmpl-abc123', choices: [{ delta: { content: ' a' } }] });
  }
  assertShape(chunks.at(-1), { id: 'chatcmpl-abc123', choices: [{ finish_reason: 'stop' }] });
  assert.ok(chunks.every((chunk) => chunk.id === chunks[0].id && chunk.object === 'chat.completion.chunk'));
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
});

test('inference', async () => {
  const answer = JSON.parse(await paste(INFERENCE));
  assertShape(answer, {
    id: 'inf_1234567890',
    object: 'inference',
    created: 1706000000,
    model: SMALL_MODEL,
    output: 'Silicon minds wake',
    usage: { prompt_tokens: 6, completion_tokens: 12, total_tokens: 18 },
    provider: { region: 'IN', latency_ms: 245 },
  });
  assert.match(answer.id, /^inf_/);
  assert.equal(answer.object, 'inference');
  assert.equal(answer.model, SMALL_MODEL);
  assert.ok(answer.output.length > 0);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.equal(answer.provider.region, 'IN');
});

test('inference as a stream adds up to the same output', async () => {
  const plain = JSON.parse(await paste(INFERENCE));
  const text = await paste(INFERENCE.replace('"temperature": 0.8', '"temperature": 0.8,\n    "stream": true'));
  const events = text.trimEnd().split('\n\n').map((event) => event.replace(/^data: /, ''));
  assert.equal(events.pop(), '[DONE]');
  const chunks = events.map((event) => JSON.parse(event));
  assert.ok(chunks.every((chunk) => chunk.object === 'inference.chunk' && chunk.id.startsWith('inf_')));
  assert.equal(chunks.map((chunk) => chunk.output).join(''), plain.output);
  assert.equal(chunks.at(-1).finish_reason, 'stop');
  assert.deepEqual(chunks.at(-1).usage, plain.usage);
});

test('models', async () => {
  const answer = JSON.parse(await paste(MODELS));
  assertShape(answer, { object: 'list', data: [] });
  assert.equal(answer.object, 'list');
  const example = { id: SMALL_MODEL, object: 'model', type: 'llm', description: 'text', available: true };
  for (const model of answer.data) {
    assertShape(model, example);
    assert.equal(model.object, 'model');
  }
  const available = answer.data.filter((model) => model.available).map((model) => model.id);
  assert.deepEqual(available.sort(), [REFERENCE_MODEL, SMALL_MODEL].sort());
  assert.ok(answer.data.length > available.length, 'what no device has is listed too');
});

test('a model that nobody serves, and nobody will, is a 503 that promises nothing', async () => {
  const body = { model: 'phi-3-mini-4k-instruct-q4_k_m', prompt: 'Hi' };
  const response = await network.post('/v1/inference', body);
  assert.equal(response.status, 503);
  const { error } = await response.json();
  assertShape({ error }, { error: { code: 'model_unavailable', message: 'text', type: 'text' } });
  assert.equal(error.code, 'model_unavailable');
  assert.equal(response.headers.get('retry-after'), null);
});

test('a wrong key is a 401 INVALID_API_KEY', async () => {
  const { error } = JSON.parse(await paste(CHAT, 'nat_live_xxxxxxxxxxxxxxxxxxxxxxxx'));
  assert.equal(error.code, 'INVALID_API_KEY');
  assert.equal(error.type, 'authentication_error');
});

test('orchestration answers in three steps, and is listed', async () => {
  const answer = JSON.parse(await paste(ORCHESTRATION));
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.nataris.steps_executed, 3);
  const { workflows, total } = await (await network.fetch('/v1/workflows')).json();
  assert.equal(total, 1);
  const [{ id, type, status, task, total_cost_usd: cost, steps_executed: steps }] = workflows;
  assert.deepEqual({ id, type, status, task, cost, steps }, { id: answer.nataris.workflow_id, type: 'RESEARCH',
    status: 'COMPLETED', task: 'Research renewable energy trends', cost: answer.nataris.total_cost_usd, steps: 3 });
  const estimate = await network.post('/v1/workflows/estimate',
    { model: 'llama-3.2-1b-instruct-q4_k_m', workflow: 'research' });
  assert.equal(estimate.status, 200);
  const off = JSON.parse(await paste(ORCHESTRATION.replace('"enabled": true', '"enabled": false')));
  assert.equal(off.object, 'chat.completion');
});

test('conversation_id is accepted as a label', async () => {
  const labelled = CHAT.replace('"max_tokens"', '"conversation_id": "conv_xyz789",\n    "max_tokens"');
  const answer = JSON.parse(await paste(labelled));
  assert.equal(answer.object, 'chat.completion');
});

test('the routes that need no key', async () => {
  for (const path of ['/healthz', '/readyz', '/openapi.json']) {
    assert.equal((await network.fetch(path, { key: null })).status, 200, path);
  }
  const description = await (await network.fetch('/openapi.json', { key: null })).json();
  assert.match(description.openapi, /^3\./);
  for (const path of ['/v1/chat/completions', '/v1/inference', '/v1/models']) {
    assert.ok(description.paths[path] ?? description.paths[path.replace('/v1', '')], path);
  }
});

test('a browser may ask first', async () => {
  const response = await network.fetch('/v1/chat/completions', {
    method: 'OPTIONS',
    key: null,
    headers: {
      Origin: 'https://example.org',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization, content-type, x-stainless-lang',
    },
  });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const allowed = response.headers.get('access-control-allow-headers').toLowerCase();
  for (const name of ['authorization', 'content-type', 'x-stainless-lang', 'idempotency-key']) {
    assert.ok(allowed.includes(name), name);
  }
});
