// Workflows: short ways to ask for them, what their steps must be, and a device whose words the test writes.
import assert from 'node:assert/strict';
import { chat } from './chat.mjs';
import { HandProvider } from './hand_provider.mjs';
import { REFERENCE_MODEL, eventually } from './network.mjs';

export const CHAT = '/v1/chat/completions';
export const WORKFLOWS = '/v1/workflows';
export const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED', 'BUDGET_EXCEEDED', 'MAX_STEPS', 'NO_ANSWER'];

/** By workflow: the names of its steps in the order of their numbers, as the reference's table says. */
export const STEPS = {
  research: /^research analyze write$/,
  code: /^plan implement review( implement)?$/,
  // A think behind another: the first was no answer. The last act: of one that was not left a step to think about it.
  agent: /^think( (act )?think)*( act)?$/,
  map_reduce: /^chunk( map)+( reduce)*$/,
};
const LOCAL = ['chunk', 'act'];

/** The body of a chat that a workflow answers; `orchestration` has what is beside its kind. */
export function workflow(kind, content, { orchestration = {}, ...more } = {}) {
  return chat(content, { orchestration: { enabled: true, workflow: kind, ...orchestration }, ...more });
}

/** Some `bytes` of English in lines and paragraphs, each of which says its number. */
export function longText(bytes) {
  const lines = [];
  for (let size = 0, i = 1; size < bytes; i++) {
    const end = i % 6 === 0 ? '\n' : ''; // of a paragraph
    const line = `Line ${i} tells of the sea near town ${i % 17}, where ${i % 5 + 2} boats came home with the tide.${end}`;
    lines.push(line);
    size += line.length + 1;
  }
  return lines.join('\n').slice(0, bytes);
}

export async function jsonOf(response, status = 200) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text);
}

/** The workflow with its steps. */
export async function getWorkflow(network, id, key = network.apiKey, status = 200) {
  return jsonOf(await network.fetch(`${WORKFLOWS}/${id}`, { key }), status);
}

export async function listWorkflows(network, key = network.apiKey, query = '') {
  return jsonOf(await network.fetch(`${WORKFLOWS}${query}`, { key }));
}

/** All of them, newest first. */
export async function allWorkflows(network, key = network.apiKey) {
  const found = [];
  for (let after = ''; ;) {
    const { workflows, has_more: more, total } = await listWorkflows(network, key, `?limit=100${after}`);
    found.push(...workflows);
    if (!more) {
      assert.equal(total, found.length);
      return found;
    }
    after = `&after=${workflows.at(-1).id}`;
  }
}

export function untilWorkflow(network, id, key = network.apiKey, wanted = ENDED) {
  let last;
  return eventually(async () => {
    last = await getWorkflow(network, id, key);
    return wanted.includes(last.status) && last;
  }, () => `workflow ${id} did not become ${wanted}: ${JSON.stringify(last)}\n${network.errors()}`);
}

export function namesOf({ steps }) {
  return steps.map(({ name }) => name).join(' ');
}

/** A step that nobody generates: chunk, act, and a think that a rule has written. */
function isLocal({ name, status, prompt_sha256: digest }) {
  return LOCAL.includes(name) || (status === 'COMPLETED' && digest === null);
}

export function generationsOf({ steps }) {
  return steps.filter((step) => !isLocal(step));
}

/** In nano-dollars, exact. */
function nano(usd) {
  return Math.round(usd * 1e9);
}

/** That the parts of one that has ended agree with each other, and with what its kind must do. */
export function assertSteps(found, kind = found.type.toLowerCase()) {
  assert.equal(found.type, kind.toUpperCase());
  assert.ok(ENDED.includes(found.status), found.status);
  if (found.status === 'COMPLETED') assert.match(namesOf(found), STEPS[kind]);
  const made = generationsOf(found).filter(({ status }) => status === 'COMPLETED');
  if (found.status === 'COMPLETED') assert.equal(found.steps_executed, made.length);
  assert.ok(found.steps_executed <= found.max_steps, `${found.steps_executed} of ${found.max_steps}`);
  let [cost, prompt, completion] = [0, 0, 0];
  found.steps.forEach((step, i) => {
    assert.equal(step.number, found.steps[0].number + i);
    cost += nano(step.cost_usd);
    prompt += step.prompt_tokens;
    completion += step.completion_tokens;
    if (isLocal(step)) assert.equal(nano(step.cost_usd), 0);
  });
  for (const step of made) {
    assert.match(step.prompt_sha256, /^[0-9a-f]{64}$/);
    assert.ok(step.started_at <= step.completed_at, JSON.stringify(step));
  }
  assert.equal(nano(found.total_cost_usd), cost);
  assert.deepEqual([found.usage.prompt_tokens, found.usage.completion_tokens], [prompt, completion]);
  assert.equal(found.usage.total_tokens, prompt + completion);
}

