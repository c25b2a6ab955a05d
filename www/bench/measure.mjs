// The order of things: one workload after the other; in each, all contestants in every round, each time another one first.
// Runs in Node for the command and in a browser for the built app.
import { warmUpSizes } from './workloads/index.mjs';

/** Longer than the slowest contestant needs on a slow machine: only what hangs for good is cut off. */
const PATIENCE_MS = 5 * 60_000;

/** Those who can do what the workload asks for. */
const ableTo = ({ remote, attachments, takeover }, contestants) =>
  contestants.filter(
    ({ replicates, keepsAttachments, takesOver }) =>
      (replicates || !remote) && (keepsAttachments || !attachments) && (takesOver || !takeover),
  );

/**
 * Measures one workload. `environment` gives pages (`newPage(origin)`; with a name, in an origin of that name
 * if it `separatesOrigins`) and remote databases. Answers, by row and
 * contestant, the samples of all rounds or the error that ended them:
 * `{[rowId]: {[contestantId]: {samples: [number], error?: text}}}`.
 */
export async function measureWorkload({ workload, contestants, rounds, sizes, environment, progress }) {
  const results = Object.fromEntries(
    workload.rows.map(({ id }) => [id, Object.fromEntries(contestants.map((one) => [one.id, { samples: [] }]))]),
  );
  const lanes = ableTo(workload, contestants).map((contestant) => ({ contestant, errors: [], page: undefined, started: false }));
  const failed = new Set();
  // Round 0 is the warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const lane of rotate(lanes, round)) {
      const { id } = lane.contestant;
      if (failed.has(id)) continue;
      environment.checkRunning();
      progress(`${round === 0 ? 'warm-up' : `round ${round}/${rounds}`}, ${lane.contestant.title}`);
      try {
        const samples = await runOnce(lane, workload, round === 0 ? warmUpSizes(sizes) : sizes, environment);
        if (round === 0) continue;
        for (const row of workload.rows) results[row.id][id].samples.push(...(samples[row.id] ?? []));
      } catch (error) {
        environment.checkRunning();
        failed.add(id);
        for (const row of workload.rows) results[row.id][id].error = firstLine(error);
      }
    }
  }
  for (const lane of lanes) {
    await leave(lane);
    environment.warnings.push(...lane.errors.map((text) => `${lane.contestant.title}, ${workload.id}: uncaught ${text}`));
  }
  return results;
}

/**
 * Gives the lane a page: one through all rounds of a workload, as an app's page too lives longer than one call; where
 * contestants have origins of their own, one for each round.
 */
async function enter(lane, workload, environment) {
  if (lane.page && !workload.ownOrigin) return;
  await leave(lane);
  lane.page = await environment.newPage(workload.ownOrigin ? newName() : undefined);
}

async function leave(lane) {
  if (!lane.page) return;
  lane.errors.push(...lane.page.errors);
  await lane.page.close().catch(() => {});
  lane.page = undefined;
  lane.started = false;
}

/** Names no other database has; `getRandomValues` is there in Node and in pages of any origin. */
function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return `bench-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** One round of one contestant; the names in it have never been used before. Answers the samples by row. */
async function runOnce(lane, workload, sizes, environment) {
  const name = newName();
  const current = environment.workload(workload.id, sizes);
  const remote = await prepareRemote(current, environment);
  const samples = {};
  let state = null;
  await enter(lane, workload, environment);
  await lane.page.bringToFront();
  try {
    for (let index = 0; index < current.steps.length; index += 1) {
      if (index > 0) {
        await lane.page.reload();
        lane.started = false;
      }
      if (!lane.started) await withPatience(lane.page.start(lane.contestant.id), PATIENCE_MS);
      lane.started = true;
      const alone = workload.ownOrigin && environment.separatesOrigins;
      const where = { url: remote?.url, checkUrl: remote?.checkUrl };
      const context = { workloadId: workload.id, sizes, index, name, ...where, state, alone };
      const answer = await withPatience(lane.page.step(context), workload.patienceMs ?? PATIENCE_MS);
      for (const [row, value] of Object.entries(answer.measured)) (samples[row] ??= []).push(...[value].flat());
      state = answer.state;
    }
    const bytes = remote?.bytes();
    if (workload.wireRow && bytes !== undefined) samples[workload.wireRow] = [bytes];
  } finally {
    await remote?.leave();
  }
  return samples;
}

async function prepareRemote({ remote, contents, roundTripMs }, environment) {
  if (remote === 'source') return (await environment.remotes()).source(contents, roundTripMs);
  if (remote === 'target') return (await environment.remotes()).target(roundTripMs);
  return undefined;
}

function rotate(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

async function withPatience(promise, patienceMs) {
  let timer;
  const patience = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 60_000} minutes`)), patienceMs);
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
