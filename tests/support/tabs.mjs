// Cases for several tabs of a browser, driven from outside: what no page can do to itself.
//
// A case is `{title, run, only?, ownBrowser?, limit?}`, the limit being in ms and two minutes if not given. `run` gets
// - `open(path)`, which gives a page, of tests/browser/support/tab.js unless another one is named; `page.call(action, ...args)`
//   calls what that has by the name,
// - `name`, of a database that no other case uses,
// - `devtools(page)`, a session of Chromium's, for cases with `only: 'chromium'`,
// - `browser`, its name, `origin`, and `couch`, the server of startCouch().
// Those with `ownBrowser` do something to all storage of the browser, or kill something in it; the value may be
// options of the launcher.

/** Pages that the server must have for the cases. */
export const tabPages = {
  '/tab.html': `<!doctype html>
<meta charset="utf-8">
<title>Tab</title>
<link rel="icon" href="data:,">
<script src="/pkg/dist/potoroo.iife.js"></script>
<script src="/tests/browser/support/tab.js"></script>
`,
  // As a person does in the browser's settings.
  '/clear.html': { type: 'text/html', body: '<title>Cleared</title>', headers: { 'clear-site-data': '"storage"' } },
};

let names = 0;

/** Runs cases one after another; `around` runs one, with what is done for all tests. Answers `{passes, failures}`. */
export async function runTabs(cases, { launch, browserName, origin, couch, grep = '' }) {
  const chosen = cases.filter(({ title, only }) => title.includes(grep) && (only === undefined || only === browserName));
  const failures = [];
  let shared;
  try {
    for (const { title, run, ownBrowser, expectedErrors = [], limit = 2 * 60_000 } of chosen) {
      const browser = ownBrowser ? await launch({ ...options, ...ownBrowser }) : (shared ??= await launch(options));
      try {
        await runCase(run, { browser, origin, couch, expectedErrors, limit });
      } catch (error) {
        failures.push({ title, error: error.stack ?? String(error) });
      } finally {
        if (ownBrowser) await browser.close();
      }
    }
  } finally {
    await shared?.close();
  }
  return { passes: chosen.length - failures.length, failures };
}

const options = { backForwardCache: true };

async function runCase(run, { browser, origin, couch, expectedErrors, limit }) {
  const pages = [];
  const open = async (path = '/tab.html') => {
    const page = await browser.newPage(origin + path);
    pages.push(page);
    const call = (action, ...args) => {
      const called = page.evaluate((name, list) => globalThis.tab[name](...list), action, args);
      // A case that fails waits for nothing more.
      called.catch(() => {});
      return called;
    };
    return Object.assign(page, { call });
  };
  const devtools = (page) => browser.context.newCDPSession(page.native);
  try {
    const running = run({ open, devtools, origin, couch, name: `tabs-${(names += 1)}`, browser: browser.name });
    await withLimit(running, limit);
    const isExpected = (error) => expectedErrors.some((expected) => error.includes(expected));
    const uncaught = pages.flatMap((page) => page.errors).filter((error) => !isExpected(error));
    if (uncaught.length > 0) throw new Error(`uncaught: ${uncaught.join(', ')}`);
  } finally {
    for (const page of pages) await page.close().catch(() => {});
  }
}

/** Looks again and again until the answer is not false; a case's own limit ends that. */
export async function until(question) {
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What comes too late is an error: something hangs. */
export function withLimit(promise, limit) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${limit / 1000} seconds`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
