// Runs the suite that every storage backend passes, in a page and in a worker of a browser, then lets that browser do to
// an open database what browsers do, and counts.
//
//     node tests/browser/conformance.mjs --browser chromium|firefox
//
// It needs the build for tests in target/bindgen-conformance, which `cargo xtask test browser` makes.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchers } from '../support/browsers.mjs';
import { serveStatic } from '../support/static.mjs';
import { mishaps } from './mishaps.mjs';
import { tabsInLocalStorage } from './tabs-in-local-storage.mjs';

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
let browser = await launch();
let passed = 0;
let failed = 0;
try {
  for (const [title, run, adapter] of runs) await runCases(title, run, adapter);
  await runRefusal();
  for (const mishap of [...mishaps, ...tabsInLocalStorage]) {
    if (!mishap.needsDevtools || options.browser === 'chromium') await runMishap(mishap);
  }
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
    const outcomes = await withLimit(page.evaluate(run, adapter, title.replaceAll(' ', '-')));
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
  const outcomes = await withLimit(page.evaluate(inWorker, 'localstorage', 'refused'));
  const isRefused = outcomes.length > 0 && outcomes.every(([, problem]) => problem?.includes('needs a page'));
  if (isRefused) passed += 1;
  else failed += 1;
  console.log(isRefused ? `ok   ${title}` : `FAIL ${title}\n     ✗ ${JSON.stringify(outcomes)}`);
  await page.close();
}

/** Runs one case of mishaps.mjs or tabs-in-local-storage.mjs, in a browser of its own: what it does to the storage is for all pages. */
async function runMishap({ title, run }) {
  await browser.close();
  browser = await launch();
  const pages = [];
  const open = async () => {
    const page = await browser.newPage(`${server.url}/empty.html`);
    pages.push(page);
    await page.evaluate(async () => {
      globalThis.core = await import('/target/bindgen-conformance/potoroo.js');
      await globalThis.core.default({ module_or_path: '/target/bindgen-conformance/potoroo_bg.wasm' });
    });
    return page;
  };
  const devtools = (page) => browser.context.newCDPSession(page.native);
  try {
    await withLimit(run({ open, devtools, origin: server.url }));
    const uncaught = pages.flatMap((page) => page.errors);
    if (uncaught.length > 0) throw new Error(`uncaught: ${uncaught.join(', ')}`);
    passed += 1;
    console.log(`ok   ${title}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${title}\n     ✗ ${error.stack ?? error}`);
  }
}

function withLimit(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${limit / 60_000} minutes`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
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
