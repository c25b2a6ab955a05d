// Vite: the production build, and the development server, which bundles dependencies on its own.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import * as vite from 'vite';
import { assertUsed, createConsumer, loadInChromium, openInChromium } from './support.mjs';

test('an app built with Vite', async (t) => {
  const folder = await createConsumer(t, 'vite');
  await vite.build({ root: folder, configFile: false, logLevel: 'warn', build: { chunkSizeWarningLimit: 5000 } });
  const page = await loadInChromium(t, join(folder, 'dist'));
  assertUsed(await page.outcome(), 'idb', true);
  assert.deepEqual(page.errors, []);
  // The module is in the script; a second copy as a file would be downloaded by service workers that cache everything.
  const files = await readdir(join(folder, 'dist'), { recursive: true });
  assert.deepEqual(files.filter((name) => name.endsWith('.wasm')), []);
});

test('an app built with Vite that leaves the module to the browser', async (t) => {
  const folder = await createConsumer(t, 'vite-slim');
  await vite.build({ root: folder, configFile: false, logLevel: 'warn' });
  const page = await loadInChromium(t, join(folder, 'dist'));
  assertUsed(await page.outcome(), 'idb', true);
  const files = await readdir(join(folder, 'dist'), { recursive: true });
  assert.equal(files.filter((name) => name.endsWith('.wasm')).length, 1);
});

test('an app in Vite’s development server', async (t) => {
  const folder = await createConsumer(t, 'vite');
  const server = await vite.createServer({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    optimizeDeps: { include: ['potoroo'] },
    server: { host: '127.0.0.1', port: 0, fs: { strict: true } },
  });
  t.after(() => server.close());
  await server.listen();
  const { port } = server.httpServer.address();
  const page = await openInChromium(t, `http://127.0.0.1:${port}/`);
  assertUsed(await page.outcome(), 'idb', true);
  assert.deepEqual(page.errors, []);
  assert.ok(page.requests.some((url) => url.includes('/.vite/deps/potoroo')), 'the dependency was optimized');
});
