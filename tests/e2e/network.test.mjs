// Many devices for one answer: a stream that goes on elsewhere, who earns from it, and what the operator can ask about it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertBooks, command, createAccount } from './support/accounts.mjs';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { DEMO_MODEL, eventually, Network, REFERENCE_MODEL, run, within } from './support/network.mjs';
import { firstText, rest, textOfEvent } from './support/stream.mjs';

const CHAT = '/v1/chat/completions';

function story(name, gatewayOptions, tell) {
  test(name, () => within(Network.gateway(['--log-level', 'debug', ...gatewayOptions]), tell));
}

describe('network', { concurrency: 3 }, () => {
  story('a stream goes on elsewhere when its device dies, for one charge and two earners', [], async (network) => {
    const asked = script({ tokens: 80, rate: 50 });
    const doomed = await network.scripted();
    const { api_key: key } = await createAccount(network); // an owner's own jobs are free, and earn nothing
    const wanted = textOf(await ask(network, chat(asked, { max_tokens: 200 }), { key }));
    const before = await command(network, 'provider', 'earnings');
    const response = await network.post(CHAT,
      chat(asked, { stream: true, max_tokens: 200, stream_options: { include_usage: true } }), { key });
    const { first, events } = await firstText(response);
    const other = await network.scripted();
    doomed.kill('SIGKILL');
    const more = await rest(events);
    assert.equal([first, ...more].map(textOfEvent).join(''), wanted);
    assert.equal(more.at(-1).data, '[DONE]');
    const { id, usage } = JSON.parse(more.at(-2).data);
    assert.equal(usage.completion_tokens, 80);

    const job = await command(network, 'job', 'explain', id);
    assert.equal(job.outcome, 'completed');
    const placed = job.steps.filter((step) => step.state === 'placed');
    assert.deepEqual(placed.map((step) => [step.attempt, step.provider_id, step.continues]),
      [[1, doomed.id, false], [2, other.id, true]]);
    assert.ok(placed[1].candidates.some((one) => one.chosen && one.provider_id === other.id));
    assert.ok(job.steps.some((step) => step.why === 'provider left'));

    const earnings = await (await network.fetch('/v1/provider/earnings')).json();
    const line = earnings.data.find((one) => one.id === id);
    assert.equal(line.completion_tokens, 80); // both devices are the owner's
    assert.equal(line.prompt_tokens, usage.prompt_tokens);
    const after = await command(network, 'provider', 'earnings');
    assert.equal(after.jobs, before.jobs + 1);
    const { code, stdout } = await run(['job', 'explain', id, '--data', network.data]);
    assert.equal(code, 0);
    assert.match(stdout, /which goes on behind the text delivered so far/);
    await assertBooks(network);
  });

  story('a plain answer goes on elsewhere, too', [], async (network) => {
    const asked = script({ tokens: 80, rate: 50 });
    const doomed = await network.scripted();
    const wanted = textOf(await ask(network, chat(asked, { max_tokens: 200 })));
    const plain = ask(network, chat(asked, { max_tokens: 200 }));
    await network.main.until((main) => (main.errors.match(/core\.job .* to=streaming /g) ?? []).length >= 2, 'a stream');
    const other = await network.scripted();
    doomed.kill('SIGKILL');
    const answer = await plain;
    assert.equal(textOf(answer), wanted);
    assert.equal(answer.usage.completion_tokens, 80);
    assert.equal(answer.nataris.provider.id, other.id);
    assert.equal(answer.nataris.attempts, 2);
  });

  story('region and privacy level are kept, or refused', [], async (network) => {
    const device = await network.scripted();
    const inRegion = await network.post(CHAT, chat('Hello', { region: 'zz' }));
    assert.equal(inRegion.status, 404);
    const refusal = (await inRegion.json()).error;
    assert.equal(refusal.code, 'no_matching_provider');
    assert.match(refusal.message, /region/);
    const steps = await network.post(CHAT, chat('Hello', { region: 'zz', orchestration: { enabled: true } }));
    assert.equal((await steps.json()).error.code, 'no_matching_provider');
    const wrong = await network.post(CHAT, chat('Hello', { region: 'Europe' }));
    assert.equal(wrong.status, 400);
    assert.equal((await wrong.json()).error.param, 'region');
    assert.equal((await network.post(CHAT, chat('Hello', { privacyLevel: 'secret' }))).status, 400);
    assert.equal((await network.post(CHAT, chat('Hello', { privacyLevel: 'verified' }))).status, 404);
    assert.equal((await network.post(CHAT, chat('Hello', { privacyLevel: 'standard' }))).status, 200);

    assert.equal((await command(network, 'provider', 'verify', device.id)).verified, true);
    await network.joined(device, 2);
    await network.untilAvailable(REFERENCE_MODEL);
    const answer = await ask(network, chat('Hello', { privacyLevel: 'verified' }));
    assert.equal(answer.nataris.provider.id, device.id);
  });

  story('a stream that waits for a model tells how far it is', [], async (network) => {
    const device = await network.provider(['--engine', 'scripted', '--model', REFERENCE_MODEL, '--script-load-ms',
      '3000']);
    await eventually(async () => (await command(network, 'provider', 'list')).data.some((one) => one.models?.length > 0),
      () => 'the gateway does not know the model yet');
    const response = await network.post(CHAT, chat(script({ text: 'at last' }), { stream: true }));
    const raw = await response.text();
    assert.equal(response.status, 200, raw);
    assert.match(raw, new RegExp(`: loading ${REFERENCE_MODEL} \\d+% \\(about \\d+ s\\)`));
    assert.match(raw, /\[DONE\]/);
    assert.ok(device.id);
  });

  story('an owner learns why a device gets no jobs', [], async (network) => {
    const device = await network.scripted();
    const why = await command(network, 'provider', 'why', device.id);
    assert.equal(why.state, 'idle');
    assert.equal(why.models[0].gate, 'none');
    assert.match(why.models[0].why, /No demand lately/);
    device.kill('SIGKILL');
    await network.main.untilLog(/provider\.gone/);
    assert.equal((await command(network, 'provider', 'why', device.id)).state, 'away');
    const list = await command(network, 'provider', 'list');
    assert.deepEqual(list.data.map((one) => [one.id, one.state]), [[device.id, 'away']]);
    const { code, stderr } = await run(['provider', 'why', 'prov_nobody', '--data', network.data]);
    assert.equal(code, 1);
    assert.match(stderr, /no such provider/);
  });

  story('a device that serves another model than it says is put on the review list', ['--canary-s', '1'],
    async (network) => {
      const device = await network.scripted([], DEMO_MODEL); // made-up words are no right answers
      const line = await eventually(async () => (await command(network, 'provider', 'review')).data[0], 'no review');
      assert.equal(line.provider_id, device.id);
      assert.equal(line.reason, 'canary');
      assert.equal((await command(network, 'provider', 'earnings')).jobs, 0); // and nobody was charged
      const jobs = await (await network.fetch('/v1/usage/requests')).json();
      assert.equal(jobs.data.length, 0);
      await command(network, 'provider', 'review', '--clear', device.id);
    });
});

test('the built-in model passes its canaries', () =>
  within(Network.gateway(['--log-level', 'debug', '--canary-s', '1']), async (network) => {
    await network.provider(['--model', DEMO_MODEL]);
    await network.main.untilLog(/canary\.right/);
    assert.equal((await command(network, 'provider', 'review')).data.length, 0);
  }));
