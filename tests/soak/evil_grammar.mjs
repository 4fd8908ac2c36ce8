// What an evil peer says: messages of the link and requests of HTTP, whole, half right and wrong, all from one seed.
import { readFileSync } from 'node:fs';
import { PART, part, tokenIds } from '../e2e/support/hostile_device.mjs';

const TEXT = 1;
const BINARY = 2;
const MUTATIONS_MAX = 4;
/** What stands in a number's place. */
const NUMBERS = ['-1', '0', '-0', '0.5', '1', '255', '256', '65535', '65536', '4294967295', '4294967296', '9007199254740991',
  '9007199254740992', '18446744073709551616', '1e308', '1e999', '-1e999', 'NaN', 'null', 'true', '""', '"7"', '[]', '{}', '[[[[]]]]'];
const WORDS = ['Guten Tag ', 'ครับ', 'မင်္ဂလာပါ', 'مرحبا', '你好，', '👩‍👩‍👧‍👦', '\u202e', '\u0301', '\n\n', ' ', '', 'a', '\\u0000', '<|im_end|>', '"}],'];
const BYTES = [0x00, 0x01, 0x7f, 0x80, 0xbf, 0xc0, 0xe0, 0xed, 0xf4, 0xff, 0x22, 0x5c, 0x7b, 0x5b, 0x0a, 0x0d];

const VECTORS = JSON.parse(readFileSync(new URL('../vectors/link.json', import.meta.url)));

function frameOf({ text, hex }) {
  return text === undefined ? [BINARY, Buffer.from(hex, 'hex')] : [TEXT, Buffer.from(text)];
}

/** All messages that the vectors have: understood, ignored and refused ones. */
export const CORPUS = [...VECTORS.messages, ...VECTORS.ignored, ...VECTORS.refused].map(frameOf);

export function words(random, most = 12) {
  return Array.from({ length: random.below(most) }, () => random.pick(WORDS)).join('');
}

function cut(random, bytes) {
  const from = random.below(bytes.length + 1);
  return [from, from + random.below(Math.min(bytes.length - from, 16) + 1)];
}

const MUTATORS = [
  (random, bytes) => {
    if (bytes.length > 0) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
    return bytes;
  },
  (random, bytes) => {
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.pick(BYTES);
    return bytes;
  },
  (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1)),
  (random, bytes) => {
    const [from, to] = cut(random, bytes);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (random, bytes) => {
    const [from, to] = cut(random, bytes);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  (random, bytes) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(words(random)), bytes.subarray(at)]);
  },
  (random, bytes) => {
    const other = random.pick(CORPUS)[1];
    return Buffer.concat([bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1))]);
  },
];

/** A number of it becomes another one. */
function renumber(random, bytes) {
  const text = bytes.toString('latin1');
  const found = [...text.matchAll(/-?\d+/g)];
  if (found.length === 0) return bytes;
  const { 0: old, index } = random.pick(found);
  return Buffer.from(text.slice(0, index) + random.pick(NUMBERS) + text.slice(index + old.length), 'latin1');
}

/** Bytes that were something once. */
export function mutate(random, bytes) {
  let made = Buffer.from(bytes);
  for (let left = 1 + random.below(MUTATIONS_MAX); left > 0; left -= 1) {
    made = random.below(3) === 0 ? renumber(random, made) : random.pick(MUTATORS)(random, made);
  }
  return made;
}

const COUNTS = [0, 1, 1, 1, 2, 3, 7, 64, 300, 65_535];
const UINT32S = [0, 1, 3, 12, 500, 65_536, 4_294_967_295];

function parts(random) {
  const all = [part(PART.text, words(random))];
  if (random.below(2)) all.push(tokenIds(...Array.from({ length: random.below(4) }, () => random.pick(UINT32S))));
  if (random.below(3) === 0) all.push(part(PART.reasoning, words(random)));
  if (random.below(5) === 0) all.push(part(PART.tool, Buffer.from([0, random.below(130), 0, 0, 0, 0])));
  if (random.below(8) === 0) all.push(part(random.below(256), words(random), random.below(64)));
  return all;
}

