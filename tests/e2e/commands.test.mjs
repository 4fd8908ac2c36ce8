// The commands as people meet them: first and second start, clear words when something is wrong, nothing left behind.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { DEMO_MODEL, eventually, makeFolder, Network, Program, REFERENCE_MODEL, run, stopCleanly, within }
  from './support/network.mjs';
import { childrenOf, descendantsOf, isAlive, shell } from './support/processes.mjs';

const LOCAL = ['--listen', '127.0.0.1:0'];
const SCRIPTED = ['--engine', 'scripted', '--model', REFERENCE_MODEL];

let folder;
before(() => {
  folder = makeFolder();
});
after(() => rmSync(folder, { recursive: true, force: true }));

function inFolder(...names) {
  return path.join(folder, ...names);
}

/** The command fails by itself, soon, with status 1 and one line of these words for the user. */
async function failWith(args, words, options) {
  const program = new Program(args, options);
  const patience = setTimeout(() => program.kill('SIGKILL'), 20_000);
  const { code } = await program.exit;
  clearTimeout(patience);
  assert.equal(code, 1, program.errors);
  assert.match(program.errors, words);
  assert.match(program.errors, /^nataris: /m);
  assert.deepEqual(program.lines.filter((line) => line.startsWith('{')), [], 'it never claimed to be up');
}

describe('help and options', () => {
  const commands = [['up'], ['gateway'], ['provider'], ['provider', 'invite']];
  for (const command of commands) {
    test(`${command.join(' ')} --help lists its options`, async () => {
      const { code, stdout, stderr } = await run([...command, '--help']);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, new RegExp(`^Usage: nataris ${command.join(' ')}`));
      assert.match(stdout, /--data DIR/);
    });
  }

  test('the overview names every command', async () => {
    const { code, stdout } = await run(['--help']);
    assert.equal(code, 0);
    for (const command of commands) assert.match(stdout, new RegExp(`^ +${command.join(' ')} +\\w`, 'm'));
    assert.match((await run(['--version'])).stdout, /^nataris \d+\.\d+/);
    assert.equal((await run([])).code, 2);
  });

  const wrong = [
    [['fly'], /unknown command 'fly'/],
    [['up', '--wings', '2'], /--wings/],
    [['up', '--data'], /--data wants a value/],
    [['up', '--data', 'x', '--log-level', 'loud'], /--log-level .*'loud'/],
    [['gateway'], /--data DIR is needed/],
    [['gateway', '--data', 'x', '--max-queue', 'many'], /max-queue/],
    [['gateway', '--data', 'x', '--max-attempts', '0'], /max-attempts/],
    [['gateway', '--data', 'x', '--tls-cert', 'cert.pem'], /tls-cert and --tls-key/],
    [['provider', '--data', 'x'], /--gateway URL/],
    [['provider', '--gateway', 'http://127.0.0.1:1', '--data', 'x', '--engine', 'steam'], /'steam'/],
  ];
  for (const [args, words] of wrong) {
    test(`nataris ${args.join(' ')} is a usage error`, async () => {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
      assert.equal(stdout, '');
    });
  }

  test('options come from the environment and from a file, the command line wins', async () => {
    const file = inFolder('nataris.ini');
    writeFileSync(file, `listen = 127.0.0.1:0\ndata = ${inFolder('from-file')}\nmax-attempts = 99\n`);
    const bad = await run(['gateway', '--config', file]);
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /max-attempts/);
    const program = new Program(['gateway', '--config', file, '--json'], { env: { NATARIS_MAX_ATTEMPTS: '3' } });
    await program.until((p) => p.lines[0], 'line of JSON');
    assert.ok(readdirSync(inFolder('from-file')).includes('owner.json'));
    assert.equal((await program.stop()).code, 0);
  });
});

