// Puts the benchmark into the built app under /bench/: its files as they are, the contestants' scripts, and what those are.
// Not bundled, so that a visitor runs the files that the command runs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contestants } from '../contestants/index.mjs';
import { buildScripts, describeLibraries, root } from './build.mjs';

const folders = ['contestants', 'page', 'report', 'visitor', 'workloads'];
const files = ['index.html', 'measure.mjs'];

export function benchmark() {
  const folder = join(root, 'www/bench');
  return {
    name: 'potoroo-benchmark',
    apply: 'build',
    async generateBundle() {
      await buildScripts();
      const inFolders = folders.flatMap((name) => readdirSync(join(folder, name)).map((file) => `${name}/${file}`));
      const emit = (fileName, source) => this.emitFile({ type: 'asset', fileName: `bench/${fileName}`, source });
      for (const file of [...files, ...inFolders]) emit(file, readFileSync(join(folder, file)));
      for (const script of new Set(contestants.flatMap(({ scripts }) => scripts))) {
        emit(`scripts/${script.split('/').pop()}`, readFileSync(join(root, script)));
      }
      emit('libraries.json', JSON.stringify(describeLibraries(contestants)));
    },
  };
}
