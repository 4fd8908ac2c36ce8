// Short ways to ask, and the scripted engine's directives (docs/scripted-engine.md).
import OpenAI from 'openai';
import { REFERENCE_MODEL } from './network.mjs';

/** The directive for the scripted engine: script({ tokens: 5, rate: 50, text: 'one two', silent: true }). */
export function script(options) {
  const words = Object.entries(options).map(([key, value]) => {
    if (key === 'text') return `text=${JSON.stringify(value)}`;
    return value === true ? key : `${key}=${value}`;
  });
  return `[[script ${words.join(' ')}]]`;
}

export function user(content) {
  return [{ role: 'user', content }];
}

/** The body of a chat request: chat('Hello', { stream: true }). */
export function chat(content, more = {}) {
  return { model: REFERENCE_MODEL, messages: user(content), ...more };
}

/** The official client, without retries of its own unless asked for. */
export function openaiClient(network, options = {}) {
  return new OpenAI({ baseURL: network.baseURL, apiKey: network.apiKey, maxRetries: 0, ...options });
}

/** Asks and returns the answer's body; fails on any status but 200. */
export async function ask(network, body, options) {
  const response = await network.post('/v1/chat/completions', body, options);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}\n${network.errors()}`);
  return JSON.parse(text);
}

export function textOf(answer) {
  return answer.choices[0].message.content;
}