describe('what cannot start says why', { concurrency: 3 }, () => {
  test('a port that is taken', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const address = `127.0.0.1:${holder.address().port}`;
    for (const command of [['up', ...SCRIPTED], ['gateway']]) {
      await failWith([...command, '--data', inFolder('taken'), '--listen', address, '--json'],
        new RegExp(`${address}|${holder.address().port}.*in use|in use.*${holder.address().port}`));
    }
    holder.close();
  });

  test('an address that is none', async () => {
    for (const address of ['127.0.0.1', '127.0.0.1:99999', 'nowhere.invalid:80', ':::']) {
      await failWith(['gateway', '--data', inFolder('address'), '--listen', address], /nataris: .*\S/);
    }
  });

  test('a model that nobody knows', () =>
    failWith(['up', '--data', inFolder('model'), ...LOCAL, '--json', '--model', 'gpt-4o'], /gpt-4o/));

  test('a model file that is missing', () =>
    failWith(['up', '--data', inFolder('file'), ...LOCAL, '--json', '--model', inFolder('no.gguf')], /no\.gguf/));

  test('a model file that is no model', async () => {
    writeFileSync(inFolder('bad.gguf'), 'GGUF but not really');
    await failWith(['up', '--data', inFolder('bad'), ...LOCAL, '--json', '--model', inFolder('bad.gguf')], /bad/);
  });

  test('a data folder that is a file', async () => {
    writeFileSync(inFolder('plain'), '');
    await failWith(['up', '--data', inFolder('plain'), ...LOCAL, '--json', ...SCRIPTED], /plain/);
    await failWith(['gateway', '--data', inFolder('plain', 'below'), ...LOCAL], /plain/);
  });

  test('a store that is none', async () => {
    mkdirSync(inFolder('store'));
    const text = 'this is not a database, and long enough to be read as one\n';
    writeFileSync(inFolder('store', 'nataris.db'), text.repeat(99));
    await failWith(['gateway', '--data', inFolder('store'), ...LOCAL], /nataris\.db/);
  });

  test('an owner\'s file that is damaged', async () => {
    mkdirSync(inFolder('owner'));
    writeFileSync(inFolder('owner', 'owner.json'), '{"api_key": "half');
    await failWith(['gateway', '--data', inFolder('owner'), ...LOCAL], /owner\.json is damaged/);
  });

  test('certificates that are none', async () => {
    writeFileSync(inFolder('cert.pem'), 'no certificate');
    for (const file of [inFolder('cert.pem'), inFolder('missing.pem')]) {
      await failWith(['gateway', '--data', inFolder('tls'), ...LOCAL, '--tls-cert', file, '--tls-key', file], /\.pem/);
    }
  });

  test('an invitation without a gateway\'s folder', () =>
    failWith(['provider', 'invite', '--data', inFolder('nothing'), '--json'], /start a gateway there first/));
});

