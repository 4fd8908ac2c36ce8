// Which TLS a gateway speaks, asked by openssl's own client, and what it says of a key that others can read.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Network, stopCleanly } from './support/network.mjs';

let network;
before(async () => {
  network = await Network.gateway(['--tls-cert', 'cert.pem', '--tls-key', 'key.pem'], {
    prepare(made) {
      const [certificate, key] = ['cert.pem', 'key.pem'].map((name) => path.join(made.folder, name));
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate,
        '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' });
      chmodSync(key, 0o644);
      mkdirSync(made.data, { mode: 0o755 });
      const start = made.start.bind(made);
      made.start = (args, options) => start(args.map((arg) => ({ 'cert.pem': certificate, 'key.pem': key })[arg] ?? arg),
        options);
    },
  });
});
after(() => stopCleanly(network));

/** "TLSv1.3 TLS_AES_256_GCM_SHA384", or null when the gateway refused. */
function agree(...args) {
  const { stdout } = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${network.port}`, ...args],
    { input: '', encoding: 'utf8', timeout: 20_000 });
  const found = /New, (\S+), Cipher is (\S+)/.exec(stdout);
  return found === null || found[2] === '(NONE)' ? null : `${found[1]} ${found[2]}`;
}

test('TLS 1.3, and 1.2 with forward secrecy', () => {
  assert.match(agree('-tls1_3'), /^TLSv1\.3 TLS_/);
  assert.match(agree('-tls1_2'), /^TLSv1\.2 ECDHE-\w+-(AES\d+-GCM-SHA\d+|CHACHA20-POLY1305)$/);
  for (const cipher of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305']) {
    assert.equal(agree('-tls1_2', '-cipher', cipher), `TLSv1.2 ${cipher}`);
  }
});

test('nothing else', () => {
  const weak = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'AES256-SHA256', 'AES128-SHA', 'ECDHE-RSA-AES128-SHA256',
    'ECDHE-RSA-AES256-SHA', 'DHE-RSA-AES256-GCM-SHA384', 'DHE-RSA-CHACHA20-POLY1305', 'CAMELLIA256-SHA'];
  for (const cipher of weak) {
    assert.equal(agree('-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`), null, cipher);
  }
  for (const version of ['-tls1_1', '-tls1']) {
    assert.equal(agree(version, '-cipher', 'ALL:@SECLEVEL=0'), null, version);
  }
});

test('a key and a data folder that others can read are warned of', async () => {
  await network.main.untilLog(/warn file\.open_to_others what="private key of TLS" path=\S+key\.pem/);
  await network.main.untilLog(/warn file\.open_to_others what="data folder" path=\S+data do="chmod 700"/);
});