/** What a device may say of a job, true or not; [how often, what it does]. `ended(job)` forgets it. */
export const JOB_ACTS = [
  [6, (random, device, job) => device.accept(job, random.pick(UINT32S))],
  [14, (random, device, job) => device.delta(job, words(random), random.pick(COUNTS))],
  [4, (random, device, job) => {
    if (device.version === 2) device.parts(job, random.pick(COUNTS), ...parts(random));
  }],
  [2, (random, device, job) => {
    if (device.version === 2) device.progress(job, random.pick(UINT32S));
  }],
  [7, (random, device, job, ended) => {
    device.done(job, { prompt_tokens: random.pick(UINT32S), completion_tokens: random.pick(UINT32S), cached_tokens: random.pick(UINT32S) },
      random.pick(['stop', 'stop', 'length', 'cancelled']));
    ended(job);
  }],
  [3, (random, device, job, ended) => {
    device.fail(job, random.pick(['bad_request', 'context_length', 'overloaded', 'model_missing', 'draining', 'engine']), words(random),
      random.pick(['messages[0].content', 'kind', '', words(random)]));
    ended(job);
  }],
  [1, (random, device, job) => device.send({ type: 'scored', job, spells: random.below(2) === 0, tokens: random.pick(UINT32S), near: 0,
    far_tokens: random.below(3), flatter: random.pick([-1, 0, 1e308]), flattest: -3, sharper: 2, far: -1e308 })],
];

/** What it may say beside, with the models that it pretends to have. */
export const LINK_ACTS = [
  [6, (random, device, models) => device.status(models.filter(() => random.below(4) > 0), { slots: random.pick([1, 2, 16, 256]) })],
  [5, (random, device) => device.sendFrame(...random.pick(CORPUS))],
  [5, (random, device) => {
    const [opcode, bytes] = random.pick(CORPUS);
    device.sendFrame(opcode, mutate(random, bytes));
  }],
  [1, (random, device) => device.sendFrame(random.below(16), Buffer.from(words(random)))],
  [1, (random, device) => device.raw(mutate(random, Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d])))],
  [1, (random, device) => {
    for (let i = random.below(200); i > 0; i -= 1) device.sendFrame(9, Buffer.from('flood'));
  }],
  [1, (random, device) => device.send({ type: random.pick(['drain', 'leave', 'want', 'welcome', 'hello', 'auth']) })],
];

/** One of [weight, act]. */
export function weighted(random, acts) {
  let at = random.below(acts.reduce((sum, [weight]) => sum + weight, 0));
  return acts.find(([weight]) => (at -= weight) < 0)[1];
}

const ROUTES = ['POST /v1/chat/completions', 'POST /v1/jobs', 'POST /v1/conversations', 'POST /v1/webhooks', 'POST /v1/inference',
  'POST /v1/workflows/estimate', 'GET /v1/usage?period=2026-11', 'GET /v1/usage/requests?limit=3&after=chatcmpl-x', 'GET /v1/models',
  'GET /v1/jobs?limit=100&status=COMPLETED', 'DELETE /v1/jobs/job_x', 'GET /v1/conversations/conv_x', 'PATCH /v1/webhooks/wh_x',
  'GET /v1/provider/devices', 'GET /v1/provider/earnings?limit=9', 'GET /link', 'GET /admin/accounts', 'GET /metrics', 'GET /openapi.json'];

function bodies(model) {
  const messages = [{ role: 'user', content: 'สวัสดี' }];
  return [
    { model, messages, max_tokens: 9, stream: true, stop: ['x'], temperature: 0.5, seed: 4 },
    { model, messages, orchestration: { enabled: true, workflow: 'agent', max_steps: 3, max_cost_usd: 0.01 } },
    { model, prompt: 'x', max_tokens: 2 },
    { model, messages, tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], conversation_id: 'conv_x' },
    { url: 'http://[::ffff:127.0.0.1]/x?y#z', events: ['job.completed'] },
    { name: 'x', metadata: { a: 'b' }, auto_title: true },
  ].map((body) => Buffer.from(JSON.stringify(body)));
}

/** A request's bytes: well made, made of something well made, or broken off. */
export function httpRequest(random, model, key) {
  const body = random.pick(bodies(model));
  const sent = random.below(3) ? mutate(random, body) : body;
  const [method, path] = random.pick(ROUTES).split(' ');
  const length = random.below(12) ? sent.length : random.pick(NUMBERS);
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: evil', 'Content-Type: application/json'];
  if (random.below(5)) lines.push(`Authorization: Bearer ${random.below(8) ? key : words(random).replace(/[\r\n]/g, '')}`);
  if (random.below(9) === 0) lines.push(`Idempotency-Key: ${random.below(4)}`);
  lines.push(random.below(15) ? `Content-Length: ${length}` : 'Transfer-Encoding: chunked', '', '');
  const head = Buffer.from(lines.join('\r\n'));
  const whole = Buffer.concat([random.below(6) ? head : mutate(random, head), sent]);
  return random.below(8) ? whole : whole.subarray(0, random.below(whole.length));
}
