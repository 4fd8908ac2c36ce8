// Receipts: what a buyer can show of what was done and charged, to anybody, without the gateway.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertBooks, admin, command, cost, createAccount, nano, requestsOf, untilIdle } from './support/accounts.mjs';
import { ask, chat, script } from './support/chat.mjs';
import { HandProvider } from './support/hand_provider.mjs';
import { Network, REFERENCE_MODEL, eventually, run, stopCleanly, within } from './support/network.mjs';
import {
  deviceSigned, gatewaySigned, headSigned, linkHash, receiptHash, salted, sha256, receiptBytes,
} from './support/receipts.mjs';
import { firstText, readStream, rest, textOfEvent } from './support/stream.mjs';
import { workflow } from './support/workflows.mjs';

const CHAT = '/v1/chat/completions';
const RECEIPTS = '/v1/receipts';

async function get(network, route, { status = 200, key = network.apiKey } = {}) {
  const response = await network.fetch(route, { key });
  const body = await response.text();
  assert.equal(response.status, status, body);
  return JSON.parse(body);
}

const receiptOf = (network, id, options) => get(network, `${RECEIPTS}/${id}`, options);

/** Writes files and runs the verifier on them: { code, stdout, stderr }. */
async function verify(network, files, ...more) {
  const args = Object.entries(files).flatMap(([name, content]) => {
    const file = path.join(network.folder, `${name}.json`);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return name === 'receipt' ? [file] : [`--${name}`, file];
  });
  return run(['receipt', 'verify', ...args, ...more]);
}

async function assertGenuine(network, files, ...more) {
  const { code, stdout, stderr } = await verify(network, files, ...more);
  assert.equal(code, 0, stdout + stderr);
  assert.doesNotMatch(stdout, /WRONG/);
  return stdout;
}

/** All that must hold of every receipt, by somebody else's program. */
function assertReceipt(file, { id, text, body, tokens }) {
  const { receipt } = file;
  assert.equal(receipt.id, id);
  assert.ok(gatewaySigned(file), 'the gateway has signed it');
  assert.equal(receipt.answer_sha256, salted(file, text));
  assert.equal(receipt.answer_bytes, Buffer.byteLength(text));
  if (body !== undefined) assert.deepEqual([receipt.request_of, receipt.request_sha256], ['body', salted(file, body)]);
  if (tokens !== undefined) assert.equal(receipt.completion_tokens, tokens);
  assert.equal(receipt.devices.reduce((sum, device) => sum + device.completion_tokens, 0), receipt.completion_tokens);
  for (const device of receipt.devices) {
    if (device.signed !== null) assert.ok(deviceSigned(file, device), 'the device has signed it');
  }
}

