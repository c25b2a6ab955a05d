// Consumers: projects in a temporary folder with the packed package installed, as users get it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { launchChromium } from '../support/browsers.mjs';
import { serveStatic } from '../support/static.mjs';

export const execute = promisify(execFile);
export const root = fileURLToPath(new URL('../..', import.meta.url));
const consumers = fileURLToPath(new URL('./consumers', import.meta.url));

let packed;

/** Packs pkg/ once for each test file: a tarball left from an earlier build would prove nothing. */
function pack() {
  packed ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), 'potoroo-tarball-'));
    process.once('exit', () => rmNow(folder));
    const { stdout } = await execute('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: join(root, 'pkg'),
    });
    const [{ filename, files }] = JSON.parse(stdout);
    return { file: join(folder, filename), paths: files.map(({ path }) => path) };
  })();
  return packed;
}

/** The paths of the files in the tarball. */
export async function packedPaths() {
  return (await pack()).paths;
}

/** Copies a folder of consumers/ (or starts an empty project), installs the tarball in it, and removes it after the test. */
export async function createConsumer(test, name) {
  const folder = await mkdtemp(join(tmpdir(), `potoroo-${name ?? 'consumer'}-`));
  test.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  if (name) await cp(join(consumers, name), folder, { recursive: true });
  await cp(join(consumers, 'use.mjs'), join(folder, 'use.mjs'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  const options = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock'];
  await execute('npm', ['install', ...options, (await pack()).file], { cwd: folder });
  return folder;
}

/** Serves a folder and loads a page of it in Chromium; answers the page, closed after the test. */
export async function loadInChromium(test, folder, { path = '/', headers } = {}) {
  const server = await serveStatic(folder, { headers });
  test.after(() => server.stop());
  return openInChromium(test, server.url + path);
}

/** Loads an address in Chromium. `page.outcome()` is what the consumer's use of the package came to. */
export async function openInChromium(test, url) {
  const browser = await launchChromium();
  test.after(() => browser.close());
  const page = await browser.newPage();
  const requests = [];
  page.native.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  await page.native.waitForFunction(() => 'outcome' in globalThis);
  // Not through the page's own eval, which a content security policy may forbid.
  const outcome = () => page.native.evaluate(() => globalThis.outcome);
  return { ...page, requests, outcome };
}

/** What `use` answers when all is well. `worker` is whether the page may have one; undefined where the platform has none. */
export function assertUsed(outcome, adapter, worker) {
  const expected = { adapter, text: 'Grüße 🐾', sameRev: true, doc_count: 1 };
  assert.deepEqual(outcome, worker === undefined ? expected : { ...expected, worker });
}

function rmNow(folder) {
  rmSync(folder, { recursive: true, force: true });
}
