// Kills the page's process, or the whole browser, with SIGKILL in the middle of writes, again and again on one database.
// Afterwards every write that was acknowledged must be there, the database opens, and check() finds nothing wrong.
//
//     node tests/browser/kills.mjs [--times 50] [--victims renderer,browser] [--tabs 1] [--seed 1]
//
// Chromium only: where the processes are is found in /proc.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchChromium } from '../support/browsers.mjs';
import { serveStatic } from '../support/static.mjs';

const { values: options } = parseArgs({
  options: {
    times: { type: 'string', default: '50' },
    victims: { type: 'string', default: 'renderer,browser' },
    tabs: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
  },
});
/** A tab, which would write for ever, is killed when so many of its writes were told of at most. */
const writes = 10_000;
const times = Number(options.times);
const tabs = Number(options.tabs);
console.log(`seed ${options.seed}`);
const random = randomFrom(Number(options.seed));

const root = fileURLToPath(new URL('../..', import.meta.url));
const server = await serveStatic(root, { pages: { '/empty.html': '<!doctype html><title>Empty</title>' } });
/** The profile of the browser, which outlives it. */
let userDataDir;
/** The last acknowledged revision of each document, its content, and the time at which it was written. */
const acknowledged = new Map();
const victims = options.victims.split(',');
try {
  for (const victim of victims) await killAgainAndAgain(victim);
} finally {
  await server.stop();
}
console.log(`${victims.length * times} passed, 0 failed`);

async function killAgainAndAgain(victim) {
  userDataDir = mkdtempSync(join(tmpdir(), 'potoroo-kills-'));
  acknowledged.clear();
  let total = 0;
  let browser = await launch();
  for (let time = 1; time <= times; time += 1) {
    total += await writeAndKill(browser, victim, time);
    if (victim === 'browser') {
      await browser.context.close().catch(() => {});
      browser = await launch();
    }
    // What was written at earlier times is looked at again in the end.
    const report = await look(browser, ({ time: written }) => written === time || time === times);
    if (time % 10 === 0 || time === times) {
      console.log(`${victim} killed ${time} times: ${total} writes acknowledged, all there; ${report}`);
    }
  }
  await browser.close();
  rmSync(userDataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

function launch() {
  // Else Chromium keeps the process of the next page ready, which would be killed too.
  return launchChromium({ userDataDir, args: ['--disable-features=SpareRendererForSitePerProcess'] });
}

/** Has some tabs write, kills them some time later, and gives how many writes had been acknowledged. */
async function writeAndKill(browser, victim, time) {
  let count = 0;
  const pages = [];
  for (let tab = 0; tab < tabs; tab += 1) {
    const page = await browser.newPage(`${server.url}/empty.html`);
    page.native.on('console', (message) => {
      if (message.type() !== 'log') return;
      for (const [id, rev, value] of JSON.parse(message.text())) {
        count += 1;
        const before = acknowledged.get(id);
        if (!before || generation(rev) > generation(before.rev)) acknowledged.set(id, { rev, value, time });
      }
    });
    pages.push(page);
  }
  await Promise.all(pages.map((page) => page.evaluate(loadLibrary)));
  const finished = pages.map((page, tab) => page.evaluate(writeAlong, `${time}-${tab}`, Math.floor(random() * 2 ** 31)));
  const outcome = Promise.allSettled(finished);
  // In the middle of commits, of a flush, or of a merge. What is told here comes some time after it was written.
  const enough = random() * writes * tabs;
  while (count < enough) await new Promise((resolve) => setTimeout(resolve, random() * 20));
  const isVictim = ({ type, command }) =>
    victim === 'browser' ? type === undefined : type === 'renderer' && !command.includes('--top-chrome-webui');
  const killed = processes().filter(isVictim).filter(({ pid }) => kill(pid));
  assert.ok(killed.length > 0, 'no process to be killed was found');
  for (const { reason } of await outcome) assert.match(String(reason), /closed|crashed/i);
  for (const page of pages) await page.close().catch(() => {});
  return count;
}

/** Whether it was still there: the browser has processes that live for a moment. */
function kill(pid) {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Opens the database in a new page, compares it with what was acknowledged and is chosen, and checks all of it. */
async function look(browser, isChosen) {
  const page = await browser.newPage(`${server.url}/empty.html`);
  await page.evaluate(loadLibrary);
  const chosen = [...acknowledged].filter(([, write]) => isChosen(write));
  const expected = chosen.map(([id, { rev, value }]) => [id, rev, value]);
  const { lost, report } = await page.evaluate(compare, expected);
  assert.deepEqual(lost, [], 'acknowledged and lost');
  assert.deepEqual(report.problems, []);
  await page.close();
  return `${report.documents} documents, ${report.log_records} commits in the log, ${report.blocks} blocks`;
}

function generation(rev) {
  return Number(rev.split('-')[0]);
}

/** The processes of the browser with this profile: the main one, which has no type, and those under it. */
function processes() {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))[1]);
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return [{ pid: Number(name), parent, command, type: /--type=([a-z-]+)/.exec(command)?.[1] }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
  const main = all.filter(({ command, type }) => type === undefined && command.includes(`--user-data-dir=${userDataDir}`));
  const family = new Set(main.map(({ pid }) => pid));
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => family.has(pid));
}

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// What follows runs in the page.

