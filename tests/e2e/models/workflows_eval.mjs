// Asks a model the prompts of prompts.mjs by each workflow, at temperature 0, and prints a table of what was right by
// their rules. Of a network that runs: BASE, KEY and MODEL in the environment; arguments: the workflows (all), "tools"
// for the thirteen tool prompts of the agent. --answers prints each answer beside its verdict.
import { TOOL_PROMPTS, WORKFLOW_PROMPTS, isCall, user } from './prompts.mjs';

const { BASE = 'http://127.0.0.1:8080/v1', KEY, MODEL = 'qwen2.5-coder-0.5b-instruct-q4_k_m' } = process.env;
const asked = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const answers = process.argv.includes('--answers');
const all = { ...WORKFLOW_PROMPTS, tools: TOOL_PROMPTS };
const chosen = asked.length > 0 ? asked : Object.keys(WORKFLOW_PROMPTS);

/** As a stream: a slow machine may take minutes for an answer, and a client gives up on one that says nothing. */
async function ask(kind, prompt) {
  const messages = typeof prompt === 'string' ? user(prompt) : prompt;
  const workflow = kind === 'tools' ? 'agent' : kind;
  const response = await fetch(`${BASE}/chat/completions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: MODEL, messages, temperature: 0, max_tokens: 200, stream: true,
      orchestration: { enabled: true, workflow, max_steps: kind === 'map_reduce' ? 20 : 6 } }),
  });
  const chunks = (await response.text()).split('\n').filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6)));
  const text = chunks.map((chunk) => chunk.choices?.[0]?.delta?.content ?? '').join('');
  return { text, status: chunks.findLast((chunk) => chunk.nataris?.status)?.nataris.status ?? `${response.status}` };
}

const short = (text) => text.replace(/\s+/g, ' ').slice(0, 300).replaceAll('|', '\\|');
const sums = [];
for (const kind of chosen) {
  let right = 0;
  console.log(`\n| ${kind} | right | status | answer |\n|---|---|---|---|`);
  for (const [prompt, rule] of all[kind]) {
    const { text, status } = await ask(kind, prompt);
    const good = rule(text) && !isCall(text);
    right += good;
    const question = typeof prompt === 'string' ? prompt : prompt.at(-1).content;
    const shown = question.length > 80 ? `${short(question).slice(0, 45)} ... ${short(question.slice(-45))}` : short(question);
    console.log(`| ${shown} | ${good ? 'yes' : 'no'} | ${status} | ${answers ? short(text) : short(text).slice(0, 60)} |`);
  }
  sums.push([kind, right, all[kind].length]);
}
console.log('\n| workflow | right | of |\n|---|---|---|');
for (const [kind, right, of] of sums) console.log(`| ${kind} | ${right} | ${of} |`);
