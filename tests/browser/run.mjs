// Runs the suites of this folder in a browser and counts: *.test.mjs each in a page of its own, *.tabs.mjs from outside,
// with several pages for each case.
//
//     node tests/browser/run.mjs --browser chromium|firefox [--only parity.changes] [--grep text] [--worker] [--console]
//
// --worker has the databases of the parity suites run in the package's worker.
// --seed N --rounds M has parity.random.test.mjs run other programs, or more, than those of the seeds from 1 on.
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchers } from '../support/browsers.mjs';
import { startCouch } from '../support/couch.mjs';
import { serveStatic } from '../support/static.mjs';
import { runTabs, tabPages, withLimit } from '../support/tabs.mjs';

const { values: options } = parseArgs({
  options: {
    browser: { type: 'string', default: 'chromium' },
    only: { type: 'string' },
    grep: { type: 'string' },
    seed: { type: 'string' },
    rounds: { type: 'string' },
    worker: { type: 'boolean', default: false },
    console: { type: 'boolean', default: false },
  },
});
const launch = launchers[options.browser];
if (!launch) throw new Error(`--browser must be one of ${Object.keys(launchers).join(', ')}`);

const folder = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
// The other suites say themselves what runs where.
const wanted = (name) => name.includes(options.only ?? '') && (!options.worker || name.startsWith('parity.'));
const suites = (await readdir(folder)).filter((name) => /\.(test|tabs)\.mjs$/.test(name) && wanted(name)).sort();
// A suite that hangs must not hold up the others for ever; single tests have a limit of their own, which is much shorter.
const suiteLimit = 10 * 60_000;

const server = await serveStatic(root, {
  pages: {
    '/page.html': pageText(),
    '/empty.html': '<!doctype html><title>Empty</title>',
    '/no-blob-workers.html': `<!doctype html><meta http-equiv="Content-Security-Policy" content="worker-src 'self'"><title>Strict</title>`,
    '/no-eval.html': `<!doctype html><meta http-equiv="Content-Security-Policy" content="script-src 'self' 'wasm-unsafe-eval'"><title>No eval</title>`,
    ...tabPages,
  },
});
const couch = await startCouch();
const lockedCouch = await startCouch({ user: 'ada', password: 'p w' });
const browser = await launch();
let passed = 0;
let failed = 0;
try {
  for (const suite of suites) {
    const started = Date.now();
    const { passes, failures } = await (suite.endsWith('.tabs.mjs') ? runTabSuite(suite) : runSuite(suite));
    passed += passes;
    failed += failures.length;
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${suite}: ${passes} passed, ${failures.length} failed, ${seconds} s`);
    for (const { title, error } of failures) console.log(`     ✗ ${title}\n${indent(error)}`);
  }
} finally {
  await browser.close();
  await couch.stop();
  await lockedCouch.stop();
  await server.stop();
}
if (passed + failed === 0) console.log('no test has run');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function runSuite(suite) {
  const page = await browser.newPage(`${server.url}/page.html`);
  if (options.console) page.on('console', (text, type) => console.log(`     [${type}] ${text}`));
  try {
    const run = page.evaluate((...args) => globalThis.runSuite(...args), `/tests/browser/${suite}`, {
      couch: couch.url,
      lockedCouch: lockedCouch.url,
      grep: options.grep,
      worker: options.worker,
      seed: options.seed && Number(options.seed),
      rounds: options.rounds && Number(options.rounds),
    });
    const { passes, failures, expectedErrors } = await withLimit(run, suiteLimit);
    // What no test has caught: an exception in a callback, a promise that nobody waits for.
    const uncaught = page.errors.filter((error) => !expectedErrors.some((expected) => error.includes(expected)));
    for (const error of uncaught) failures.push({ title: `${suite}: uncaught error`, error });
    return { passes, failures };
  } catch (error) {
    return { passes: 0, failures: [{ title: `${suite} could not be run`, error: error.stack ?? String(error) }] };
  } finally {
    await page.close().catch(() => {});
  }
}

async function runTabSuite(suite) {
  const { cases } = await import(new URL(suite, import.meta.url));
  return runTabs(cases, { launch, browserName: options.browser, origin: server.url, couch, grep: options.grep });
}

function indent(text) {
  return text.replace(/^/gm, '       ');
}

function pageText() {
  return `<!doctype html>
<meta charset="utf-8">
<title>Browser tests</title>
<div id="mocha"></div>
<script src="/node_modules/mocha/mocha.js"></script>
<script src="/node_modules/pouchdb/dist/pouchdb.js"></script>
<script src="/pkg/dist/potoroo.iife.js"></script>
<script type="module" src="/tests/browser/support/page.mjs"></script>
`;
}
