// Devices of strangers whose answers are scored by the operator's: who serves something else is found, who does not, is
// not, and nobody's prompt is in what the operator is shown.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  admin, adminText, assertBooks, balanceOf, createAccount, NANO, nano, requestsOf, usageOf,
} from './support/accounts.mjs';
import { chat } from './support/chat.mjs';
import { eventually, Network, REFERENCE_MODEL, run, within } from './support/network.mjs';

const CHAT = '/v1/chat/completions';
const SECRET = 'marmalade';

const ELSEWHERE = 'ZZ'; // where the strangers' devices are; what is asked goes there

function story(name, gatewayOptions, tell, { strangers = true } = {}) {
  test(name, () => within(Network.gateway(['--log-level', 'info', ...gatewayOptions], { strangers }), tell));
}

async function stranger(network, account, args = []) {
  const program = await network.provider(['--engine', 'scripted', '--model', REFERENCE_MODEL, '--region', ELSEWHERE,
    ...args],
    { account: account.id });
  await network.untilServes(program);
  program.account = account;
  return program;
}

const show = (network, program) => admin(network, 'GET', `/admin/providers/${program.id}`);
const reviews = async (network) => (await admin(network, 'GET', '/admin/reviews')).data;

/** One answer after the other, each to a question of its own, until `done` says so. */
async function askUntil(network, key, done, most = 200) {
  for (let i = 0; i < most; i += 1) {
    const response = await network.post(CHAT, chat(`${SECRET} ${i}`, { max_tokens: 64, stream: i % 2 === 0,
      region: ELSEWHERE }), { key });
    assert.equal(response.status, 200, await response.clone().text());
    await response.text();
    if (await done()) return i + 1;
  }
  throw new Error(`nothing was found\n${network.errors()}`);
}

async function strangers(network, lies) {
  const [alice, bob, buyer] = await Promise.all(['alice', 'bob', 'buyer'].map((name) =>
    createAccount(network, 'unlimited', name)));
  await network.scripted(['--max-jobs', '1']); // the operator's: it scores
  const honest = await stranger(network, alice);
  const liar = await stranger(network, bob, ['--script', lies]);
  return { honest, liar, buyer };
}

const LIES = [
  ['words of another model', 'text="one two three four five six seven eight nine ten eleven twelve"'],
  ['the same word again and again', 'loop tokens=40'],
  ['an answer that is cut', 'tokens=9'],
  ['a word in place of an answer', 'text="no"'],
  ['more tokens than there are', 'lie=2'],
];

