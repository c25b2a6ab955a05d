// Bundles the npm package from pkg-template/ and target/bindgen into pkg/. Run by `cargo xtask package`.
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { bindgenFolder, packageFolder, root, templateFolder } from './paths.mjs';
import { commonJsExports, virtualModules } from './plugins.mjs';
import { commonJsTypes } from './types.mjs';

const { values: options } = parseArgs({ options: { version: { type: 'string' } } });
if (!options.version) throw new Error('--version says which version of the package this is');

const dist = join(packageFolder, 'dist');
const source = (name) => join(templateFolder, 'src', name);

const shared = {
  bundle: true,
  minify: true,
  // Apps print the names of constructors, and errors their classes'.
  keepNames: true,
  legalComments: 'none',
  charset: 'utf8',
  platform: 'neutral',
  logLevel: 'warning',
  define: { POTOROO_VERSION: JSON.stringify(options.version) },
  plugins: [virtualModules],
  write: false,
};

// What people import is compiled again by their own bundler; only the script tag's build meets browsers as it is.
// CommonJS is for tools that know nothing newer: webpack 4 parses the syntax of 2019 and has no import.meta.
const bundles = [
  { file: 'potoroo.mjs', format: 'esm', target: 'es2022', entry: 'index.ts' },
  { file: 'slim.mjs', format: 'esm', target: 'es2022', entry: 'slim.ts' },
  { file: 'potoroo.cjs', format: 'cjs', target: 'es2018', entry: 'index.ts' },
  { file: 'slim.cjs', format: 'cjs', target: 'es2018', entry: 'slim.ts' },
  { file: 'potoroo.iife.js', format: 'iife', target: 'es2020', entry: 'iife.ts' },
];

async function bundle({ file, format, target, entry }) {
  const settings = { ...shared, format, target, outfile: join(dist, file) };
  if (format === 'cjs') {
    settings.entryPoints = [`commonjs:${source(entry)}`];
    settings.plugins = [commonJsExports, virtualModules];
  } else {
    settings.entryPoints = [source(entry)];
  }
  const { outputFiles } = await esbuild.build(settings);
  const [{ contents, text }] = outputFiles;
  if (text.includes('import.meta')) throw new Error(`${file} contains import.meta, which not every bundler can parse`);
  return [file, contents];
}

async function removeAllBut(names, folder) {
  for (const name of await readdir(folder)) {
    if (!names.includes(name)) await rm(join(folder, name), { recursive: true });
  }
}

async function writeManifest() {
  const manifest = JSON.parse(await readFile(join(templateFolder, 'package.json'), 'utf8'));
  manifest.version = options.version;
  await writeFile(join(packageFolder, 'package.json'), JSON.stringify(manifest, null, 2) + '\n');
}

async function writeTypes() {
  const from = join(templateFolder, 'types');
  const to = join(packageFolder, 'types');
  await mkdir(to, { recursive: true });
  const written = [];
  for (const name of await readdir(from)) {
    // Beside the declarations is a test of them.
    if (!name.endsWith('.d.ts')) continue;
    const text = await readFile(join(from, name), 'utf8');
    const forRequire = name.replace(/\.d\.ts$/, '.d.cts');
    await writeFile(join(to, name), text);
    await writeFile(join(to, forRequire), commonJsTypes(name, text));
    written.push(name, forRequire);
  }
  await removeAllBut(written, to);
}

// Nothing is written before everything could be bundled, so that a mistake leaves the last good package in place.
const files = await Promise.all(bundles.map(bundle));
await mkdir(dist, { recursive: true });
await Promise.all(files.map(([file, contents]) => writeFile(join(dist, file), contents)));
await copyFile(join(bindgenFolder, 'potoroo_bg.wasm'), join(dist, 'potoroo.wasm'));
await removeAllBut([...files.map(([file]) => file), 'potoroo.wasm'], dist);
await writeTypes();
await copyFile(join(templateFolder, 'README.md'), join(packageFolder, 'README.md'));
await copyFile(join(root, 'LICENSE'), join(packageFolder, 'LICENSE'));
await writeManifest();
