// Pages without a bundler, from a plain static server.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertUsed, createConsumer, loadInChromium } from './support.mjs';

// What a careful site allows: no inline script, no eval, only the compilation of WebAssembly.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

test('a script tag, under a strict content security policy', async (t) => {
  const folder = await createConsumer(t, 'script-tag');
  const page = await loadInChromium(t, folder, { headers: { 'content-security-policy': policy } });
  assertUsed(await page.outcome(), 'idb');
  assert.deepEqual(page.errors, []);
  assert.deepEqual(page.requests.filter((url) => url.endsWith('.wasm')), []);
});

test('the slim entry, with the module fetched by the page', async (t) => {
  const folder = await createConsumer(t, 'slim');
  const page = await loadInChromium(t, folder);
  assertUsed(await page.outcome(), 'idb');
  assert.deepEqual(page.errors, []);
  assert.equal(page.requests.filter((url) => url.endsWith('.wasm')).length, 1);
});
