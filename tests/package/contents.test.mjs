// What is in the tarball, and what its code does without.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'webpack-4-parser';
import { createConsumer, packedPaths, root } from './support.mjs';

const packageFolder = join(root, 'pkg');
const manifest = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
const scripts = (await readdir(join(packageFolder, 'dist'))).filter((name) => /\.(js|mjs|cjs)$/.test(name));
const script = (name) => readFile(join(packageFolder, 'dist', name), 'utf8');

test('the tarball holds the bundles, the types, the license and nothing else', async () => {
  const paths = await packedPaths();
  const bundles = ['potoroo.cjs', 'potoroo.iife.js', 'potoroo.mjs', 'potoroo.wasm', 'slim.cjs', 'slim.mjs'];
  const expected = ['LICENSE', 'README.md', 'package.json', ...bundles.map((name) => `dist/${name}`)];
  assert.deepEqual(paths.filter((path) => !path.startsWith('types/')).sort(), expected.sort());
  for (const path of paths.filter((path) => path.startsWith('types/'))) assert.match(path, /\.d\.(ts|cts)$/);
});

test('the version is the crate’s', async () => {
  const [, version] = /^version = "(.+)"$/m.exec(await readFile(join(root, 'Cargo.toml'), 'utf8'));
  assert.equal(manifest.version, version);
});

test('everything that package.json points at is there', async (t) => {
  const folder = await createConsumer(t);
  const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));
  const { main, types, unpkg, jsdelivr, exports } = manifest;
  for (const target of targets({ main, types, unpkg, jsdelivr, exports })) {
    if (!target.includes('*')) await readFile(join(folder, 'node_modules/potoroo', target));
  }
});

test('it depends on nothing', () => {
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) assert.ok(!(kind in manifest), kind);
});

test('no script needs eval (but for design documents), import.meta, or what only Node has', async () => {
  const forbidden = {
    eval: /\beval\(|\bnew Function\b(.|\n)*\bnew Function\b/,
    'import.meta': /\bimport\.meta\b/,
    'a second file of WebAssembly': /_bg\.wasm\b/,
    'Node’s globals': /(?<![.\w$])(process\.|global\.|Buffer\b)/,
    'another package': /[}\s]from ?['"]|\bimport ?['"(]|\brequire\(/,
  };
  for (const name of scripts) {
    const text = await script(name);
    // Not assert.doesNotMatch, whose message would be the whole script.
    for (const [what, pattern] of Object.entries(forbidden)) assert.ok(!pattern.test(text), `${name} needs ${what}`);
  }
});

test('the CommonJS entries can be parsed by webpack 4', async () => {
  // It is acorn 6, used with these options.
  for (const name of ['potoroo.cjs', 'slim.cjs']) parse(await script(name), { ecmaVersion: 11, sourceType: 'script' });
});