describe('a receipt', () => {
  let network;
  let account;
  before(async () => {
    network = await Network.gateway();
    await network.scripted(['--slots', '16']);
    account = await createAccount(network);
  });
  after(() => stopCleanly(network));
  afterEach(() => assertBooks(network));

  const post = async (body) => {
    const response = await network.post(CHAT, body, { key: account.api_key });
    assert.equal(response.status, 200);
    return response;
  };
  const own = (id, options = {}) => receiptOf(network, id, { key: account.api_key, ...options });

  test('of a plain answer', async () => {
    const body = JSON.stringify(chat(script({ text: 'one two three' })));
    const answer = await (await post(body)).json();
    const file = await own(answer.id);
    assertReceipt(file, { id: answer.id, text: 'one two three', body, tokens: 3 });
    const { receipt } = file;
    assert.equal(receipt.prompt_tokens, answer.usage.prompt_tokens);
    assert.equal(receipt.charge_nano_usd, cost(answer.usage));
    assert.deepEqual([receipt.account_id, receipt.model, receipt.purpose, receipt.outcome],
      [account.id, REFERENCE_MODEL, 'request', 'completed']);
    const [device] = receipt.devices;
    assert.match(device.device_id, /^prov_/);
    assert.deepEqual([device.signed.prompt_tokens, device.signed.completion_tokens], [receipt.prompt_tokens, 3]);
    assert.equal(device.signed.delivered_sha256, receipt.answer_sha256, 'the device stands for this very text');
    assert.equal(device.attempt, 1);
    assert.equal(device.delivered_sha256, receipt.answer_sha256);
    assert.doesNotMatch(JSON.stringify(file), /one two|script/, 'nothing of prompt or answer');
    const told = await assertGenuine(network, { receipt: file, request: body, answer: 'one two three' },
      '--key', file.gateway.public_key);
    assert.match(told, /3 tokens/);
    assert.deepEqual(await own(answer.id), file, 'the same each time');
    assert.deepEqual(await command(network, 'receipt', 'show', answer.id), file, 'the operator sees the same');
  });

  test('of a stream, and of one that its client left', async () => {
    const body = JSON.stringify(chat(script({ text: 'caf\u00e9 \u65e5\u672c \u{1f600} end' }), { stream: true }));
    const whole = await readStream(await post(body));
    const [{ id: streamed }] = whole.chunks;
    assertReceipt(await own(streamed), { id: streamed, text: whole.text, body });
    const abort = new AbortController();
    const response = await network.post(CHAT, chat(script({ tokens: 4000, rate: 50 }), { stream: true, max_tokens: 4000 }),
      { key: account.api_key, signal: abort.signal });
    const { id } = JSON.parse((await firstText(response)).first.data);
    abort.abort();
    await untilIdle(network, account);
    const file = await eventually(async () => {
      const found = await network.fetch(`${RECEIPTS}/${id}`, { key: account.api_key });
      return found.status === 200 && found.json();
    }, 'no receipt of a cancelled stream');
    assert.equal(file.receipt.outcome, 'cancelled');
    assert.ok(gatewaySigned(file));
    assert.ok(file.receipt.answer_bytes > 0);
    await assertGenuine(network, { receipt: file });
  });

  test('of a job, a turn of a conversation, and each step of a workflow', async () => {
    const made = await (await network.post('/v1/jobs', chat(script({ text: 'job done' })), { key: account.api_key })).json();
    const job = await eventually(async () => {
      const found = await get(network, `/v1/jobs/${made.id}`, { key: account.api_key });
      return found.status === 'COMPLETED' && found;
    }, 'the job did not end');
    const ofJob = await own(job.id);
    assertReceipt(ofJob, { id: job.id, text: 'job done' });
    assert.deepEqual([ofJob.receipt.purpose, ofJob.receipt.request_of], ['job', 'messages']);
    assert.notEqual(job.result.id, job.id);
    assert.deepEqual(await own(job.result.id), ofJob, 'the same one under the id of its answer');
    assert.deepEqual(await command(network, 'receipt', 'show', job.result.id), ofJob, 'the operator sees the same');
    const other = await createAccount(network);
    for (const id of [job.id, job.result.id]) {
      const { error } = await own(id, { key: other.api_key, status: 404 });
      assert.equal(error.message, (await own('job_none', { status: 404 })).error.message, 'as if it were not there');
    }
    const asked = script({ text: 'job done' });
    assert.equal(ofJob.receipt.request_sha256, salted(ofJob, `user ${Buffer.byteLength(asked)}\n${asked}\n`));

    const conversation = await (await network.post('/v1/conversations', {}, { key: account.api_key })).json();
    const body = JSON.stringify(chat(script({ text: 'a turn' }), { conversation_id: conversation.id }));
    const turn = await (await post(body)).json();
    assertReceipt(await own(turn.id), { id: turn.id, text: 'a turn', body });

    await ask(network, workflow('research', 'What is best?'),
      { key: account.api_key });
    const steps = (await requestsOf(network, account.api_key)).filter(({ purpose }) => purpose === 'step');
    assert.ok(steps.length > 0);
    const { workflows: [last] } = await get(network, '/v1/workflows', { key: account.api_key });
    const told = (await get(network, `/v1/workflows/${last.id}`, { key: account.api_key })).steps.map(({ id }) => id);
    assert.deepEqual([...told].sort(), steps.map(({ id }) => id).sort(), 'a workflow names its generations');
    const { error } = await own(last.id, { status: 404 });
    assert.match(error.message, /workflow's steps have one each/);
    for (const step of steps) {
      const file = await own(step.id);
      assert.equal(file.receipt.purpose, 'step');
      assert.equal(file.receipt.charge_nano_usd, nano(step.cost_usd));
      await assertGenuine(network, { receipt: file });
    }
  });

  test('is nobody else\'s, and is not there for what was not settled', async () => {
    const answer = await (await post(chat('Hello'))).json();
    const other = await createAccount(network);
    for (const key of [other.api_key, network.apiKey]) await receiptOf(network, answer.id, { key, status: 404 });
    await network.fetch(`${RECEIPTS}/${answer.id}`, { key: '' }).then(({ status }) => assert.equal(status, 401));
    for (const id of ['chatcmpl-none', '%00', 'x'.repeat(300), '..', '%2e%2e%2fhead']) await own(id, { status: 404 });
    const test = await receiptOf(network, answer.id, { key: account.test_key, status: 404 });
    assert.match(test.error.message, /test key/);
  });

  test('stands in a chain, whose head is told to everybody', async () => {
    const files = [];
    for (let i = 0; i < 5; i += 1) files.push(await own((await (await post(chat(`Hello ${i}`))).json()).id));
    const [first] = files;
    const { day, place } = first.chain;
    const head = await eventually(async () => {
      const found = await get(network, `${RECEIPTS}/head`, { key: '' });
      return found.count >= files.at(-1).chain.place && found;
    }, 'the head does not move');
    assert.ok(headSigned(head));
    assert.equal(head.day, day);
    const { data } = await get(network, `${RECEIPTS}/chain?day=${day}&after=${place}`, { key: account.api_key });
    let hash = receiptHash(first);
    data.forEach((leaf, i) => { hash = linkHash(hash, day, place + 1 + i, Buffer.from(leaf, 'hex')); });
    assert.equal(data.length, head.count - place);
    assert.equal(hash.toString('hex'), head.head, 'the head follows from the receipt');
    assert.equal(files[1].chain.previous, receiptHash(first).toString('hex'));
    assert.equal(data[0], sha256(receiptBytes(files[1])).toString('hex'));
    await assertGenuine(network, { receipt: first, head, chain: { data } });
    await assertGenuine(network, { receipt: files.at(-1), head: { ...head } });
    assert.deepEqual(await get(network, `${RECEIPTS}/head?day=${day}`), head);
    assert.deepEqual(await command(network, 'receipt', 'head'), head);
    const lies = { 'another leaf': { head, chain: { data: [data[1], ...data.slice(1)] } },
      'one less': { head, chain: { data: data.slice(1) } }, 'no chain': { head },
      'a smaller head': { head: { ...head, count: head.count - 1 }, chain: { data } } };
    for (const [name, files_] of Object.entries(lies)) {
      assert.notEqual((await verify(network, { receipt: first, ...files_ })).code, 0, name);
    }
    await get(network, `${RECEIPTS}/head?day=2001-01-01`, { status: 404 });
    for (const day_ of ['2026-02-30', '2026-1-1', 'x', '', '2026-11-30%00']) {
      await get(network, `${RECEIPTS}/head?day=${day_}`, { status: 400 });
    }
    await get(network, `${RECEIPTS}/chain`, { status: 400 });
    await get(network, `${RECEIPTS}/chain?day=${day}&after=-1`, { status: 400 });
    assert.equal((await network.fetch(`${RECEIPTS}/chain?day=${day}`, { key: '' })).status, 401);
  });

  test('is refused when anything in it was changed', async () => {
    const body = JSON.stringify(chat(script({ text: 'true words' })));
    const file = await own((await (await post(body)).json()).id);
    await assertGenuine(network, { receipt: file });
    await assertGenuine(network, { receipt: JSON.stringify(file, null, 2) }); // however it is laid out
    const changed = { string: (value) => (/^[0-9a-f]{32,}$/.test(value) ? (value[0] === '0' ? '1' : '0') + value.slice(1)
      : `${value}x`), number: (value) => value + 1 };
    const places = [];
    const look = (value, at) => {
      if (value !== null && typeof value === 'object') Object.keys(value).forEach((key) => look(value[key], [...at, key]));
      else places.push(at);
    };
    look(file, []);
    const forge = (at, make) => {
      const copy = structuredClone(file);
      const parent = at.slice(0, -1).reduce((value, key) => value[key], copy);
      make(parent, at.at(-1));
      return copy;
    };
    const forgeries = places.map((at) => [at.join('.'), forge(at, (parent, key) => {
      parent[key] = parent[key] === null ? 'x' : changed[typeof parent[key]](parent[key]);
    })]);
    for (const at of places) {
      forgeries.push([`without ${at.join('.')}`, forge(at, (parent, key) => { delete parent[key]; })]);
    }
    forgeries.push(['one member more', { ...file, cost_usd: 0 }],
      ['one more within', { ...file, receipt: { ...file.receipt, discount: 1 } }],
      ['a device more', { ...file, receipt: { ...file.receipt, devices: [...file.receipt.devices, file.receipt.devices[0]] } }],
      ['no device', { ...file, receipt: { ...file.receipt, devices: [] } }],
      ['a key twice', JSON.stringify(file).replace('{"id"', '{"id":"x","id"')], ['no receipt', '[]'], ['nothing', ''],
      ['a number', '7'], ['a head', await get(network, `${RECEIPTS}/head`)]);
    assert.ok(places.length > 25, 'so many members');
    for (const [name, forged] of forgeries) {
      const { code, stdout } = await verify(network, { receipt: forged });
      assert.equal(code, 1, `${name} was changed, and it says\n${stdout}`);
    }
    assert.equal((await verify(network, { receipt: file }, '--key', '0'.repeat(64))).code, 1);
    assert.equal((await verify(network, { receipt: file, request: `${body} ` })).code, 1);
    assert.equal((await verify(network, { receipt: file, answer: 'false words' })).code, 1);
  });

  test('tells of an erased account nothing by which a text could be guessed', async () => {
    const gone = await createAccount(network);
    const { id } = await ask(network, chat('yes or no?'), { key: gone.api_key });
    await command(network, 'account', 'erase', gone.id, '--yes');
    const file = await command(network, 'receipt', 'show', id);
    assert.equal(file.salt, null);
    assert.ok(gatewaySigned(file), 'and is good all the same');
    await assertGenuine(network, { receipt: file });
    assert.equal((await verify(network, { receipt: file, answer: 'yes' })).code, 1);
  });
});

test('an answer that two devices made has both on its receipt', () => within(
  Network.gateway(['--log-level', 'debug']), async (network) => {
    const devices = [await network.scripted(), await network.scripted()];
    const TEXT = 'Once upon a time there was a lamp on a wall and a boat that came home late in the evening with nets.';
    const body = JSON.stringify(chat(script({ text: TEXT, rate: 15 }), { stream: true }));
    const { first, events } = await firstText(await network.post(CHAT, body));
    const { id } = JSON.parse(first.data);
    const { steps } = await admin(network, 'GET', `/admin/jobs/${id}`);
    devices.find((device) => device.id === steps.findLast((step) => step.provider_id).provider_id).kill('SIGKILL');
    const all = textOfEvent(first) + (await rest(events)).map(textOfEvent).join('');
    assert.equal(all, TEXT);
    const file = await receiptOf(network, id);
    assertReceipt(file, { id, text: TEXT, body });
    const [lost, last] = file.receipt.devices;
    assert.equal(file.receipt.devices.length, 2);
    assert.notEqual(lost.device_id, last.device_id);
    assert.deepEqual([lost.attempt, last.attempt], [1, 2]);
    assert.equal(lost.signed, null);
    assert.equal(last.signed.delivered_sha256, last.delivered_sha256);
    const seam = [...TEXT].findIndex((_, at) => salted(file, TEXT.slice(0, at)) === lost.delivered_sha256);
    assert.ok(seam > 0, 'the first part is a beginning of the text');
    assert.equal(last.delivered_sha256, salted(file, TEXT.slice(seam)));
    await assertGenuine(network, { receipt: file, answer: TEXT });
  }));

test('a device of an older program signs nothing, and is paid all the same', () => within(
  Network.gateway(), async (network) => {
    const device = await HandProvider.join(network, [REFERENCE_MODEL]);
    await network.untilAvailable(REFERENCE_MODEL);
    const asking = ask(network, chat('Hello'));
    const job = await device.job();
    device.accept(job);
    device.delta(job, 'Hello');
    device.done(job);
    const file = await receiptOf(network, (await asking).id);
    assert.equal(file.receipt.devices[0].signed, null);
    assert.match(await assertGenuine(network, { receipt: file, answer: 'Hello' }), /has signed nothing/);
    device.close?.();
    device.socket.destroy();
  }));

test('the chain is whole after every kill, and goes on where it was', () => within(Network.gateway(), async (network) => {
  const args = network.main.args.map((arg) => (arg === '127.0.0.1:0' ? `127.0.0.1:${network.port}` : arg));
  await network.scripted(['--slots', '16']);
  const answered = [];
  for (let round = 0; round < 4; round += 1) {
    let stopped = false;
    const asking = Array.from({ length: 8 }, async () => {
      while (!stopped) {
        const answer = await ask(network, chat(script({ text: 'a b' }))).catch(() => null);
        if (answer !== null) answered.push(answer.id);
        else if (stopped || network.main.ended) return;
      }
    });
    const wanted = answered.length + 20 + 7 * round;
    await eventually(() => answered.length >= wanted, 'no answers');
    network.main.kill('SIGKILL');
    stopped = true;
    await Promise.all(asking);
    await network.main.exit;
    const { ok, receipts } = await command(network, 'ledger', 'check');
    assert.ok(ok);
    assert.ok(receipts >= answered.length, 'who has an answer has a receipt');
    await network.untilReachable(network.start(args));
    await network.untilAvailable(REFERENCE_MODEL);
  }
  for (const id of answered.slice(-5)) assert.ok(gatewaySigned(await receiptOf(network, id)));
}));
