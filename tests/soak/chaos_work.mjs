// What the clients of the chaos ask for, and what is a right answer to it.
import assert from 'node:assert/strict';
import { chat, script } from '../e2e/support/chat.mjs';
import { DEMO_MODEL, REFERENCE_MODEL } from '../e2e/support/network.mjs';

const WORDS = ['one', 'two', 'caf\u00e9', '\u65e5\u672c\u8a9e', '\u{1f600}', 'na\u00efve', 'x',
  '\u0441\u043b\u043e\u0432\u043e', 'harbour', '\u00df', 'lantern', 'tide.', 'so,', 'e\u0301', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'];
const LENGTH = { min: 10, spread: 50 }; // words
const RATE = { min: 12, spread: 28 }; // a second
const STOP = 'here it ends';
const QUESTIONS = ['Tell me about the sea.', 'Write a story.', 'Who are you?', 'What is Nataris?',
  'Write a haiku about the moon.'];

function wordsOf(text) {
  return text.split(' ').length;
}

/** Text word for word, at the pace of a person who reads: { body(label), check(answer) }. */
export function scriptedWork(random) {
  const count = LENGTH.min + random.below(LENGTH.spread);
  const words = Array.from({ length: count }, () => random.pick(WORDS));
  const text = words.join(' ');
  const rate = RATE.min + random.below(RATE.spread);
  const kind = random.pick(['whole', 'whole', 'max_tokens', 'stop']);
  const cut = 1 + random.below(count - 1); // at the very end, a seam makes `length` of what would be `stop`
  const told = { whole: text, max_tokens: text, stop: `${text} ${STOP} and never goes on` }[kind];
  const more = { whole: {}, max_tokens: { max_tokens: cut }, stop: { stop: [STOP] } }[kind];
  return {
    body: (label) => chat(`${label} ${script({ text: told, rate })}`, { max_tokens: 200, ...more, conversation_id: label }),
    check({ text: given, finish, usage }) {
      assert.equal(given, kind === 'max_tokens' ? words.slice(0, cut).join(' ') : kind === 'stop' ? `${text} ` : text);
      assert.equal(finish, kind === 'max_tokens' ? 'length' : 'stop');
      const most = kind === 'max_tokens' ? cut : kind === 'stop' ? count + wordsOf(STOP) : count;
      assert.equal(usage.completion_tokens, most);
    },
  };
}

/** Text of the built-in model, so hot that it goes on until max_tokens or nearly. */
export function modelWork(random) {
  const limit = 100 + random.below(600);
  const body = { model: DEMO_MODEL, max_tokens: limit, temperature: 0.5 + random.below(16) / 10, top_p: 1, top_k: 0 };
  const question = random.pick(QUESTIONS);
  return {
    body: (label) => chat(question, { ...body, conversation_id: label }),
    check({ text, finish, usage }) {
      assert.ok(text.length > 0);
      assert.ok(['stop', 'length'].includes(finish), finish);
      assert.ok(usage.completion_tokens > 0 && usage.completion_tokens <= limit, JSON.stringify(usage));
      assert.equal(finish === 'length', usage.completion_tokens === limit, `${finish} ${JSON.stringify(usage)}`);
    },
  };
}
