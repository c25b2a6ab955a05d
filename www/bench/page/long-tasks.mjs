// Tasks of the page's thread that take 50 ms or more, by the Long Tasks API.
import { sleep } from './timing.mjs';

/** Long enough for the browser to report what has happened. */
const REPORT_MS = 300;

/**
 * Watches until `stop` is called. What happens within `own` is the benchmark's, such as making documents: a task that does it
 * is not counted. `stop` resolves with `{count, longest}` (ms; 0 if there was none), null where the browser has no such API.
 */
export function watchLongTasks() {
  if (!globalThis.PerformanceObserver?.supportedEntryTypes?.includes('longtask')) {
    return { own: async (work) => work(), stop: async () => null };
  }
  const tasks = [];
  const ours = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
  observer.observe({ type: 'longtask' });
  return {
    /** In a task of its own, so that no contestant's work is taken for the benchmark's or the other way round. */
    async own(work) {
      await sleep(0);
      const started = performance.now();
      const result = work();
      ours.push({ started, ended: performance.now() });
      await sleep(0);
      return result;
    },
    async stop() {
      await sleep(REPORT_MS);
      tasks.push(...observer.takeRecords());
      observer.disconnect();
      const theirs = tasks.filter(
        ({ startTime, duration }) => !ours.some(({ started, ended }) => started < startTime + duration && ended > startTime),
      );
      return { count: theirs.length, longest: Math.max(0, ...theirs.map(({ duration }) => duration)) };
    },
  };
}
