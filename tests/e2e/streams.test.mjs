// What a stream promises on the wire: its events and their order, its pace, and its end when a client misbehaves.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, chat, script, textOf } from './support/chat.mjs';
import { DEMO_MODEL, Network, stopCleanly, within } from './support/network.mjs';
import { RawConnection, rawPost } from './support/raw.mjs';
import { eventsOf, firstText, readStream, rest, textOfEvent } from './support/stream.mjs';

const SOON_MS = 2000; // for what takes milliseconds, on a machine with much else to do

let network;
before(async () => {
  network = await Network.gateway();
  await network.scripted(['--context', '200000', '--slots', '16']);
});
after(() => stopCleanly(network));

function stream(content, more = {}, options = {}) {
  return network.post('/v1/chat/completions', chat(content, { stream: true, ...more }), options);
}

async function textsOf(content, more) {
  const { events, text } = await readStream(await stream(content, more));
  return { text, deltas: events.map(textOfEvent).filter(Boolean) };
}

describe('the events', () => {
  test('begin with the role, end with the reason and [DONE]', async () => {
    const { events, chunks, done } = await readStream(await stream(script({ text: 'one two' })));
    assert.ok(done);
    assert.ok(events.every((event) => event.data !== undefined), 'no comments in a quick answer');
    const { id, created, model } = chunks[0];
    assert.match(id, /^chatcmpl-/);
    const choices = chunks.map((chunk) => chunk.choices[0]);
    for (const chunk of chunks) {
      assert.deepEqual({ ...chunk, choices: 0 }, { id, object: 'chat.completion.chunk', created, model, choices: 0 });
    }
    assert.deepEqual(choices, [
      { index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null },
      { index: 0, delta: { content: 'one' }, finish_reason: null },
      { index: 0, delta: { content: ' two' }, finish_reason: null },
      { index: 0, delta: {}, finish_reason: 'stop' },
    ]);
  });

  test('come with the headers of a stream', async () => {
    const response = await stream('Hello');
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    assert.equal(response.headers.get('cache-control'), 'no-cache');
    assert.equal(response.headers.get('x-accel-buffering'), 'no');
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.match(response.headers.get('x-request-id'), /^req_/);
    assert.equal(response.headers.get('content-length'), null);
    await response.text();
  });

  test('are spread over time at the pace of the device, not one lump at the end', async () => {
    const { events, text } = await readStream(await stream(script({ tokens: 25, rate: 50 })));
    const reads = new Set(events.filter(textOfEvent).map((event) => event.read));
    assert.equal(text.split(' ').length, 25);
    assert.ok(reads.size >= 5, `25 tokens in ${reads.size} reads`);
  });

  test('carry max_tokens as finish_reason length', async () => {
    const { chunks, text } = await readStream(await stream(script({ tokens: 50 }), { max_tokens: 7 }));
    assert.equal(text.split(' ').length, 7);
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'length');
  });

  test('are whole characters, also where a delta had to be cut', async () => {
    const long = '\u20ac'.repeat(40_000); // 120 KB without a blank: more than one delta may hold
    const { text, deltas } = await textsOf(script({ text: `\u{1f600}\u{1f469}\u200d\u{1f52c} ${long}` }), { max_tokens: 2000 });
    assert.ok(deltas.length > 2, 'it was cut');
    assert.equal(text, `\u{1f600}\u{1f469}\u200d\u{1f52c} ${long}`);
  });

  test('all arrive, also when the device is much faster than the network', async () => {
    const { text, done } = await readStream(await stream(script({ tokens: 3000 }), { max_tokens: 3000 }));
    assert.equal(text.split(' ').length, 3000);
    assert.ok(done);
  });

  test('escape what JSON must escape', async () => {
    const text = 'a "quoted" \\ back\\slash, a tab\there, \u2028 and \u0001';
    assert.equal((await textsOf(script({ text }).replaceAll('\\t', '\t').replaceAll('\\u0001', '\u0001'))).text, text);
  });
});

describe('stop strings', () => {
  const cases = [
    { text: 'one two three four', stop: 'three', left: 'one two ' },
    { text: 'one two three four', stop: ['two three'], left: 'one ' },
    { text: 'one two three four', stop: ['four', 'two t'], left: 'one ' },
    { text: 'one two one two stop', stop: 'two stop', left: 'one two one ' },
    { text: 'one two three', stop: 'two four', left: 'one two three' },
    { text: 'caf\u00e9 cr\u00e8me br\u00fbl\u00e9e', stop: 'br\u00fbl', left: 'caf\u00e9 cr\u00e8me ' },
  ];
  for (const { text, stop, left } of cases) {
    test(`${JSON.stringify(stop)} never shows, nor its beginning`, async () => {
      const streamed = await textsOf(script({ text, rate: 200 }), { stop });
      assert.equal(streamed.text, left);
      assert.equal(textOf(await ask(network, chat(script({ text }), { stop }))), left);
    });
  }
});

