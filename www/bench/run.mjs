// The comparison with peers: `cargo xtask bench [options]`. See README.md for what is measured and how.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { describeMachine, missingScripts, startEnvironment } from './environment.mjs';
import { buildScripts, describeLibraries, root } from './libraries/build.mjs';
import { measureWorkload } from './measure.mjs';
import { parseOptions, selectRows, usage } from './options.mjs';
import { DOCUMENT_BYTES, LARGE_DOCUMENT_BYTES, REPLICATED_DOCUMENT_BYTES } from './page/documents.mjs';
import { renderChart } from './report/chart.mjs';
import { summarizeRow } from './report/statistics.mjs';
import { renderTable } from './report/table.mjs';
import { fullSizes, makeWorkloads, quickSizes } from './workloads/index.mjs';

/** A line that shows where the run is; on standard error, so that standard output has the table alone. */
function makeProgress(total) {
  const interactive = process.stderr.isTTY;
  return {
    workload: (index, { id }) => {
      const line = `[${index + 1}/${total}] ${id}`;
      if (!interactive) console.error(line);
      return (detail) => interactive && process.stderr.write(`\r\x1b[K${line}: ${detail}`);
    },
    end: () => interactive && process.stderr.write('\r\x1b[K'),
  };
}

async function measureAll(options, workloads, sizes, environment) {
  const progress = makeProgress(workloads.length);
  const rows = [];
  for (const [index, workload] of workloads.entries()) {
    const { contestants } = options;
    const rounds = workload.group === 'calls' ? options.rounds : options.longRounds;
    const measured = await measureWorkload({
      ...{ workload, contestants, rounds, sizes, environment },
      progress: progress.workload(index, workload),
    });
    const summaries = workload.rows.map((row) => summarizeRow(row, measured[row.id], contestants));
    rows.push(...summaries.map((summary) => ({ group: workload.group, ...summary })));
  }
  progress.end();
  return rows;
}

async function write(path, content) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  const sizes = { ...(options.quick ? quickSizes : fullSizes) };
  if (options.documents) sizes.size = options.documents;
  const offered = makeWorkloads(sizes).filter(({ group }) => options.groups.includes(group));
  const workloads = selectRows(offered, options.only);
  const rowList = workloads.flatMap(({ rows }) => rows);
  if (options.list) return console.log(rowList.map(({ id, title }) => `${id.padEnd(28)}${title}`).join('\n'));
  if (workloads.length === 0) throw new Error('no row matches --only; --list shows them');
  await buildScripts();
  const missing = missingScripts(options.contestants);
  if (missing.length > 0) throw new Error(`${missing[0]} is not there; cargo xtask package and npm install make what is compared`);

  const machine = await describeMachine();
  const libraries = describeLibraries(options.contestants);
  const environment = await startEnvironment(options);
  // A real CouchDB must not be left with the databases of a run that was interrupted.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => environment.stop().finally(() => process.exit(130)));
  try {
    const rows = await measureAll(options, workloads, sizes, environment);
    const usesServer = workloads.some(({ remote }) => remote);
    const { description, isReal } = usesServer ? await environment.remotes() : {};
    const header = {
      machine,
      browser: `Chromium ${environment.chromium}`,
      libraries,
      server: usesServer ? { description, isReal } : undefined,
      options: { rounds: options.rounds, longRounds: options.longRounds, quick: options.quick, cors: options.cors },
      documentBytes: DOCUMENT_BYTES,
      largeDocumentBytes: LARGE_DOCUMENT_BYTES,
      replicatedDocumentBytes: usesServer ? REPLICATED_DOCUMENT_BYTES : undefined,
      groups: [...new Set(workloads.map(({ group }) => group))],
    };
    const contestants = options.contestants.map(({ id, title, kind }) => ({ id, title, kind }));
    const report = { header, sizes, contestants, rows, warnings: environment.warnings };
    const table = renderTable(report);
    const json = JSON.stringify(report, null, 2) + '\n';
    const folder = join(root, 'bench-results');
    await write(join(folder, 'results.json'), json);
    await write(join(folder, 'table.txt'), table + '\n');
    await write(join(folder, 'chart.html'), renderChart(report));
    if (options.json) await write(resolve(options.json), json);
    console.log(table);
    for (const warning of environment.warnings) console.log(`warning: ${warning}`);
    console.log(`\nwritten: ${['results.json', 'table.txt', 'chart.html'].map((file) => relative(process.cwd(), join(folder, file))).join(', ')}`);
    if (rows.some(({ results }) => Object.values(results).some((result) => result?.error))) process.exitCode = 1;
  } finally {
    await environment.stop();
  }
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  if (error.code?.startsWith('ERR_PARSE_ARGS')) console.error(`\n${usage}`);
  process.exitCode = 1;
}
