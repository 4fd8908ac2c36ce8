// What a request says of single tokens, with OpenAI's official client, on the built-in model and on scripted devices.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BadRequestError } from 'openai';
import { chat, openaiClient, script, textOf } from './support/chat.mjs';
import { HostileDevice, withOwners } from './support/hostile_device.mjs';
import { withLoss } from './support/loss.mjs';
import { DEMO_MODEL, eventually, Network, REFERENCE_MODEL, stopCleanly, within } from './support/network.mjs';

const BUILTIN = DEMO_MODEL;

const refused = (param) => (error) => {
  assert(error instanceof BadRequestError, `${error}`);
  assert.equal(error.param, param);
  return true;
};

describe('logit_bias on scripted devices', () => {
  let network;
  let client;
  before(async () => {
    network = await Network.gateway();
    await network.scripted();
    client = openaiClient(network);
  });
  after(() => stopCleanly(network));

  /** The scripted engine's numbers of words: the upper bits of FNV-1a. */
  const wordId = (word) => {
    let hash = 14695981039346656037n;
    for (const byte of Buffer.from(word)) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 1099511628211n);
    }
    return Number(hash >> 33n);
  };
  const ask = (more) => client.chat.completions.create({ ...chat('[[script text="blue whales sing"]]'), ...more });

  test('a word is forbidden, another one comes in its place', async () => {
    assert.equal(textOf(await ask({})), 'blue whales sing');
    const words = textOf(await ask({ logit_bias: { [wordId(' whales')]: -100 } })).split(' ');
    assert.equal(words.length, 3);
    assert.equal(words[0], 'blue');
    assert.notEqual(words[1], 'whales');
    assert.equal(words[2], 'sing');
    assert.equal(textOf(await ask({ logit_bias: { [wordId(' whales')]: 0, 7: 0 } })), 'blue whales sing');
  });

  test('in a stream, and under a test key', async () => {
    const body = { ...chat('[[script text="blue whales sing"]]'), logit_bias: { [wordId(' sing')]: -100 }, stream: true };
    for (const some of [client, openaiClient(network, { apiKey: network.testKey })]) {
      let text = '';
      for await (const chunk of await some.chat.completions.create(body)) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
      assert.match(text, /^blue whales (?!sing)\w+$/);
    }
  });

  test('a token that there is not is the client\'s fault, and no device\'s', async () => {
    await assert.rejects(ask({ logit_bias: { 2147483647: 1 } }), refused('logit_bias'));
    assert.equal(textOf(await ask({})), 'blue whales sing');
  });
});

/** What an entry's token spells; of all entries together, the text. */
const spelled = (entries) => Buffer.concat(entries.map((entry) => Buffer.from(entry.bytes))).toString();

function checkEntries(entries, text, top) {
  assert.equal(spelled(entries), text);
  for (const entry of entries) {
    assert.ok(Number.isFinite(entry.logprob) && entry.logprob <= 0, `${entry.logprob}`);
    assert.equal(entry.top_logprobs.length, top);
    for (const other of entry.top_logprobs) {
      assert.ok(other.logprob <= 0 && typeof other.token === 'string' && Array.isArray(other.bytes));
    }
    const falling = entry.top_logprobs.map((other) => other.logprob);
    assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
  }
}

async function readLogprobs(stream, each = () => {}) {
  const entries = [];
  let text = '';
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    if (choice === undefined) continue;
    assert.equal(choice.delta.content ? spelled(choice.logprobs.content) : '', choice.delta.content ?? '');
    entries.push(...(choice.logprobs?.content ?? []));
    text += choice.delta.content ?? '';
    await each(chunk.id, text);
  }
  return { entries, text };
}

