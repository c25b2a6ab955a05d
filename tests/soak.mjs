// Two clients and a server that are edited at random, with a bad network between them, for as long as wanted:
//
//     node tests/soak.mjs [--minutes 60] [--seed N] [--browser chromium|firefox]
//
// Needs the built package. COUCHDB_URL names another server than express-pouchdb. Every minute a line says how long it took
// until everybody had heard of everybody once the network was well, and the memory of the pages after a collection of garbage.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchers } from './support/browsers.mjs';
import { startCouch } from './support/couch.mjs';
import { soak } from './support/soak.mjs';
import { serveStatic } from './support/static.mjs';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string' },
    browser: { type: 'string', default: 'chromium' },
  },
});
const seed = Number(options.seed ?? Date.now() % 1_000_000);
const root = fileURLToPath(new URL('..', import.meta.url));
const files = await serveStatic(root, { pages: { '/empty.html': '<!doctype html><title>Empty</title>' } });
const couch = await startCouch();
const browser = await launchers[options.browser]();
console.log(`seed ${seed}, ${options.minutes} minutes, ${browser.name}, ${process.env.COUCHDB_URL ? 'CouchDB' : 'express-pouchdb'}`);
const log = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
try {
  const seconds = Number(options.minutes) * 60;
  const { memory, ...counts } = await soak({ open: () => browser.newPage(`${files.url}/empty.html`), couch, seconds, seed, log });
  console.log(JSON.stringify(counts));
  console.log('nothing is lost, everybody has the same');
} finally {
  await browser.close();
  await couch.stop();
  await files.stop();
}
