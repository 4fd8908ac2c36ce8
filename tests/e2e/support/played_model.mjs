// A device whose model is played by a function of the test: what it answers may depend on all that was said, as an agent's
// model's does.
import { HandProvider } from './hand_provider.mjs';

/** What a model writes to call a tool. */
export const calling = (name, args) => `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;

/** The results of tools so far. */
export const resultsIn = (request) => request.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);

/** Joins; `answer` is given each job's request and gives the text. `requests` grows with what was asked. */
export async function playModel(network, model, answer) {
  const device = await HandProvider.join(network, []);
  const requests = [];
  device.send({ type: 'status', models: [{ id: model, state: 'warm', slots: 4, context_length: 32_768 }] });
  await network.untilAvailable(model);
  const play = async () => {
    for (;;) {
      const message = await device.next();
      if (message.type === 'closed') return;
      if (message.type === 'job') {
        const { job, request } = message;
        requests.push(request);
        device.accept(job, 9);
        const pieces = answer(request).match(/.{1,7}/gsu);
        for (const piece of pieces) device.delta(job, piece);
        device.done(job, { prompt_tokens: 9, completion_tokens: pieces.length });
      }
    }
  };
  const playing = play();
  return { requests, stop: async () => { device.cut(); await playing; } };
}
