// What a browser does to the storage of an open database: it runs full, is cleared, or another tab deletes it.
//
// Each case gets `open()`, which gives a page with the core loaded as `core`, and `devtools(page)` where the browser has that.
import assert from 'node:assert/strict';

const name = 'mishap';

export const mishaps = [
  {
    title: 'a storage that is full is named, and what still has room is written',
    needsDevtools: true,
    async run({ open, devtools, origin }) {
      const page = await open();
      const session = await devtools(page);
      // Before the database is opened: Chromium remembers for a while how much room there was.
      await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 });
      await page.evaluate(openDatabase, name);
      assert.equal(await page.evaluate(write, 'before', 10), 'ok');
      const error = await page.evaluate(write, 'too-long', 3_000_000);
      assert.deepEqual([error.status, error.name, error.reason], [500, 'indexed_db_went_bad', 'QuotaExceededError']);
      assert.equal(await page.evaluate(write, 'after', 10), 'ok');
      assert.deepEqual(await page.evaluate(ids), ['after', 'before']);
      await page.evaluate(reopen, name);
      assert.deepEqual(await page.evaluate(ids), ['after', 'before']);
    },
  },
  {
    title: 'a database that the browser has cleared is told to be destroyed, and can be made anew',
    needsDevtools: true,
    async run({ open, devtools, origin }) {
      const page = await open();
      await page.evaluate(openDatabase, name);
      assert.equal(await page.evaluate(write, 'a', 10), 'ok');
      const session = await devtools(page);
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
      const error = await page.evaluate(write, 'b', 10);
      assert.equal(error.message, 'database is destroyed');
      await page.evaluate(openDatabase, name);
      assert.deepEqual(await page.evaluate(ids), []);
    },
  },
  {
    title: 'a database made anew is not written by a tab that knew the old one',
    needsDevtools: true,
    async run({ open, devtools, origin }) {
      const [old, anew] = [await open(), await open()];
      await old.evaluate(openDatabase, name);
      for (const id of ['a', 'b', 'c']) assert.equal(await old.evaluate(write, id, 10), 'ok');
      const session = await devtools(old);
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
      await anew.evaluate(openDatabase, name);
      assert.equal(await anew.evaluate(write, 'new', 10), 'ok');
      // Its next position is free in the new log.
      const error = await old.evaluate(write, 'd', 10);
      assert.equal(error.message, 'database is destroyed');
      await anew.evaluate(reopen, name);
      assert.deepEqual(await anew.evaluate(ids), ['new']);
    },
  },
  {
    title: 'a tab whose database another tab deletes hears of it',
    async run({ open }) {
      const [here, there] = [await open(), await open()];
      await here.evaluate(openDatabase, name);
      assert.equal(await here.evaluate(write, 'a', 10), 'ok');
      await there.evaluate(deleteDatabase, name);
      assert.equal(await here.evaluate(() => globalThis.ended), 'destroyed');
      assert.equal((await here.evaluate(write, 'b', 10)).message, 'database is destroyed');
      await there.evaluate(openDatabase, name);
      assert.deepEqual(await there.evaluate(ids), []);
    },
  },
  {
    title: 'a tab that destroys the database does not wait for the others, and they hear of it',
    async run({ open }) {
      const [here, there] = [await open(), await open()];
      for (const page of [here, there]) await page.evaluate(openDatabase, name);
      assert.equal(await here.evaluate(write, 'a', 10), 'ok');
      await there.evaluate(() => globalThis.db.destroy());
      assert.equal(await here.evaluate(() => globalThis.ended), 'destroyed');
      assert.equal((await here.evaluate(write, 'b', 10)).message, 'database is destroyed');
    },
  },
];

// What follows runs in the page.

async function openDatabase(name) {
  globalThis.db = await core.Local.open(name, '{"adapter":"idb"}');
  globalThis.ended = new Promise((resolve) => {
    globalThis.db.on_event((event) => event !== 'change' && resolve(event));
  });
}

async function reopen(name) {
  await globalThis.db.close();
  globalThis.db = await core.Local.open(name, '{"adapter":"idb"}');
}

async function write(id, length) {
  // Not one letter again and again, which the browser would store in hardly any room.
  const text = Array.from({ length }, () => Math.random().toString(36).charAt(2)).join('');
  const written = globalThis.db.bulk_docs(JSON.stringify([{ _id: id, text }]), '{}');
  return written.then(() => 'ok', (error) => error);
}

async function ids() {
  const { rows } = JSON.parse(await globalThis.db.all_docs('{}'));
  return rows.map((row) => row.id);
}

function deleteDatabase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('an open tab keeps the database from being deleted'));
  });
}
