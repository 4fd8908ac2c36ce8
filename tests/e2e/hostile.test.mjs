// Clients and devices that mean harm: nothing of it reaches others, and the gateway goes on.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ask, chat, script } from './support/chat.mjs';
import { HandProvider } from './support/hand_provider.mjs';
import { Network, REFERENCE_MODEL, within } from './support/network.mjs';

function story(name, options, tell) {
  test(name, () => within(Network.gateway(options), tell));
}

describe('clients', { concurrency: 4 }, () => {
  story('a test key whose script is silent gets a 408', ['--whole-ms', '300', '--whole-per-token-ms', '0'],
    async (network) => {
      const silent = (stream) => network.post('/v1/chat/completions', chat(script({ silent: true }), { stream }),
        { key: network.testKey });
      const answers = await Promise.all(Array.from({ length: 257 }, () => silent(false)));
      const statuses = new Set(answers.map((response) => response.status));
      assert.deepEqual([...statuses], [408]);
      assert.equal((await answers[0].json()).error.code, 'REQUEST_TIMEOUT');
      assert.match(await (await silent(true)).text(), /"code":"REQUEST_TIMEOUT"/);
      await ask(network, chat('still here'), { key: network.testKey });
    });
});
