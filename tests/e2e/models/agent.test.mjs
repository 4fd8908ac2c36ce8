// What an agent does on the smallest model that can be one: thirteen computations, dates and times (prompts.mjs), nine of
// which must be right. The model is fetched, and kept in the user's model folder.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Network, stopCleanly } from '../support/network.mjs';
import { getWorkflow, workflow } from '../support/workflows.mjs';
import { TOOL_PROMPTS, isCall, user } from './prompts.mjs';

const MODEL = process.env.NATARIS_AGENT_MODEL ?? 'qwen2.5-coder-0.5b-instruct-q4_k_m';
const DOWNLOAD_MS = 1_200_000;
const RIGHT_MIN = 9;

let network;
before(async () => {
  network = await Network.up(['--model', MODEL]);
  await network.untilAvailable(MODEL.replace(/^.*\/|\.gguf$/g, ''), true, DOWNLOAD_MS);
});
after(() => stopCleanly(network));

async function ask(messages) {
  const response = await network.post('/v1/chat/completions', { ...workflow('agent', '', { messages: [] }), messages,
    model: MODEL.replace(/^.*\/|\.gguf$/g, ''), temperature: 0, max_tokens: 200 });
  assert.equal(response.status, 200);
  return response.json();
}

test(`${RIGHT_MIN} of ${TOOL_PROMPTS.length} computations, dates and times are right`, async () => {
  const wrong = [];
  for (const [prompt, rule] of TOOL_PROMPTS) {
    const text = (await ask(user(prompt))).choices[0].message.content ?? '';
    if (!rule(text) || isCall(text)) wrong.push(`${prompt} ${text}`);
  }
  assert.ok(TOOL_PROMPTS.length - wrong.length >= RIGHT_MIN, wrong.join('\n'));
});

test('a plain sum goes through the calculator', async () => {
  const answer = await ask(user('What is 17*23?'));
  assert.match(answer.choices[0].message.content, /391/);
  const { steps } = await getWorkflow(network, answer.nataris.workflow_id);
  assert.equal(steps.find(({ name }) => name === 'act').output, '391');
});

test('what was said before is known', async () => {
  const answer = await ask([...user('My name is Ada.'), { role: 'assistant', content: 'Nice to meet you, Ada!' },
    ...user('What is my name?')]);
  assert.match(answer.choices[0].message.content, /Ada/);
});
