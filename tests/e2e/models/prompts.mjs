// What the workflows are asked on a small model, each with the rule by which its answer is right. Used by
// workflows_eval.mjs (the table) and by the tests of this folder (the thresholds).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const user = (content) => [{ role: 'user', content }];

/** All of the patterns are in the answer. */
export const has = (...patterns) => (answer) => patterns.every((pattern) => pattern.test(answer));

/** The number stands in the answer by itself, thousands separators or not. */
export const number = (value) => (answer) => {
  const plain = answer.replace(/(\d)[,_\u00a0\u202f](?=\d{3})/g, '$1');
  return (plain.match(/\d+(\.\d+)?/g) ?? []).some((found) => Number(found) === Number(value) && (
    Number.isSafeInteger(Number(value)) ? true : found === String(value)));
};

/** A text of some length that is not one sentence over and over, with all of the patterns. */
export const tells = (...patterns) => (answer) => {
  const sentences = answer.split(/(?<=[.!?。])\s*/).map((sentence) => sentence.trim()).filter((s) => s.length > 20);
  return answer.length >= 100 && new Set(sentences).size >= 0.7 * sentences.length && has(...patterns)(answer);
};

/** The first block of Python in the answer (or all of it) defines what passes these assertions, in 5 s. */
export const python = (...assertions) => (answer) => {
  const code = /```(?:python|py)?[^\n]*\n([\s\S]*?)(?:```|$)/.exec(answer)?.[1] ?? answer;
  const folder = mkdtempSync(path.join(tmpdir(), 'nataris-eval-'));
  try {
    const limits = 'import resource as r\nr.setrlimit(r.RLIMIT_AS,(1<<29,1<<29))\nr.setrlimit(r.RLIMIT_FSIZE,(0,0))\n';
    execFileSync('python3', ['-I', '-c', `${limits}${code}\n${assertions.map((a) => `assert ${a}`).join('\n')}\n`],
      { cwd: folder, timeout: 5000, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A call such as "time[]" is no answer, whatever it has in it. */
export const isCall = (answer) => /^\W*\w+\[[^\]]*\]?\W*$/.test(answer);

const today = (options) => new Intl.DateTimeFormat('en', { timeZone: 'UTC', ...options }).format(new Date());
const weekday = (answer) => answer.includes(today({ weekday: 'long' }));
const year = (answer) => answer.includes(today({ year: 'numeric' }));
const date = (answer) => year(answer) && new RegExp(`\\b0?${today({ day: 'numeric' })}(st|nd|rd|th)?\\b`).test(answer);

const NAMED = [...user('My name is Ada and I live in Bremen.'),
  { role: 'assistant', content: 'Nice to meet you, Ada!' }];

/** Computations, dates and times. */
export const TOOL_PROMPTS = [
  ['What is 17*23?', number(391)],
  ['What is 347 times 29?', number(10063)],
  ['What is 15% of 240?', number(36)],
  ['What is the square root of 1764?', number(42)],
  ['What is (12+8)*15/4?', number(75)],
  ['Calculate 2^20.', number(1048576)],
  ['Wie viel ist 1000 - 387?', number(613)],
  ['What is 12345678901234567890 + 1?', number('12345678901234567891')],
  ['A box holds 24 eggs. How many eggs are in 13 boxes?', number(312)],
  ['How many kilometers are 100 miles?', has(/\b16[01]\b|160\.9/)],
  ['What day of the week is it today?', weekday],
  ['What year is it?', year],
  ['What is the date today?', date],
];

const TALK_PROMPTS = [
  [[...NAMED, ...user('What is my name?')], has(/Ada/)],
  [[...NAMED, ...user('Which town do I live in?')], has(/Bremen/)],
  ['What is the capital of France?', has(/Paris/)],
];

/** A report of about 12,000 characters in which the facts stand far from each other. */
function report(facts) {
  const lines = [];
  for (let i = 0; i < 150; i += 1) {
    lines.push(`The harbour log of day ${i + 1} tells of ${i % 5 + 2} boats that came home with the tide before noon.`);
    const fact = facts.find(([place]) => place === i);
    if (fact) lines.push(fact[1]);
    if (i % 8 === 7) lines.push('');
  }
  return lines.join('\n');
}
const REPORT = report([[20, 'The lighthouse keeper of the harbour is called Marta Lindqvist.'],
  [60, 'On that day the ship Albatross brought 340 barrels of oil.'],
  [100, 'The new bridge was opened by the mayor, Tomas Reuter.'],
  [130, 'A storm broke the old mill on the hill.']]);
const about = (question) => `${question}\n\n${REPORT}`;

/** By workflow: ten prompts, each [messages or text, rule]. */
export const WORKFLOW_PROMPTS = {
  research: [
    ['Research renewable energy trends', tells(/solar/i, /wind/i)],
    ['Compare solar and wind energy, with pros and cons.', tells(/solar/i, /wind/i, /cost|expens|cheap/i)],
    ['Research the causes of the French Revolution.', tells(/17[89]\d|king|louis|monarch/i, /tax|econom|bread|inequal/i)],
    ['Write an overview of photosynthesis.', tells(/light|sun/i, /carbon dioxide|CO2|CO₂/i, /oxygen|glucose/i)],
    ['Analyze the impact of social media on teenagers.', tells(/mental|anxi|depress|self-esteem|sleep/i)],
    ['Compare Python and JavaScript for a beginner.', tells(/Python/, /JavaScript/, /web|browser|syntax/i)],
    ['Give an overview of the water cycle.', tells(/evaporat/i, /condens/i, /precipitat|rain/i)],
    ['Research the health benefits of walking.', tells(/heart|cardio|blood/i, /walk/i)],
    ['Compare cats and dogs as pets.', tells(/cat/i, /dog/i, /independen|loyal|walk|train|care/i)],
    ['Vergleiche Bahn und Flugzeug als Reisemittel.', tells(/Bahn|Zug/, /Flug/, /\b(und|ist|die)\b/)],
  ],
  code: [
    ['Write a Python function add(a, b) that returns the sum.', python('add(2, 3) == 5', 'add(-1, 1) == 0')],
    ['Write a Python function is_prime(n).', python('is_prime(2)', 'is_prime(97)', 'not is_prime(1)', 'not is_prime(91)')],
    ['Write a Python function fib(n): fib(0) is 0, fib(1) is 1.', python('fib(0) == 0', 'fib(1) == 1', 'fib(10) == 55')],
    ['Write a Python function reverse_string(s).', python('reverse_string("abc") == "cba"', 'reverse_string("") == ""')],
    ['Write a Python function factorial(n).', python('factorial(0) == 1', 'factorial(6) == 720')],
    ['Write a Python function count_vowels(text).', python('count_vowels("banana") == 3', 'count_vowels("AEIxyz") == 3')],
    ['Write a Python function is_palindrome(s) that ignores case.',
      python('is_palindrome("Level")', 'not is_palindrome("ab")')],
    ['Write a Python function largest(numbers) without using max().', python('largest([3, 9, 2]) == 9', 'largest([-5, -2]) == -2')],
    ['Write a Python function fizzbuzz(n) that returns a list of strings from 1 to n.',
      python('fizzbuzz(15)[14] == "FizzBuzz"', 'fizzbuzz(3) == ["1", "2", "Fizz"]')],
    ['写一个Python函数 is_even(n)，判断一个整数是不是偶数。', python('is_even(4)', 'not is_even(7)')],
  ],
  agent: [
    ...TOOL_PROMPTS.filter((_, i) => [0, 1, 2, 3, 7, 8, 10, 11].includes(i)),
    TALK_PROMPTS[0],
    TALK_PROMPTS[2],
  ],
  auto: [
    ['Calculate 12 * 34.', number(408)],
    ['144 / 9 = ?', number(16)],
    ['25 × 4 是多少？', number(100)],
    ['What day is it today?', weekday],
    ['What is the capital of Japan?', has(/Tokyo/)],
    ['Who wrote Hamlet?', has(/Shakespeare/)],
    [[...NAMED, ...user('Where do I live?')], has(/Bremen/)],
    ['Write a Python function square(x).', python('square(5) == 25', 'square(-3) == 9')],
    ['Compare tea and coffee, with pros and cons.', tells(/tea/i, /coffee/i)],
    ['Translate "good morning" into French.', has(/bonjour/i)],
  ],
  map_reduce: [
    [about('What is the name of the lighthouse keeper?'), has(/Lindqvist/)],
    [about('Who opened the new bridge?'), has(/Reuter/)],
    [about('Which ship brought the oil?'), has(/Albatross/)],
    [about('How many barrels of oil were brought?'), number(340)],
    [about('What did the storm break?'), has(/mill/i)],
    [`${REPORT}\n\nWho is the mayor?`, has(/Reuter/)],
    [`${REPORT}\n\nWhat is the name of the lighthouse keeper?`, has(/Lindqvist/)],
    [[...user(REPORT), ...user('Who opened the bridge?')], has(/Reuter/)],
    [about('Wie heißt die Leuchtturmwärterin?'), has(/Lindqvist/)],
    [about('Summarize this text in two sentences.'), has(/boat|harbou?r/i)],
  ],
};
