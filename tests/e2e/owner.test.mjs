// What an owner sees of the own devices from anywhere, beside another owner's devices.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allPages, assertBooks, command, createAccount } from './support/accounts.mjs';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { eventually, Network, REFERENCE_MODEL, run, within } from './support/network.mjs';
import { firstText, rest, textOfEvent } from './support/stream.mjs';

const DEVICES = '/v1/provider/devices';

async function get(network, route, key) {
  const response = await network.fetch(route, { key });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

/** The command as an owner types it: the key in the environment. */
async function why(network, key, ...args) {
  return run(['provider', 'why', ...args, '--gateway', network.origin], { env: { ...process.env, NATARIS_KEY: key } });
}

function story(name, tell) {
  test(name, () => within(Network.gateway(['--log-level', 'debug']), tell));
}

describe('an owner\'s devices', { concurrency: 3 }, () => {
  story('are told with the reason, page by page', async (network) => {
    const first = await network.scripted();
    const second = await network.scripted();
    await ask(network, chat(script({ text: 'one two three' })));
    const page = await get(network, `${DEVICES}?limit=1`);
    assert.deepEqual([page.object, page.data.length, page.has_more], ['list', 1, true]);
    const devices = await allPages(network, network.apiKey, DEVICES, 1);
    assert.deepEqual(devices.map(({ id }) => id), [first.id, second.id]);
    const [device] = devices;
    assert.deepEqual([device.name, device.connected, device.state, device.paused, device.cooldown_ms],
      [first.name, true, 'idle', null, 0]);
    assert.match(device.since, /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(devices.map(({ record }) => record.jobs).sort(), [0, 1]);
    const [model] = device.models;
    assert.deepEqual([model.model, model.state, model.gate, model.active, model.rivals],
      [REFERENCE_MODEL, 'warm', 'none', 0, 1]);
    assert.ok(device.why.some((line) => line.startsWith('1 other device could take such a job now')), device.why.join('\n'));

    await command({ data: first.data }, 'provider', 'pause');
    const paused = await eventually(async () => {
      const now = await get(network, `${DEVICES}/${first.id}`);
      return now.paused === 'owner' && now;
    }, 'the gateway never heard of the pause');
    assert.equal(paused.models[0].gate, 'paused');
    assert.match(paused.why[0], /paused by hand/);

    const one = await why(network, network.apiKey, first.id);
    assert.equal(one.code, 0, one.stderr);
    for (const line of paused.why) assert.ok(one.stdout.includes(line), `${line}\n${one.stdout}`);
    assert.ok(!one.stdout.includes(second.id));
    const all = await why(network, network.apiKey);
    assert.ok(all.stdout.includes(first.id) && all.stdout.includes(second.id));
    const operator = await run(['provider', 'why', first.id, '--data', network.data]);
    assert.equal(operator.stdout, one.stdout, 'the operator reads the same');
    const json = await why(network, network.apiKey, first.id, '--json');
    assert.equal(JSON.parse(json.stdout).id, first.id);

    second.kill('SIGKILL');
    await network.main.untilLog(/provider\.gone/);
    const away = await get(network, `${DEVICES}/${second.id}`);
    assert.deepEqual([away.connected, away.state, away.models], [false, 'away', undefined]);
    assert.match(away.why[0], /not connected/);
  });

  story('are refused without the right key', async (network) => {
    const wrong = await why(network, `nat_live_${'x'.repeat(32)}`);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /key/i);
    const none = await run(['provider', 'why', '--gateway', network.origin]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /--key/);
    const sandbox = await get(network, DEVICES, network.testKey);
    assert.deepEqual(sandbox.data, []);
  });

  story('are nobody else\'s: a stream over two owners\' devices pays each its own part', async (network) => {
    const asked = script({ tokens: 80, rate: 50 });
    const mine = await network.scripted();
    const { api_key: key } = await createAccount(network, 'unlimited', 'buyer');
    const wanted = textOf(await ask(network, chat(asked, { max_tokens: 200 }), { key }));
    const before = await get(network, '/v1/provider/earnings');
    const stream = await network.post('/v1/chat/completions', chat(asked, { stream: true, max_tokens: 200 }),
      { key });
    const { first, events } = await firstText(stream);
    const other = await createAccount(network, 'unlimited', 'neighbour');
    const theirs = await network.provider(['--engine', 'scripted', '--model', REFERENCE_MODEL],
      { account: other.id });
    mine.kill('SIGKILL');
    const more = await rest(events);
    assert.equal([first, ...more].map(textOfEvent).join(''), wanted);
    const { id } = JSON.parse(more.at(-2).data);
    const lineOf = (earnings) => earnings.data.filter((line) => line.id === id);
    const [ownPart, ...noMore] = lineOf(await get(network, '/v1/provider/earnings'));
    const theirEarnings = await get(network, '/v1/provider/earnings', other.api_key);
    const [theirPart] = lineOf(theirEarnings);
    assert.deepEqual(noMore, []);
    assert.equal(ownPart.provider_id, mine.id);
    assert.equal(theirPart.provider_id, theirs.id);
    assert.ok(ownPart.completion_tokens > 0 && theirPart.completion_tokens > 0);
    assert.equal(ownPart.completion_tokens + theirPart.completion_tokens, 80);
    assert.equal(theirEarnings.jobs, 1);
    assert.equal((await get(network, '/v1/provider/earnings')).jobs, before.jobs + 1);

    const ids = async (key) => (await get(network, DEVICES, key)).data.map((device) => device.id);
    assert.deepEqual(await ids(), [mine.id]);
    assert.deepEqual(await ids(other.api_key), [theirs.id]);
    const foreign = await why(network, other.api_key, mine.id);
    assert.equal(foreign.code, 1);
    assert.match(foreign.stderr, /no device with this id/);
    assert.ok(!(await why(network, other.api_key)).stdout.includes(mine.name));
    await assertBooks(network);
  });
});

test('the account that up makes sees the provider that up starts', () =>
  within(Network.up(['--engine', 'scripted', '--model', REFERENCE_MODEL]), async (network) => {
    const { data } = await get(network, DEVICES);
    assert.equal(data.length, 1);
    assert.ok(data[0].connected);
    const { code, stdout, stderr } = await why(network, network.apiKey, data[0].id);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.includes(data[0].why[0]));
  }));
