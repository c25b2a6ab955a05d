// What the sources of the package import by names that only the build can resolve.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bindgenFolder } from './paths.mjs';

const glue = join(bindgenFolder, 'potoroo.js');
const module = join(bindgenFolder, 'potoroo_bg.wasm');

/** `virtual:wasm-glue` is wasm-bindgen's JavaScript, `virtual:wasm-base64` the module as the string it exports. */
export const virtualModules = {
  name: 'virtual-modules',
  setup(build) {
    build.onResolve({ filter: /^virtual:wasm-glue$/ }, () => ({ path: glue, sideEffects: false }));
    build.onResolve({ filter: /^virtual:wasm-base64$/ }, () => ({ path: module, namespace: 'wasm-base64', sideEffects: false }));
    build.onLoad({ filter: /.*/, namespace: 'wasm-base64' }, async ({ path }) => ({
      contents: await readFile(path, 'base64').then((text) => `export default ${JSON.stringify(text)};`),
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