describe('waiting', { concurrency: true }, () => {
  test('a long prefill is bridged by comments', async () => {
    const { events, text, done } = await readStream(await stream(script({ prefill: 10_600, text: 'at last' })));
    const comment = events.findIndex((event) => event.comment !== undefined);
    assert.ok(comment > 0 && comment < events.findIndex(textOfEvent), 'between the headers and the text');
    assert.equal(text, 'at last');
    assert.ok(done);
  });

  test('headers come before the text of a slow device', async () => {
    const response = await stream(script({ prefill: 1500, text: 'slow' }));
    const events = eventsOf(response);
    const { value } = await events.next();
    assert.equal(JSON.parse(value.data).choices[0].delta.role, 'assistant');
    const left = await rest(events);
    assert.equal(left.map(textOfEvent).join(''), 'slow');
    assert.ok(left.find(textOfEvent).read > value.read);
  });

  test('headers come after a second, though every slot is taken', async () => {
    await network.scripted(['--slots', '1'], DEMO_MODEL);
    const holder = await stream(script({ tokens: 1000, rate: 50 }), { model: DEMO_MODEL, max_tokens: 1000 });
    const { events } = await firstText(holder);
    const waiting = await stream('And me?', { model: DEMO_MODEL });
    assert.equal(waiting.status, 200);
    assert.notEqual(textOfEvent((await events.next()).value), '', 'the holder still has its slot');
    await events.return();
    assert.ok((await readStream(waiting)).done);
  });
});

describe('clients that leave or lag', () => {
  const endless = chat(script({ tokens: 5000, rate: 50 }), { stream: true, max_tokens: 5000 });

  test('one that is gone frees its slot at once', () => within(Network.gateway(), async (other) => {
    await other.scripted(['--slots', '1', '--context', '200000']);
    const client = new RawConnection(other.port).send(rawPost(other, '/v1/chat/completions', endless));
    await client.until((raw) => (raw.text.match(/"content":" /g) ?? []).length > 2);
    const cutAt = performance.now();
    client.cut();
    assert.equal(textOf(await ask(other, chat(script({ text: 'mine now' })))), 'mine now');
    assert.ok(performance.now() - cutAt < SOON_MS, `${performance.now() - cutAt} ms`);
  }));

  test('one that never reads is cut, and the others are served', async () => {
    const client = new RawConnection(network.port);
    client.socket.pause();
    const fast = chat(script({ tokens: 100_000 }), { stream: true, max_tokens: 100_000 });
    client.send(rawPost(network, '/v1/chat/completions', fast));
    await network.main.untilLog('outcome=slow_reader');
    assert.equal(textOf(await ask(network, chat(script({ text: 'still here' })))), 'still here');
    client.socket.resume();
    await client.closed;
    assert.doesNotMatch(client.text, /\[DONE\]/);
  });

  test('one of HTTP/1.0 gets the stream until the connection closes', async () => {
    const body = chat(script({ text: 'the old way' }), { stream: true });
    const client = new RawConnection(network.port);
    client.send(rawPost(network, '/v1/chat/completions', body, {}, 'HTTP/1.0'));
    await client.closed;
    const [head, ...events] = client.text.split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.[01] 200/);
    assert.doesNotMatch(head, /transfer-encoding/i);
    assert.match(head, /connection: close/i);
    assert.equal(events.length, 1);
    assert.match(events[0], /^data: \{/);
    assert.ok(events[0].endsWith('data: [DONE]\n\n'));
    assert.doesNotMatch(events[0], /\r/);
  });

  test('one that goes on with the same connection gets the next answer on it', async () => {
    const client = new RawConnection(network.port);
    const body = chat(script({ text: 'first second' }), { stream: true });
    client.send(rawPost(network, '/v1/chat/completions', body));
    await client.until((raw) => raw.text.endsWith('0\r\n\r\n'));
    client.send(rawPost(network, '/v1/chat/completions', chat(script({ text: 'third' })), { Connection: 'close' }));
    await client.closed;
    assert.deepEqual(client.statuses, [200, 200]);
    assert.match(client.text, /"content":"third"/);
  });
});
