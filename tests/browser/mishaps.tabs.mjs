// What a browser or another tab does to the storage of an open database: it is cleared, deleted, or made anew.
import assert from 'node:assert/strict';

export const cases = [
  {
    title: 'a database that a person clears is destroyed at once, and can be made anew',
    ownBrowser: {},
    async run({ name, open, origin }) {
      const [here, there] = [await open(), await open()];
      await here.call('open', name);
      assert.equal(await here.call('write', 'a', 10), 'ok');
      await there.goto(`${origin}/clear.html`);
      // Without a call that would find out.
      assert.equal(await here.call('ended'), 'destroyed');
      assert.equal((await here.call('write', 'b', 10)).message, 'database is destroyed');
      assert.deepEqual(await here.call('databases'), []);
      await here.call('open', name);
      assert.deepEqual(await here.call('ids'), []);
      assert.equal(await here.call('write', 'c', 10), 'ok');
    },
  },
  {
    title: 'a database made anew is not written by a tab that knew the old one',
    only: 'chromium',
    ownBrowser: {},
    async run({ name, open, devtools, origin }) {
      const [old, anew] = [await open(), await open()];
      await old.call('open', name);
      for (const id of ['a', 'b', 'c']) assert.equal(await old.call('write', id, 10), 'ok');
      const session = await devtools(old);
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
      await anew.call('open', name);
      assert.equal(await anew.call('write', 'new', 10), 'ok');
      // Its next position is free in the new log.
      const error = await old.call('write', 'd', 10);
      assert.equal(error.message, 'database is destroyed');
      await anew.call('reopen');
      assert.deepEqual(await anew.call('ids'), ['new']);
    },
  },
  {
    title: 'a tab whose database another tab deletes hears of it',
    async run({ name, open }) {
      const [here, there] = [await open(), await open()];
      await here.call('open', name);
      assert.equal(await here.call('write', 'a', 10), 'ok');
      await there.call('deleteDatabase', name);
      assert.equal(await here.call('ended'), 'destroyed');
      assert.equal((await here.call('write', 'b', 10)).message, 'database is destroyed');
      await there.call('open', name);
      assert.deepEqual(await there.call('ids'), []);
    },
  },
  {
    title: 'a tab that destroys the database does not wait for the others, and they hear of it',
    async run({ name, open }) {
      const [here, there] = [await open(), await open()];
      for (const page of [here, there]) await page.call('open', name);
      assert.equal(await here.call('write', 'a', 10), 'ok');
      await there.call('destroy');
      assert.equal(await here.call('ended'), 'destroyed');
      assert.equal((await here.call('write', 'b', 10)).message, 'database is destroyed');
    },
  },
];
