// Many posts with one Idempotency-Key at once: one of them runs, and nothing that is sent makes it two.
import assert from 'node:assert/strict';
import { chat, script } from './chat.mjs';

const PARALLEL = 64;
const CHANGED = 8;
const CHAT = '/v1/chat/completions';

async function send(network, account, key, body) {
  const response = await network.post(CHAT, body, { key: account.api_key, headers: { 'Idempotency-Key': key } });
  return { status: response.status, replayed: response.headers.get('idempotent-replayed') === 'true',
    wait: response.headers.get('retry-after'), text: await response.text() };
}

/** One round; `name` is the key. Resolves with the id of the one call. */
export async function hammer(network, account, name) {
  const body = chat(`${name} ${script({ tokens: 5 })}`);
  const posts = Array.from({ length: PARALLEL }, () => send(network, account, name, body));
  await Promise.race(posts); // the key is taken
  const changed = Array.from({ length: CHANGED }, (_, i) => send(network, account, name, chat(`${name} ${i}`)));
  const answers = await Promise.all(posts);
  for (const { status, text } of await Promise.all(changed)) assert.equal(status, 409, text);
  const served = answers.filter(({ status }) => status === 200);
  assert.equal(served.filter(({ replayed }) => !replayed).length, 1, 'it ran once');
  for (const { status, wait, text } of answers) {
    assert.ok(status === 200 || (status === 409 && wait === '1'), `${status} ${text}`);
  }
  const last = await send(network, account, name, body);
  assert.ok(last.status === 200 && last.replayed, `${last.status} ${last.text}`);
  assert.ok(served.every(({ text }) => text === last.text), 'all have the same answer');
  return JSON.parse(last.text).id;
}