describe('nataris up', { concurrency: 2 }, () => {
  test('reuses account and keys in the same folder', () => within(Network.up(SCRIPTED), async (network) => {
    const { apiKey, testKey } = network;
    await network.main.stop();
    const again = network.start(['up', '--data', network.data, ...LOCAL, '--json', ...SCRIPTED]);
    const line = JSON.parse(await again.until((p) => p.lines[0], 'line of JSON'));
    assert.deepEqual([line.api_key, line.test_key], [apiKey, testKey]);
    assert.deepEqual(Object.keys(line).sort(), ['api_key', 'base_url', 'test_key']);
    network.origin = line.base_url.replace(/\/v1$/, '');
    assert.ok((await ask(network, chat('Hello'))).id);
  }));

  test('has a data folder to itself', () => within(Network.up(SCRIPTED), async (network) => {
    await failWith(['up', '--data', network.data, ...LOCAL, ...SCRIPTED], /another gateway runs in/);
    const device = ['--data', path.join(network.data, 'provider')];
    await failWith(['provider', '--gateway', network.origin, ...device, ...SCRIPTED], /another provider runs in/);
    assert.equal((await network.fetch('/healthz')).status, 200);
  }));

  test('prints what a newcomer can paste', () => within(new Network(), async (network) => {
    const program = network.start(['up', '--data', network.data, ...LOCAL, ...SCRIPTED]);
    await program.until((p) => p.lines.some((line) => line.includes('Ctrl-C')), 'banner');
    const banner = program.lines.join('\n');
    const command = /curl [\s\S]*?}'/.exec(banner)[0];
    assert.match(command, /nat_live_/);
    const pasted = shell(`${command} -s`);
    assert.equal(JSON.parse(await pasted).object, 'chat.completion');
  }));

  test('stops everything on Ctrl-C', () => within(Network.up(['--model', DEMO_MODEL]), async (network) => {
    const family = [network.main.pid, ...descendantsOf(network.main.pid).map(({ pid }) => pid)];
    assert.ok(family.length >= 3, 'gateway, provider and model');
    network.main.kill('SIGINT');
    assert.deepEqual(await network.main.exit, { code: 0, signal: null });
    assert.deepEqual(family.filter(isAlive), []);
  }));

  test('leaves nothing behind when it is killed', () => within(Network.up(['--model', DEMO_MODEL]), async (network) => {
    const family = descendantsOf(network.main.pid).map(({ pid }) => pid);
    assert.ok(family.length >= 2, 'provider and model');
    network.main.kill('SIGKILL');
    await eventually(() => !family.some(isAlive), () => `still there: ${family.filter(isAlive)}`, 10_000);
    await network.main.exit;
  }));

  test('starts its provider again when that is killed', () => within(Network.up(SCRIPTED), async (network) => {
    const [provider] = childrenOf(network.main.pid);
    process.kill(provider.pid, 'SIGKILL');
    await network.untilAvailable(REFERENCE_MODEL, false);
    await network.untilAvailable(REFERENCE_MODEL);
    assert.notEqual(childrenOf(network.main.pid)[0].pid, provider.pid);
    assert.ok((await ask(network, chat('Hello'))).id);
  }));

  test('serves a model file given by its path', async () => {
    const [model] = readdirSync(path.resolve('models')).filter((name) => name.startsWith(DEMO_MODEL));
    const file = inFolder('my-model.gguf');
    copyFileSync(path.resolve('models', model), file);
    await within(Network.up(['--model', file]), async (network) => {
      const { data } = await (await network.fetch('/v1/models')).json();
      const { id } = data.find(({ available }) => available);
      assert.match(id, /my-model/);
      const question = chat('What is the capital of France?', { model: id, temperature: 0 });
      assert.match(textOf(await ask(network, question)), /Paris/);
    });
  });
});

describe('joining', { concurrency: 2 }, () => {
  const story = (name, tell) => test(name, () => within(Network.gateway(), tell));

  story('an invitation is made while the gateway runs, and for another address if asked', async (network) => {
    const { token, url } = await network.invite();
    assert.equal(url, network.origin);
    assert.match(token, /^\w+$/);
    const url2 = 'https://example.org';
    const elsewhere = await run(['provider', 'invite', '--data', network.data, '--json', '--url', url2]);
    assert.equal(JSON.parse(elsewhere.stdout).url, url2);
    assert.notEqual(JSON.parse(elsewhere.stdout).token, token);
    const words = await run(['provider', 'invite', '--data', network.data]);
    assert.match(words.stdout, new RegExp(`nataris provider --gateway ${network.origin} --join \\w+ --data`));
  });

  story('a token that is unknown or too old is refused with clear words', async (network) => {
    const { token } = await network.invite();
    const expired = await run(['provider', 'invite', '--data', network.data, '--json', '--hours', '0']);
    const old = JSON.parse(expired.stdout);
    const swapped = token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
    const join = (value, data) => ['provider', '--gateway', network.origin, '--data', inFolder(data), ...SCRIPTED,
      ...(value ? ['--join', value] : [])];
    for (const [value, data] of [[swapped, 'p1'], ['nonsense', 'p2'], [old.token, 'p3'], [undefined, 'p4']]) {
      await failWith(join(value, data), /token/);
    }
  });

  story('a token is for one device, or for as many as it was made for, also after a restart', async (network) => {
    const invite = async (...args) => JSON.parse(
      (await run(['provider', 'invite', '--data', network.data, '--json', ...args])).stdout).token;
    const device = (name) => ['provider', '--gateway', network.origin, '--data', path.join(network.folder, name),
      '--name', name, ...SCRIPTED];
    const join = async (token, name) => {
      const program = Object.assign(network.start([...device(name), '--join', token]), { name });
      await network.joined(program);
      return program;
    };
    const [one, two] = [await invite(), await invite('--uses', '2')];
    const first = await join(one, 'first');
    await failWith([...device('thief'), '--join', one], /token/);
    await join(two, 'second');
    await first.stop();
    await network.main.stop();
    const again = network.start(['gateway', '--data', network.data, '--listen', `127.0.0.1:${network.port}`]);
    await network.untilReachable(again);
    await join(two, 'third');
    for (const token of [one, two]) await failWith([...device('thief'), '--join', token], /token/);
    await join(one, 'first'); // is known by its key
    await failWith(['provider', 'invite', '--data', network.data, '--uses', '0'], /--uses must be at least 1/);
  });

  story('a gateway that is not there is waited for', async (network) => {
    const provider = await network.scripted();
    await network.main.stop();
    await provider.untilLog('provider.disconnected');
    assert.equal(provider.ended, undefined);
    assert.equal((await provider.stop()).code, 0);
  });
});

