// The order of things: one workload after the other; in each, all contestants in every round, each time another one first.
import { randomBytes } from 'node:crypto';
import { warmUpSizes } from './workloads/index.mjs';

/** Longer than the slowest contestant needs on a slow machine: only what hangs for good is cut off. */
const PATIENCE_MS = 5 * 60_000;

/**
 * Measures one workload. `environment` gives pages and remote databases. Answers, by row and contestant, the times of all
 * rounds or the error that ended them: `{[rowId]: {[contestantId]: {samples: [ms], error?: text}}}`.
 */
export async function measureWorkload({ workload, contestants, rounds, sizes, environment, progress }) {
  const results = Object.fromEntries(
    workload.rows.map(({ id }) => [id, Object.fromEntries(contestants.map((one) => [one.id, { samples: [] }]))]),
  );
  const lanes = [];
  for (const contestant of contestants) lanes.push(await openLane(environment, contestant));
  const failed = new Set();
  // Round 0 is the warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const lane of rotate(lanes, round)) {
      const { id } = lane.contestant;
      if (failed.has(id)) continue;
      environment.checkRunning();
      progress(`${round === 0 ? 'warm-up' : `round ${round}/${rounds}`}, ${lane.contestant.title}`);
      try {
        const timings = await runOnce(lane, workload, round === 0 ? warmUpSizes(sizes) : sizes, environment);
        if (round === 0) continue;
        for (const row of workload.rows) results[row.id][id].samples.push(timings[row.id]);
      } catch (error) {
        environment.checkRunning();
        failed.add(id);
        for (const row of workload.rows) results[row.id][id].error = firstLine(error);
      }
    }
  }
  for (const lane of lanes) {
    environment.warnings.push(...lane.page.errors.map((text) => `${lane.contestant.title}, ${workload.id}: uncaught ${text}`));
    await lane.page.close().catch(() => {});
  }
  return results;
}

/** A contestant's page, kept through the rounds of a workload: an app's page too lives longer than one call. */
async function openLane(environment, contestant) {
  return { contestant, page: await environment.newPage(), started: false };
}

/** One round of one contestant; the names in it have never been used before. */
async function runOnce(lane, workload, sizes, environment) {
  const name = `bench-${randomBytes(6).toString('hex')}`;
  const current = environment.workload(workload.id, sizes);
  const remote = await prepareRemote(current, environment);
  const timings = {};
  let state = null;
  await lane.page.native.bringToFront();
  try {
    for (let index = 0; index < current.steps.length; index += 1) {
      if (index > 0) {
        await lane.page.reload();
        lane.started = false;
      }
      if (!lane.started) await withPatience(lane.page.evaluate((id) => globalThis.bench.start(id), lane.contestant.id));
      lane.started = true;
      const context = { workloadId: workload.id, sizes, index, name, url: remote?.url, state };
      const answer = await withPatience(lane.page.evaluate((given) => globalThis.bench.step(given), context));
      Object.assign(timings, answer.timings);
      state = answer.state;
    }
  } finally {
    await remote?.leave();
  }
  return timings;
}

async function prepareRemote({ remote, remoteSize, roundTripMs }, environment) {
  if (remote === 'source') return (await environment.remotes()).source(remoteSize, roundTripMs);
  if (remote === 'target') return (await environment.remotes()).target(roundTripMs);
  return undefined;
}

function rotate(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

async function withPatience(promise) {
  let timer;
  const patience = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS / 60_000} minutes`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}

function firstLine(error) {
  const [line] = String(error?.message ?? error).split('\n');
  return line.replace(/^(page\.evaluate: |Error: )+/, '');
}
