// What the processes of `up` show other users of the machine and give on to what they start: no secret in arguments or
// environments, and the engine in an empty folder with nothing of the owner's environment.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { DEMO_MODEL, Network, stopCleanly } from './support/network.mjs';

let network;
before(async () => {
  process.env.OWNERS_SECRET = 'nobody-else-s';
  network = await Network.up(['--model', DEMO_MODEL]);
});
after(() => stopCleanly(network));

// Those that this process started, and what they started.
function descendants() {
  const parents = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // it has ended meanwhile
    }
  }
  const isOurs = (pid) => pid === process.pid || (parents.has(pid) && parents.get(pid) > 1 && isOurs(parents.get(pid)));
  return [...parents.keys()].filter((pid) => pid !== process.pid && isOurs(pid));
}

const words = (pid, file) => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').filter((word) => word !== '');
const programs = (name) => descendants().filter((pid) => words(pid, 'cmdline')[0]?.endsWith(name));

test('no process has a join token or a key in its arguments or environment', () => {
  const all = descendants();
  assert.ok(all.length >= 3, `up, its provider and an engine: ${all}`);
  for (const pid of all) {
    for (const word of [...words(pid, 'cmdline'), ...words(pid, 'environ')]) {
      assert.doesNotMatch(word, /join_[A-Za-z0-9]{8,}|nat_(live|test)_/, words(pid, 'cmdline').join(' '));
    }
  }
});

test('the provider of `up` has nothing of the owner\'s environment that is not for it', () => {
  const providers = descendants().filter((pid) => words(pid, 'cmdline')[1] === 'provider');
  assert.equal(providers.length, 1);
  for (const name of words(providers[0], 'environ').map((line) => line.split('=')[0])) {
    assert.match(name, /^(HOME|PATH|TMPDIR|TZ|LANG|LC_\w+|XDG_\w+|PIP_\w+|\w+_(proxy|PROXY)|SSL_CERT_(FILE|DIR)|\w+_CA_BUNDLE|[A-Z]+SAN_OPTIONS|NATARIS_(MODELS|SHARE)|RES_OPTIONS|UV_THREADPOOL_SIZE)$/);
  }
  assert.doesNotMatch(words(providers[0], 'environ').join(' '), /nobody-else-s/);
});

test('an engine has an empty folder and an empty environment', () => {
  const engines = programs('/nataris-llama');
  assert.ok(engines.length >= 1);
  for (const pid of engines) {
    assert.match(readlinkSync(`/proc/${pid}/cwd`), /\/nataris-\w+ \(deleted\)$/);
    const names = words(pid, 'environ').map((line) => line.split('=')[0]);
    assert.deepEqual(names.filter((name) => !/SAN_OPTIONS$/.test(name)), ['LC_ALL']);
  }
});
