// A gateway that is killed in the middle of what its operator does: the action has happened or it has not, the books and the
// chain of receipts are whole, and nobody has earned, lost or come back by it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, assertBooks, createAccount, nano } from './support/accounts.mjs';
import { chat, user } from './support/chat.mjs';
import { answer, HostileDevice, withOwners } from './support/hostile_device.mjs';
import { Network, eventually, within } from './support/network.mjs';

const CHAT = '/v1/chat/completions';
const MODEL = 'a-strange-model';
const DELAYS_MS = [0, 1, 3, 8];

const post = (route, body) => (network) => admin(network, 'POST', route, body);

/** What is done to the scene's device and buyer; it may be refused (nothing is ripe, nothing was found). */
const ACTIONS = {
  quarantine: ({ device }, network) => admin(network, 'PATCH', `/admin/providers/${device.id}`, { quarantined: true, reason: 'x' }),
  release: async ({ device }, network) => {
    await admin(network, 'PATCH', `/admin/providers/${device.id}`, { quarantined: true });
    return admin(network, 'PATCH', `/admin/providers/${device.id}`, { quarantined: false });
  },
  remove: ({ device }, network) => admin(network, 'DELETE', `/admin/providers/${device.id}`),
  accept: ({ device }, network) => post(`/admin/providers/${device.id}/reviews`, { action: 'accept' })(network),
  'accept and forfeit': ({ device }, network) =>
    post(`/admin/providers/${device.id}/reviews`, { action: 'accept', escrow: 'forfeit', remove: true })(network),
  dismiss: ({ device }, network) => post(`/admin/providers/${device.id}/reviews`, { action: 'dismiss' })(network),
  'escrow is returned': ({ device }, network) => post(`/admin/providers/${device.id}/escrow`, { action: 'return' })(network),
  'escrow is released': ({ device }, network) => post(`/admin/providers/${device.id}/escrow`, { action: 'release' })(network),
  erase: ({ buyer }, network) => admin(network, 'DELETE', `/admin/accounts/${buyer.id}`),
  suspend: (scene, network) => admin(network, 'PATCH', `/admin/accounts/${network.mallory.id}`, { suspended: true }),
  payout: (scene, network) => post(`/admin/accounts/${network.mallory.id}/payouts`, { amount_usd: '0.000001', note: 'x' })(network),
  refund: ({ buyer }, network) => post(`/admin/accounts/${buyer.id}/credits`, { amount_usd: '0.000001', type: 'refund', note: 'x' })(network),
};

/** A buyer with paid credit, and a device that answers, now and then with more than it may. */
async function prepare(network) {
  const buyer = await createAccount(network, 'unlimited', 'buyer');
  await admin(network, 'POST', `/admin/accounts/${buyer.id}/credits`, { amount_usd: '1', type: 'grant', note: 'paid' });
  const device = await HostileDevice.enrol(network, network.mallory.token, [MODEL], { version: 2, slots: 16 });
  let served = 0;
  void device.serve((link, job) => {
    served += 1;
    answer(link, job, Array(served % 3 === 0 ? 40 : 5).fill('คำ '));
  });
  await network.untilAvailable(MODEL);
  const body = () => chat('Hi', { model: MODEL, messages: user('Hi'), max_tokens: 20 });
  const ask = () => network.post(CHAT, body(), { key: buyer.api_key }).then((r) => r.text()).catch(() => '');
  for (let i = 0; i < 3; i += 1) await ask();
  return { buyer, device, ask };
}

async function killedDuring(network, args, act, delayMs) {
  const scene = await prepare(network);
  const asking = [1, 2, 3].map(scene.ask);
  const acting = act(scene, network).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  network.main.kill('SIGKILL');
  await network.main.exit;
  await Promise.all([acting, ...asking]);
  scene.device.cut();
  await assertBooks(network);
  await network.untilReachable(network.start(args));
  const books = await assertBooks(network);
  assert.ok(books.receipts >= 3);
  const view = await admin(network, 'GET', `/admin/accounts/${scene.buyer.id}`);
  assert.ok(nano(view.balance_usd) >= 0 && view.held_usd === 0);
  return scene;
}

for (const days of ['0', '7']) {
  test(`the operator's actions, killed; what is earned is ripe after ${days} days`, () => within(
    Network.gateway(['--earnings-hold-days', days]), async (network) => {
      await withOwners(network);
      const args = network.main.args.map((arg) => (arg === '127.0.0.1:0' ? `127.0.0.1:${network.port}` : arg));
      for (const [i, [name, act]] of Object.entries(ACTIONS).entries()) {
        const scene = await killedDuring(network, args, act, DELAYS_MS[(i + Number(days)) % DELAYS_MS.length]);
        // Once more, to its end: whether it had happened or not, it is done now.
        await act(scene, network).catch((error) => assert.match(error.message, /40[0-9]/, name));
        await assertBooks(network);
        await admin(network, 'PATCH', `/admin/accounts/${network.mallory.id}`, { suspended: false });
        if (name === 'remove') {
          const { standing } = await admin(network, 'GET', `/admin/providers/${scene.device.id}`);
          assert.equal(standing, 'removed');
        }
        if (name === 'erase') assert.equal((await network.fetch('/v1/usage', { key: scene.buyer.api_key })).status, 401);
      }
      const owed = await admin(network, 'GET', `/admin/accounts/${network.mallory.id}/earnings`);
      assert.ok(nano(owed.owed_usd) >= 0);
      await eventually(async () => (await admin(network, 'GET', '/admin/escrow')).data !== undefined, 'escrow cannot be read');
    }));
}
