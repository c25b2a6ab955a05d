// Prints what a page downloads, for each way to include the package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { packageFolder } from './paths.mjs';

const ways = [
  ['script tag (potoroo.iife.js)', ['potoroo.iife.js']],
  ['bundler (potoroo.mjs)', ['potoroo.mjs']],
  ['slim.mjs + potoroo.wasm', ['slim.mjs', 'potoroo.wasm']],
];

const kilobytes = (sizes) => `${(sizes.reduce((sum, size) => sum + size, 0) / 1000).toFixed(1)} kB`.padStart(10);

console.log(`${'a page downloads'.padEnd(30)}${['raw', 'gzip', 'brotli'].map((name) => name.padStart(10)).join('')}`);
for (const [way, names] of ways) {
  const files = names.map((name) => readFileSync(join(packageFolder, 'dist', name)));
  const raw = files.map((file) => file.length);
  const gzip = files.map((file) => gzipSync(file, { level: 9 }).length);
  const brotli = files.map((file) => brotliCompressSync(file).length);
  console.log(`${way.padEnd(30)}${[raw, gzip, brotli].map(kilobytes).join('')}`);
}
