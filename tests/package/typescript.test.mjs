// TypeScript, strict, in the ways that projects are set up to resolve modules.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { createConsumer, execute, root } from './support.mjs';

const strict = {
  strict: true,
  noEmit: true,
  // The package's own declarations are checked too, only not those that come with TypeScript.
  skipLibCheck: false,
  skipDefaultLibCheck: true,
  exactOptionalPropertyTypes: true,
  target: 'es2022',
  lib: ['es2022', 'dom'],
  types: [],
};

const projects = {
  'a bundler’s resolution': {
    files: ['notes.ts', 'slim.mts'],
    compilerOptions: { module: 'esnext', moduleResolution: 'bundler' },
  },
  'Node’s resolution': {
    files: ['slim.mts', 'required.cts'],
    compilerOptions: { module: 'nodenext', moduleResolution: 'nodenext', esModuleInterop: false },
  },
  'CommonJS with default imports': {
    files: ['notes.ts'],
    compilerOptions: { module: 'node16', moduleResolution: 'node16', esModuleInterop: true },
  },
  'the resolution of before exports maps': {
    files: ['notes.ts'],
    compilerOptions: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true },
  },
};

test('TypeScript', async (t) => {
  const folder = await createConsumer(t, 'typescript');
  for (const [title, { files, compilerOptions }] of Object.entries(projects)) {
    await t.test(title, async () => {
      const project = { files, compilerOptions: { ...strict, ...compilerOptions } };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const result = await execute(process.execPath, [tsc, '--project', folder]).catch((error) => error);
      assert.equal(result.stdout, '');
    });
  }
});
