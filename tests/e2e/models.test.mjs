// Models on a device: downloads that are broken off and killed, damaged files, the quota, and the commands around them.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync }
  from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { DEMO_MODEL, eventually, makeFolder, Network, Program, REFERENCE_MODEL, run, stopCleanly }
  from './support/network.mjs';

const FILE_BYTES = 4 * 1024 * 1024;
const INTERRUPTIONS = 20;
const seed = Number(process.env.NATARIS_TEST_SEED ?? Date.now() % 1e6);

/** mulberry32: small, seeded; a failing run prints its seed. */
function randomSource(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const content = randomBytes(FILE_BYTES);
const sha256 = createHash('sha256').update(content).digest('hex');

const root = makeFolder(); // made here: the node of Debian 12 runs the hook "before" only after the file's body
let folder; // of models, one per test
let server;
let requests; // { range, sent } of each
let serve; // how the server answers; set by a test

function rangeStart(request) {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

/** The answer's head, for the rest of the file from `from` on. */
function writeHead(response, from) {
  if (from >= FILE_BYTES) return response.writeHead(416).end();
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': FILE_BYTES - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${FILE_BYTES - 1}/${FILE_BYTES}` }),
  });
  return response;
}

function serveWhole(request, response) {
  const from = rangeStart(request);
  writeHead(response, from).end(content.subarray(from));
}

/** Sends `bytes` of the answer, then resolves; the connection stays open. */
function sendSome(request, response, bytes) {
  const from = rangeStart(request);
  writeHead(response, from);
  return new Promise((resolve) => response.write(content.subarray(from, from + bytes), resolve));
}

