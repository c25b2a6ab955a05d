// The scripts of the contestants: those that have to be made first, their versions, and their sizes.
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Bundles what is published as modules only, into the place where contestants/index.mjs looks for it. */
export async function buildScripts() {
  const outfile = join(root, 'target/bench/rxdb.js');
  mkdirSync(dirname(outfile), { recursive: true });
  await build({
    entryPoints: [fileURLToPath(new URL('./rxdb.mjs', import.meta.url))],
    outfile,
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'RxDB',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
}

function versionOf(library) {
  const folder = library === 'potoroo' ? 'pkg' : `node_modules/${library}`;
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).version;
}

/** Version and download size of each library, the way the page loads it. */
export function describeLibraries(contestants) {
  return contestants
    .filter(({ scripts }) => scripts.length > 0)
    .map(({ id, title, library, scripts }) => {
      const contents = scripts.map((script) => readFileSync(join(root, script)));
      return {
        id,
        title,
        version: versionOf(library),
        bytes: contents.reduce((sum, content) => sum + content.length, 0),
        gzipBytes: contents.reduce((sum, content) => sum + gzipSync(content).length, 0),
      };
    });
}
