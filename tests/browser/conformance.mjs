// Runs the suite that every storage backend passes, in a page and in a worker of a browser, and counts.
//
//     node tests/browser/conformance.mjs --browser chromium|firefox
//
// It needs the build for tests in target/bindgen-conformance, which `cargo xtask test browser` makes.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchers } from '../support/browsers.mjs';
import { serveStatic } from '../support/static.mjs';
import { withLimit } from '../support/tabs.mjs';

const { values: options } = parseArgs({ options: { browser: { type: 'string', default: 'chromium' } } });
const launch = launchers[options.browser];
if (!launch) throw new Error(`--browser must be one of ${Object.keys(launchers).join(', ')}`);

const root = fileURLToPath(new URL('../..', import.meta.url));
if (!existsSync(`${root}target/bindgen-conformance/potoroo.js`)) {
  throw new Error('target/bindgen-conformance is missing; `cargo xtask test browser` builds it');
}
// A case that hangs must not hold up everything for ever.
const limit = 2 * 60_000;
const runs = [
  ['idb in a page', inPage, 'idb'],
  ['localstorage in a page', inPage, 'localstorage'],
  ['localstorage in a page without locks', inPageWithoutLocks, 'localstorage'],
  ['memory in a page', inPage, 'memory'],
  ['idb in a worker', inWorker, 'idb'],
  ['memory in a worker', inWorker, 'memory'],
];

const server = await serveStatic(root, { pages: { '/empty.html': '<!doctype html><title>Conformance</title>' } });
const browser = await launch();
let passed = 0;
let failed = 0;
try {
  for (const [title, run, adapter] of runs) await runCases(title, run, adapter);
  await runRefusal();
} finally {
  await browser.close();
  await server.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function runCases(title, run, adapter) {
  const page = await browser.newPage(`${server.url}/empty.html`);
  let failures;
  try {
    const outcomes = await withLimit(page.evaluate(run, adapter, title.replaceAll(' ', '-')), limit);
    if (outcomes.length === 0) throw new Error('no case has run');
    failures = outcomes.filter(([, problem]) => problem !== null);
    passed += outcomes.length - failures.length;
  } catch (error) {
    failures = [['could not be run', error.stack ?? String(error)]];
  }
  for (const error of page.errors) failures.push(['uncaught error', error]);
  failed += failures.length;
  console.log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${title}`);
  for (const [name, problem] of failures) console.log(`     ✗ ${name}: ${problem}`);
  await page.close().catch(() => {});
}

/** Workers have no localStorage. */
async function runRefusal() {
  const title = 'localstorage is refused in a worker';
  const page = await browser.newPage(`${server.url}/empty.html`);
  const outcomes = await withLimit(page.evaluate(inWorker, 'localstorage', 'refused'), limit);
  const isRefused = outcomes.length > 0 && outcomes.every(([, problem]) => problem?.includes('needs a page'));
  if (isRefused) passed += 1;
  else failed += 1;
  console.log(isRefused ? `ok   ${title}` : `FAIL ${title}\n     ✗ ${JSON.stringify(outcomes)}`);
  await page.close();
}

async function inPage(adapter, prefix) {
  const { runConformance } = await import('/tests/browser/conformance-cases.mjs');
  return runConformance(adapter, prefix);
}

async function inPageWithoutLocks(adapter, prefix) {
  // There is not room for what the suite leaves twice. Firefox does not give back at once what `clear` removes.
  for (const key of Object.keys(localStorage)) localStorage.removeItem(key);
  Object.defineProperty(navigator, 'locks', { value: undefined });
  const { runConformance } = await import('/tests/browser/conformance-cases.mjs');
  return runConformance(adapter, prefix);
}

async function inWorker(adapter, prefix) {
  const worker = new Worker('/tests/browser/conformance-cases.mjs', { type: 'module' });
  const message = () =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(`the worker failed: ${event.message ?? 'it could not be loaded'}`));
    });
  await message();
  const answer = message();
  worker.postMessage({ adapter, prefix });
  const { outcomes, error } = await answer;
  worker.terminate();
  if (error) throw new Error(error);
  return outcomes;
}
