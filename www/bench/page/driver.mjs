// The page's side: loads one contestant and runs one step of a workload whenever run.mjs or the visitor's page says so.
import { findContestant } from '../contestants/index.mjs';
import { makeWorkloads } from '../workloads/index.mjs';
import { watchWasmMemory } from './memory.mjs';
import { settle } from './timing.mjs';

let contestant;
let folder;

watchWasmMemory();

/** Classic scripts one after the other, as a page would have them. */
function loadScript(script) {
  const src = folder ? folder + script.split('/').pop() : script;
  return new Promise((resolve, reject) => {
    const element = document.createElement('script');
    element.src = src;
    element.onload = resolve;
    element.onerror = () => reject(new Error(`cannot load ${src}`));
    document.head.append(element);
  });
}

globalThis.bench = {
  /**
   * Loads the contestant's scripts; resolves with the milliseconds that took, null where there are none. The built app has all
   * scripts in one folder: `scriptFolder`.
   */
  async start(id, scriptFolder) {
    const { scripts, make } = findContestant(id);
    folder = scriptFolder;
    await settle();
    const started = performance.now();
    for (const script of scripts) await loadScript(script);
    const ms = performance.now() - started;
    contestant = { ...make(), id, loadMs: scripts.length > 0 ? ms : null };
    return contestant.loadMs;
  },

  /** Runs step `index` of a workload; resolves with what it measured, by row, and with what the next step must know. */
  async step({ workloadId, sizes, index, ...context }) {
    const workload = makeWorkloads(sizes).find(({ id }) => id === workloadId);
    const { measured = {}, state = null } = (await workload.steps[index]({ ...context, contestant, load: loadScript })) ?? {};
    return { measured, state };
  },
};
