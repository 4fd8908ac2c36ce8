// The owner of a device decides: limits, pause and resume, status and doctor, on a device whose files are made up.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { DEMO_MODEL, eventually, Network, REFERENCE_MODEL, run, within } from './support/network.mjs';
import { firstText, readStream, rest } from './support/stream.mjs';

const QUICK = ['--heartbeat-ms', '500', '--queue-ms', '1000'];

/** A folder that looks like the /proc, /sys and /dev of a laptop. */
class Device {
  constructor(network, name) {
    this.root = path.join(network.folder, name);
    this.write('proc/meminfo', 'MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n');
    this.battery(80);
  }

  write(file, text) {
    const full = path.join(this.root, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  battery(percent, status = 'Discharging') {
    const folder = 'sys/class/power_supply/BAT0';
    this.write(`${folder}/type`, 'Battery\n');
    this.write(`${folder}/status`, `${status}\n`);
    this.write(`${folder}/capacity`, `${percent}\n`);
  }

  heat(degrees) {
    this.write('sys/class/thermal/thermal_zone0/temp', `${degrees * 1000}\n`);
  }

  get args() {
    return ['--device-root', this.root];
  }
}

function story(name, tell) {
  test(name, () => within(Network.gateway(['--log-level', 'debug', ...QUICK]), tell));
}

async function command(provider, words, args = []) {
  const { code, stdout, stderr } = await run(['provider', words, '--data', provider.data, '--json', ...args]);
  assert.ok(stdout, stderr);
  return { code, answer: JSON.parse(stdout) };
}

async function status(provider) {
  return (await command(provider, 'status')).answer;
}

async function untilPaused(provider, limit) {
  await eventually(async () => (await status(provider)).pause.limit === limit, `it never was paused by ${limit}`);
}

describe('owner\'s limits', { concurrency: 3 }, () => {
  story('a low battery pauses the device, and a full one lets it serve again', async (network) => {
    const device = new Device(network, 'laptop');
    const provider = await network.scripted([...device.args, '--battery-floor', '30']);
    const { events } = await firstText(await network.post('/v1/chat/completions',
      chat(script({ tokens: 40, rate: 20 }), { stream: true })));
    device.battery(29);
    await untilPaused(provider, 'battery');
    const paused = await status(provider);
    assert.equal(paused.pause.reason, 'the battery is at 29% and not charging, the floor is 30%');
    assert.equal(paused.device.battery_percent, 29);
    assert.ok(paused.connected);
    assert.equal((await (await network.fetch(`/v1/models/${REFERENCE_MODEL}`)).json()).available, false);
    const refused = await network.post('/v1/chat/completions', chat('Anybody?'));
    assert.equal(refused.status, 503);
    const { error } = await refused.json();
    assert.equal(error.code, 'model_unavailable');
    assert.match(error.message, /paused/);
    assert.equal((await rest(events)).at(-1).data, '[DONE]', 'what runs may end');
    device.battery(29, 'Charging');
    await untilPaused(provider, 'none');
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = await ask(network, chat(script({ text: 'back' })));
    assert.equal(textOf(answer), 'back');
    assert.equal(answer.nataris.attempts, 1, 'no blame: it is asked first');
    assert.equal((await status(provider)).last_error, null);
  });

  story('critical heat moves a stream to another device, and blames nobody', async (network) => {
    const hot = new Device(network, 'hot');
    const first = await network.scripted(hot.args);
    const stream = await network.post('/v1/chat/completions',
      chat(script({ tokens: 60, rate: 20 }), { stream: true, max_tokens: 100 }));
    await eventually(async () => (await status(first)).jobs.running === 1, 'the job never came');
    await network.scripted(new Device(network, 'cool').args);
    hot.heat(95);
    const { text, done } = await readStream(stream);
    assert.ok(done);
    assert.equal(text.split(' ').length, 60);
    const { jobs, last_error } = await status(first);
    assert.equal(jobs.handed_back, 1);
    assert.equal(last_error, null);
  });

  story('a pause holds over a restart until it is resumed', async (network) => {
    const provider = await network.scripted();
    const { answer } = await command(provider, 'pause');
    assert.equal(answer.pause.limit, 'owner');
    await provider.stop();
    const stopped = await command(provider, 'status');
    assert.equal(stopped.code, 1);
    assert.deepEqual(stopped.answer, { running: false, paused: true, until: null });
    const again = network.start(['provider', '--gateway', network.origin, '--data', provider.data, '--name', provider.name,
      '--engine', 'scripted', '--model', REFERENCE_MODEL, '--quiet']);
    Object.assign(again, { name: provider.name, data: provider.data });
    assert.equal(await network.joined(again, 2), provider.id);
    await untilPaused(again, 'owner');
    assert.notEqual((await network.post('/v1/chat/completions', chat('Anybody?'))).status, 200);
    await command(again, 'resume');
    await network.untilAvailable(REFERENCE_MODEL);
    assert.equal(textOf(await ask(network, chat(script({ text: 'here' })))), 'here');
    const { jobs, tokens } = await status(again);
    assert.equal(jobs.served, 1);
    assert.equal(tokens.completion, 1);
  });

  story('a pause ends by itself', async (network) => {
    const provider = await network.scripted();
    const { answer } = await command(provider, 'pause', ['--for', '1s']);
    assert.match(answer.pause.until, /^\d{4}-\d\d-\d\dT/);
    await untilPaused(provider, 'none');
    await network.untilAvailable(REFERENCE_MODEL);
    assert.equal(textOf(await ask(network, chat(script({ text: 'here' })))), 'here');
  });

  story('a device takes as many jobs as its owner allows', async (network) => {
    await network.scripted(['--slots', '4', '--max-jobs', '1']);
    const slow = chat(script({ text: 'one two three', rate: 20 }));
    const answers = await Promise.all(Array.from({ length: 3 }, () => ask(network, slow)));
    assert.deepEqual(answers.map(textOf), Array(3).fill('one two three'));
  });

  test('limits that make no sense are refused', async () => {
    const wrong = [['--battery-floor', '101'], ['--max-heat', 'critical'], ['--hours', '9-17'], ['--metered', 'often'],
      ['--max-ram', 'much'], ['--cpu-percent', '0'], ['--pause-in-use', '100000']];
    for (const args of wrong) {
      const { code, stderr } = await run(['provider', '--gateway', 'http://127.0.0.1:1', '--data', '/nowhere', ...args]);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, /^nataris/);
    }
  });
});

describe('doctor', { concurrency: 3 }, () => {
  const find = (answer, check) => answer.checks.filter((one) => one.check === check);

  story('finds everything well beside a running provider', async (network) => {
    const device = new Device(network, 'well');
    const provider = await network.scripted(device.args);
    const { code, answer } = await command(provider, 'doctor', ['--model', DEMO_MODEL, ...device.args]);
    assert.equal(code, 0, JSON.stringify(answer));
    assert.ok(answer.ok);
    for (const check of ['provider', 'folder', 'key', 'gateway', 'clock', 'model', 'memory', 'limits', 'job']) {
      assert.deepEqual(find(answer, check).map(({ level }) => level), ['ok'], check);
    }
    assert.match(find(answer, 'job')[0].message, /^nataris-demo-2m wrote \d+ tokens at [\d.]+ tokens\/s/);
  });

  story('says what is wrong and what to do', async (network) => {
    const device = new Device(network, 'unwell');
    device.battery(5);
    const provider = await network.scripted();
    await provider.stop();
    const damaged = path.join(network.folder, 'models');
    mkdirSync(damaged);
    writeFileSync(path.join(damaged, 'smollm2-135m-instruct-q4_1.gguf'), 'GGUF, but not what it should be');
    const { code, answer } = await command(provider, 'doctor', ['--gateway', 'http://127.0.0.1:1', '--models', damaged,
      '--model', 'smollm2-135m-instruct-q4_1', '--battery-floor', '20', ...device.args]);
    assert.equal(code, 1);
    assert.equal(answer.ok, false);
    assert.equal(find(answer, 'gateway')[0].level, 'fail');
    assert.equal(find(answer, 'model')[0].level, 'fail');
    assert.match(find(answer, 'limits')[0].message, /^the battery is at 5%/);
    assert.ok(answer.checks.every(({ level, advice }) => level === 'ok' || advice));
  });
});