before(async () => {
  server = http.createServer((request, response) => {
    requests.push({ path: request.url, from: rangeStart(request) });
    serve(request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

let folders = 0;
function reset() {
  folder = path.join(root, `models-${folders++}`);
  requests = [];
  serve = serveWhole;
}
reset();
afterEach(reset);

const url = (name = 'm.gguf') => `http://127.0.0.1:${server.address().port}/${name}`;
const fileOf = (id, ending = '') => path.join(folder, `${id}.gguf${ending}`);
const pullArgs = (id, ...more) => ['model', 'pull', id, '--models', folder, '--quiet', ...more];
const added = (...more) => ['--from', url(), '--sha256', sha256, ...more];
const pull = (id = 'm', ...more) => run(pullArgs(id, ...added(...more)));
const model = (verb, ...args) => run(['model', verb, ...args, '--models', folder]);

async function list(...more) {
  const { code, stdout, stderr } = await model('list', '--json', ...more);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function assertWhole(id = 'm') {
  assert.ok(readFileSync(fileOf(id)).equals(content), 'the file is right');
  assert.ok(!existsSync(fileOf(id, '.part')), 'no part file is left');
}

function flipBit(file) {
  const bytes = readFileSync(file);
  bytes[1234] ^= 1;
  writeFileSync(file, bytes);
}

describe('a download that does not go well', () => {
  test(`${INTERRUPTIONS} breaks and kills at random, then the file is right (seed ${seed})`, async () => {
    const random = randomSource(seed);
    let interruptions = 0;
    let kills = 0;
    let program;
    serve = async (request, response) => {
      if (interruptions === INTERRUPTIONS) return serveWhole(request, response);
      interruptions++;
      await sendSome(request, response, Math.floor(random() * FILE_BYTES / INTERRUPTIONS));
      if (random() < 0.5) {
        response.destroy();
      } else {
        kills++;
        program.kill('SIGKILL');
      }
    };
    let ended;
    do {
      program = new Program(pullArgs('m', ...added()));
      ended = await program.exit;
      assert.ok(ended.signal === 'SIGKILL' || interruptions === INTERRUPTIONS || ended.code === 1, program.errors);
      assert.ok(!existsSync(fileOf('m')) || ended.code === 0, 'the name is there only when the file is right');
    } while (ended.code !== 0 && requests.length < 10 * INTERRUPTIONS);
    assert.equal(ended.code, 0, program.errors);
    assert.equal(interruptions, INTERRUPTIONS);
    assert.ok(requests.some(({ from }) => from > 0), 'it went on where it had stopped');
    assertWhole();
    assert.equal((await list()).models[0].state, 'ready');
    console.log(`# ${requests.length} requests, ${kills} kills`);
  });

  test('a server that knows no ranges sends it all again', async () => {
    let broken = 0;
    serve = async (request, response) => {
      response.writeHead(200, { 'content-length': FILE_BYTES });
      if (broken++ > 0) return response.end(content);
      await new Promise((resolve) => response.write(content.subarray(0, FILE_BYTES / 2), resolve));
      response.destroy();
    };
    const { code, stderr } = await pull();
    assert.equal(code, 0, stderr);
    assertWhole();
  });

  test('the next source is asked when the first fails', async () => {
    serve = (request, response) =>
      request.url === '/m.gguf' ? serveWhole(request, response) : response.writeHead(404).end();
    const { code, stderr } = await run(pullArgs('m', '--from', url('gone.gguf'), ...added()));
    assert.equal(code, 0, stderr);
    assertWhole();
  });

  test('Ctrl-C keeps what came, and the next pull needs only the name', async () => {
    serve = (request, response) => sendSome(request, response, FILE_BYTES / 2);
    const program = new Program(pullArgs('m', ...added()));
    await eventually(() => existsSync(fileOf('m', '.part')) && statSync(fileOf('m', '.part')).size === FILE_BYTES / 2,
      'half a file');
    const half = await list();
    assert.deepEqual([half.models[0].state, half.models[0].bytes, half.models[0].fetching],
      ['partial', FILE_BYTES / 2, true]);
    assert.equal((await model('rm', 'm')).code, 1, 'it is being fetched');
    const { code } = await program.stop('SIGINT');
    assert.equal(code, 130);
    assert.match(program.errors, /stopped; what has come is kept/);
    serve = serveWhole;
    const again = await run(pullArgs('m'));
    assert.equal(again.code, 0, again.stderr);
    assert.equal(requests.at(-1).from, FILE_BYTES / 2);
    assertWhole();
  });

  test('two processes at once: one fetches, both have it', async () => {
    let release;
    const waiting = new Promise((resolve) => (release = resolve));
    serve = async (request, response) => {
      await sendSome(request, response, FILE_BYTES / 2);
      await waiting;
      response.end(content.subarray(FILE_BYTES / 2));
    };
    const first = new Program(pullArgs('m', ...added()));
    await eventually(() => requests.length === 1, 'a request');
    const second = new Program(pullArgs('m', ...added()));
    await second.untilLog('another process fetches it');
    release();
    assert.equal((await first.exit).code, 0, first.errors);
    assert.equal((await second.exit).code, 0, second.errors);
    assert.match(second.lines.join(), /already here/);
    assert.equal(requests.length, 1);
    assertWhole();
  });

  test('nobody there, a wrong hash, a cut file: one line says why, nothing is left to be loaded', async () => {
    const offline = await run(pullArgs('m', '--from', 'http://127.0.0.1:1/m.gguf', '--sha256', sha256));
    assert.equal(offline.code, 1);
    assert.match(offline.stderr, /^nataris: model m cannot be had: .*127\.0\.0\.1/m);
    const wrong = await run(pullArgs('m', '--from', url(), '--sha256', '0'.repeat(64)));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /not the one pinned/);
    serve = (request, response) => response.writeHead(200, { 'content-length': 1000 }).end(content.subarray(0, 1000));
    const short = await pull();
    assert.equal(short.code, 1);
    assert.match(short.stderr, /not the one pinned/);
    serve = (request, response) => response.writeHead(404).end();
    const missing = await pull();
    assert.match(missing.stderr, /404/);
    assert.ok(!existsSync(fileOf('m')) && !existsSync(fileOf('m', '.part')));
  });

  test('a file of the wrong size is not taken for a model of the catalog', async () => {
    const mirror = await run(pullArgs('nataris-fast', '--from', url()));
    assert.equal(mirror.code, 1);
    assert.match(mirror.stderr, /qwen2\.5-0\.5b-instruct-q6_k cannot be had/);
    assert.deepEqual((await list()).models, []);
    const other = await run(pullArgs('nataris-fast', ...added()));
    assert.match(other.stderr, /the SHA-256 of qwen2\.5/);
  });
});

describe('a file that is not what it was', () => {
  const damages = {
    'a flipped bit': () => flipBit(fileOf('m')),
    'a cut file': () => truncateSync(fileOf('m'), 1000),
    'another file in its place': () => {
      const { atime, mtime } = statSync(fileOf('m'));
      rmSync(fileOf('m'));
      writeFileSync(fileOf('m'), randomBytes(FILE_BYTES));
      utimesSync(fileOf('m'), atime, mtime);
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    test(`${name} is found, and the model is fetched anew`, async () => {
      assert.equal((await pull()).code, 0);
      const untouched = await pull();
      assert.match(untouched.stdout, /^m is already here: /);
      assert.equal(requests.length, 1);
      damage();
      assert.notEqual((await list()).models[0].state, 'ready');
      serve = (request, response) => response.writeHead(503).end();
      assert.equal((await pull()).code, 1);
      assert.ok(!existsSync(fileOf('m')), 'nobody can load it');
      assert.equal((await list()).models[0].state, 'damaged');
      serve = serveWhole;
      const anew = await pull();
      assert.match(anew.stdout, /^m is here and verified: /);
      assertWhole();
      assert.ok(!existsSync(fileOf('m', '.damaged')));
    });
  }
});

describe('the quota', () => {
  const quota = ['--model-quota', String(2 * FILE_BYTES + 1000)];
  const ids = async () => (await list()).models.filter(({ state }) => state === 'ready').map(({ id }) => id);
  const use = (id, second) => utimesSync(fileOf(id, '.used'), second, second);

  async function have(...names) {
    for (const [i, id] of names.entries()) {
      assert.equal((await pull(id)).code, 0);
      writeFileSync(fileOf(id, '.used'), '');
      use(id, 1000 + i);
    }
  }

  test('the least recently used model makes room, never a pinned one', async () => {
    await have('a', 'b');
    use('a', 2000);
    assert.equal((await pull('c', ...quota)).code, 0);
    assert.deepEqual(await ids(), ['a', 'c']);
    assert.equal((await model('pin', 'a')).code, 0);
    use('a', 1);
    assert.equal((await pull('d', ...quota)).code, 0);
    assert.deepEqual(await ids(), ['a', 'd']);
    const back = await run(pullArgs('b', ...quota)); // its address is still known
    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual(await ids(), ['a', 'b']);
  });

  test('what does not fit is refused, and nothing goes for it', async () => {
    await have('a', 'b');
    assert.equal((await model('pin', 'a', 'b')).code, 0);
    const { code, stderr } = await pull('c', ...quota);
    assert.equal(code, 1);
    assert.match(stderr, /the quota for models is 8\.4 MB/);
    assert.deepEqual(await ids(), ['a', 'b']);
    const tiny = await pull('c', '--model-quota', '1M');
    assert.equal(tiny.code, 1);
    assert.deepEqual(await ids(), ['a', 'b']);
  });
});

test('a model that a provider has loaded is not removed; when it has stopped, it is', async () => {
  mkdirSync(folder);
  const builtIn = (await run(pullArgs(DEMO_MODEL))).stdout.split(': ')[1];
  writeFileSync(fileOf(DEMO_MODEL), readFileSync(builtIn));
  const network = await Network.up(['--model', DEMO_MODEL], { env: { NATARIS_MODELS: folder } });
  try {
    const [entry] = (await list()).models;
    assert.deepEqual([entry.state, entry.in_use], ['ready', true]);
    const { code, stderr } = await model('rm', DEMO_MODEL);
    assert.equal(code, 1);
    assert.match(stderr, /a provider uses it/);
    assert.ok(existsSync(fileOf(DEMO_MODEL)));
  } finally {
    await stopCleanly(network);
  }
  assert.equal((await model('rm', DEMO_MODEL)).code, 0);
  assert.deepEqual(readdirSync(folder), []);
});

describe('the commands', () => {
  test('pull, list, pin, unpin, rm', async () => {
    assert.match((await model('list')).stdout, /^No models in /);
    assert.match((await pull()).stdout, /^m is here and verified: .*m\.gguf$/);
    await model('pin', 'm');
    const pinned = await list('--model-quota', '20G');
    assert.deepEqual([pinned.bytes, pinned.quota_bytes, pinned.models.length], [FILE_BYTES, 20e9, 1]);
    assert.ok(pinned.free_bytes > 0);
    assert.deepEqual({ ...pinned.models[0], last_used_at: null },
      { id: 'm', state: 'ready', bytes: FILE_BYTES, bytes_total: FILE_BYTES, last_used_at: null, pinned: true,
        in_use: false, fetching: false });
    assert.match((await model('list')).stdout, /^m +ready +4\.2 MB +\d{4}-\d\d-\d\d \d\d:\d\d +pinned/m);
    assert.match((await model('unpin', 'm')).stdout, /m is not pinned/);
    assert.equal((await list()).models[0].pinned, false);
    assert.match((await model('rm', 'm')).stdout, /m is removed/);
    assert.deepEqual(readdirSync(folder), []);
    const again = await model('rm', 'm');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /there is no model m/);
    assert.match((await run(pullArgs('m'))).stderr, /model 'm' is unknown/);
  });

  test('the built-in model is here already', async () => {
    const { code, stdout } = await run(pullArgs(DEMO_MODEL));
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^${DEMO_MODEL} is already here: `));
  });

  test('the catalog says what a model needs and whether it is here; aliases name models everywhere', async () => {
    mkdirSync(folder);
    writeFileSync(fileOf(REFERENCE_MODEL, '.part'), 'some');
    const { stdout } = await run(['catalog', '--json', '--models', folder]);
    const models = JSON.parse(stdout);
    const one = models.find(({ id }) => id === REFERENCE_MODEL);
    assert.equal(one.here, 'partial');
    assert.deepEqual(one.aliases, ['nataris-balanced']);
    assert.ok(one.bytes > 0 && one.ram_bytes > one.bytes && one.context_length > 0 && one.license);
    assert.equal(one.prompt_usd_per_million, 0.08);
    assert.equal(models.find(({ id }) => id === DEMO_MODEL).here, 'built in');
    const table = await run(['catalog', '--models', folder]);
    assert.match(table.stdout, new RegExp(`^${DEMO_MODEL.replaceAll('.', '\\.')} .* built in$`, 'm'));
    assert.match((await model('rm', 'nataris-balanced')).stdout, new RegExp(`^${REFERENCE_MODEL} is removed`));
  });

  const wrong = [
    [['model', 'pull'], /NAME is missing/],
    [['model', 'rm'], /NAME is missing/],
    [['model', 'pull', 'a', '--sha256', 'abc'], /--sha256 goes with --from/],
    [['model', 'pull', 'a', 'b', '--from', 'https://x.invalid/m'], /one model at a time/],
    [['model', 'list', '--model-quota', 'much'], /--model-quota wants a number of bytes/],
  ];
  for (const [args, words] of wrong) {
    test(`nataris ${args.join(' ')} is a usage error`, async () => {
      const { code, stderr } = await run(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
    });
  }

  test('what cannot be added', async () => {
    for (const [id, args, words] of [
      ['mine', ['--from', url()], /--from needs --sha256/],
      ['mine', ['--from', url(), '--sha256', 'abc'], /64 hexadecimal digits/],
      ['../mine', added(), /the id of an added model/],
      ['mine', ['--from', 'http://example.invalid/m.gguf', '--sha256', sha256], /cannot be had/],
    ]) {
      const { code, stderr } = await run(pullArgs(id, ...args));
      assert.equal(code, 1, stderr);
      assert.match(stderr, words);
    }
    assert.ok(!existsSync(path.join(root, 'mine.gguf.source')));
  });

  for (const command of [['model', 'pull'], ['model', 'list'], ['model', 'rm'], ['model', 'pin'], ['model', 'unpin'],
    ['catalog']]) {
    test(`${command.join(' ')} --help lists its options`, async () => {
      const { code, stdout } = await run([...command, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^Usage: nataris ${command.join(' ')}`));
      assert.match(stdout, /--models DIR/);
    });
  }
});
