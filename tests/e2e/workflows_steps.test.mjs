// What steps make of a model's words: actions, verdicts, calls of the caller's tools; estimates; and whom an end is told.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { assertBooks, balanceOf, createAccount, nano, requestsOf, untilIdle } from './support/accounts.mjs';
import { ask, openaiClient, script, textOf, user } from './support/chat.mjs';
import { Network, REFERENCE_MODEL, eventually, stopCleanly, within } from './support/network.mjs';
import { Receiver } from './support/receiver.mjs';
import {
  CHAT, SpeakingDevice, WORKFLOWS, assertAnswer, assertProgress, getWorkflow, jsonOf, listWorkflows, longText, namesOf,
  readWorkflow, untilWorkflow, workflow,
} from './support/workflows.mjs';

const WEATHER = { type: 'function', function: { name: 'get_weather', description: 'Tells the weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };
const SPREAD = ['low', 'likely', 'high'];

/** A network with one device, which says these texts, one for each generation. */
function speaking(texts, tell) {
  return within(Network.gateway(), async (network) => {
    const device = await SpeakingDevice.join(network, (_, count) => texts[count - 1] ?? 'Answer: nothing more');
    await tell(network, device);
    assert.equal(device.prompts.length, texts.length, 'so many generations');
    device.leave();
    await assertBooks(network);
  });
}

test('an agent acts with a tool of ours and reads what comes of it', () => speaking(
  ['I must calculate.\nAction: calculator[6 * 7]\nObservation: 99\nAnswer: 99', 'Answer: It is 42.'],
  async (network, device) => {
    const answer = await ask(network, workflow('agent', 'What is six times seven?'));
    assert.equal(textOf(answer), 'It is 42.');
    assert.deepEqual([answer.nataris.status, answer.nataris.steps_executed], ['COMPLETED', 2]);
    const found = await assertAnswer(network, answer, 'agent');
    assert.equal(namesOf(found), 'think act think');
    assert.match(found.steps[1].output, /42/);
    assert.match(device.promptOf(1), /What is six times seven\?/);
    assert.match(device.promptOf(2), /42/);
    assert.doesNotMatch(device.promptOf(2), /99/, 'what it made up is not observed');
  }));

test('an agent knows the time, and which tools there are', () => speaking(
  ['Action: teleport[Paris]', 'Action: current_time[]', 'Done, it is late.'], async (network, device) => {
    const answer = await ask(network, workflow('agent', 'Say when the train leaves.'));
    assert.equal(textOf(answer), 'Done, it is late.');
    const found = await assertAnswer(network, answer, 'agent');
    assert.equal(namesOf(found), 'think act think act think');
    assert.match(found.steps[1].output, /calculator/);
    assert.match(found.steps[3].output, /^20\d\d-\d\d-\d\dT.*day/);
    assert.match(device.promptOf(3), /20\d\d-\d\d-\d\dT/);
  }));

test('a plain sum is the calculator\'s, whatever the model thinks of it', () => speaking(
  ['17*23 is 391.'], async (network, device) => {
    const answer = await ask(network, workflow('agent', 'What is 17*23?'));
    assert.equal(textOf(answer), '17*23 is 391.');
    assert.deepEqual([answer.nataris.status, answer.nataris.steps_executed], ['COMPLETED', 1]);
    const found = await assertAnswer(network, answer, 'agent');
    assert.equal(namesOf(found), 'think act think');
    assert.equal(found.steps[1].output, '391');
    assert.match(device.promptOf(1), /What is 17\*23\?\n\(The calculator says: 17\*23 = 391\./);
  }));

test('a sum that the model gets wrong twice is answered by the calculator', () => speaking(
  ['It is 401.', 'It is 402, I am sure.'], async (network, device) => {
    const answer = await ask(network, workflow('agent', 'Wie viel ist 17 mal 23?'));
    assert.equal(textOf(answer), '17 mal 23 = 391');
    assert.deepEqual([answer.nataris.status, answer.nataris.steps_executed], ['COMPLETED', 2]);
    assert.match(device.promptOf(2), /Do not repeat the question/);
  }));

test('the time is told by rule, in any of its languages', () => speaking(
  ['今天是星期一。'], async (network, device) => {
    const answer = await ask(network, workflow('agent', '今天星期几？'));
    assert.equal(textOf(answer), '今天是星期一。');
    assert.match(device.promptOf(1), /The clock says: 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ, \w+day/);
  }));

test('an agent that repeats a call is told so, then ends with what it found', () => speaking(
  Array(3).fill('Action: calculator[1+1]'), async (network, device) => {
    const answer = await ask(network, workflow('agent', 'What is one plus one?'));
    assert.deepEqual([answer.nataris.status, answer.nataris.steps_executed], ['NO_ANSWER', 3]);
    assert.equal(textOf(answer), '1+1 = 2');
    assert.equal(answer.choices[0].finish_reason, 'length');
    const found = await assertAnswer(network, answer, 'agent');
    assert.match(found.steps[3].output, /already/);
    assert.match(device.promptOf(3), /already/);
    assert.equal((await listWorkflows(network, network.apiKey, '?status=NO_ANSWER')).total, 1);
  }));

for (const [title, texts] of Object.entries({
  'the question': ['Who built the lighthouse of Alexandria?', '**Who built the lighthouse of Alexandria?**'],
  'the instructions': ['Answer, or call one of these tools:', 'the answer'],
  nothing: ['', ' '],
})) {
  test(`an answer that repeats ${title} is asked for once more, and is then none`, () => speaking(
    texts, async (network, device) => {
      const answer = await ask(network, workflow('agent', 'Who built the lighthouse of Alexandria?'));
      assert.deepEqual([answer.nataris.status, answer.nataris.steps_executed], ['NO_ANSWER', 2]);
      assert.match(device.promptOf(2), /Do not repeat the question/);
      await assertAnswer(network, answer, 'agent');
    }));
}

test('an answer behind one that repeats the question is the answer', () => speaking(
  ['Who built the lighthouse of Alexandria?', 'Sostratus of Cnidus.'], async (network) => {
    const answer = await ask(network, workflow('agent', 'Who built the lighthouse of Alexandria?'));
    assert.deepEqual([textOf(answer), answer.nataris.status], ['Sostratus of Cnidus.', 'COMPLETED']);
  }));

test('an agent that never answers ends with its steps', () => speaking(
  ['Action: calculator[1]', 'Action: calculator[2]', 'Action: calculator[3]'], async (network) => {
    const answer = await ask(network, workflow('agent', 'Count', { orchestration: { max_steps: 3 } }));
    assert.deepEqual([answer.nataris.status, answer.nataris.steps_executed], ['MAX_STEPS', 3]);
    await assertAnswer(network, answer, 'agent');
  }));

for (const stream of [false, true]) {
  test(`a tool of the caller is handed back as a call, ${stream ? 'streamed' : 'plain'}, and its result leads to an answer`,
    () => speaking(['Action: get_weather[Paris]', 'Answer: Sunny in Paris.'], async (network, device) => {
      const client = openaiClient(network);
      const body = workflow('agent', 'How is the weather in Paris?', { tools: [WEATHER], stream });
      let [called, finish, nataris] = [];
      if (stream) {
        const read = await readWorkflow(await client.chat.completions.create(body));
        [called, finish, nataris] = [read.calls, read.last.finish, read.last.nataris];
        assertProgress(read.progress, await getWorkflow(network, nataris.workflow_id));
      } else {
        const answer = await client.chat.completions.create(body);
        [called, finish, nataris] = [answer.choices[0].message.tool_calls, answer.choices[0].finish_reason, answer.nataris];
      }
      assert.equal(finish, 'tool_calls');
      assert.deepEqual([nataris.status, nataris.steps_executed], ['COMPLETED', 1]);
      assert.equal(called.length, 1);
      assert.equal(called[0].type, 'function');
      assert.equal(called[0].function.name, 'get_weather');
      assert.deepEqual(JSON.parse(called[0].function.arguments), { city: 'Paris' });
      const { index: _, ...call } = called[0];
      const messages = [...body.messages, { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: call.id, content: 'Sunny, 21 degrees' }];
      const second = await client.chat.completions.create({ ...body, messages, stream: false });
      assert.equal(textOf(second), 'Sunny in Paris.');
      assert.equal(second.choices[0].finish_reason, 'stop');
      assert.match(device.promptOf(2), /Sunny, 21 degrees/);
      assert.match(device.promptOf(1), /get_weather/);
    }));
}

test('a review that finds faults sends the code back once', () => speaking(
  ['1. Add.', 'def add(a, b): return a - b', 'FAULTS:\n- it subtracts', 'def add(a, b): return a + b'],
  async (network, device) => {
    const { text, last } = await readWorkflow(await openaiClient(network).chat.completions.create(
      workflow('code', 'Write add.', { stream: true })));
    assert.equal(text, 'def add(a, b): return a + b');
    const found = await getWorkflow(network, last.nataris.workflow_id);
    assert.equal(namesOf(found), 'plan implement review implement');
    assert.match(device.promptOf(4), /it subtracts/);
  }));

test('a review that approves lets the code stand', () => speaking(
  ['1. Add.', 'def add(a, b): return a + b', 'APPROVED'], async (network) => {
    const answer = await ask(network, workflow('code', 'Write add.'));
    assert.equal(textOf(answer), 'def add(a, b): return a + b');
    assert.equal(namesOf(await assertAnswer(network, answer, 'code')), 'plan implement review');
  }));

test('each step reads what it needs of those before', () => speaking(
  ['FACTS-ONE', 'ANALYSIS-TWO', 'REPORT-THREE'], async (network, device) => {
    const answer = await ask(network, { ...workflow('research', 'TASK-ZERO'),
      messages: [{ role: 'system', content: 'SYSTEM-MARK' }, ...user('TASK-ZERO')] });
    assert.equal(textOf(answer), 'REPORT-THREE');
    for (const number of [1, 2, 3]) assert.match(device.promptOf(number), /TASK-ZERO/);
    assert.match(device.promptOf(2), /FACTS-ONE/);
    assert.match(device.promptOf(3), /ANALYSIS-TWO/);
    assert.match(device.promptOf(3), /SYSTEM-MARK/);
  }));

test('an agent finds what was said in the conversation', () => speaking(
  ['Action: conversation_search[boat]', 'Answer: She is called Minka.'], async (network, device) => {
    const messages = [...user('My boat is called Minka.'), { role: 'assistant', content: 'A fine name.' }, ...user('Her name?')];
    const answer = await ask(network, { ...workflow('agent', ''), messages });
    const found = await assertAnswer(network, answer, 'agent');
    assert.match(found.steps[1].output, /Minka/);
    assert.match(device.promptOf(2), /My boat is called Minka/);
  }));

describe('an estimate', () => {
  let network;
  before(async () => {
    network = await Network.gateway(['--no-counting']);
    await network.scripted(['--slots', '8', '--context', '4096']);
  });
  after(() => stopCleanly(network));

  const estimate = async (body, account = {}, status = 200) => jsonOf(
    await network.post(`${WORKFLOWS}/estimate`, body, account.api_key ? { key: account.api_key } : {}), status);

  function assertSpread(figures) {
    const [low, likely, high] = SPREAD.map((name) => figures[name]);
    assert.ok(low >= 0 && low <= likely && likely <= high, JSON.stringify(figures));
  }

  test('tells tokens and dollars for each step, as the reference asks', async () => {
    const names = { research: ['research', 'analyze', 'write'], code: ['plan', 'implement', 'review'] };
    for (const [kind, wanted] of Object.entries(names)) {
      const told = await estimate({ model: REFERENCE_MODEL, workflow: kind });
      assert.deepEqual(told.steps.map(({ name }) => name), wanted);
      assertSpread(told.estimated_cost_usd);
      for (const step of told.steps) assertSpread(step.cost_usd);
    }
    const text = longText(30_000);
    const long = await estimate({ model: REFERENCE_MODEL, workflow: 'map_reduce', messages: user(text),
      orchestration: { max_steps: 50 } });
    assert.deepEqual(long.steps.map(({ name }) => name), ['map', 'reduce']);
    assert.ok(long.steps[0].count > 2, JSON.stringify(long));
  });

  test('is of what was, once there is some; and what runs then is within it', async () => {
    const account = await createAccount(network);
    const body = { model: REFERENCE_MODEL, workflow: 'research', messages: user('The sea') };
    const before = await estimate(body, account);
    const costs = [];
    for (let i = 0; i < 12; i++) {
      const { nataris } = await ask(network, workflow('research', 'The sea'), { key: account.api_key });
      costs.push(nataris.total_cost_usd);
    }
    const after = await estimate(body, account);
    assert.notDeepEqual(after, before);
    const { low, high } = after.estimated_cost_usd;
    assert.ok(costs.every((cost) => low <= cost && cost <= high), `${low} ${costs} ${high}`);
    const other = await createAccount(network);
    assert.deepEqual(await estimate(body, other), before, 'nobody else\'s history');
  });

  test('that cannot be made is refused by name', async () => {
    const refused = [[{ model: REFERENCE_MODEL, workflow: 'poem' }, 400, 'workflow'],
      [{ model: 'nobody', workflow: 'research' }, 404, 'model'], [{ workflow: 'research' }, 400, 'model']];
    for (const [body, status, param] of refused) assert.equal((await estimate(body, {}, status)).error.param, param);
  });
});

test('workflow.completed comes to a webhook, once for each that ended', async () => {
  const receiver = await Receiver.open();
  try {
    await within(Network.gateway(['--webhooks-allow-private']), async (network) => {
      await network.scripted(['--slots', '8', '--context', '4096']);
      const account = await createAccount(network);
      const key = account.api_key;
      const webhook = await jsonOf(await network.post('/v1/webhooks',
        { url: receiver.url('/hook'), events: ['workflow.completed'] }, { key }));
      const ids = [];
      for (const kind of ['research', 'code', 'agent']) {
        const { nataris } = await ask(network, workflow(kind, 'The sea'), { key });
        ids.push(nataris.workflow_id);
      }
      const calls = await receiver.until('/hook', 3);
      const events = calls.map(({ body, headers }) => new Webhook(webhook.secret).verify(body, headers));
      assert.ok(events.every(({ type }) => type === 'workflow.completed'));
      const told = new Map(events.map(({ data }) => [data.id, data]));
      assert.deepEqual([...told.keys()].sort(), ids.slice().sort());
      for (const id of ids) {
        const found = await getWorkflow(network, id, key);
        const data = told.get(id);
        assert.deepEqual([data.type, data.status, data.steps_executed, data.total_cost_usd],
          [found.type, 'COMPLETED', found.steps_executed, found.total_cost_usd]);
      }
    });
  } finally {
    await receiver.close();
  }
});

test('a gateway that stops leaves its workflows to the next one', () => within(Network.gateway(['--drain-s', '0']),
  async (network) => {
    const provider = ['--slots', '4', '--context', '4096', '--reconnect-ms', '5'];
    await network.scripted(provider);
    const account = await createAccount(network);
    const options = { key: account.api_key, headers: { 'Idempotency-Key': 'across' } };
    const body = workflow('research', `The sea ${script({ tokens: 20, rate: 20 })}`);
    const waiting = network.post(CHAT, body, options).then((response) => response.status, () => 0);
    const [{ id }] = await eventually(async () => {
      const { workflows } = await listWorkflows(network, account.api_key);
      return workflows.length > 0 && workflows;
    }, 'no workflow was stored');
    network.main.kill('SIGTERM');
    assert.deepEqual(await network.main.exit, { code: 0, signal: null });
    assert.ok([0, 503].includes(await waiting));
    await network.untilReachable(network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`]));
    const found = await untilWorkflow(network, id, account.api_key);
    assert.equal(found.status, 'COMPLETED');
    const again = await network.post(CHAT, body, options);
    const answer = await jsonOf(again);
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
    assert.equal(answer.nataris.workflow_id, id);
    await assertAnswer(network, answer, 'research', account.api_key);
    await untilIdle(network, account);
    const lines = await requestsOf(network, account.api_key);
    assert.equal(lines.filter(({ cost_usd: cost }) => cost > 0).length, 3);
    assert.equal(await balanceOf(network, account), 5e9 - nano(found.total_cost_usd));
    await assertBooks(network);
  }));
