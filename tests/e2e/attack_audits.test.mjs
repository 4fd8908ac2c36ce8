// Devices that would not be looked at: they end their answers in ways that nobody scores, give up with the last word, or
// count on clients that leave. Each is found like those that end as answers end.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admin, assertBooks, createAccount } from './support/accounts.mjs';
import { chat } from './support/chat.mjs';
import { HostileDevice, PART, part, tokenIds } from './support/hostile_device.mjs';
import { eventually, Network, REFERENCE_MODEL, within } from './support/network.mjs';
import { sha256Of } from './support/liars.mjs';

const CHAT = '/v1/chat/completions';
const ELSEWHERE = 'ZZ'; // where the liar is; what is asked goes there
const WORDS = 20;

/** Words that no model made, with ids that spell something else. */
function lie(device, job, words = WORDS) {
  device.accept(job, 3);
  for (let i = 0; i < words; i += 1) device.parts(job, 1, part(PART.text, ` ${i}`), tokenIds(i));
}

const USAGE = { prompt_tokens: 3, completion_tokens: WORDS };

/** How an answer ends, once its words have come. */
const ENDINGS = {
  'an end that has no name yet': (device, job) => device.done(job, USAGE, 9),
  'a filter': (device, job) => device.done(job, USAGE, 5),
  'calls of tools': (device, job) => device.done(job, USAGE, 4),
  'cancelled, though nobody has': (device, job) => device.done(job, USAGE, 'cancelled'),
  'it gives up': (device, job) => device.fail(job, 'overloaded', 'busy'),
  'one word more than may be': (device, job) => lie(device, job, 64),
};

async function liarIn(network) {
  const owner = await createAccount(network, 'unlimited', 'mallory');
  const { token } = await network.invite('--account', owner.id, '--uses', '9');
  const liar = await HostileDevice.enrol(network, token, [], { version: 2, device: { region: ELSEWHERE } });
  const sha256 = sha256Of(REFERENCE_MODEL);
  const beat = () => liar.send({ type: 'status', models: [{ id: REFERENCE_MODEL, state: 'warm', slots: 4,
    context_length: 4096, kinds: ['generate', 'score'], sha256 }] });
  beat();
  const pulse = setInterval(beat, 500);
  liar.socket.on('close', () => clearInterval(pulse));
  await eventually(async () => (await admin(network, 'GET', `/admin/providers/${liar.id}`)).models?.length > 0, 'no offer');
  return liar;
}

async function untilFound(network, liar, ask) {
  for (let i = 0; i < 20; i += 1) {
    await ask(i);
    const { audits } = await admin(network, 'GET', `/admin/providers/${liar.id}`);
    if (audits[0]?.failed) return i + 1;
  }
  throw new Error(`nothing was found\n${network.errors()}`);
}

async function story(tell) {
  await within(Network.gateway(['--canary-s', '0', '--cooldown-ms', '100', '--queue-ms', '2000', '--log-level', 'info'], { strangers: true }), async (network) => {
    await network.scripted(['--max-jobs', '1']); // the operator's: it scores
    const buyer = await createAccount(network, 'unlimited', 'buyer');
    const liar = await liarIn(network);
    await tell(network, liar, (i, options = {}) => network.post(CHAT, chat(`Hello ${i}`, { max_tokens: 32, region: ELSEWHERE,
      stream: i % 2 === 0 }), { key: buyer.api_key, ...options }));
    await eventually(async () => (await admin(network, 'GET', `/admin/providers/${liar.id}`)).standing === 'quarantined',
      'it is not set aside');
    liar.cut();
    await assertBooks(network);
  });
}

describe('who would not be looked at', { concurrency: 2 }, () => {
  for (const [name, end] of Object.entries(ENDINGS)) {
    test(name, () => story(async (network, liar, ask) => {
      void liar.serve((device, job) => {
        lie(device, job);
        end(device, job);
      });
      const jobs = await untilFound(network, liar, async (i) => (await ask(i)).text());
      assert.ok(jobs <= 20, `${jobs}`);
    }));
  }

  test('its clients go when they see what comes', () => story(async (network, liar, ask) => {
    void (async () => {
      for (let message = await liar.next(); message.type !== 'closed'; message = await liar.next()) {
        if (message.type === 'job') lie(liar, message.job);
        if (message.type === 'cancel') liar.done(message.job, USAGE, 'cancelled');
      }
    })();
    await untilFound(network, liar, async (i) => {
      const leaving = new AbortController();
      const answer = await ask(2 * i, { signal: leaving.signal });
      let text = '';
      for await (const piece of answer.body) {
        text += Buffer.from(piece).toString();
        if (text.includes(` ${WORDS - 1}"`)) break;
      }
      leaving.abort();
    });
  }));
});
