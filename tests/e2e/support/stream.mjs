// Server-sent events as they arrive.
import assert from 'node:assert/strict';

const decoder = new TextDecoder('utf-8', { fatal: true });

function toEvent(block, read) {
  const text = decoder.decode(block); // throws when an event is not whole UTF-8
  if (text.startsWith('data: ')) return { read, data: text.slice(6) };
  if (text.startsWith(':')) return { read, comment: text.slice(1).trim() };
  throw new Error(`not an event: ${text}`);
}

/** Yields { read, data } and { read, comment }; `read` counts the reads from the connection so far. */
export async function* eventsOf(response) {
  let rest = Buffer.alloc(0);
  let read = 0;
  for await (const piece of response.body) {
    read += 1;
    rest = Buffer.concat([rest, piece]);
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      yield toEvent(rest.subarray(0, end), read);
      rest = rest.subarray(end + 2);
    }
  }
  if (rest.length > 0) throw new Error(`the stream ended inside an event: ${rest}`);
}

/** All of them. */
export async function readEvents(response) {
  const events = [];
  for await (const event of eventsOf(response)) events.push(event);
  return events;
}

function chunkOf(event) {
  return event.data === undefined || event.data === '[DONE]' ? undefined : JSON.parse(event.data);
}

/** The text that an event of a chat or inference stream brings; '' for all others. */
export function textOfEvent(event) {
  const chunk = chunkOf(event);
  return chunk?.choices?.[0]?.delta?.content ?? chunk?.output ?? '';
}

/** A stream's answer: its 200, chunks, whole text, and whether it ended with [DONE]. */
export async function readStream(response) {
  assert.equal(response.status, 200, response.status === 200 ? '' : await response.clone().text());
  const events = await readEvents(response);
  return {
    events,
    chunks: events.map(chunkOf).filter(Boolean),
    text: events.map(textOfEvent).join(''),
    done: events.at(-1)?.data === '[DONE]',
  };
}

/** Reads on until the first event with text; resolves with it and the iterator to go on with. */
export async function firstText(response) {
  const events = eventsOf(response);
  for (let next = await events.next(); !next.done; next = await events.next()) {
    if (textOfEvent(next.value) !== '') return { first: next.value, events };
  }
  throw new Error('the stream has no text');
}

/** What is left of an iterator. */
export async function rest(events) {
  const all = [];
  for await (const event of events) all.push(event);
  return all;
}
