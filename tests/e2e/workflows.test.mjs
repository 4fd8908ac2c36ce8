// Workflows: several generations that make one answer. What the client sees, what is told of the steps, and how they end.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertBooks, balanceOf, createAccount, nano, requestsOf, untilIdle } from './support/accounts.mjs';
import { ask, chat, openaiClient, script, textOf } from './support/chat.mjs';
import { testEachWorkflow } from './support/each_workflow.mjs';
import { DEMO_MODEL, Network, REFERENCE_MODEL, eventually, stopCleanly } from './support/network.mjs';
import { readStream } from './support/stream.mjs';
import {
  CHAT, WORKFLOWS, allWorkflows, assertAnswer, assertProgress, assertSteps, generationsOf, getWorkflow,
  jsonOf, listWorkflows, longText, namesOf, readWorkflow, untilWorkflow, workflow,
} from './support/workflows.mjs';

const WELCOME = 5_000_000_000;
const SLOW = script({ tokens: 200, rate: 20 });

/** Begins a slow workflow as a stream; resolves with its id and the reading of what is left. */
async function begin(network, account, body, options = {}) {
  const response = await network.post(CHAT, { ...body, stream: true }, { key: account.api_key, ...options });
  assert.equal(response.status, 200, response.status === 200 ? '' : await response.text());
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  const [{ id }] = (await eventually(async () => {
    const { workflows } = await listWorkflows(network, account.api_key);
    return workflows.length > 0 && workflows;
  }, 'no workflow was stored'));
  return { id, response };
}

async function cancel(network, account, id, { method = 'POST', status = 200 } = {}) {
  const route = method === 'POST' ? `${WORKFLOWS}/${id}/cancel` : `${WORKFLOWS}/${id}`;
  return jsonOf(await network.fetch(route, { key: account.api_key, method }), status);
}

describe('on the built-in model', () => {
  let network;
  before(async () => {
    network = await Network.up(['--model', DEMO_MODEL]);
  });
  after(() => stopCleanly(network));
  testEachWorkflow(() => network, DEMO_MODEL, { bytes: 5000 });
});