describe('TLS', () => {
  let network;
  const cert = () => inFolder('self.pem');
  before(async () => {
    await shell(`openssl req -x509 -newkey rsa:2048 -nodes -keyout ${inFolder('self.key')} -out ${cert()} -days 2 \
      -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost 2>&1`);
    network = await Network.gateway(['--tls-cert', cert(), '--tls-key', inFolder('self.key')]);
  });
  after(() => stopCleanly(network));

  test('clients and providers connect with the certificate they trust', async () => {
    assert.match(network.baseURL, /^https:\/\/127\.0\.0\.1:\d+\/v1$/);
    const provider = await network.provider(['--ca-file', cert(), ...SCRIPTED]);
    const curl = (body) => shell(`curl -sS --no-buffer --cacert ${cert()} ${network.baseURL}/chat/completions \
      -H 'Authorization: Bearer ${network.apiKey}' -d '${JSON.stringify(body)}'`);
    const answer = await eventually(async () => {
      const parsed = JSON.parse(await curl(chat(script({ text: 'over TLS' }))));
      return parsed.choices && parsed;
    }, 'no answer over TLS');
    assert.equal(textOf(answer), 'over TLS');
    assert.equal(answer.nataris.provider.id, provider.id);
    const stream = await curl(chat(script({ tokens: 2000 }), { stream: true, max_tokens: 2000 }));
    assert.equal(stream.match(/"content":" /g).length, 1999);
    assert.ok(stream.endsWith('data: [DONE]\n\n'));
  });

  test('nobody speaks in clear, and nobody trusts a stranger', async () => {
    await assert.rejects(shell(`curl -sS --fail http://127.0.0.1:${network.port}/healthz 2>&1`));
    await assert.rejects(shell(`curl -sS ${network.origin}/healthz 2>&1`), /certificate/);
    const { token } = await network.invite();
    const distrustful = network.start(['provider', '--gateway', network.origin, '--join', token, '--data',
      inFolder('distrust'), ...SCRIPTED]);
    await distrustful.until((p) => /certificate/i.test(p.errors), 'complaint about the certificate');
    assert.equal((await distrustful.stop()).signal, null);
    assert.equal(network.main.errors.match(/provider\.joined/g).length, 1, 'the trusting one of before');
  });

  test('old versions of TLS are refused', async () => {
    await assert.rejects(shell(`curl -sS --cacert ${cert()} --tls-max 1.1 --tlsv1.1 ${network.origin}/healthz 2>&1`));
    assert.match(await shell(`curl -sS --cacert ${cert()} --tlsv1.3 ${network.origin}/healthz`), /ok/);
  });
});
