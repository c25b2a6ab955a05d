// Time in the page, with quiet before it.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets what went before finish: garbage goes (Chromium runs with --expose-gc) and the browser's other processes catch up. */
export async function settle(ms = 60) {
  await sleep(ms);
  globalThis.gc?.();
  await sleep(ms / 2);
}

/** Milliseconds the work takes until its promise resolves, and its result. */
export async function time(work) {
  await settle();
  const started = performance.now();
  const result = await work();
  const ms = performance.now() - started;
  return { ms, result };
}
