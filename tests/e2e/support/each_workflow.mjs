// Every workflow on a real model, plain and streamed, with the official client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openaiClient, textOf, user } from './chat.mjs';
import { assertAnswer, assertProgress, assertSteps, getWorkflow, longText, readWorkflow } from './workflows.mjs';

const KINDS = ['research', 'code', 'agent', 'map_reduce'];

const tasks = (bytes) => ({
  research: 'Research the sea: what lives in it, and why it matters.',
  code: 'Write a function in Python that adds two numbers.',
  agent: 'What is 7 + 8?',
  map_reduce: `Sum up this text.\n\n${longText(bytes)}`,
  auto: 'Compare the capital of France with the capital of Japan.',
});

/** Tells a test for each. `bytes` of text for map_reduce: more than a context has room for. */
export function testEachWorkflow(getNetwork, model, { bytes, maxTokens = 60, maxSteps = 40 }) {
  const body = (kind, content, more) => ({ model, messages: user(content), temperature: 0, max_tokens: maxTokens,
    orchestration: { enabled: true, workflow: kind, max_steps: kind === 'map_reduce' ? maxSteps : 6 }, ...more });

  const assertEnded = (nataris, found, kind) => {
    assert.equal(nataris.auto, kind === 'auto');
    if (kind === 'auto') assert.ok(KINDS.includes(nataris.workflow));
    // A small model may go on thinking until its steps are used up; all others come to their end.
    const may = nataris.workflow === 'agent' ? ['COMPLETED', 'MAX_STEPS', 'NO_ANSWER'] : ['COMPLETED'];
    assert.ok(may.includes(nataris.status), nataris.status);
    assert.equal(found.type, nataris.workflow.toUpperCase());
    assert.equal(found.model, model);
    if (kind === 'map_reduce') assert.ok(found.steps.filter(({ name }) => name === 'map').length > 1);
  };

  for (const [kind, content] of Object.entries(tasks(bytes))) {
    test(`${kind} on ${model}, plain`, async () => {
      const network = getNetwork();
      const answer = await openaiClient(network).chat.completions.create(body(kind, content));
      const found = await assertAnswer(network, answer, answer.nataris.workflow);
      assertEnded(answer.nataris, found, kind);
      assert.ok(textOf(answer).length > 0);
    });

    test(`${kind} on ${model}, streamed`, async () => {
      const network = getNetwork();
      const stream = await openaiClient(network).chat.completions.create(body(kind, content, { stream: true }));
      const { text, last, progress, chunks } = await readWorkflow(stream);
      const found = await getWorkflow(network, last.nataris.workflow_id);
      assertSteps(found);
      assertEnded(last.nataris, found, kind);
      assertProgress(progress, found);
      assert.ok(text.length > 0);
      assert.equal(text, found.answer);
      assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
    });
  }
}