describe('a workflow', () => {
  let network;
  let account;
  let key;
  before(async () => {
    network = await Network.gateway(['--no-counting', '--max-attempts', '1', '--cooldown-ms', '50']);
    await network.scripted(['--slots', '16', '--context', '4096']);
    account = await createAccount(network);
    key = account.api_key;
  });
  after(() => stopCleanly(network));
  afterEach(() => assertBooks(network));

  test('is an answer as any other, with what it took', async () => {
    const own = await createAccount(network);
    const answer = await ask(network, workflow('research', 'The sea'), { key: own.api_key });
    assert.match(answer.id, /^chatcmpl-\w+$/);
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.deepEqual([answer.nataris.status, answer.nataris.steps_executed, answer.nataris.auto], ['COMPLETED', 3, false]);
    const found = await assertAnswer(network, answer, 'research', own.api_key);
    assert.equal(namesOf(found), 'research analyze write');
    assert.equal(found.steps[2].output, textOf(answer));
    assert.equal(found.task, 'The sea');
    assert.equal(found.model, REFERENCE_MODEL);
    assert.equal(found.max_steps, 10);
    assert.equal(found.max_cost_usd, null);
    assert.ok(found.steps.every(({ provider }) => typeof provider === 'string' && provider !== ''));
    assert.ok(found.created_at <= found.steps[0].started_at);
    await untilIdle(network, own);
    const lines = await requestsOf(network, own.api_key);
    assert.equal(lines.length, 3, 'each step is one charge');
    assert.equal(lines.reduce((sum, line) => sum + nano(line.cost_usd), 0), nano(found.total_cost_usd));
    assert.equal(await balanceOf(network, own), WELCOME - nano(found.total_cost_usd));
  });

  test('as a stream tells its steps, then the text in ordinary deltas', async () => {
    const client = openaiClient(network, { apiKey: key });
    const body = workflow('research', `The sea ${script({ tokens: 12, rate: 100 })}`, { stream: true });
    const { text, last, progress, chunks } = await readWorkflow(await client.chat.completions.create(body));
    const found = await getWorkflow(network, last.nataris.workflow_id, key);
    assertSteps(found, 'research');
    assertProgress(progress, found);
    assert.equal(last.finish, 'stop');
    assert.deepEqual([last.nataris.status, last.nataris.steps_executed], ['COMPLETED', 3]);
    assert.equal(last.nataris.total_cost_usd, found.total_cost_usd);
    assert.equal(text, found.steps[2].output);
    assert.ok(chunks.filter(({ choices }) => choices[0]?.delta.content).length > 3, 'the last step comes as it is made');
    assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
    const plain = await ask(network, { ...body, stream: false }, { key });
    assert.equal(textOf(plain), text, 'plain says the same');
    const raw = await readStream(await network.post(CHAT, body, { key }));
    assert.ok(raw.done);
    for (const { number, name } of found.steps) {
      const lines = raw.events.filter(({ comment }) => comment?.startsWith(`step ${number} ${name} `));
      assert.equal(lines.length, 2, `the lines of ${name}`);
    }
  });

  test('that is not enabled is an ordinary call', async () => {
    const { total } = await listWorkflows(network, key);
    for (const orchestration of [{ enabled: false, workflow: 'research' }, {}]) {
      const answer = await ask(network, chat('Hello', { orchestration }), { key });
      assert.equal(answer.nataris.workflow_id, undefined);
    }
    assert.equal((await listWorkflows(network, key)).total, total);
  });

  test('chosen by "auto" says which it is', async () => {
    const rule = {
      research: 'Compare solar and wind energy, with pros and cons.',
      code: 'Write a python function that sorts a list.',
      agent: 'Calculate 12 * 34.',
    };
    for (const [kind, content] of Object.entries(rule)) {
      for (const name of ['auto', 'AUTO', undefined]) {
        const { nataris } = await ask(network, workflow(name, content), { key });
        assert.deepEqual([nataris.workflow, nataris.auto], [kind, true], content);
      }
    }
    const { nataris } = await ask(network, workflow('auto', longText(20_000), { orchestration: { max_steps: 30 } }), { key });
    assert.deepEqual([nataris.workflow, nataris.auto], ['map_reduce', true]);
  });

  test('map_reduce reads the whole text', async () => {
    const answer = await ask(network, workflow('map_reduce', longText(30_000), { orchestration: { max_steps: 50 } }), { key });
    assert.equal(answer.nataris.status, 'COMPLETED');
    const found = await assertAnswer(network, answer, 'map_reduce', key);
    const maps = found.steps.filter(({ name }) => name === 'map');
    assert.equal(JSON.parse(found.steps[0].output).chunks, maps.length);
    assert.ok(maps.length > 2, `${maps.length} chunks`);
    assert.equal(new Set(maps.map(({ prompt_sha256: digest }) => digest)).size, maps.length);
  });

  test('ends where its steps do, with the best there is', async () => {
    const two = await ask(network, workflow('research', 'The sea', { orchestration: { max_steps: 2 } }), { key });
    assert.deepEqual([two.nataris.status, two.nataris.steps_executed], ['MAX_STEPS', 2]);
    assert.equal(two.choices[0].finish_reason, 'length');
    const found = await assertAnswer(network, two, 'research', key);
    assert.equal(textOf(two), found.steps[1].output);
    const few = await ask(network, workflow('map_reduce', longText(30_000), { orchestration: { max_steps: 3 } }), { key });
    assert.deepEqual([few.nataris.status, few.nataris.steps_executed], ['MAX_STEPS', 3]);
    const cut = await assertAnswer(network, few, 'map_reduce', key);
    assert.equal(textOf(few), cut.steps.findLast(({ name }) => name === 'reduce').output);
  });

  test('whose step fails has failed, and tells why', async () => {
    const own = await createAccount(network);
    const response = await network.post(CHAT, workflow('code', script({ fail: 'bad_request' })), { key: own.api_key });
    const { error } = await jsonOf(response, 400);
    assert.equal(error.code, 'INVALID_REQUEST');
    const [{ id, status }] = await allWorkflows(network, own.api_key);
    assert.equal(status, 'FAILED');
    const found = await getWorkflow(network, id, own.api_key);
    assert.equal(found.error.code, 'INVALID_REQUEST');
    assert.equal(found.steps[0].status, 'FAILED');
    assert.equal(found.total_cost_usd, 0);
    assert.equal(await balanceOf(network, own), WELCOME);
  });

  const bad = {
    'an unknown workflow': ['orchestration.workflow', { workflow: 'poem' }],
    'a workflow that is no text': ['orchestration.workflow', { workflow: 7 }],
    'no steps': ['orchestration.max_steps', { max_steps: 0 }],
    'half a step': ['orchestration.max_steps', { max_steps: 1.5 }],
    'steps as text': ['orchestration.max_steps', { max_steps: '3' }],
    'a cap below nothing': ['orchestration.max_cost_usd', { max_cost_usd: -0.01 }],
    'a cap as text': ['orchestration.max_cost_usd', { max_cost_usd: '1' }],
    'an unknown member': ['orchestration.budget', { budget: 1 }],
    'an "enabled" that is neither': ['orchestration.enabled', { enabled: 'yes' }],
  };
  for (const [name, [param, orchestration]] of Object.entries(bad)) {
    test(`with ${name} is refused`, async () => {
      const { total } = await listWorkflows(network, key);
      const { error } = await jsonOf(await network.post(CHAT, workflow('agent', 'Hello', { orchestration }), { key }), 400);
      assert.deepEqual([error.code, error.param], ['INVALID_REQUEST', param]);
      assert.equal((await listWorkflows(network, key)).total, total);
    });
  }

  test('is for chats, and those with "tools" are of agents', async () => {
    const tools = [{ type: 'function', function: { name: 'look' } }];
    const refused = [[CHAT, chat('Hello', { orchestration: [] })],
      [CHAT, workflow('research', 'Hello', { tools })],
      ['/v1/inference', { model: REFERENCE_MODEL, prompt: 'a', orchestration: { enabled: true } }]];
    for (const [route, body] of refused) {
      await jsonOf(await network.post(route, body, { key }), 400);
    }
  });

  test('is listed, newest first, in pages and by status', async () => {
    const own = await createAccount(network);
    const ids = [];
    for (let i = 0; i < 5; i++) {
      const orchestration = i === 2 ? { max_steps: 1 } : {};
      const { nataris } = await ask(network, workflow('research', `Number ${i}`, { orchestration }), { key: own.api_key });
      ids.unshift(nataris.workflow_id);
    }
    const page = await listWorkflows(network, own.api_key, '?limit=2');
    assert.deepEqual(page.workflows.map(({ id }) => id), ids.slice(0, 2));
    assert.deepEqual([page.total, page.has_more], [5, true]);
    const [line] = page.workflows;
    assert.deepEqual([line.type, line.status, line.task, line.steps_executed], ['RESEARCH', 'COMPLETED', 'Number 4', 3]);
    assert.ok(line.total_cost_usd > 0 && line.steps === undefined && line.answer === undefined);
    assert.match(line.created_at, /^\d{4}-\d\d-\d\dT/);
    const next = await listWorkflows(network, own.api_key, `?limit=4&after=${ids[1]}`);
    assert.deepEqual(next.workflows.map(({ id }) => id), ids.slice(2));
    assert.deepEqual([next.total, next.has_more], [5, false]);
    const cut = await listWorkflows(network, own.api_key, '?status=max_steps');
    assert.deepEqual(cut.workflows.map(({ id }) => id), [ids[2]]);
    for (const query of ['?limit=0', '?limit=101', '?status=asleep']) {
      await jsonOf(await network.fetch(WORKFLOWS + query, { key: own.api_key }), 400);
    }
    await jsonOf(await network.fetch(`${WORKFLOWS}?after=wf_nobody`, { key: own.api_key }), 404);
  });

  test('is nobody else\'s, nor of the other kind of key', async () => {
    const other = await createAccount(network);
    const { nataris: { workflow_id: id } } = await ask(network, workflow('research', 'Mine'), { key });
    const none = await network.fetch(`${WORKFLOWS}/wf_${'Z'.repeat(24)}`, { key: other.api_key });
    const text = await none.text();
    assert.equal(none.status, 404);
    for (const foreign of [other.api_key, other.test_key, account.test_key]) {
      const response = await network.fetch(`${WORKFLOWS}/${id}`, { key: foreign });
      assert.deepEqual([response.status, await response.text()], [404, text]);
      await cancel(network, { api_key: foreign }, id, { status: 404 });
      await cancel(network, { api_key: foreign }, id, { status: 404, method: 'DELETE' });
    }
    assert.equal((await listWorkflows(network, other.api_key)).total, 0);
  });

  for (const method of ['POST', 'DELETE']) {
    test(`is cancelled by ${method}; what was made is paid`, async () => {
      const own = await createAccount(network);
      const { id, response } = await begin(network, own, workflow('research', SLOW));
      await untilWorkflow(network, id, own.api_key, ['RUNNING']);
      assert.equal((await cancel(network, own, id, { method })).status, 'CANCELLED');
      const events = await readStream(response);
      assert.ok(!events.chunks.some(({ choices }) => choices?.[0]?.finish_reason === 'stop'));
      await untilIdle(network, own);
      const found = await getWorkflow(network, id, own.api_key);
      assert.equal(found.status, 'CANCELLED');
      assert.equal(generationsOf(found).filter(({ status }) => status === 'COMPLETED').length, 0);
      assert.equal((await cancel(network, own, id, { method })).status, 'CANCELLED', 'twice changes nothing');
      const spent = (await requestsOf(network, own.api_key)).reduce((sum, line) => sum + nano(line.cost_usd), 0);
      assert.equal(await balanceOf(network, own), WELCOME - spent);
    });
  }

  test('that has ended is not cancelled any more', async () => {
    const { nataris: { workflow_id: id } } = await ask(network, workflow('research', 'Over'), { key });
    const before = await getWorkflow(network, id, key);
    for (const method of ['POST', 'DELETE']) assert.equal((await cancel(network, account, id, { method })).status, 'COMPLETED');
    assert.deepEqual(await getWorkflow(network, id, key), before);
  });

  test('ends with its client', async () => {
    for (const stream of [true, false]) {
      const own = await createAccount(network);
      const gone = new AbortController();
      const asked = network.post(CHAT, workflow('research', SLOW, { stream }), { key: own.api_key, signal: gone.signal });
      const settled = asked.then((response) => response.text()).catch(() => {});
      const [{ id }] = await eventually(async () => {
        const { workflows } = await listWorkflows(network, own.api_key);
        return workflows.length > 0 && workflows;
      }, 'no workflow was stored');
      gone.abort();
      await settled;
      assert.equal((await untilWorkflow(network, id, own.api_key)).status, 'CANCELLED');
      await untilIdle(network, own);
    }
  });

  test('runs once under an Idempotency-Key', async () => {
    for (const stream of [false, true]) {
      const own = await createAccount(network);
      const options = { key: own.api_key, headers: { 'Idempotency-Key': 'only once' } };
      const body = workflow('research', `Once ${script({ tokens: 10, rate: 50 })}`, { stream });
      const first = network.post(CHAT, body, options).then((response) => response.text());
      await eventually(async () => (await listWorkflows(network, own.api_key)).total === 1, 'it was not stored');
      const early = await network.post(CHAT, body, options);
      const { error } = await jsonOf(early, 409);
      assert.deepEqual([error.code, early.headers.get('retry-after')], ['IDEMPOTENCY_CONFLICT', '1']);
      const text = await first;
      const again = await network.post(CHAT, body, options);
      assert.equal(again.status, 200);
      assert.equal(again.headers.get('idempotent-replayed'), 'true');
      if (stream) assert.equal((await readStream(again)).text, (await readStream(new Response(text))).text);
      else assert.equal(await again.text(), text);
      await jsonOf(await network.post(CHAT, workflow('research', 'Another'), options), 409);
      assert.equal((await listWorkflows(network, own.api_key)).total, 1);
      await untilIdle(network, own);
      assert.equal((await requestsOf(network, own.api_key)).length, 3);
    }
  });

  test('on a conversation knows what was said, and stores the exchange', async () => {
    const conversation = await jsonOf(await network.post('/v1/conversations', { auto_title: false, auto_summary: false },
      { key }));
    const { id } = conversation;
    await ask(network, chat('My name is Ada.', { conversation_id: id }), { key });
    const plain = await ask(network, workflow('research', 'The sea', { conversation_id: id }), { key });
    const stream = await eventually(async () => {
      const response = await network.post(CHAT, workflow('agent', 'The moon', { conversation_id: id, stream: true }), { key });
      return response.status === 200 && response;
    }, 'the conversation stays busy');
    const { text } = await readStream(stream);
    const { messages } = await jsonOf(await network.fetch(`/v1/conversations/${id}`, { key }));
    assert.deepEqual(messages.slice(2).map(({ content }) => content), ['The sea', textOf(plain), 'The moon', text]);
    const found = await getWorkflow(network, plain.nataris.workflow_id, key);
    assert.equal(found.conversation_id, id);
    assert.equal((await network.fetch(`/v1/conversations/${id}`, { key, method: 'DELETE' })).status, 200);
    const bare = await network.fetch(`${WORKFLOWS}/${plain.nataris.workflow_id}`, { key });
    assert.ok(!(await bare.text()).includes(textOf(plain)), 'its texts went with the conversation');
  });

  test('of a test key is the sandbox\'s, and costs nothing', async () => {
    const own = await createAccount(network);
    const test = own.test_key;
    for (const kind of ['research', 'code', 'agent', 'map_reduce']) {
      const body = workflow(kind, kind === 'map_reduce' ? longText(2000) : 'The sea');
      const answer = await ask(network, body, { key: test });
      assert.equal(answer.nataris.status, 'COMPLETED');
      await assertAnswer(network, answer, kind, test);
    }
    assert.equal((await listWorkflows(network, test)).total, 4);
    assert.equal((await listWorkflows(network, own.api_key)).total, 0);
    assert.equal(await balanceOf(network, own), WELCOME);
    assert.equal((await requestsOf(network, own.api_key)).length, 0);
  });

  test('as a job ends with the whole answer', async () => {
    const own = await createAccount(network);
    const made = await jsonOf(await network.post('/v1/jobs', workflow('code', 'Sort a list'), { key: own.api_key }), 202);
    const job = await eventually(async () => {
      const now = await jsonOf(await network.fetch(`/v1/jobs/${made.id}`, { key: own.api_key }));
      return !['QUEUED', 'RUNNING'].includes(now.status) && now;
    }, () => `the job does not end\n${network.errors()}`);
    assert.equal(job.status, 'COMPLETED', JSON.stringify(job.error));
    assert.equal(job.result.nataris.workflow_id, `wf_${made.id.slice(4)}`);
    const found = await assertAnswer(network, job.result, 'code', own.api_key);
    assert.equal(nano(job.cost_usd), nano(found.total_cost_usd));
    await untilIdle(network, own);
    assert.equal(await balanceOf(network, own), WELCOME - nano(found.total_cost_usd));
    const { error } = await jsonOf(await network.post('/v1/jobs', workflow('poem', 'No'), { key: own.api_key }), 400);
    assert.equal(error.param, 'orchestration.workflow');
  });

  test('as a job is cancelled with it', async () => {
    const own = await createAccount(network);
    const { id } = await jsonOf(await network.post('/v1/jobs', workflow('research', SLOW), { key: own.api_key }), 202);
    await eventually(async () => (await listWorkflows(network, own.api_key)).total === 1, 'it does not begin');
    const job = await jsonOf(await network.fetch(`/v1/jobs/${id}`, { key: own.api_key, method: 'DELETE' }));
    assert.equal(job.status, 'CANCELLED');
    assert.equal((await untilWorkflow(network, `wf_${id.slice(4)}`, own.api_key)).status, 'CANCELLED');
    await untilIdle(network, own);
  });
});
