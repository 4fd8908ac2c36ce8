// A real device that serves a smaller model as a larger one is found and set aside; one beside it that serves what it says
// is not. Where the catalog's 1.5B is among the models (NATARIS_MODELS, or the cache of `nataris model pull`) the 0.5B is
// served as that; else SmolLM2 as the 0.5B, both of which are downloaded.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { admin, assertBooks, createAccount } from '../support/accounts.mjs';
import { modelFolder } from '../support/liars.mjs';
import { eventually, Network, run, within } from '../support/network.mjs';

const SMOL = 'smollm2-135m-instruct-q4_1';
const SMALL = 'qwen2.5-coder-0.5b-instruct-q4_k_m';
const LARGE = 'qwen2.5-coder-1.5b-instruct-q4_k_m';
const LOAD_MS = 240_000;
const DOWNLOAD_MS = 900_000;
const ANSWERS_MAX = 40;
const PASSED_LEAST = 2;
const TOPICS = ['a lighthouse', 'growing tomatoes', 'the night train', 'a broken clock', 'keeping bees', 'an old library'];

const models = process.env.NATARIS_MODELS ?? path.join(homedir(), '.cache/nataris/models');
const has = (model) => existsSync(path.join(models, `${model}.gguf`));
const [served, claimed] = has(LARGE) && has(SMALL) ? [SMALL, LARGE] : [SMOL, SMALL];

async function pull(model) {
  if (has(model)) return;
  const { code, stderr } = await run(['model', 'pull', model, '--models', models]);
  assert.equal(code, 0, stderr);
}

const show = (network, device) => admin(network, 'GET', `/admin/providers/${device.id}`);

test(`${served} as ${claimed} is set aside, ${claimed} is not`, { timeout: DOWNLOAD_MS }, () => within(
  Network.gateway(['--log-level', 'info', '--canary-s', '0', '--audit-percent', '100', '--first-token-ms', '120000',
    '--silence-ms', '120000'], { strangers: true }), async (network) => {
    await pull(served);
    await pull(claimed);
    const device = async (model, region, account) => {
      const folder = modelFolder(models, path.join(network.folder, `${region}-${model}`), model, claimed);
      return network.provider(['--model', claimed, '--models', folder, '--context', '1024', '--slots', '1', '--threads', '1',
        '--region', region], account ? { account: account.id } : {});
    };
    const [alice, bob, buyer] = await Promise.all(['alice', 'bob', 'buyer'].map((name) =>
      createAccount(network, 'unlimited', name)));
    const scorer = await device(claimed, 'DE'); // the operator's
    const honest = await device(claimed, 'ZZ', alice);
    const liar = await device(served, 'ZZ', bob);
    for (const one of [scorer, honest, liar]) {
      await eventually(async () => (await show(network, one)).models?.[0]?.state === 'warm', 'a model is not loaded', LOAD_MS);
    }

    const audits = async (one) => (await show(network, one)).audits[0] ?? { passed: 0, failed: false, count: 0 };
    const known = async () => (await audits(liar)).failed && (await audits(honest)).passed >= PASSED_LEAST;
    for (let i = 0; i < ANSWERS_MAX && !await known(); i += 1) {
      const content = `Write a short story about ${TOPICS[i % TOPICS.length]} (${i}).`;
      const response = await network.post('/v1/chat/completions', { model: claimed, temperature: 0.7, max_tokens: 40,
        region: 'ZZ', messages: [{ role: 'user', content }] }, { key: buyer.api_key });
      assert.equal(response.status, 200, await response.clone().text());
      await response.text();
    }
    await eventually(known, async () => JSON.stringify([await audits(liar), await audits(honest)]), LOAD_MS);

    assert.equal((await audits(honest)).failed, false);
    const { state } = await show(network, liar);
    assert.equal(state, 'quarantined');
    const lines = (await admin(network, 'GET', '/admin/reviews')).data.filter((line) => line.reason === 'audit');
    assert.deepEqual([...new Set(lines.map((line) => line.provider_id))], [liar.id]);
    const { code, stdout } = await run(['provider', 'why', liar.id, '--data', network.data]);
    assert.equal(code, 0);
    assert.match(stdout, /in quarantine, without paid jobs, since .*audits: its answers are not those of the model/);
    await assertBooks(network);
    const found = await audits(liar);
    console.log(`found after ${found.count - found.last.findIndex((one) => one.verdict === 'failed')} audits; `
      + `the honest device has passed ${(await audits(honest)).passed} of ${(await audits(honest)).count}`);
  }));
