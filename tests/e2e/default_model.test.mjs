// Which model `nataris up` serves when nobody names one, on machines that are folders of this test, and what happens when
// no source can be reached. Nothing leaves this machine; tests/e2e/models has the same with real models.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { ask, textOf, user } from './support/chat.mjs';
import { DEMO_MODEL, Network, Program, makeFolder, stopCleanly } from './support/network.mjs';

const ORDER = ['qwen2.5-0.5b-instruct-q6_k', 'qwen2.5-coder-1.5b-instruct-q4_k_m', 'qwen2.5-coder-0.5b-instruct-q4_k_m',
  'smollm2-135m-instruct-q4_1'];
const folder = makeFolder();
after(() => rmSync(folder, { recursive: true, force: true }));

/** A machine with so much memory, whose programs reach no server. */
function machine(name, memoryMb) {
  const root = path.join(folder, name);
  mkdirSync(path.join(root, 'proc/self'), { recursive: true });
  writeFileSync(path.join(root, 'proc/meminfo'), `MemAvailable: ${Math.ceil(memoryMb * 1e6 / 1024)} kB\n`);
  writeFileSync(path.join(root, 'proc/self/cgroup'), '0::/\n');
  mkdirSync(path.join(root, 'sys/fs/cgroup'), { recursive: true });
  writeFileSync(path.join(root, 'sys/fs/cgroup/cpu.max'), '100000 100000\n');
  return {
    args: ['--device-root', root],
    options: { env: { NATARIS_MODELS: path.join(root, 'models'), https_proxy: 'http://127.0.0.1:1', no_proxy: '',
      PIP_INDEX_URL: 'http://127.0.0.1:1/simple', PIP_CONFIG_FILE: '/dev/null' } },
  };
}

function fitting(choices) {
  return choices.filter(({ fits }) => fits).map(({ id }) => id);
}

test('without a network the built-in model answers, and each model that fits was tried in turn', async () => {
  const { args, options } = machine('small', 1600);
  const network = await Network.up(args, options);
  const { default_models: choices } = JSON.parse(network.main.lines[0]);
  assert.deepEqual(choices.map(({ id }) => id), ORDER);
  assert.deepEqual(fitting(choices), ORDER.slice(2));
  assert.match(choices[0].why, /needs 2\.0 GB of free memory, here are 1\.6 GB/);
  const question = { model: DEMO_MODEL, messages: user('What is the capital of France?'), temperature: 0 };
  assert.match(textOf(await ask(network, question)), /Paris/);
  await network.main.untilLog(/model\.failed model=qwen2\.5-coder-0\.5b-instruct-q4_k_m .*cannot be had/);
  await network.main.untilLog('model.try model=smollm2-135m-instruct-q4_1');
  await network.main.untilLog('model.none_of_several models=2');
  assert.match(textOf(await ask(network, question)), /Paris/); // it is no end
  assert.equal(network.main.lines.length, 1);
  await stopCleanly(network);
});

test('a large machine, and a model that is named instead', async () => {
  const { args, options } = machine('large', 16_000);
  const network = await Network.up(args, options);
  assert.deepEqual(fitting(JSON.parse(network.main.lines[0]).default_models), ORDER.filter((id) => id !== ORDER[1]));
  await stopCleanly(network);
  const named = await Network.up([...args, '--model', DEMO_MODEL], options);
  assert.deepEqual(Object.keys(JSON.parse(named.main.lines[0])), ['base_url', 'api_key', 'test_key']);
  await stopCleanly(named);
});

test('a person reads which model, and why', async () => {
  const { args, options } = machine('tiny', 600);
  const program = new Program(['up', '--data', path.join(folder, 'data'), '--listen', '127.0.0.1:0', ...args], options);
  await program.until((up) => up.lines.includes('Nataris is up.'), 'banner');
  const text = program.lines.join('\n');
  assert.match(text, /^This machine has 600\.0 MB of memory free, 1 core, and .* of disk for models\.$/m);
  assert.match(text, /^ {2}qwen2\.5-coder-0\.5b-instruct-q4_k_m .* does not fit: it needs 1\.5 GB of free memory/m);
  assert.match(text, /^ {2}smollm2-135m-instruct-q4_1 .* 98\.4 MB {2}it is to be fetched; of demo quality only$/m);
  assert.equal((await program.stop()).code, 0);
});
