// Anthropic's official client against a network.
import Anthropic from '@anthropic-ai/sdk';
import { REFERENCE_MODEL } from './network.mjs';

/** Without retries of its own unless asked for. */
export function anthropicClient(network, options = {}) {
  return new Anthropic({ baseURL: new URL(network.baseURL).origin, apiKey: network.apiKey, maxRetries: 0, ...options });
}

/** The body of a message: message('Hello', { stream: true }). */
export function message(content, more = {}) {
  return { model: REFERENCE_MODEL, max_tokens: 512, messages: [{ role: 'user', content }], ...more };
}

/** The text of an answer. */
export function saidIn(answer) {
  return answer.content.filter((block) => block.type === 'text').map((block) => block.text).join('');
}

/** Its calls of tools. */
export function callsIn(answer) {
  return answer.content.filter((block) => block.type === 'tool_use');
}

/** The events of a stream as they were sent, comments left out. */
export async function readEvents(response) {
  const text = await response.text();
  return text.split('\n\n').filter((event) => event !== '' && !event.startsWith(':')).map((event) => {
    const [, name, data] = /^event: (\S+)\ndata: (.*)$/s.exec(event);
    return { name, data: JSON.parse(data) };
  });
}
