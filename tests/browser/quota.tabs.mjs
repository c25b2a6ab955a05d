// A storage that runs full while documents are written, flushed and merged.
import assert from 'node:assert/strict';
import { until } from '../support/tabs.mjs';

const MEGABYTE = 1 << 20;

export const cases = [
  {
    title: 'a storage that is full is named, and what still has room is written',
    only: 'chromium',
    ownBrowser: {},
    async run({ name, open, devtools, origin }) {
      const page = await open();
      await leaveRoom(devtools, page, origin, 1);
      await page.call('open', name);
      assert.equal(await page.call('write', 'before', 10), 'ok');
      checkQuotaError(await page.call('write', 'too-long', 3_000_000));
      assert.equal(await page.call('write', 'after', 10), 'ok');
      assert.deepEqual(await page.call('ids'), ['after', 'before']);
      await page.call('reopen');
      assert.deepEqual(await page.call('ids'), ['after', 'before']);
    },
  },
  {
    title: 'a database that has filled the storage is read, checked and opened, and is flushed by itself once there is room',
    only: 'chromium',
    ownBrowser: {},
    async run({ name, open, devtools, origin }) {
      const page = await open();
      await leaveRoom(devtools, page, origin, 20);
      await page.call('open', name);
      const { written, error } = await page.call('fill', 'doc', 20_000);
      checkQuotaError(error);
      assert.ok(written > 300, `only ${written} documents had room`);
      // Flushes and merges have been refused too.
      assert.ok((await logBytes(page, name)) > 0);
      await expectAll(page, written);
      // Other pages open it, while there is no room at all.
      await leaveRoom(devtools, page, origin, 1);
      const other = await open();
      await other.call('open', name);
      await expectAll(other, written);
      checkQuotaError(await other.call('write', 'no', 500_000));
      const anew = await other.call('tryToOpen', `${name}-new`);
      checkQuotaError(anew);
      await other.close();
      await page.call('reopen');
      await expectAll(page, written);
      checkQuotaError(await page.call('write', 'no', 500_000));
      checkQuotaError(await page.call('remove', 'doc-00000'));

      const before = await logBytes(page, name);
      await leaveRoom(devtools, page, origin, 200);
      await until(async () => (await logBytes(page, name)) < Math.min(before, MEGABYTE / 4));
      await expectAll(page, written);
      assert.equal(await page.call('write', 'yes', 500_000), 'ok');
      assert.equal(await page.call('remove', 'doc-00000'), 'ok');
      await page.call('reopen');
      assert.equal((await page.call('ids')).length, written);
    },
  },
  {
    title: 'to destroy another database makes room',
    only: 'chromium',
    ownBrowser: {},
    async run({ name, open, devtools, origin }) {
      const [page, other] = [await open(), await open()];
      await leaveRoom(devtools, page, origin, 16);
      await other.call('open', `${name}-other`);
      for (let index = 0; index < 16; index += 1) assert.equal(await other.call('write', `a-${index}`, 400_000), 'ok');
      await page.call('open', name);
      const { written, error } = await page.call('fill', 'doc', 20_000);
      checkQuotaError(error);
      assert.equal(await other.call('destroy'), 'ok');
      // The browser takes its time to remove what was deleted.
      await until(async () => (await page.call('write', 'again', 100_000)) === 'ok');
      const more = await page.call('fill', 'more', 20_000);
      assert.ok(more.written >= 50, `only ${more.written} more had room after ${written}`);
      checkQuotaError(more.error);
      assert.equal((await page.call('ids')).length, written + 1 + more.written);
      assert.equal((await page.call('check')).ok, true);
    },
  },
];

/** Before a database is opened, at first: Chromium remembers for a while how much room there was. */
async function leaveRoom(devtools, page, origin, megabytes) {
  page.session ??= await devtools(page);
  await page.session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: megabytes * MEGABYTE });
}

function checkQuotaError(error) {
  assert.deepEqual([error.status, error.name, error.reason], [500, 'indexed_db_went_bad', 'QuotaExceededError']);
  assert.match(error.message, /there is no room.*try again/);
}

/** All documents that were acknowledged, and nothing damaged. */
async function expectAll(page, written) {
  const ids = await page.call('ids');
  assert.equal(ids.length, written);
  for (const id of [ids[0], ids[written >> 1], ids[written - 1]]) {
    assert.equal((await page.call('get', id)).text.length, 20_000);
  }
  const { ok, problems } = await page.call('check');
  assert.deepEqual({ ok, problems }, { ok: true, problems: [] });
}

/** How much of the log is not flushed. */
function logBytes(page, name) {
  return page.evaluate(async (name) => {
    await globalThis.tab.hold(name);
    try {
      return await globalThis.tab.bytesOf('log');
    } finally {
      globalThis.tab.letGo();
    }
  }, name);
}
