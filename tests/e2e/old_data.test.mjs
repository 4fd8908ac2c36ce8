// The data folder of an older program that was killed in the middle of its work (tests/fixtures): the gateway goes on with it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertBooks, balanceOf, requestsOf, untilIdle } from './support/accounts.mjs';
import { ask, chat, script, textOf, user } from './support/chat.mjs';
import { ABSENT_MODEL, Network, REFERENCE_MODEL, eventually, stopCleanly } from './support/network.mjs';
import { Receiver } from './support/receiver.mjs';
import { CHAT, ENDED, assertSteps, getWorkflow, untilWorkflow } from './support/workflows.mjs';

const FIXTURE = new URL('../fixtures/data-ea47000', import.meta.url).pathname;
const made = JSON.parse(readFileSync(`${FIXTURE}.json`, 'utf8'));
const { alice } = made.accounts;
const LOAD = 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())';

/** As if it had been made just now: nothing has expired. Its webhook is told to `url`. */
function loadData(folder, url) {
  const since = Date.now() - made.made_ms;
  const sql = readFileSync(`${FIXTURE}.sql`, 'utf8').replaceAll(made.url, url)
    .replace(/\b1\d{12}\b/g, (milliseconds) => String(Number(milliseconds) + since));
  for (const [name, text] of Object.entries(made.files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  }
  execFileSync('python3', ['-c', LOAD, path.join(folder, 'data', 'nataris.db')], { input: sql });
}

describe('the data of an older program', () => {
  let network;
  let receiver;
  const options = { key: alice.api_key };

  const json = async (route, more = {}) => {
    const response = await network.fetch(route, { ...options, ...more });
    const text = await response.text();
    assert.equal(response.status, more.status ?? 200, `${route}: ${text}`);
    return JSON.parse(text);
  };
  const untilJob = (id) => eventually(async () => {
    const job = await json(`/v1/jobs/${id}`);
    return ['COMPLETED', 'FAILED', 'CANCELLED'].includes(job.status) && job;
  }, () => `job ${id} did not end\n${network.errors()}`);

  before(async () => {
    receiver = await Receiver.open();
    network = await Network.gateway(['--webhooks-allow-private'],
      { prepare: ({ folder }) => loadData(folder, receiver.url('/pending')) });
  });
  after(async () => {
    await receiver.close();
    await stopCleanly(network);
  });

  test('opens, and its books are right', async () => {
    assert.equal(await balanceOf(network, alice), made.balance_nano);
    const report = await assertBooks(network);
    assert.ok(report.transactions > 40, JSON.stringify(report));
    const purposes = new Set((await requestsOf(network, alice.api_key)).map(({ purpose }) => purpose));
    assert.deepEqual([...purposes].sort(), ['job', 'step', 'summary', 'title', undefined]);
  });

  test('what was said can be read, what was deleted cannot', async () => {
    const talk = await json(`/v1/conversations/${made.conversation}`);
    assert.deepEqual([talk.message_count, talk.titled_by, talk.system], [28, 'model', 'Be brief.']);
    assert.match(talk.summary, /FACT: the name is Ada\./);
    const named = await json(`/v1/conversations/${made.named}`);
    assert.match(named.messages[0].content, /^My boat is called Minka\./);
    assert.equal(named.messages[1].content.trim(), 'A fine name.');
    const sandbox = await json(`/v1/conversations/${made.test}`, { key: alice.test_key });
    assert.equal(sandbox.messages[0].content, 'In the sandbox');
    await json(`/v1/conversations/${made.deleted}`, { status: 404 });
  });

  test('an answer that was kept is given again', async () => {
    const kept = chat(script({ text: 'an answer that is kept' }), { messages: user('Keep this') });
    const response = await network.post(CHAT, kept, { ...options, headers: { 'Idempotency-Key': 'kept' } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('idempotent-replayed'), 'true');
    assert.ok(textOf(await response.json()).length > 0);
    assert.equal(await balanceOf(network, alice), made.balance_nano);
  });

  test('what had ended is as it was', async () => {
    const job = await json(`/v1/jobs/${made.jobs.COMPLETED}`);
    assert.equal(textOf(job.result), 'a job well done');
    assert.equal((await json(`/v1/jobs/${made.jobs.inference}`)).result.object, 'inference');
    assert.equal((await json(`/v1/jobs/${made.jobs.FAILED}`)).status, 'FAILED');
    assert.equal((await json(`/v1/jobs/${made.jobs.CANCELLED}`)).status, 'CANCELLED');
    for (const status of ['COMPLETED', 'BUDGET_EXCEEDED']) {
      const found = await getWorkflow(network, made.workflows[status], alice.api_key);
      assert.equal(found.status, status);
      assertSteps(found);
    }
  });

  test('its devices come back, and what was open goes on and ends', async () => {
    const open = {};
    for (const [name, id] of Object.entries(made.open)) {
      open[name] = await getWorkflow(network, id, alice.api_key);
      assert.equal(open[name].status, 'RUNNING');
    }
    const { url } = await network.invite();
    const device = network.start(['provider', '--gateway', url, '--data', path.join(network.folder, 'provider'), '--name',
      'old', '--quiet', '--engine', 'scripted', '--model', REFERENCE_MODEL, '--model', ABSENT_MODEL, '--slots', '16']);
    assert.equal(await network.joined(Object.assign(device, { name: 'provider-2' })), made.device);
    for (const [name, id] of Object.entries(made.open)) {
      const found = await untilWorkflow(network, id, alice.api_key, ENDED);
      assert.ok(['COMPLETED', 'BUDGET_EXCEEDED'].includes(found.status), `${name}: ${JSON.stringify(found)}`);
      assertSteps(found);
      for (const step of open[name].steps.filter(({ status }) => status === 'COMPLETED')) {
        assert.deepEqual(found.steps[step.number - 1], step, 'what was done is not done again');
      }
    }
    for (const name of ['workflow', 'RUNNING', 'QUEUED']) {
      const job = await untilJob(made.jobs[name]);
      assert.equal(job.status, 'COMPLETED', JSON.stringify(job));
      assert.ok(textOf(job.result).length > 0);
    }
    const talk = await json(`/v1/conversations/${made.sealed}`);
    assert.deepEqual(talk.messages.map(({ role }) => role), ['user', 'assistant']);
    assert.equal(talk.messages[0].content, 'SEALED-TASK of the sea');
  });

  test('conversations are continued', async () => {
    for (const [id, count] of [[made.conversation, 28], [made.named, 2], [made.sealed, 2]]) {
      const answer = await ask(network, chat(script({ text: 'I am back.' }), { conversation_id: id, max_tokens: 50 }), options);
      assert.equal(textOf(answer), 'I am back.');
      const talk = await json(`/v1/conversations/${id}`);
      assert.equal(talk.message_count, count + 2);
      assert.equal(talk.messages.at(-1).content.trim(), 'I am back.');
    }
  });

  test('deliveries that waited arrive', async () => {
    const sent = await receiver.until('/pending', 4);
    const types = sent.map(({ body }) => JSON.parse(body).type);
    assert.ok(types.includes('job.completed') && types.includes('workflow.completed'), types.join());
  });

  test('its books are right in the end', async () => {
    await untilIdle(network, alice);
    const lines = await requestsOf(network, alice.api_key);
    const spent = lines.reduce((sum, { cost_usd: cost }) => sum + Math.round(cost * 1e9), 0);
    assert.equal(await balanceOf(network, alice), 5_250_000_000 - spent); // the welcome credit and a refund
    await assertBooks(network);
  });
});
