// What the sources of the package import by names that only the build can resolve.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { bindgenFolder, templateFolder } from './paths.mjs';

const bindings = join(bindgenFolder, 'potoroo.js');
const module = join(bindgenFolder, 'potoroo_bg.wasm');
const glue = fileURLToPath(new URL('./glue.mjs', import.meta.url));
const worker = join(templateFolder, 'src/worker/server.ts');

/**
 * `virtual:wasm-glue` is the JavaScript around the module, `virtual:wasm-base64` the module as glue.mjs wants it,
 * `virtual:worker-script` the text of the worker's script.
 */
export const virtualModules = {
  name: 'virtual-modules',
  setup(build) {
    build.onResolve({ filter: /^virtual:wasm-glue$/ }, () => ({ path: glue, sideEffects: false }));
    build.onResolve({ filter: /^virtual:wasm-bindgen$/ }, () => ({ path: bindings, sideEffects: false }));
    build.onResolve({ filter: /^virtual:wasm-base64$/ }, () => ({ path: module, namespace: 'wasm-base64', sideEffects: false }));
    build.onResolve({ filter: /^virtual:worker-script$/ }, () => ({ path: worker, namespace: 'worker-script', sideEffects: false }));
    build.onLoad({ filter: /.*/, namespace: 'wasm-base64' }, async ({ path }) => ({
      contents: `export default '${gzipSync(await readFile(path), { level: 9 }).toString('base64')}';`,
      loader: 'js',
    }));
    build.onLoad({ filter: /.*/, namespace: 'worker-script' }, async ({ path }) => ({
      contents: `export default ${JSON.stringify(await bundleWorker(path))};`,
      loader: 'js',
    }));
  },
};

/**
 * The worker's script has wasm-bindgen's JavaScript once more. It is a text and no function that is turned into one: apps are
 * compiled by tools that have functions call helpers outside of them.
 */
async function bundleWorker(entry) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2020',
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
    plugins: [virtualModules],
    write: false,
  });
  return outputFiles[0].text.trim();
}

/**
 * Makes `require('potoroo')` the class itself, as with PouchDB, and the named exports its properties. `default` is one
 * of them, for compilers that turn `import Potoroo from 'potoroo'` into `require('potoroo').default`.
 */
export const commonJsExports = {
  name: 'commonjs-exports',
  setup(build) {
    build.onResolve({ filter: /^commonjs:/ }, ({ path }) => ({ path: path.slice('commonjs:'.length), namespace: 'commonjs' }));
    build.onLoad({ filter: /.*/, namespace: 'commonjs' }, ({ path }) => ({
      contents: `const all = require(${JSON.stringify(path)});\nmodule.exports = Object.assign(all.default, all);`,
      resolveDir: dirname(path),
      loader: 'js',
    }));
  },
};
