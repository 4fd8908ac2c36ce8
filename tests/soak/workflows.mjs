// Workflows under caps of every size, and under kill -9 of the gateway at random moments.
//   node tests/soak/workflows.mjs [--workflow-kills N] [--caps N] [--seed N]
// Prints a line "ok NAME" or "FAILED NAME: why" for each thing that was shown. The seed decides what is asked and when the
// gateway dies.
import { parseArgs } from 'node:util';
import { Network, stopCleanly } from '../e2e/support/network.mjs';
import { KillCampaign, sweepCaps } from '../e2e/support/workflow_trials.mjs';
import { Random } from './random.mjs';
import { failures, show } from './report.mjs';

const PROGRESS_KILLS = 25;

async function caps(runs) {
  const network = await Network.gateway(['--no-counting']);
  await show(`${runs} caps from nothing to enough, all workflows at once: none is exceeded`, async () => {
    const ended = await sweepCaps(network, runs);
    return Object.entries(ended).map(([status, count]) => `${count} ${status}`).join(', ');
  });
  await show('everything ends well', () => stopCleanly(network));
}

async function kills(count, seed) {
  const random = new Random(seed);
  const campaign = await new KillCampaign((limit) => random.below(limit)).open();
  await show(`${count} kills: each workflow ends once, each step is paid once, the books add up`, async () => {
    for (let round = 0; round < count; round++) {
      await campaign.round(round);
      if ((round + 1) % PROGRESS_KILLS === 0) console.log(`  ${round + 1} kills, ${campaign.interrupted} calls interrupted`);
    }
    const { workflows, steps, interrupted } = await campaign.judge();
    return `${workflows} workflows of ${steps} steps, ${interrupted} of them interrupted`;
  });
  await show('everything ends well', () => stopCleanly(campaign.network));
}

const { values } = parseArgs({ options: {
  'workflow-kills': { type: 'string', default: '25' },
  caps: { type: 'string', default: '120' },
  seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
} });
const [killCount, capCount] = [Number(values['workflow-kills']), Number(values.caps)];
console.log(`workflows: --seed ${values.seed} --workflow-kills ${killCount} --caps ${capCount}`);
if (capCount > 0) await caps(capCount);
if (killCount > 0) await kills(killCount, Number(values.seed));
process.exit(failures() === 0 ? 0 : 1);
