// node --test tests/e2e/models/tools_eval.mjs: schemas and tools on the smallest model that is meant for them. What a
// grammar promises must hold every time; what the model chooses by itself must be right mostly. The model is fetched, and
// kept in the user's model folder.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { Network, stopCleanly } from '../support/network.mjs';
import { PLAIN_QUESTIONS, SCHEMAS, TOOLS, TOOL_QUESTIONS } from './schemas.mjs';

const MODEL = process.env.NATARIS_TOOLS_MODEL ?? 'qwen2.5-coder-0.5b-instruct-q4_k_m';
const DOWNLOAD_MS = 1_200_000;
const RIGHT_SHARE = 0.8;

const ajv = new Ajv2020({ strict: false });
addFormats.default ? addFormats.default(ajv) : addFormats(ajv);

let network;
before(async () => {
  network = await Network.up(['--model', MODEL]);
  await network.untilAvailable(MODEL.replace(/^.*\/|\.gguf$/g, ''), true, DOWNLOAD_MS);
});
after(() => stopCleanly(network));

async function ask(content, more) {
  const response = await network.post('/v1/chat/completions', { model: MODEL.replace(/^.*\/|\.gguf$/g, ''),
    messages: [{ role: 'user', content }], temperature: 0.7, seed: 1, max_tokens: 800, ...more });
  const raw = await response.text();
  assert.equal(response.status, 200, raw);
  return JSON.parse(raw).choices[0];
}

for (const [name, schema, questions] of SCHEMAS) {
  test(`every answer is valid: ${name}`, async () => {
    const validate = ajv.compile(schema);
    for (const question of questions) {
      const { message, finish_reason: finish } = await ask(question, { response_format: { type: 'json_schema',
        json_schema: { name: 'answer', strict: true, schema } } });
      assert.equal(finish, 'stop', `${question}: ${message.content}`);
      assert.ok(validate(JSON.parse(message.content)), `${question}: ${message.content} ${ajv.errorsText(validate.errors)}`);
    }
  });
}

/** Calls of tools that are there, with arguments that their schemas allow. */
function assertValid(calls, question) {
  for (const call of calls) {
    const used = TOOLS.find((one) => one.function.name === call.function.name);
    assert.ok(used, question);
    const validate = ajv.compile(used.function.parameters);
    assert.ok(validate(JSON.parse(call.function.arguments)), `${question}: ${call.function.arguments}`);
  }
}

const all = TOOL_QUESTIONS.flatMap(([name, questions]) => questions.map((question) => [name, question]));

test(`${2 * all.length} of ${2 * all.length} calls that must come are valid`, async () => {
  for (const [name, question] of all) {
    const required = await ask(question, { tools: TOOLS, tool_choice: 'required' });
    assert.equal(required.finish_reason, 'tool_calls', question);
    assert.ok(required.message.tool_calls.length >= 1);
    assertValid(required.message.tool_calls, question);
    const named = await ask(question, { tools: TOOLS, tool_choice: { type: 'function', function: { name } } });
    assert.deepEqual(named.message.tool_calls.map((call) => call.function.name), [name]);
    assertValid(named.message.tool_calls, question);
  }
});

test(`the right tool is called in at least ${RIGHT_SHARE * 100}% of ${all.length} questions`, async (t) => {
  const wrong = [];
  for (const [name, question] of all) {
    const { message } = await ask(question, { tools: TOOLS, temperature: 0, max_tokens: 60 });
    if (message.tool_calls?.[0]?.function.name !== name) {
      wrong.push(`${question} (${name}) -> ${JSON.stringify(message.tool_calls ?? message.content)}`);
    }
  }
  t.diagnostic(`${all.length - wrong.length} of ${all.length} right`);
  assert.ok(wrong.length <= (1 - RIGHT_SHARE) * all.length, wrong.join('\n'));
});

test(`none is called in at least ${RIGHT_SHARE * 100}% of ${PLAIN_QUESTIONS.length} questions for none`, async (t) => {
  const wrong = [];
  for (const question of PLAIN_QUESTIONS) {
    const { message } = await ask(question, { tools: TOOLS, temperature: 0, max_tokens: 40 });
    if (message.tool_calls) wrong.push(`${question} -> ${JSON.stringify(message.tool_calls)}`);
  }
  t.diagnostic(`${PLAIN_QUESTIONS.length - wrong.length} of ${PLAIN_QUESTIONS.length} right`);
  assert.ok(wrong.length <= (1 - RIGHT_SHARE) * PLAIN_QUESTIONS.length, wrong.join('\n'));
});
