// How much several tabs write together into one database, and whether all of it is there afterwards.
//
//     node www/bench/tabs.mjs [--contestants potoroo,pouchdb-idb,pouchdb-indexeddb] [--tabs 1,2,4,8] [--rounds 3]
//
// Each tab puts documents one after the other, then as many at once; all begin at the same moment. The figures are documents per
// second of all tabs together, medians of the rounds.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchChromium } from '../../tests/support/browsers.mjs';
import { serveStatic } from '../../tests/support/static.mjs';
import { findContestant } from './contestants/index.mjs';
import { median } from './report/statistics.mjs';

const { values: options } = parseArgs({
  options: {
    contestants: { type: 'string', default: 'potoroo,pouchdb-idb,pouchdb-indexeddb' },
    tabs: { type: 'string', default: '1,2,4,8' },
    rounds: { type: 'string', default: '3' },
  },
});
/** Documents of each tab, one by one and at once. */
const ONE_BY_ONE = 200;
const AT_ONCE = 1000;

const root = fileURLToPath(new URL('../..', import.meta.url));
const server = await serveStatic(root, { pages: { '/empty.html': '<!doctype html><title>Empty</title>' } });
const contestants = options.contestants.split(',').map(findContestant);
console.log(`${'tabs'.padEnd(6)}${'contestant'.padEnd(22)}${'one by one'.padStart(14)}${'at once'.padStart(14)}   documents/s`);
try {
  for (const tabs of options.tabs.split(',').map(Number)) {
    const measured = new Map(contestants.map(({ id }) => [id, []]));
    for (let round = 0; round < Number(options.rounds); round += 1) {
      for (const contestant of contestants) measured.get(contestant.id).push(await measure(contestant, tabs));
    }
    for (const { id, title } of contestants) {
      const figures = [0, 1].map((part) => median(measured.get(id).map((figure) => figure[part])));
      console.log(`${String(tabs).padEnd(6)}${title.padEnd(22)}${figures.map((figure) => figure.toFixed(0).padStart(14)).join('')}`);
    }
  }
} finally {
  await server.stop();
}

async function measure({ id, scripts }, tabs) {
  const browser = await launchChromium();
  try {
    const pages = [];
    for (let tab = 0; tab < tabs; tab += 1) {
      const page = await browser.newPage(`${server.url}/empty.html`);
      await page.evaluate(open, id, scripts);
      pages.push(page);
    }
    const figures = [];
    for (const [part, count] of [['one', ONE_BY_ONE], ['all', AT_ONCE]]) {
      const started = performance.now();
      const outcomes = await Promise.all(pages.map((page, tab) => page.evaluate(write, part, `${part}-${tab}`, count)));
      figures.push((tabs * count * 1000) / (performance.now() - started));
      const refused = outcomes.flatMap(({ errors }) => errors);
      if (refused.length > 0) console.log(`${id} with ${tabs} tabs has refused ${refused.length} documents: ${refused[0]}`);
      const written = outcomes.map((outcome) => outcome.written);
      const last = await browser.newPage(`${server.url}/empty.html`);
      await last.evaluate(open, id, scripts);
      const lost = await last.evaluate(findLost, written.flat());
      if (lost.length > 0) throw new Error(`${id} with ${tabs} tabs has lost ${lost.length} documents: ${lost.slice(0, 3)}`);
      await last.close();
    }
    return figures;
  } finally {
    await browser.close();
  }
}

// What follows runs in the page.

async function open(id, scripts) {
  for (const src of scripts) {
    await new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject });
      document.head.append(element);
    });
  }
  const [library, adapter] = id.split('-');
  const Database = library === 'pouchdb' ? globalThis.PouchDB : globalThis.Potoroo;
  globalThis.db = new Database('tabs', adapter ? { adapter } : {});
  await globalThis.db.info();
}

async function write(part, prefix, count) {
  const { db } = globalThis;
  const docs = Array.from({ length: count }, (_, index) => ({
    _id: `${prefix}-${index}`,
    text: 'somebody has written this, and somebody else will read it; '.repeat(8),
  }));
  const written = [];
  const errors = [];
  const put = (doc) =>
    db.put(doc).then(
      ({ id, rev }) => written.push([id, rev]),
      (error) => errors.push(`${error.name}: ${error.message} ${error.reason ?? ''}`),
    );
  if (part === 'all') await Promise.all(docs.map(put));
  else for (const doc of docs) await put(doc);
  return { written, errors };
}

async function findLost(written) {
  const { rows } = await globalThis.db.allDocs();
  const found = new Map(rows.map(({ id, value }) => [id, value.rev]));
  return written.filter(([id, rev]) => found.get(id) !== rev).map(([id]) => id);
}
