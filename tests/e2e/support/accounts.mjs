// The operator's side of a network, and its books: accounts, keys, credit, usage.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { chat } from './chat.mjs';
import { HandProvider } from './hand_provider.mjs';
import { ABSENT_MODEL, eventually, run } from './network.mjs';

/** Nano-dollars per token of the models that tests use (src/catalog/catalog.c). */
export const REFERENCE_PRICE = { prompt: 80, completion: 160 };
export const ABSENT_PRICE = { prompt: 200, completion: 400 };

export const NANO = 1e9; // in a dollar

/** Exact: a double has more digits than any balance of a test. */
export function nano(usd) {
  return Math.round(usd * NANO);
}

export function cost({ prompt_tokens: prompt, completion_tokens: completion }, price = REFERENCE_PRICE) {
  return prompt * price.prompt + completion * price.completion;
}

/** What is held for a chat of one message until a device has counted its prompt (src/call/price.h). */
export function worstCase({ messages: [{ content }], max_tokens: tokens }, price = REFERENCE_PRICE) {
  const TEMPLATE_AND_MESSAGE = 256 + 16;
  return (TEMPLATE_AND_MESSAGE + Buffer.byteLength(content)) * price.prompt + tokens * price.completion;
}

/** Runs one of the operator's commands on the network's data folder; its JSON. */
export async function command(network, ...args) {
  const { code, stdout, stderr } = await run([...args, '--data', network.data, '--json']);
  assert.equal(code, 0, `nataris ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout);
}

/** One that fails: what it says. */
export async function refusedCommand(network, ...args) {
  const { code, stdout, stderr } = await run([...args, '--data', network.data, '--json']);
  assert.notEqual(code, 0, `nataris ${args.join(' ')}: ${stdout}`);
  assert.equal(stdout, '');
  return stderr;
}

/** A call of the admin API at its socket; resolves with the answer's text. */
export function adminText(network, method, route, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath: path.join(network.data, 'admin.sock'), method, path: route,
      headers: { 'Content-Type': 'application/json' } }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      if (response.statusCode === 200) resolve(text);
      else reject(new Error(`${method} ${route}: ${response.statusCode} ${text}`));
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The same, quicker than a command; resolves with the answer's JSON. */
export async function admin(...call) {
  return JSON.parse(await adminText(...call));
}

/** An account: { id, api_key, test_key, ... }. */
export function createAccount(network, tier = 'unlimited', name = 'somebody') {
  return admin(network, 'POST', '/admin/accounts', { name, tier });
}

export function showAccount(network, { id }) {
  return admin(network, 'GET', `/admin/accounts/${id}`);
}

/** What is left of the wallet, in nano-dollars. */
export async function balanceOf(network, account) {
  return nano((await showAccount(network, account)).balance_usd);
}

/** Resolves when `wanted(how many of the account's requests are under way)`: at first, some. */
export function untilActive(network, account, wanted = (count) => count > 0) {
  return eventually(async () => {
    const view = await showAccount(network, account);
    return wanted(view.active_requests) && view;
  }, 'the account\'s requests are not as expected');
}

/** Resolves when nothing of the account is under way or on hold any more. */
export function untilIdle(network, account) {
  return untilActive(network, account, (count) => count === 0);
}

async function getJson(network, route, key) {
  const response = await network.fetch(route, { key });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

export function usageOf(network, key, query = '') {
  return getJson(network, `/v1/usage${query}`, key);
}

/** All lines of a paged list, newest first. */
export async function allPages(network, key, route, limit = 100) {
  const lines = [];
  for (let after = ''; ;) {
    const page = await getJson(network, `${route}?limit=${limit}${after}`, key);
    lines.push(...page.data);
    if (!page.has_more) return lines;
    after = `&after=${page.data.at(-1).id}`;
  }
}

export function requestsOf(network, key, limit) {
  return allPages(network, key, '/v1/usage/requests', limit);
}

/** The request list once it has `count` lines: what is not acknowledged with its record may come a moment later. */
export async function requestsWhen(network, key, count) {
  let lines = [];
  const enough = async () => (lines = await requestsOf(network, key)).length >= count;
  await eventually(enough, () => `${lines.length} requests, not ${count}`, 10_000);
  return lines;
}

/** Fails unless `nataris ledger check` finds the books right. */
export async function assertBooks(network) {
  const { code, stdout, stderr } = await run(['ledger', 'check', '--data', network.data, '--json']);
  assert.equal(code, 0, stdout + stderr);
  const report = JSON.parse(stdout);
  assert.deepEqual({ ok: report.ok, problems: report.problems }, { ok: true, problems: 0 }, stdout);
  return report;
}

/** Spends the account's money down to `left` nano-dollars (a multiple of 200), with a device that counts a token a byte. */
export async function spendDownTo(network, account, left) {
  const PROMPT_MAX = 4_000_000;
  const provider = await HandProvider.join(network, [ABSENT_MODEL]);
  await network.untilAvailable(ABSENT_MODEL);
  for (let balance = await balanceOf(network, account); balance > left; balance = await balanceOf(network, account)) {
    const wanted = Math.min((balance - left - ABSENT_PRICE.completion) / ABSENT_PRICE.prompt, PROMPT_MAX);
    const body = chat('x'.repeat(wanted), { model: ABSENT_MODEL, max_tokens: 1 });
    const answer = network.post('/v1/chat/completions', body, { key: account.api_key });
    const job = await provider.job();
    provider.accept(job, wanted);
    provider.delta(job, 'y');
    provider.done(job, { prompt_tokens: wanted, completion_tokens: 1 });
    assert.equal((await answer).status, 200);
    await (await answer).text();
  }
  provider.cut();
  await network.untilAvailable(ABSENT_MODEL, false);
}
