// One database in several tabs and workers at once.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchers } from '../support/browsers.mjs';
import { serveLibrary } from './library.mjs';

const writes = 1000;
const increments = 150;
const limit = { timeout: 240_000 };

/** Both lists have the same ids, each once; says in a line what is wrong, with thousands of them. */
function assertSame(actual, expected, what) {
  const found = new Set(actual);
  const missing = expected.filter((id) => !found.has(id));
  assert.equal(missing.length, 0, `${missing.length} of ${expected.length} ${what} are missing, first ${missing.slice(0, 3)}`);
  assert.equal(actual.length, expected.length, `${actual.length - expected.length} ${what} too many`);
}

for (const [browserName, launch] of Object.entries(launchers)) describe(browserName, () => {
  let site;
  let browser;

  before(async () => {
    site = await serveLibrary();
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await site?.stop();
  });

  const newTab = () => browser.newPage(`${site.url}/page.html`);

  /** A tab that follows the database live; what it has seen is in `window.changes`. */
  async function newFollower(name) {
    const tab = await newTab();
    await tab.evaluate(async (database) => {
      window.changes = [];
      const db = open(database);
      await db.info();
      db.changes({ since: 0, live: true }).on('change', ({ seq, id }) => window.changes.push({ seq, id }));
    }, name);
    return tab;
  }

  /** The follower hears of every write in time; a tab opened afterwards finds every acknowledged one. */
  async function assertComplete(follower, name, writers) {
    const expected = writers.flatMap((writer) => Array.from({ length: writes }, (_, index) => `${writer}-${String(index).padStart(5, '0')}`)).sort();
    const changes = await follower.evaluate(async (count) => {
      // A feed that has missed something must fail the comparison below, not wait for ever.
      const deadline = performance.now() + 60_000;
      while (window.changes.length < count && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
      // Long enough for a change told twice to show up as well.
      await new Promise((resolve) => setTimeout(resolve, 500));
      return window.changes;
    }, expected.length);
    assertSame(changes.map(({ id }) => id), expected, 'changes in the live feed');
    changes.forEach(({ seq }, index) => assert.ok(index === 0 || seq > changes[index - 1].seq, `seq ${seq} came after ${changes[index - 1]?.seq}`));
    for (const writer of writers) {
      const inTurn = changes.filter(({ id }) => id.startsWith(`${writer}-`)).slice(0, writes / 2);
      assert.deepEqual(inTurn.map(({ id }) => id), inTurn.map(({ id }) => id).toSorted(), `the feed keeps the order in which ${writer} wrote`);
    }

    const listIn = (tab) => tab.evaluate(async (database) => (await open(database).allDocs()).rows.map((row) => row.id), name);
    assertSame(await listIn(follower), expected, 'documents in the following tab');
    const later = await newTab();
    assertSame(await listIn(later), expected, 'documents in a tab opened afterwards');
    await later.close();
  }

  test(`${browserName}: two tabs write at once, nothing is lost, and a third sees each once and in order`, limit, async () => {
    const follower = await newFollower('tabs');
    const [one, other] = await Promise.all([newTab(), newTab()]);
    const acknowledged = await Promise.all([
      one.evaluate((argument) => write(argument), { name: 'tabs', writer: 'one', count: writes }),
      other.evaluate((argument) => write(argument), { name: 'tabs', writer: 'other', count: writes }),
    ]);
    assert.deepEqual(acknowledged, [writes, writes]);
    await assertComplete(follower, 'tabs', ['one', 'other']);
    for (const tab of [follower, one, other]) await tab.close();
  });

  test(`${browserName}: a page and its worker write at once, nothing is lost, and another tab sees each once and in order`, limit, async () => {
    const follower = await newFollower('worker');
    const tab = await newTab();
    await tab.evaluate(() => startWorker());
    const acknowledged = await tab.evaluate(
      (inPage, inThread) => Promise.all([write(inPage), self.inWorker('write', inThread)]),
      { name: 'worker', writer: 'page', count: writes },
      { name: 'worker', writer: 'thread', count: writes },
    );
    assert.deepEqual(acknowledged, [writes, writes]);
    await assertComplete(follower, 'worker', ['page', 'thread']);
    for (const open of [follower, tab]) await open.close();
  });

  test(`${browserName}: two tabs and a worker that count in one document miss no step`, limit, async () => {
    const [one, other] = await Promise.all([newTab(), newTab()]);
    await one.evaluate(() => open('counter').put({ _id: 'counter', value: 0 }));
    await other.evaluate(() => startWorker());
    const argument = { name: 'counter', count: increments };
    const refused = await Promise.all([
      one.evaluate((given) => increment(given), argument),
      other.evaluate((given) => increment(given), argument),
      other.evaluate((given) => self.inWorker('increment', given), argument),
    ]);
    // A tab hears of the others' writes a moment after they are acknowledged; one that opens now reads them all.
    const later = await newTab();
    const doc = await later.evaluate(() => open('counter').get('counter', { conflicts: true }));
    assert.equal(doc.value, 3 * increments);
    assert.equal(Number(doc._rev.split('-')[0]), 3 * increments + 1, 'each write was a generation of its own');
    assert.equal(doc._conflicts, undefined);
    console.log(`${browserName}: ${3 * increments} steps, ${refused.reduce((sum, count) => sum + count)} refused by another's and done again`);
    for (const tab of [one, other, later]) await tab.close();
  });
});
