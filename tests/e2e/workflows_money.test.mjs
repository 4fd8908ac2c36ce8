// The money of workflows: a cap is never exceeded, and a gateway that is killed pays no step twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Network, stopCleanly, within } from './support/network.mjs';
import { KillCampaign, sweepCaps } from './support/workflow_trials.mjs';

/** How many caps are tried, and how often the gateway is killed; the soak runs take more. */
const RUNS = Number(process.env.NATARIS_TEST_CAPS ?? 60);
const KILLS = Number(process.env.NATARIS_TEST_WORKFLOW_KILLS ?? 10);

test(`${RUNS} caps from nothing to enough, all workflows at once: none is exceeded`,
  () => within(Network.gateway(['--no-counting']), (network) => sweepCaps(network, RUNS)));

test(`kill -9 at a random moment, ${KILLS} times: each workflow ends once, each step is paid once`, async () => {
  const campaign = await new KillCampaign((limit) => Math.floor(limit * Math.random())).open();
  try {
    for (let round = 0; round < KILLS; round++) await campaign.round(round);
    const { workflows, interrupted } = await campaign.judge();
    assert.ok(workflows > 0 && interrupted > 0, `${workflows} workflows, ${interrupted} interrupted`);
  } catch (error) {
    await campaign.network.stop();
    throw error;
  }
  await stopCleanly(campaign.network);
});