async function loadLibrary() {
  const { default: Potoroo } = await import('/pkg/dist/potoroo.mjs');
  globalThis.db = new Potoroo('kills', { adapter: 'idb' });
  await globalThis.db.info();
}

/** Writes one by one, many at once, and in bulk; new documents and further revisions. Tells each acknowledged write. */
async function writeAlong(name, seed) {
  const { db } = globalThis;
  const written = [];
  let choice = seed;
  const next = (below) => {
    choice = (Math.imul(choice, 1103515245) + 12345) & 0x7fffffff;
    return (choice >>> 8) % below;
  };
  const text = () => Array.from({ length: 30 }, () => Math.random().toString(36).slice(2)).join('');
  let made = 0;
  const newDoc = () => ({ _id: `${name}-${(made += 1)}`, value: next(1e6), text: text() });
  const acknowledge = (doc, rev) => {
    written.push({ ...doc, _rev: rev });
    return [doc._id, rev, doc.value];
  };
  for (;;) {
    let told = [];
    const kind = next(4);
    if (kind === 0) {
      const doc = newDoc();
      told = [acknowledge(doc, (await db.put(doc)).rev)];
    } else if (kind === 1) {
      const docs = Array.from({ length: 50 }, newDoc);
      await Promise.all(docs.map((doc) => db.put(doc).then(({ rev }) => console.log(JSON.stringify([acknowledge(doc, rev)])))));
    } else if (kind === 2) {
      const docs = Array.from({ length: 200 }, newDoc);
      const results = await db.bulkDocs(docs);
      told = results.map(({ rev }, index) => acknowledge(docs[index], rev));
    } else if (written.length > 0) {
      const place = next(written.length);
      const doc = { ...written[place], value: next(1e6) };
      const { rev } = await db.put(doc);
      written[place] = { ...doc, _rev: rev };
      told = [[doc._id, rev, doc.value]];
    }
    if (told.length > 0) console.log(JSON.stringify(told));
  }
}

async function compare(expected) {
  const lost = [];
  const { results } = await globalThis.db.bulkGet({ docs: expected.map(([id, rev]) => ({ id, rev })) });
  const found = new Map(results.map(({ id, docs }) => [id, docs[0].ok]));
  for (const [id, rev, value] of expected) {
    const doc = found.get(id);
    if (doc?._rev !== rev || doc.value !== value) lost.push([id, rev, value, doc ?? null]);
  }
  const report = await globalThis.db.check();
  await globalThis.db.close();
  return { lost, report };
}
