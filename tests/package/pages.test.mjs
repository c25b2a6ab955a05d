// Pages without a bundler, from a plain static server.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertUsed, createConsumer, loadInChromium } from './support.mjs';

// What a careful site allows: no inline script, no eval, only the compilation of WebAssembly.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

for (const [title, allowed, worker] of [
  ['a strict content security policy', policy, false],
  ['one that allows the package’s worker', `${policy}; worker-src blob:`, true],
]) {
  test(`a script tag, under ${title}`, async (t) => {
    const folder = await createConsumer(t, 'script-tag');
    const page = await loadInChromium(t, folder, { headers: { 'content-security-policy': allowed } });
    assertUsed(await page.outcome(), 'idb', worker);
    assert.deepEqual(page.errors, []);
    assert.deepEqual(page.requests.filter((url) => url.endsWith('.wasm')), []);
  });
}

test('the slim entry, with the module fetched by the page', async (t) => {
  const folder = await createConsumer(t, 'slim');
  const page = await loadInChromium(t, folder);
  assertUsed(await page.outcome(), 'idb', true);
  assert.deepEqual(page.errors, []);
  assert.equal(page.requests.filter((url) => url.endsWith('.wasm')).length, 1);
});
