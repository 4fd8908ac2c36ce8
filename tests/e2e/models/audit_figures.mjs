// The table of docs/AUDITS.md: what audits find of answers of real models, from devices that serve the model they say and
// from such that serve another. Run by hand, from the repository's root, on a machine with the model files:
//
//   NATARIS_BIN=build/nataris node tests/e2e/models/audit_figures.mjs MODELS ANSWERS [CELL...]
//
// MODELS is a folder with the catalog's files (docs/PROVIDERS.md), ANSWERS how many are asked of each cell. A cell is
// "served as claimed at temperature", such as "qwen2.5-coder-0.5b-instruct-q4_k_m as
// qwen2.5-coder-1.5b-instruct-q4_k_m at 0.7"; without any, those of the document. Each cell is a network of its own: a
// gateway, the operator's device with the claimed model, which scores, and a stranger's, whose answers are scored.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { admin, createAccount } from '../support/accounts.mjs';
import { eventually, NATARIS, Network } from '../support/network.mjs';

const SMOL = 'smollm2-135m-instruct-q4_1';
const SMALL = 'qwen2.5-coder-0.5b-instruct-q4_k_m';
const LARGE = 'qwen2.5-coder-1.5b-instruct-q4_k_m';
const DEFAULT_CELLS = [SMOL, SMALL].flatMap((model) => [0, 0.3, 0.7, 1.2].map((t) => `${model} as ${model} at ${t}`))
  .concat([0, 0.7].map((t) => `${LARGE} as ${LARGE} at ${t}`), [0, 0.3, 0.7, 1.2].map((t) => `${SMALL} as ${LARGE} at ${t}`));
const TOPICS = ['a lighthouse', 'growing tomatoes', 'the night train', 'a broken clock', 'keeping bees', 'an old library',
  'learning the violin', 'the first snow', 'a parser for dates', 'repairing a bicycle', 'a lost letter', 'a choir'];
const TASKS = ['Write a short story about', 'Explain to a child', 'List what matters most about', 'Argue for and against'];

const [models, answersText, ...given] = process.argv.slice(2);
const answers = Number(answersText);

function sha256Of(model) {
  const list = JSON.parse(execFileSync(NATARIS, ['catalog', '--json']).toString());
  return list.find((one) => one.id === model).sha256;
}

/** A folder in which `claimed` is the file of `served`, marked as checked: what a liar would do. */
function modelFolder(folder, served, claimed, sha256) {
  const file = path.join(folder, `${claimed}.gguf`);
  mkdirSync(folder, { recursive: true });
  copyFileSync(path.join(models, `${served}.gguf`), file);
  const { size, ino, mtimeNs } = statSync(file, { bigint: true });
  const mark = `${sha256} ${size} ${mtimeNs / 1000000000n}.${String(mtimeNs % 1000000000n).padStart(9, '0')} ${ino}\n`;
  writeFileSync(`${file}.verified`, mark, { mode: 0o600 });
  return folder;
}

function journalOf(network, id) {
  const text = readFileSync(path.join(network.data, 'audits.jsonl'), 'utf8');
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((line) => line.device_id === id);
}

async function measure(served, claimed, temperature) {
  const network = await Network.gateway(['--log-level', 'info', '--canary-s', '0', '--audit-percent', '100',
    '--first-token-ms', '120000', '--silence-ms', '120000']);
  try {
    const sha256 = sha256Of(claimed);
    const account = await createAccount(network, 'unlimited', 'stranger');
    const buyer = await createAccount(network, 'unlimited', 'buyer');
    await admin(network, 'POST', `/admin/accounts/${buyer.id}/credits`, { type: 'grant', amount_usd: 10 });
    const options = ['--model', claimed, '--context', '2048', '--slots', '2', '--threads', '1'];
    const scorer = await network.provider([...options, '--models',
      modelFolder(path.join(network.folder, 'honest'), claimed, claimed, sha256)]);
    const device = await network.provider([...options, '--region', 'ZZ', '--models',
      modelFolder(path.join(network.folder, 'other'), served, claimed, sha256)], { account: account.id });
    await network.untilAvailable(claimed, true, 240_000);
    const ready = async (one) => (await admin(network, 'GET', `/admin/providers/${one.id}`)).models?.[0]?.state === 'warm';
    await eventually(async () => await ready(scorer) && await ready(device), 'the models are not loaded', 240_000);
    for (let i = 0; journalOf(network, device.id).length < answers && i < 20 * answers; i += 1) {
      const content = `${TASKS[i % TASKS.length]} ${TOPICS[(i * 5) % TOPICS.length]} (${i}).`;
      const response = await network.post('/v1/chat/completions', { model: claimed, temperature, max_tokens: 48, region: 'ZZ',
        messages: [{ role: 'user', content }] }, { key: buyer.api_key });
      await response.text();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await eventually(async () => journalOf(network, device.id).length >= answers, 'too few were scored', 240_000)
      .catch(() => undefined);
    return journalOf(network, device.id);
  } finally {
    await network.stop();
  }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function row(cell, lines) {
  const failedAt = lines.findIndex((line) => line.failed) + 1;
  const ratios = ['flatter', 'flattest', 'sharper', 'far'].map((name) => {
    const values = lines.map((line) => line.ratios[name]);
    return `${mean(values).toFixed(2)} (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`;
  });
  const tokens = lines.reduce((sum, line) => sum + line.tokens, 0);
  const far = lines.reduce((sum, line) => sum + line.far_tokens, 0);
  const near = lines.reduce((sum, line) => sum + line.near, 0);
  return `| ${cell} | ${lines.length} | ${tokens} | ${(100 * near / tokens).toFixed(2)}% | ` +
    `${(100 * far / tokens).toFixed(2)}% | ${ratios.join(' | ')} | ${failedAt || '-'} |`;
}

console.log('| served as claimed, temperature | answers | tokens | near | far | flatter | flattest | sharper | far ratio |' +
  ' past the bound after |\n|---|---|---|---|---|---|---|---|---|---|');
for (const cell of given.length > 0 ? given : DEFAULT_CELLS) {
  const [, served, claimed, temperature] = /^(\S+) as (\S+) at (\S+)$/.exec(cell);
  console.log(row(cell, await measure(served, claimed, Number(temperature))));
}
process.exit(0);