describe('audits', { concurrency: 2 }, () => {
  for (const [name, lies] of LIES) {
    story(`${name}: found, and the honest device beside it is not`, ['--canary-s', '0'], async (network) => {
      const { honest, liar, buyer } = await strangers(network, lies);
      let foundAfter = 0;
      let count = 0;
      const found = async () => (await reviews(network)).some((line) => line.reason === 'audit');
      const asked = await askUntil(network, buyer.api_key, async () => {
        count += 1;
        if (foundAfter === 0 && await found()) foundAfter = count;
        return foundAfter > 0 && (await show(network, honest)).audits[0]?.passed > 0;
      });
      const lines = (await reviews(network)).filter((line) => line.reason === 'audit');
      for (const { audit } of lines) {
        assert.deepEqual(Object.keys(audit.sums).sort(), Object.keys(audit.finding.ratios).sort());
        assert.equal(Object.keys(audit.sums).length, 4);
        assert.equal(audit.finding.verdict, 'failed');
        assert.ok(audit.finding.far_tokens <= audit.finding.tokens);
      }
      const list = await run(['provider', 'review', '--data', network.data]);
      assert.match(list.stdout, /audit +sums flatter \d+\.\d, .*, far \d+\.\d; \d+ of \d+ tokens far/);
      const shown = await run(['provider', 'review', '--show', lines[0].provider_id, '--data', network.data]);
      assert.match(shown.stdout, /FAILED: its answers are not those of the model[^]*sums: flatter[^]*failed +\d+ tokens/);
      assert.deepEqual([...new Set(lines.map((line) => line.provider_id))], [liar.id]);
      assert.ok(foundAfter <= 63, `found after ${foundAfter} jobs`);

      const [evidence] = (await show(network, liar)).audits;
      assert.equal(evidence.model, REFERENCE_MODEL);
      assert.match(evidence.sha256, /^[0-9a-f]{64}$/);
      assert.equal(evidence.failed, true);
      const { stdout } = await run(['provider', 'audits', liar.id, '--data', network.data]);
      assert.match(stdout, /FAILED: its answers are not those of the model/);
      assert.ok(Object.values(evidence.sums).some((sum) => sum > 12.9));
      // What waited to be scored when it failed may have pushed that one out of the last 16.
      const [bad] = evidence.last.filter(({ verdict }) => ['failed', 'alerted'].includes(verdict));
      const { outcome } = await admin(network, 'GET', `/admin/jobs/${bad.job_id}`);
      assert.equal(outcome, 'completed');
      assert.equal((await show(network, honest)).audits[0].failed, false);
      const journal = readFileSync(path.join(network.data, 'audits.jsonl'), 'utf8');
      assert.ok(!journal.includes(SECRET) && !JSON.stringify(evidence).includes(SECRET));

      // In nobody's usage; the books add up.
      assert.equal((await usageOf(network, buyer.api_key)).total_requests, asked);
      await assertBooks(network);
    });
  }

  story('the operator dismisses; what was found outlives a restart until then', ['--canary-s', '0'], async (network) => {
    const { liar, buyer } = await strangers(network, 'loop tokens=40');
    await askUntil(network, buyer.api_key, async () => (await show(network, liar)).audits[0]?.failed);
    const args = network.main.args.map((arg) => (arg === '127.0.0.1:0' ? `127.0.0.1:${network.port}` : arg));
    network.main.kill('SIGKILL');
    await network.main.exit;
    await network.untilReachable(network.start(args));
    const before = (await show(network, liar)).audits[0];
    assert.equal(before.failed, true);
    assert.ok(before.last.length > 1);
    await admin(network, 'DELETE', `/admin/providers/${liar.id}/reviews`);
    const after = (await show(network, liar)).audits[0];
    assert.equal(after.failed, false);
    assert.ok(Object.values(after.sums).every((sum) => sum === 0));
    assert.equal(after.count, before.count);
  });

  story('made-up prompts are scored where nobody asks', ['--canary-s', '1'], async (network) => {
    const { honest, liar } = await strangers(network, 'text="never anything but this and then some more of it"');
    await eventually(async () => (await show(network, liar)).audits[0]?.failed, 'the liar was not found', 60_000);
    const { audits } = await show(network, liar);
    assert.ok(audits[0].last.every((one) => one.canary));
    await eventually(async () => (await show(network, honest)).audits[0]?.passed >= 2, 'the honest one was not asked',
      60_000);
    assert.equal((await show(network, honest)).audits[0].failed, false);
  });

  story('what owners ask their own devices is not audited', ['--canary-s', '0'], async (network) => {
    const owner = await createAccount(network, 'unlimited', 'owner');
    await network.scripted(['--max-jobs', '1']);
    const own = await stranger(network, owner);
    let asked = 0;
    await askUntil(network, owner.api_key, async () => ++asked > 12);
    assert.ok((await requestsOf(network, owner.api_key)).every((line) => line.own_devices));
    assert.deepEqual((await show(network, own)).audits, []);
  });

  story('who opts out is never shown to a scorer', ['--canary-s', '0', '--audit-percent', '100'], async (network) => {
    const { honest, liar, buyer } = await strangers(network, 'loop tokens=40');
    const { code, stdout } = await run(['account', 'set-audits', buyer.id, 'off', '--data', network.data]);
    assert.equal(code, 0);
    assert.match(stdout, /audits off/);
    const answered = async () => (await show(network, liar)).record.jobs + (await show(network, honest)).record.jobs;
    await askUntil(network, buyer.api_key, async () => await answered() >= 12);
    for (const device of [honest, liar]) assert.deepEqual((await show(network, device)).audits, []);
    assert.match(await adminText(network, 'GET', '/metrics'), /^nataris_audits_total 0$/m);

    await admin(network, 'PATCH', `/admin/accounts/${buyer.id}`, { audits: true });
    await askUntil(network, buyer.api_key, async () => (await show(network, liar)).audits[0]?.failed);
  });

  story('with --trust-devices nobody is audited', ['--canary-s', '0'], async (network) => {
    const { honest, liar, buyer } = await strangers(network, 'loop tokens=40');
    const answered = async () => (await show(network, liar)).record.jobs + (await show(network, honest)).record.jobs;
    await askUntil(network, buyer.api_key, async () => await answered() >= 10);
    for (const device of [honest, liar]) assert.deepEqual((await show(network, device)).audits, []);
  }, { strangers: false });

  /** What the liar has earned by the time it is found, in escrow, and who paid. */
  async function found(network) {
    const { liar, buyer } = await strangers(network, 'loop tokens=40');
    await admin(network, 'POST', `/admin/accounts/${buyer.id}/credits`, { type: 'grant', amount_usd: 1 });
    await askUntil(network, buyer.api_key, async () => (await show(network, liar)).audits[0]?.failed);
    const mine = ({ provider_id: id }) => id === liar.id;
    const held = async () => (await admin(network, 'GET', '/admin/escrow')).data.find(mine);
    await eventually(async () => (await held())?.in_review, 'nothing is in escrow');
    const { paid_usd: paid, given_usd: given } = await held();
    return { liar, buyer, held, earned: nano(paid) + nano(given) };
  }

  for (const [words, body, back] of [['returned', {}, 1], ['forfeited', { escrow: 'forfeit', remove: true }, 0]]) {
    story(`accepted: the device stays out, its escrow is ${words}`, ['--canary-s', '0'], async (network) => {
      const { liar, buyer, held, earned } = await found(network);
      const before = await balanceOf(network, buyer);
      const answer = await admin(network, 'POST', `/admin/providers/${liar.id}/reviews`, { action: 'accept', ...body });
      assert.ok(nano(answer.amount_usd) >= earned && earned > 0, JSON.stringify(answer));
      assert.equal(answer.standing, body.remove ? 'removed' : 'quarantined');
      assert.equal(await balanceOf(network, buyer) - before, back * nano(answer.amount_usd));
      assert.equal(await held(), undefined);
      assert.ok((await reviews(network)).every((line) => line.provider_id !== liar.id));
      const [line] = (await admin(network, 'GET', '/admin/audit?limit=50')).data
        .filter((one) => one.action === 'review.accept');
      assert.equal(line.subject, liar.id);
      await assertBooks(network);
      await admin(network, 'POST', `/admin/providers/${liar.id}/reviews`, { action: 'accept' }).then(
        (again) => assert.equal(again.amount_usd, 0), (error) => assert.match(error.message, /409/));
    });
  }

  story('dismissed: the device serves, its escrow is its owner\'s', ['--canary-s', '0'], async (network) => {
    const { liar, buyer, held, earned } = await found(network);
    const before = await balanceOf(network, buyer);
    const { code, stdout } = await run(['provider', 'review', '--dismiss', liar.id, '--note', 'a trial', '--data',
      network.data]);
    assert.equal(code, 0);
    assert.match(stdout, /: serving; \$0\.\d+ that it earned is out of escrow/);
    assert.equal(await balanceOf(network, buyer), before);
    assert.equal(await held(), undefined);
    const owed = await admin(network, 'GET', `/admin/accounts/${liar.account.id}/earnings`);
    const given = nano((await admin(network, 'GET', `/admin/accounts/${liar.account.id}`)).given_usd) - 5 * NANO;
    assert.ok(nano(owed.owed_usd) + given >= earned, JSON.stringify(owed));
    assert.equal((await show(network, liar)).audits[0].failed, false);
    await assert.rejects(admin(network, 'POST', `/admin/providers/${liar.id}/reviews`, { action: 'dismiss' }), /409/);
    await assertBooks(network);
  });

  story('with --audit-percent 0 nobody is audited', ['--canary-s', '0', '--audit-percent', '0'], async (network) => {
    const { liar, buyer } = await strangers(network, 'loop tokens=40');
    let left = 20;
    await askUntil(network, buyer.api_key, () => (left -= 1) === 0);
    assert.deepEqual((await show(network, liar)).audits, []);
  });
});
