// In the page: runs one suite with mocha and answers with what passed and what did not.
/* global mocha */

/** `settings`: the server's address as `couch`, and mocha's `grep`. */
globalThis.runSuite = async (path, settings) => {
  globalThis.testSettings = settings;
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

/** Announces an error that no test can catch: it is meant to reach the page. */
globalThis.expectUncaught = (message) => expectedErrors.push(message);

/** The error with what was expected and what came, which mocha's reporters would show. */
function textOf(error) {
  const lines = [error?.stack ?? JSON.stringify(error) ?? String(error)];
  if (error && 'expected' in error && 'actual' in error) {
    lines.push(`expected: ${indented(error.expected)}`, `actual:   ${indented(error.actual)}`);
  }
  return lines.join('\n');
}


function indented(value) {
  return Array.isArray(value) ? JSON.stringify(value, null, 1) : JSON.stringify(value);
}
