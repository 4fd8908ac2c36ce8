// What the process of each model that is here takes of memory, against what the catalog says and the device plans with:
// one slot is filled, the others stay empty.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { openaiClient, user } from '../support/chat.mjs';
import { Network, run, stopCleanly } from '../support/network.mjs';
import { descendantsOf } from '../support/processes.mjs';

const LOAD_MS = 120_000;
/** Of the slot's context; the rest is for the answer and for the template. */
const FILL = 0.8;
/** Words of one more message; the slot keeps what it has read, so that each step reads only these. */
const STEP_WORDS = 120;
/** What may be less or more: processors differ in whether weights are laid out anew. */
const LEAST = 0.55;
const MOST = 1.05;

const { stdout } = await run(['catalog', '--json']);
const here = JSON.parse(stdout).filter((model) => ['built in', 'ready', 'unchecked'].includes(model.here));

/** Of the engine's process; the one beside it that counts tokens for the gateway has the vocabulary only. */
function residentBytes(network) {
  const children = descendantsOf(network.main.pid).filter(({ command }) => command.endsWith('nataris-llama'));
  return Math.max(...children.map(({ pid }) =>
    1024 * readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]));
}

/** Asks again and again with one more part of a text, until the prompt is as long as the slot allows. */
async function fillSlot(network, model, context) {
  const client = openaiClient(network, { maxRetries: 5 });
  let text = '';
  for (let tokens = 0; tokens < FILL * context - 2 * STEP_WORDS;) {
    text += 'the sea is deep '.repeat(STEP_WORDS / 4);
    const answer = await client.chat.completions.create({ model, messages: user(text), max_tokens: 1 });
    tokens = answer.usage.prompt_tokens;
  }
}

let network;
after(() => network && stopCleanly(network));

for (const { id, ram_bytes: ram } of here) {
  test(`${id} takes the memory that the catalog says`, async () => {
    network = await Network.up(['--model', id]);
    await network.untilAvailable(id, true, LOAD_MS);
    const { context_length: context } = await (await network.fetch(`/v1/models/${id}`)).json();
    const loaded = residentBytes(network);
    await fillSlot(network, id, context);
    const filled = residentBytes(network);
    console.log(`# ${id}: ${Math.round(loaded / 1e6)} MB when loaded, ${Math.round(filled / 1e6)} MB with a slot of ` +
      `${context} tokens filled; the catalog says ${Math.round(ram / 1e6)} MB`);
    assert.ok(filled < MOST * ram, `${filled} bytes are more than the catalog's ${ram}`);
    assert.ok(filled > LEAST * ram, `${filled} bytes are far less than the catalog's ${ram}`);
    assert.ok(loaded <= filled);
    await stopCleanly(network);
    network = null;
  });
}

test('at least the built-in model was measured', () => {
  assert.ok(here.length > 0);
});
