// Conversations that remember: held by id alone, stored with their settlements, summed up by the network's own model, and
// gone without a trace when they are deleted.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertBooks, createAccount, requestsOf } from './support/accounts.mjs';
import { ask, chat, openaiClient, script, textOf } from './support/chat.mjs';
import { DEMO_MODEL, Network, REFERENCE_MODEL, eventually, stopCleanly, within } from './support/network.mjs';
import { readStream } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';
const ROUTE = '/v1/conversations';
const QUIET = { auto_title: false, auto_summary: false };

async function create(network, fields, options) {
  const response = await network.post(ROUTE, fields ?? '', options);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

async function get(network, id, options = {}) {
  const response = await network.fetch(`${ROUTE}/${id}${options.query ?? ''}`, options);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

function statusOf(network, id, options) {
  return network.fetch(`${ROUTE}/${id}`, options).then((response) => response.status);
}

function remove(network, id, options = {}) {
  return network.fetch(`${ROUTE}/${id}`, { ...options, method: 'DELETE' });
}

/** What the data folder's files hold, as one buffer. */
function bytesOf(network) {
  return Buffer.concat(readdirSync(network.data, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile()).map((entry) => readFileSync(path.join(entry.parentPath ?? entry.path, entry.name))));
}

const contents = ({ messages }) => messages.map(({ role, content }) => `${role}: ${content}`);

describe('with the scripted engine', () => {
  let network;
  before(async () => {
    network = await Network.gateway();
    await network.scripted(['--slots', '4']);
  });
  after(async () => {
    await assertBooks(network);
    await stopCleanly(network);
  });

  test('one is made as in the reference', async () => {
    const made = await create(network);
    assert.match(made.id, /^conv_[0-9A-Za-z]{24}$/);
    assert.equal(made.title, null);
    assert.equal(made.message_count, 0);
    assert.match(made.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
    const named = await create(network, { title: 'Mine', model_id: 'nataris-balanced', system: 'Be brief.' });
    assert.deepEqual([named.title, named.titled_by, named.model_id], ['Mine', 'client', REFERENCE_MODEL]);
    assert.equal((await get(network, named.id)).system, 'Be brief.');
  });

  test('bad ones are refused by field', async () => {
    const cases = [[{ title: 7 }, 'title'], [{ auto_title: 'no' }, 'auto_title'], [{ model_id: 'nonesuch' }, 'model_id'],
      [{ system: 'x'.repeat(40_000) }, 'system'], [{ title: 'x'.repeat(300) }, 'title']];
    for (const [body, param] of cases) {
      const response = await network.post(ROUTE, body);
      assert.ok(response.status === 400 || response.status === 404, JSON.stringify(body).slice(0, 40));
      assert.equal((await response.json()).error.param, param);
    }
    assert.equal((await network.post(ROUTE, '[]')).status, 400);
    for (const query of ['?limit=0', '?limit=x', '?before=0']) {
      assert.equal((await network.fetch(`${ROUTE}/${(await create(network)).id}${query}`)).status, 400);
    }
  });

  test('lists are paged, newest first', async () => {
    const account = await createAccount(network);
    const key = { key: account.api_key };
    const ids = [];
    for (let i = 0; i < 5; i++) ids.unshift((await create(network, QUIET, key)).id);
    const first = await (await network.fetch(`${ROUTE}?limit=3`, key)).json();
    assert.deepEqual(first.data.map(({ id }) => id), ids.slice(0, 3));
    assert.equal(first.has_more, true);
    const second = await (await network.fetch(`${ROUTE}?limit=3&after=${ids[2]}`, key)).json();
    assert.deepEqual(second.data.map(({ id }) => id), ids.slice(3));
    assert.equal(second.has_more, false);
  });

  test('plain and streamed calls store both sides; two conversations do not mix', async () => {
    const [one, two] = [await create(network, QUIET), await create(network, QUIET)];
    for (const turn of [1, 2]) {
      await ask(network, chat(`one ${turn} ${script({ text: `first ${turn}` })}`, { conversation_id: one.id }));
      const { done } = await readStream(await network.post(CHAT,
        chat(`two ${turn} ${script({ text: `second ${turn}` })}`, { conversation_id: two.id, stream: true })));
      assert.ok(done);
    }
    for (const [{ id }, name, answer] of [[one, 'one', 'first'], [two, 'two', 'second']]) {
      const found = await get(network, id);
      assert.equal(found.message_count, 4);
      assert.deepEqual(found.messages.map(({ role }) => role), ['user', 'assistant', 'user', 'assistant']);
      assert.match(found.messages[2].content, new RegExp(`^${name} 2 `));
      assert.deepEqual([1, 3].map((i) => found.messages[i].content.trim()), [`${answer} 1`, `${answer} 2`]);
      assert.ok(found.usage.total_tokens > 0 && found.messages.every(({ tokens }) => tokens > 0));
      const last = await get(network, id, { query: '?limit=1' });
      assert.deepEqual([last.messages.length, last.messages[0].position, last.has_more], [1, 3, true]);
      assert.deepEqual(contents(await get(network, id, { query: '?before=2' })), contents(found).slice(0, 2));
    }
  });

  test('what was said before is in the prompt', async () => {
    const { id } = await create(network, { ...QUIET, system: 'x'.repeat(500) });
    const tokens = [];
    for (let i = 0; i < 3; i++) {
      const { usage } = await ask(network, chat('Hello there', { conversation_id: id, max_tokens: 5 }));
      tokens.push(usage.prompt_tokens);
    }
    assert.ok(tokens[0] < tokens[1] && tokens[1] < tokens[2], tokens.join());
    const system = [{ role: 'system', content: 'Be kind.' }, { role: 'user', content: 'Hello' }];
    await ask(network, { model: REFERENCE_MODEL, messages: system, conversation_id: id, max_tokens: 5 });
    const found = await get(network, id);
    assert.equal(found.system, 'Be kind.'); // the latest holds
    assert.equal(found.message_count, 8);
  });

  test('a client that sends the whole history does not double it, with a live and with a test key', async () => {
    const words = ['one', 'Привет, Ада', '你好。', 'สวัสดี', 'مرحبا', 'नमस्ते', 'שלום', '안녕 👩‍👩‍👧‍👦'];
    for (const key of [{}, { key: network.testKey }]) {
      const { id } = await create(network, QUIET, key);
      const history = [{ role: 'system', content: 'Be brief.' }];
      for (const [i, word] of words.entries()) {
        history.push({ role: 'user', content: script({ text: ` ${word} ${i}` }) });
        const { choices: [{ message }] } = await ask(network, { model: REFERENCE_MODEL, messages: history, conversation_id: id }, key);
        const { content, ...rest } = message; // as a string, trimmed, or in parts: as SDKs give it back
        history.push(i % 3 === 0 ? message : i % 3 === 1 ? { ...rest, refusal: null, content: content.trim() }
          : { ...rest, content: [{ type: 'text', text: content }] });
        assert.equal((await get(network, id, key)).message_count, 2 * (i + 1));
      }
      const found = await get(network, id, key);
      assert.deepEqual(found.messages.filter(({ role }) => role === 'assistant').map(({ content }) => content.trim()),
        words.map((word, i) => `${word} ${i}`));
      assert.equal(found.system, 'Be brief.');
      // Another way from the second answer on: what both have counts once, and nothing said is lost.
      await ask(network, { model: REFERENCE_MODEL, messages: [...history.slice(0, 5), ...chat('Something else').messages],
        conversation_id: id }, key);
      assert.equal((await get(network, id, key)).message_count, 2 * words.length + 2);
    }
  });

  test('a failed and a cut call store nothing', async () => {
    const { id } = await create(network, QUIET);
    const bad = await network.post(CHAT, chat('x'.repeat(20), { conversation_id: id, max_tokens: 131072 }));
    assert.ok(bad.status >= 400);
    const cut = new AbortController();
    const stream = await network.post(CHAT,
      chat(script({ tokens: 1000, rate: 20 }), { conversation_id: id, stream: true, max_tokens: 1000 }), { signal: cut.signal });
    await stream.body.getReader().read();
    const second = await network.post(CHAT, chat('Me too', { conversation_id: id }));
    assert.equal(second.status, 409);
    assert.equal(second.headers.get('retry-after'), '1');
    assert.equal((await second.json()).error.code, 'CONVERSATION_BUSY');
    cut.abort();
    await eventually(async () => (await network.post(CHAT, chat('Now', { conversation_id: id, max_tokens: 3 }))).status === 200,
      'the conversation stays busy');
    const found = await get(network, id);
    assert.equal(found.message_count, 2);
    assert.equal(found.messages[0].content, 'Now');
  });

  test('of ten calls at once those that succeed follow each other', async () => {
    const { id } = await create(network, QUIET);
    const client = openaiClient(network, { maxRetries: 20 });
    const answers = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => client.chat.completions.create(
      chat(`${i} ${script({ text: `answer ${i}` })}`, { conversation_id: id }))));
    const good = answers.filter(({ status }) => status === 'fulfilled').length;
    const found = await get(network, id);
    assert.ok(good >= 1);
    assert.equal(found.message_count, 2 * good);
    for (let i = 0; i < found.messages.length; i += 2) {
      const [question, answer] = found.messages.slice(i, i + 2);
      assert.equal(answer.content.trim(), `answer ${question.content[0]}`);
    }
  });

  test('a replay does not store twice', async () => {
    const { id } = await create(network, QUIET);
    const options = { headers: { 'Idempotency-Key': `replay-${id}` } };
    const first = await ask(network, chat('Once', { conversation_id: id, max_tokens: 4 }), options);
    const again = await ask(network, chat('Once', { conversation_id: id, max_tokens: 4 }), options);
    assert.deepEqual(again, first);
    assert.equal((await get(network, id)).message_count, 2);
  });

  test('any other id is a label, a foreign one too', async () => {
    const theirs = await createAccount(network);
    const { id } = await create(network, QUIET, { key: theirs.api_key });
    await ask(network, chat('A secret', { conversation_id: id, max_tokens: 4 }), { key: theirs.api_key });
    const none = `conv_${'Z'.repeat(24)}`;
    const usage = [];
    for (const label of [id, none, 'my own label']) {
      usage.push((await ask(network, chat('Hello', { conversation_id: label, max_tokens: 4 }))).usage);
    }
    assert.deepEqual(usage[0], usage[1]);
    assert.deepEqual(usage[0], usage[2]);
    const answers = await Promise.all([id, none].map(async (one) => {
      const response = await network.fetch(`${ROUTE}/${one}`);
      return [response.status, await response.json()];
    }));
    assert.deepEqual(answers[0], answers[1]);
    assert.equal(answers[0][0], 404);
    assert.equal((await remove(network, id)).status, 404);
    assert.equal((await network.fetch(`${ROUTE}?after=${id}`)).status, 404);
    assert.equal((await get(network, id, { key: theirs.api_key })).message_count, 2);
    assert.equal(await statusOf(network, id, { key: theirs.test_key }), 404); // nor the other kind of key
  });

  test('the title is made by a job of the model, marked and charged', async () => {
    const account = await createAccount(network);
    const key = { key: account.api_key };
    const { id } = await create(network, {}, key);
    await ask(network, chat(script({ text: '"Sea and sand."' }), { conversation_id: id }), key);
    const titled = await eventually(async () => {
      const found = await get(network, id, key);
      return found.title !== null && found;
    }, 'no title');
    assert.deepEqual([titled.title, titled.titled_by], ['Sea and sand', 'model']);
    const job = (await requestsOf(network, account.api_key)).find((request) => request.id.startsWith('title_'));
    assert.equal(job.label, id);
    assert.ok(job.cost_usd > 0);
  });

  test('what a model cannot title is titled by its first words', async () => {
    const { id } = await create(network);
    await ask(network, chat(`Tell me a long story ${script({ text: '...' })}`, { conversation_id: id }));
    const found = await eventually(async () => {
      const one = await get(network, id);
      return one.title !== null && one;
    }, 'no title');
    assert.equal(found.titled_by, 'first_words');
    assert.match(found.title, /^Tell me a long story/);
  });

  test('the sandbox keeps conversations of its own', async () => {
    const key = { key: network.testKey };
    const { id } = await create(network, QUIET, key);
    const first = await ask(network, chat('Hello', { conversation_id: id, max_tokens: 4 }), key);
    for (let i = 0; i < 20; i += 1) { // at once, each time: it is there when its answer is
      assert.equal((await get(network, id, key)).message_count, 2 + 2 * i);
      const next = await ask(network, chat('Again', { conversation_id: id, max_tokens: 4 }), key);
      assert.ok(next.usage.prompt_tokens > first.usage.prompt_tokens);
    }
    assert.equal(await statusOf(network, id), 404);
  });

  test('delete leaves no byte of it in the data folder', async () => {
    const { id } = await create(network, { title: 'TITLE-MARK-77', system: 'SYSTEM-MARK-77' });
    const other = await create(network, QUIET);
    for (let i = 0; i < 30; i++) {
      const more = { max_tokens: 30 };
      await ask(network, chat(`QUESTION-MARK-77 ${'word '.repeat(40)}${script({ text: 'ANSWER-MARK-77' })}`,
        { ...more, conversation_id: id }), { headers: { 'Idempotency-Key': `delete-${id}-${i}` } });
      await ask(network, chat('something else', { ...more, conversation_id: other.id }));
    }
    assert.ok(bytesOf(network).includes(id)); // the test can see the files
    await eventually(async () => (await remove(network, id)).status === 200, 'not deleted');
    const bytes = bytesOf(network);
    for (const mark of ['MARK-77', id]) assert.ok(!bytes.includes(mark), mark);
    assert.equal(await statusOf(network, id), 404);
    assert.equal((await get(network, other.id)).message_count, 60);
  });
});

test('a gateway that is killed has stored whole exchanges only', async () => {
  await within(Network.gateway(), async (network) => {
    const provider = await network.scripted();
    const { id } = await create(network, QUIET);
    const body = (i) => chat(`${i} ${script({ tokens: 5, rate: 400 })}`, { conversation_id: id, max_tokens: 5 });
    const listen = `127.0.0.1:${network.port}`;
    let asked = 0;
    for (let round = 0; round < 3; round++) {
      const calls = (async () => {
        for (;;) await ask(network, body(asked++));
      })();
      const before = asked;
      await eventually(() => asked > before + 3, 'no calls');
      network.main.kill('SIGKILL');
      await calls.catch(() => {});
      await network.untilReachable(network.start(['gateway', '--data', network.data, '--listen', listen, '--json']));
      await network.joined(provider, 1);
      await network.untilAvailable(REFERENCE_MODEL);
      const { messages, message_count: count } = await get(network, id, { query: '?limit=1000' });
      assert.equal(count % 2, 0);
      assert.deepEqual(messages.map(({ role }) => role), messages.map((_, i) => (i % 2 ? 'assistant' : 'user')));
      assert.deepEqual(messages.map(({ position }) => position), messages.map((_, i) => i));
    }
    await assertBooks(network);
  });
});

test('thirty turns by id alone with the built-in model fit its context, and are summed up by it', async () => {
  await within(Network.up(['--model', DEMO_MODEL]), async (network) => {
    const client = openaiClient(network, { maxRetries: 10 });
    const { context_length: context } = await (await network.fetch(`/v1/models/${DEMO_MODEL}`)).json();
    const { id } = await create(network);
    const max_tokens = 60;
    const lines = ['What is the capital of France?', 'Tell me about the sea.', 'What is 7 + 8?', 'Who are you?',
      'What is the opposite of hot?'];
    for (let i = 0; i < 30; i++) {
      const content = i === 0 ? 'My name is Ada.' : lines[i % lines.length];
      const answer = await client.chat.completions.create(
        { model: DEMO_MODEL, messages: [{ role: 'user', content }], conversation_id: id, max_tokens, temperature: 0 });
      assert.ok(answer.usage.prompt_tokens + max_tokens <= context, `${answer.usage.prompt_tokens} of ${context}`);
      if (i === 1) {
        const name = await client.chat.completions.create({ model: DEMO_MODEL, conversation_id: id, max_tokens,
          messages: [{ role: 'user', content: 'What is my name?' }], temperature: 0 });
        assert.match(textOf(name), /Ada/);
      }
    }
    const found = await eventually(async () => {
      const one = await get(network, id);
      return one.summary !== null && one.title !== null && one;
    }, 'no title or summary');
    assert.equal(found.message_count, 62);
    assert.equal(found.titled_by, 'model', found.title);
    assert.ok(found.summary_message_count > 0);
    assert.match(found.summary, /My name is Ada\./); // told in the first turn, and folded several times since
    const { data } = await (await network.fetch('/v1/usage/requests?limit=100')).json();
    assert.ok(data.filter((request) => request.id.startsWith('summary_')).length > 1);
    for (const purpose of ['title_', 'summary_']) {
      const job = data.find((request) => request.id.startsWith(purpose));
      assert.ok(job && job.label === id && job.status === 'completed', purpose);
    }
  });
});

test('old messages are folded into a summary that keeps what the model says of them', async () => {
  await within(Network.gateway(), async (network) => {
    await network.scripted();
    const { context_length: context } = await (await network.fetch(`/v1/models/${REFERENCE_MODEL}`)).json();
    const room = context - 700; // leaves the prompt little
    const { id } = await create(network, { auto_title: false });
    const off = await create(network, QUIET);
    for (let i = 0; i < 14; i++) {
      const fact = script({ text: 'FACT: the name is Ada.' }); // said by each answer, and by the job that sums up
      for (const one of [id, off.id]) {
        const answer = await eventually(async () => {
          const response = await network.post(CHAT, chat(`${fact} ${'words and more '.repeat(8)}`,
            { conversation_id: one, max_tokens: room }));
          return response.status === 200 && response.json();
        }, () => network.errors());
        assert.ok(answer.usage.prompt_tokens + room <= context, `${answer.usage.prompt_tokens}`);
      }
    }
    const found = await eventually(async () => {
      const one = await get(network, id);
      return one.summary !== null && one;
    }, 'no summary');
    assert.match(found.summary, /FACT: the name is Ada\./);
    assert.ok(found.summary_message_count >= 2);
    assert.equal((await get(network, off.id)).summary, null);
  });
});

test('a gateway may write neither titles nor summaries', async () => {
  await within(Network.gateway(['--no-titles', '--no-summaries']), async (network) => {
    await network.scripted();
    const { id } = await create(network);
    for (let i = 0; i < 6; i++) {
      await ask(network, chat(`${i} ${'many words '.repeat(30)}`, { conversation_id: id, max_tokens: 3000 }));
    }
    const found = await get(network, id);
    assert.deepEqual([found.title, found.summary, found.message_count], [null, null, 12]);
    const { data } = await (await network.fetch('/v1/usage/requests')).json();
    assert.ok(data.every((request) => request.id.startsWith('chatcmpl-')));
  });
});
