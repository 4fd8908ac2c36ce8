// Coding agents that change a file, with a device whose model is played: Anthropic's tool runner, and Claude Code itself
// where CLAUDE_CODE_BIN names it (npm install @anthropic-ai/claude-code; it is of 400 MB, so no part of these tests).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { anthropicClient, saidIn } from './support/anthropic.mjs';
import { makeFolder, Network, REFERENCE_MODEL, stopCleanly } from './support/network.mjs';
import { calling, playModel, resultsIn } from './support/played_model.mjs';

const BEFORE = 'def greet(name):\n    return "Hello " + name\n';
const AFTER = 'def greet(name):\n    return f"Hello, {name}! 👋"\n';
const TASK = 'Make the greeting in greet.py end with an exclamation mark and a wave.';

describe('agents change a file', () => {
  let network;
  let model;
  let file;
  before(async () => {
    network = await Network.gateway(['--canary-s', '0']); // the model that is played answers agents only
    model = await playModel(network, REFERENCE_MODEL, (request) => {
      const results = resultsIn(request);
      if (!request.messages[0].content.includes('<tools>')) return 'A greeting with a wave';
      if (results.length === 0) return `I read it first.\n${calling('Read', { file_path: file })}`;
      if (results.length === 1) {
        return calling('Edit', { file_path: file, old_string: '"Hello " + name', new_string: 'f"Hello, {name}! 👋"' });
      }
      return 'It waves now.';
    });
  });
  after(async () => {
    await model.stop();
    await stopCleanly(network);
  });

  const prepare = () => {
    const folder = makeFolder();
    file = path.join(folder, 'greet.py');
    writeFileSync(file, BEFORE);
    model.requests.length = 0;
    return folder;
  };

  test('the tool runner of Anthropic\'s client', async () => {
    prepare();
    const tool = (name, properties, run) => ({ type: 'custom', name, run, parse: (input) => input,
      input_schema: { type: 'object', properties, required: Object.keys(properties) } });
    const text = { type: 'string' };
    const runner = anthropicClient(network).beta.messages.toolRunner({ model: REFERENCE_MODEL, max_tokens: 32_000, stream: true,
      messages: [{ role: 'user', content: TASK }],
      tools: [tool('Read', { file_path: text }, (input) => readFileSync(input.file_path, 'utf8')),
        tool('Edit', { file_path: text, old_string: text, new_string: text }, (input) => {
          writeFileSync(input.file_path, readFileSync(input.file_path, 'utf8').replace(input.old_string, input.new_string));
          return 'done';
        })] });
    assert.equal(saidIn(await runner.runUntilDone()), 'It waves now.');
    assert.equal(readFileSync(file, 'utf8'), AFTER);
    assert.deepEqual(resultsIn(model.requests.at(-1)), [BEFORE, 'done']);
  });

  /* As version 2.1 sends them: its own instructions in blocks, one for its maker's books, a system text among the messages,
     thoughts, effort and edits of the context that nobody here knows. */
  test('a request as Claude Code makes it', async () => {
    prepare();
    const body = { model: REFERENCE_MODEL, max_tokens: 32_000, stream: true,
      thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'high' },
      context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      metadata: { user_id: '{"device_id":"1","session_id":"2"}' },
      system: [{ type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.332.4bb; cc_entrypoint=sdk-cli;' },
        { type: 'text', text: 'You are an agent.', cache_control: { type: 'ephemeral' } }],
      tools: [{ name: 'Read', description: 'Reads', input_schema: { $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object', properties: { file_path: { type: 'string' } }, required: ['file_path'], additionalProperties: false } },
      { name: 'Later', description: 'x', input_schema: { type: 'object' }, defer_loading: true }],
      messages: [{ role: 'user', content: [{ type: 'text', text: '<system-reminder>a</system-reminder>' }, { type: 'text', text: TASK }] },
        { role: 'system', content: [{ type: 'text', text: '# Environment', cache_control: { type: 'ephemeral' } }] }] };
    const response = await network.post('/v1/messages?beta=true', body,
      { headers: { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14' } });
    assert.equal(response.status, 200);
    const events = await response.text();
    assert.match(events, /"type":"tool_use","id":"toolu_\w+","name":"Read"/);
    assert.match(events, /"ignored":\["thinking","context_management","tools\[\]\.defer_loading","output_config\.effort"\]/);
    const [{ messages }] = model.requests;
    assert.deepEqual(messages.map(({ role }) => role), ['system', 'user', 'system']);
    assert.ok(messages[0].content.startsWith('You are an agent.'));
    assert.equal(messages[1].content, `<system-reminder>a</system-reminder>\n${TASK}`);
  });

  test('Claude Code', { skip: process.env.CLAUDE_CODE_BIN === undefined }, async () => {
    const folder = prepare();
    const env = { PATH: process.env.PATH, HOME: makeFolder(), ANTHROPIC_BASE_URL: new URL(network.baseURL).origin,
      ANTHROPIC_AUTH_TOKEN: network.apiKey, ANTHROPIC_MODEL: REFERENCE_MODEL, ANTHROPIC_DEFAULT_HAIKU_MODEL: REFERENCE_MODEL,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' };
    const child = spawn(process.env.CLAUDE_CODE_BIN, ['-p', TASK, '--allowedTools', 'Read,Edit', '--output-format', 'json'],
      { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (data) => { said += data; });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 0, said);
    assert.equal(JSON.parse(said).result, 'It waves now.');
    assert.equal(readFileSync(file, 'utf8'), AFTER);
  });
});
