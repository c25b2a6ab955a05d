// In the page: runs one suite with mocha and answers with what passed and what did not.
import { inWorker } from './in_worker.mjs';

/* global mocha, Potoroo */

/**
 * `settings`: the server's address as `couch`, that of one that asks for a password (and has it in its address) as
 * `lockedCouch`, mocha's `grep`, whether all databases run in the package's `worker`, and `seed`
 * and `rounds` of random tests.
 */
globalThis.runSuite = async (path, settings) => {
  globalThis.testSettings = settings;
  if (settings.worker) globalThis.Potoroo = inWorker(Potoroo);
  mocha.setup({ ui: 'bdd', timeout: 30_000, slow: 10_000, forbidOnly: true, forbidPending: true, reporter: class {} });
  if (settings.grep) mocha.grep(settings.grep);
  await import(path);
  const failures = [];
  let passes = 0;
  await new Promise((resolve) => {
    const runner = mocha.run(resolve);
    runner.on('pass', () => {
      passes += 1;
    });
    runner.on('fail', (test, error) => {
      failures.push({ title: test.fullTitle(), error: textOf(error) });
    });
  });
  return { passes, failures, expectedErrors };
};

const expectedErrors = [];
const waiting = new Map();

/**
 * Announces an error that no test can catch, because it is meant to reach the page. Resolves when it has.
 * `message` is a part of the error's.
 */
globalThis.expectUncaught = (message) => {
  expectedErrors.push(message);
  return new Promise((resolve) => waiting.set(message, resolve));
};

/** Listens before mocha does, and keeps what is expected from it. */
function catchExpected(event) {
  const text = String(event.reason?.message ?? event.message);
  const message = expectedErrors.find((expected) => text.includes(expected));
  if (message === undefined) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  waiting.get(message)?.();
}
addEventListener('error', catchExpected, true);
addEventListener('unhandledrejection', catchExpected, true);

/** The error with what was expected and what came, which mocha's reporters would show. */
function textOf(error) {
  const lines = [error?.stack ?? JSON.stringify(error) ?? String(error)];
  // Firefox's stacks begin without the message.
  if (error?.message && !lines[0].includes(error.message)) lines.unshift(String(error));
  if (error && 'expected' in error && 'actual' in error) {
    lines.push(`expected: ${indented(error.expected)}`, `actual:   ${indented(error.actual)}`);
  }
  return lines.join('\n');
}


function indented(value) {
  return Array.isArray(value) ? JSON.stringify(value, null, 1) : JSON.stringify(value);
}