/** What an answer says of its workflow is what GET says of it; resolves with the latter. */
export async function assertAnswer(network, answer, kind, key = network.apiKey) {
  const { nataris } = answer;
  assert.match(nataris.workflow_id, /^wf_\w+$/);
  assert.equal(nataris.workflow, kind);
  const found = await getWorkflow(network, nataris.workflow_id, key);
  assertSteps(found, kind);
  assert.equal(found.status, nataris.status);
  assert.equal(found.steps_executed, nataris.steps_executed);
  assert.equal(found.total_cost_usd, nataris.total_cost_usd);
  assert.ok(['COMPLETED', 'BUDGET_EXCEEDED', 'MAX_STEPS', 'NO_ANSWER'].includes(nataris.status));
  const [choice] = answer.choices;
  if (nataris.status !== 'COMPLETED') assert.equal(choice.finish_reason, 'length');
  assert.equal(found.answer ?? '', choice.message.content ?? '');
  assert.deepEqual([answer.usage.prompt_tokens, answer.usage.completion_tokens],
    [found.usage.prompt_tokens, found.usage.completion_tokens]);
  return found;
}

/** Reads a stream of the official client: { text, last (with `nataris` and finish_reason), progress, calls, chunks }. */
export async function readWorkflow(stream) {
  const found = { text: '', progress: [], calls: [], chunks: [] };
  for await (const chunk of stream) {
    found.chunks.push(chunk);
    const [choice] = chunk.choices;
    found.text += choice?.delta.content ?? '';
    found.calls.push(...(choice?.delta.tool_calls ?? []));
    if (chunk.nataris?.step) found.progress.push(chunk.nataris);
    if (choice?.finish_reason) found.last = { nataris: chunk.nataris, finish: choice.finish_reason };
  }
  return found;
}

/** Progress came for each step that ran: it ends, and before, unless it is local, it begins; the sums never fall. */
export function assertProgress(progress, found) {
  const ended = progress.filter(({ step }) => step.status === 'COMPLETED');
  const begun = progress.filter(({ step }) => step.status === 'RUNNING');
  const told = (steps) => steps.map(({ number, name }) => `${number} ${name}`).sort();
  const all = found.steps.filter(({ status }) => status === 'COMPLETED');
  assert.deepEqual(told(ended.map(({ step }) => step)), told(all));
  const generated = told(generationsOf({ steps: all }));
  assert.deepEqual(told(begun.map(({ step }) => step)).filter((step) => generated.includes(step)), generated);
  for (const { step } of begun) {
    const place = (status) => progress.findIndex((one) => one.step.number === step.number && one.step.status === status);
    assert.ok(place('RUNNING') < place('COMPLETED'), `step ${step.number}`);
  }
  for (let i = 0; i < progress.length; i++) {
    assert.equal(progress[i].workflow_id, found.id);
    assert.equal(progress[i].workflow, found.type.toLowerCase());
    if (i === 0) continue;
    assert.ok(progress[i].steps_executed >= progress[i - 1].steps_executed);
    assert.ok(progress[i].total_cost_usd >= progress[i - 1].total_cost_usd);
  }
}

/** A device that says what `reply(messages, count)` gives: a text, or undefined to say nothing and go on. */
export class SpeakingDevice {
  static async join(network, reply, model = REFERENCE_MODEL) {
    const device = new SpeakingDevice();
    device.provider = await HandProvider.join(network, [model]);
    device.prompts = [];
    await network.untilAvailable(model);
    device.#serve(reply);
    return device;
  }

  async #serve(reply) {
    for (;;) {
      const { type, job, request } = await this.provider.next();
      if (type === 'closed') return;
      if (type !== 'job') continue;
      this.prompts.push(request.messages);
      const text = reply(request.messages, this.prompts.length);
      this.provider.accept(job, 10);
      if (text === undefined) continue;
      this.provider.delta(job, text, 5);
      this.provider.done(job, { prompt_tokens: 10, completion_tokens: 5 });
    }
  }

  /** All that the n-th generation was asked, from 1. */
  promptOf(number) {
    return this.prompts[number - 1].map(({ content }) => content).join('\n');
  }

  leave() {
    this.provider.cut();
  }
}
