// What the sources of the package import by names that only the build can resolve.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bindgenFolder } from './paths.mjs';

const bindings = join(bindgenFolder, 'potoroo.js');
const module = join(bindgenFolder, 'potoroo_bg.wasm');
const glue = fileURLToPath(new URL('./glue.mjs', import.meta.url));

/** `virtual:wasm-glue` is the JavaScript around the module, `virtual:wasm-base64` the module as glue.mjs wants it. */
export const virtualModules = {
  name: 'virtual-modules',
  setup(build) {
    build.onResolve({ filter: /^virtual:wasm-glue$/ }, () => ({ path: glue, sideEffects: false }));
    build.onResolve({ filter: /^virtual:wasm-bindgen$/ }, () => ({ path: bindings, sideEffects: false }));
    build.onResolve({ filter: /^virtual:wasm-base64$/ }, () => ({ path: module, namespace: 'wasm-base64', sideEffects: false }));
    build.onLoad({ filter: /.*/, namespace: 'wasm-base64' }, async ({ path }) => ({
      contents: `export default '${gzipSync(await readFile(path), { level: 9 }).toString('base64')}';`,
      loader: 'js',
    }));
  },
};

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
