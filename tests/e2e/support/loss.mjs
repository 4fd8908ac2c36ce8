// Losing the device that is making an answer.
import { admin } from './accounts.mjs';

/** Starts devices; gives what loses the one that is making a certain answer. */
export async function withLoss(network, lose, { count = 2, start = () => network.scripted() } = {}) {
  const devices = [];
  while (devices.length < count) devices.push(await start());
  return async (id) => {
    const { steps } = await admin(network, 'GET', `/admin/jobs/${id}`);
    const serving = steps.findLast((step) => step.provider_id).provider_id;
    const device = devices.find((candidate) => candidate.id === serving);
    lose(device);
    return device;
  };
}
