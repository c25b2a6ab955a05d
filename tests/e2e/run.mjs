// End to end: real browsers, the built app and a CouchDB-compatible server (or the CouchDB that COUCHDB_URL names).
//   node tests/e2e/run.mjs [part of a file name ...]
// The last line printed is "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const root = join(folder, '../..');
const wanted = process.argv.slice(2);

const build = spawnSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', 'www', '--logLevel', 'error'], {
  cwd: root,
  stdio: 'inherit',
});
if (build.status !== 0) {
  console.log('the app could not be built\n0 passed, 1 failed');
  process.exit(1);
}

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .map((name) => join(folder, name));

const counts = { passed: 0, failed: 0 };
// One file after the other: each has browsers and a server of its own, and latency is measured.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort());
const events = run({ files, concurrency: 1, signal: interrupted.signal });
events.on('test:pass', ({ name, details }) => {
  if (details.type === 'suite') return;
  counts.passed += 1;
  console.log(`  ok    ${name} (${Math.round(details.duration_ms)} ms)`);
});
events.on('test:fail', ({ name, details, file }) => {
  // A suite fails with its tests, which are counted; but a failing hook fails only the suite.
  if (details.type === 'suite' && details.error.failureType === 'subtestsFailed') return;
  counts.failed += 1;
  const cause = details.error.cause ?? details.error;
  console.log(`  FAIL  ${name}\n${String(cause?.stack ?? cause).replace(/^/gm, '        ')}\n        in ${file}`);
});
events.on('test:stdout', ({ message }) => process.stdout.write(message.replace(/^(?=.)/gm, '        ')));
events.on('test:stderr', ({ message }) => process.stderr.write(message));
// Without a reader of its data the stream never ends.
events.resume();
events.on('end', () => {
  if (files.length === 0) counts.failed += 1;
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
});
