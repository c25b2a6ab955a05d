// webpack 5, through `import` and through `require`.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import webpack from 'webpack';
import { assertUsed, createConsumer, loadInChromium } from './support.mjs';

function build(folder, entry) {
  const settings = {
    context: folder,
    entry,
    mode: 'production',
    output: { path: join(folder, 'dist'), filename: 'main.js', publicPath: '/dist/' },
    performance: { hints: false },
  };
  return new Promise((resolve, reject) => {
    const compiler = webpack(settings);
    compiler.run((error, stats) => compiler.close(() => (error ? reject(error) : resolve(stats.toJson()))));
  });
}

for (const entry of ['./main.mjs', './main.cjs']) {
  test(`an app built with webpack from ${entry}`, async (t) => {
    const folder = await createConsumer(t, 'webpack');
    const { errors, warnings } = await build(folder, entry);
    assert.deepEqual({ errors, warnings }, { errors: [], warnings: [] });
    const page = await loadInChromium(t, folder);
    assertUsed(await page.outcome(), 'idb', true);
    assert.deepEqual(page.errors, []);
    const files = await readdir(join(folder, 'dist'));
    assert.deepEqual(files.filter((name) => name.endsWith('.wasm')), []);
  });
}
