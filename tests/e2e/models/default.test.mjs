// `up` as a newcomer runs it, with the model that it chooses for this machine: what the README shows works on it. The
// file is kept in the user's model folder, so that a second run need not fetch it again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, openaiClient, textOf, user } from '../support/chat.mjs';
import { DEMO_MODEL, Network, eventually, run, stopCleanly } from '../support/network.mjs';

const DOWNLOAD_MS = 900_000;
const SHOW_MS = 15_000;
const AT_ONCE = 2;

let network;
let model;
let client;
before(async () => {
  network = await Network.up();
});
after(() => stopCleanly(network));

/** Runs `one` so many times, a few at a time: the results in order. */
async function several(times, one) {
  const results = [];
  while (results.length < times) {
    const count = Math.min(AT_ONCE, times - results.length);
    results.push(...await Promise.all(Array.from({ length: count }, (_, i) => one(results.length + i))));
  }
  return results;
}

/** A machine that does other things may miss a deadline; a stream is not repeated by the client itself. */
async function again(one) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await one();
    } catch (error) {
      if (tries === 5 || error.code !== 'REQUEST_TIMEOUT') throw error;
    }
  }
}

/** Fails with all texts when fewer than `least` of them are right. */
function assertMost(texts, isRight, least) {
  const right = texts.filter(isRight).length;
  assert.ok(right >= least, `${right} of ${texts.length} are right, ${least} should be:\n${texts.join('\n---\n')}`);
}

async function showDownloads() {
  const { models } = JSON.parse((await run(['model', 'list', '--json'])).stdout);
  for (const { id, state, bytes, bytes_total: total } of models) {
    if (state === 'partial') console.log(`# ${id}: ${Math.round(bytes / 1e6)} of ${Math.round(total / 1e6)} MB`);
  }
}

test('the built-in model answers while the default is fetched', async () => {
  const answer = await ask(network, { model: DEMO_MODEL, messages: user('What is the capital of France?') });
  assert.match(textOf(answer), /Paris/);
});

test('the default model is the first that fits and can be had; it is said which and why', async () => {
  const choices = JSON.parse(network.main.lines[0]).default_models;
  assert.equal(choices[0].id, 'qwen2.5-0.5b-instruct-q6_k');
  assert.ok(choices.every(({ why }) => why.length > 0));
  const show = setInterval(showDownloads, SHOW_MS);
  const line = await eventually(() => network.main.lines.map((text) => JSON.parse(text))
    .find((parsed) => parsed.available), () => `no default model\n${network.errors()}`, DOWNLOAD_MS)
    .finally(() => clearInterval(show));
  ({ model } = line);
  console.log(`# the default model is ${model}. ${line.remark}`);
  const index = choices.findIndex(({ id }) => id === model);
  assert.ok(choices[index].fits, choices[index].why);
  const better = choices.slice(0, index).find(({ fits }) => fits);
  assert.equal(line.remark.includes('could not be had'), better !== undefined);
  assert.ok(!line.remark.includes('demo quality'), 'this machine is too small for what the README shows');
  client = openaiClient(network, { maxRetries: 5 }); // a machine that does other things may miss a deadline
});

test('a haiku has three lines and does not loop', async () => {
  const haikus = await several(10, () => again(async () => {
    const stream = await client.chat.completions.create({
      model, messages: [{ role: 'user', content: 'Write a haiku about the sea.' }], stream: true, max_tokens: 120 });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? '';
    return text;
  }));
  const linesOf = (text) => text.split('\n').map((line) => line.trim()).filter((line) => line.length > 0);
  assertMost(haikus, (text) => {
    const lines = linesOf(text);
    const repeated = Math.max(...lines.map((line) => lines.filter((other) => other === line).length));
    return lines.length >= 3 && lines.length <= 5 && repeated <= 2;
  }, 8);
});

test('a conversation remembers the name', async () => {
  const answers = await several(20, async () => {
    const { id } = await client.post('/conversations', { body: { system: 'Be brief.' } });
    const say = (content) => client.chat.completions.create({
      model, messages: [{ role: 'user', content }], conversation_id: id, max_tokens: 60 });
    await say('My name is Ada.');
    return textOf(await say('What is my name?'));
  });
  assertMost(answers, (text) => /\bAda\b/.test(text), 17);
});

test('most of the questions that have one answer', async () => {
  const questions = [
    ['What is the capital of France?', /Paris/],
    ['What is the capital of Japan?', /Tokyo/],
    ['In which country is Berlin?', /Germany/],
    ['What is the opposite of hot?', /cold/i],
    ['How many days are in a week?', /7|seven/i],
    ['How many minutes are in an hour?', /60|sixty/i],
    ['What is 2 + 2?', /4|four/i],
    ['What is 10 divided by 2?', /5|five/i],
    ['Who wrote Romeo and Juliet?', /Shakespeare/],
    ['What is the chemical formula of water?', /H2O|H₂O/],
    ['What is the largest ocean?', /Pacific/],
    ['What does HTML stand for?', /Hyper ?text Markup/i],
  ];
  const answers = await several(questions.length, async (i) =>
    textOf(await client.chat.completions.create({
      model, messages: user(questions[i][0]), temperature: 0, max_tokens: 40 })));
  assertMost(answers.map((text, i) => [text, questions[i][1]]), ([text, right]) => right.test(text), 8);
});

test('research answers in several steps, within its cost', async () => {
  const answer = await client.chat.completions.create({
    model, messages: user('Why is the sea salty?'), max_tokens: 80,
    orchestration: { enabled: true, workflow: 'research', max_cost_usd: 0.01 } });
  assert.equal(answer.nataris.status, 'COMPLETED');
  assert.ok(textOf(answer).length > 20, textOf(answer));
});

test('the agent computes with its calculator', async () => {
  const answers = await several(3, async () => textOf(await client.chat.completions.create({
    model, messages: user('What is 17*23?'), orchestration: { enabled: true, workflow: 'agent' } })));
  assertMost(answers, (text) => text.includes('391'), 2);
});