describe('logprobs on scripted devices', () => {
  const text = 'Αθήνα ครึ่ง 🦀🦀 "quoted" \\ end';
  let network;
  let client;
  before(async () => {
    network = await Network.gateway();
    await network.scripted();
    client = openaiClient(network);
  });
  after(() => stopCleanly(network));
  const ask = (more, said = text) => client.chat.completions.create({ ...chat(script({ text: said })), logprobs: true, ...more });

  test('of each token of a whole answer, in several scripts', async () => {
    for (const top of [0, 1, 20]) {
      const answer = await ask({ top_logprobs: top });
      const [{ message, logprobs }] = answer.choices;
      assert.equal(message.content, text);
      assert.equal(logprobs.content.length, answer.usage.completion_tokens);
      assert.equal(logprobs.refusal, null);
      checkEntries(logprobs.content, text, top);
    }
    assert.equal((await ask({ top_logprobs: null })).choices[0].logprobs.content[0].top_logprobs.length, 0);
    assert.equal((await ask({ logprobs: false, top_logprobs: 0 })).choices[0].logprobs, null);
  });

  test('with the text of each chunk of a stream', async () => {
    const { entries, text: streamed } = await readLogprobs(await ask({ top_logprobs: 2, stream: true }));
    assert.equal(streamed, text);
    checkEntries(entries, text, 2);
    const whole = await ask({ top_logprobs: 2 });
    assert.deepEqual(entries, whole.choices[0].logprobs.content);
    const runner = client.chat.completions.stream({ ...chat(script({ text })), logprobs: true, top_logprobs: 2 });
    const final = await runner.finalChatCompletion();
    assert.deepEqual(final.choices[0].logprobs.content, entries);
  });

  test('what a stop string cuts off has none', async () => {
    for (const stream of [false, true]) {
      const body = { stop: [' stop here', ' never'], stream };
      const said = 'one two stop here three';
      const got = await ask(body, said);
      const { entries, text: cut } = stream ? await readLogprobs(got)
        : { entries: got.choices[0].logprobs.content, text: textOf(got) };
      assert.equal(cut, 'one two');
      checkEntries(entries, 'one two', 0);
    }
  });

  test('under a test key, as a job, and on a retry', async () => {
    const body = { ...chat(script({ text })), logprobs: true, top_logprobs: 1 };
    const tested = await openaiClient(network, { apiKey: network.testKey }).chat.completions.create(body);
    checkEntries(tested.choices[0].logprobs.content, text, 1);
    const made = await (await network.post('/v1/jobs', body)).json();
    const job = await eventually(async () => {
      const now = await (await network.fetch(`/v1/jobs/${made.id}`)).json();
      return now.status === 'COMPLETED' ? now : null;
    }, 'the job does not end');
    checkEntries(job.result.choices[0].logprobs.content, text, 1);
    const key = { headers: { 'Idempotency-Key': 'logprobs once' } };
    const [first, again] = [await client.chat.completions.create(body, key), await client.chat.completions.create(body, key)];
    assert.deepEqual(again, first);
    const streamKey = { headers: { 'Idempotency-Key': 'logprobs streamed' } };
    const streamed = async () => (await readLogprobs(await client.chat.completions.create({ ...body, stream: true }, streamKey))).entries;
    assert.deepEqual(await streamed(), first.choices[0].logprobs.content);
    assert.deepEqual(await streamed(), first.choices[0].logprobs.content);
  });

  test('refused by name where the answer is no text of one model', async () => {
    const tools = [{ type: 'function', function: { name: 'now' } }];
    await assert.rejects(ask({ tools }), refused('logprobs'));
    checkEntries((await ask({ tools, tool_choice: 'none' })).choices[0].logprobs.content, text, 0);
    await assert.rejects(ask({ orchestration: { enabled: true } }), refused('logprobs'));
    await assert.rejects(ask({ logprobs: false, top_logprobs: 2 }), refused('top_logprobs'));
    await assert.rejects(ask({ top_logprobs: 21 }), refused('top_logprobs'));
    await assert.rejects(client.post('/inference', { body: { model: REFERENCE_MODEL, prompt: 'Hi', logprobs: true } }), refused('logprobs'));
  });
});

test('logprobs have no seam when another device goes on', async () => {
  await within(Network.gateway(), async (network) => {
    const loseServing = await withLoss(network, (device) => device.kill('SIGKILL'));
    const text = 'un deux trois quatre cinq six sept huit neuf dix '.repeat(3).trim();
    let lost = null;
    const stream = await openaiClient(network).chat.completions.create({ ...chat(script({ text, rate: 20 })),
      logprobs: true, top_logprobs: 3, stream: true });
    const { entries, text: got } = await readLogprobs(stream, async (id, so) => {
      if (lost === null && so.length > 30) lost = await loseServing(id);
    });
    assert.notEqual(lost, null);
    assert.equal(got, text);
    checkEntries(entries, text, 3);
  });
});

test('a device that says nothing of them, or too little, makes no answer of those that ask', async () => {
  await within(Network.gateway(), async (network) => {
    await withOwners(network);
    const device = await HostileDevice.enrol(network, network.mallory.token, [], { version: 2 });
    device.send({ type: 'status', models: [{ id: REFERENCE_MODEL, state: 'warm', slots: 4, context_length: 4096,
      kinds: ['generate', 'grammar', 'sample'] }] });
    await network.untilAvailable(REFERENCE_MODEL);
    const asking = openaiClient(network).chat.completions.create({ ...chat(script({ text: 'honest words' })), logprobs: true });
    const job = await device.job();
    await network.scripted();
    device.accept(job);
    device.delta(job, 'stolen ', 1);
    const answer = await asking;
    assert.equal(textOf(answer), 'honest words');
    checkEntries(answer.choices[0].logprobs.content, 'honest words', 0);
  });
});

describe('logprobs and logit_bias of the built-in model', () => {
  let network;
  let client;
  before(async () => {
    network = await Network.up(['--model', BUILTIN]);
    await network.untilAvailable(BUILTIN);
    client = openaiClient(network);
  });
  after(() => stopCleanly(network));

  test('tokens that are parts of characters are told by their bytes', async () => {
    const body = { model: BUILTIN, messages: [{ role: 'user', content: 'Say café, naïve, Ελλάδα, ไทย, 🦀.' }], temperature: 0,
      max_tokens: 40, logprobs: true, top_logprobs: 4 };
    const answer = await client.chat.completions.create(body);
    const [{ message, logprobs }] = answer.choices;
    checkEntries(logprobs.content, message.content, 4);
    assert.equal(logprobs.content[0].token, logprobs.content[0].top_logprobs[0].token);
    const { entries, text } = await readLogprobs(await client.chat.completions.create({ ...body, stream: true }));
    assert.equal(text, message.content);
    assert.equal(entries.length, logprobs.content.length);
  });
});
