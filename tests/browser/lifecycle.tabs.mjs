// Pages that go to sleep with a database open, in the back/forward cache or frozen, and connections that are in the way of
// others.
import assert from 'node:assert/strict';
import { until } from '../support/tabs.mjs';

const adapters = ['idb', 'localstorage'];

export const cases = [
  ...adapters.flatMap((adapter) => [
    {
      title: `a page with a database in ${adapter} is kept when it is left, and has all changes when it comes back`,
      async run({ name, open, origin }) {
        const rounds = adapter === 'idb' ? [1, 2] : [1];
        const [here, there] = [await open(), await open()];
        for (const page of [here, there]) await page.call('open', name, { adapter });
        assert.equal(await here.call('write', 'before', 10), 'ok');
        for (const round of rounds) {
          await sleep(here, origin);
          assert.equal(await there.call('write', `meanwhile-${round}`, 10), 'ok');
          await comeBack(here);
          await until(async () => (await here.call('changes')).includes(`meanwhile-${round}`));
          assert.equal(await here.call('write', `here-${round}`, 10), 'ok');
          await until(async () => (await there.call('changes')).includes(`here-${round}`));
          assert.equal(await there.call('write', `there-${round}`, 10), 'ok');
          await until(async () => (await here.call('changes')).includes(`there-${round}`));
        }
        const written = ['before', ...rounds.flatMap((round) => [`meanwhile-${round}`, `here-${round}`, `there-${round}`])];
        for (const page of [here, there]) {
          assert.deepEqual(await page.call('changes'), written);
          assert.deepEqual(await page.call('ids'), [...written].sort());
        }
      },
    },
    {
      title: `a page learns when it comes back that its database in ${adapter} was destroyed`,
      async run({ name, open, origin, browser }) {
        const [here, there] = [await open(), await open()];
        for (const page of [here, there]) await page.call('open', name, { adapter });
        assert.equal(await here.call('write', 'a', 10), 'ok');
        await sleep(here, origin);
        assert.equal(await there.call('destroy'), 'ok');
        if (!(await comeBack(here, canEnd(adapter, browser)))) return;
        assert.equal(await here.call('ended'), 'destroyed');
        assert.equal((await here.call('write', 'b', 10)).message, 'database is destroyed');
        // To look for it has not made it anew.
        assert.deepEqual((await here.call('databases')).filter((other) => other.endsWith(name)), []);
        await here.call('open', name, { adapter });
        assert.deepEqual(await here.call('ids'), []);
      },
    },
    {
      title: `a page that comes back does not write into a database in ${adapter} that was made anew`,
      async run({ name, open, origin, browser }) {
        const [here, there] = [await open(), await open()];
        for (const page of [here, there]) await page.call('open', name, { adapter });
        for (const id of ['a', 'b', 'c']) assert.equal(await here.call('write', id, 10), 'ok');
        await here.evaluate(() => {
          // Without waiting for anything.
          addEventListener('pageshow', () => (globalThis.tab.early = globalThis.tab.write('early', 10)), { capture: true });
        });
        await sleep(here, origin);
        assert.equal(await there.call('destroy'), 'ok');
        await there.call('open', name, { adapter });
        assert.equal(await there.call('write', 'new', 10), 'ok');
        if (await comeBack(here, canEnd(adapter, browser))) {
          assert.equal((await here.evaluate(() => globalThis.tab.early)).message, 'database is destroyed');
          assert.equal(await here.call('ended'), 'destroyed');
        }
        await there.call('reopen');
        assert.deepEqual(await there.call('ids'), ['new']);
      },
    },
  ]),
  {
    title: 'what a page writes while it goes to sleep is done when it comes back',
    async run({ name, open, origin }) {
      const [here, there] = [await open(), await open()];
      for (const page of [here, there]) await page.call('open', name);
      await here.evaluate(() => {
        globalThis.tab.late = [];
        const write = ({ type }) => globalThis.tab.late.push(globalThis.tab.write(type, 10));
        // After the library's own listeners.
        addEventListener('pagehide', write);
        document.addEventListener('visibilitychange', write, { once: true });
        document.addEventListener('freeze', write);
      });
      await sleep(here, origin);
      assert.equal(await there.call('write', 'meanwhile', 10), 'ok');
      await comeBack(here);
      const outcomes = await here.evaluate(() => Promise.all(globalThis.tab.late));
      assert.ok(outcomes.length >= 1, 'nothing was written');
      assert.deepEqual(new Set(outcomes), new Set(['ok']));
      await there.call('refresh');
      const ids = await there.call('ids');
      assert.equal(ids.length, outcomes.length + 1);
      assert.ok(ids.includes('pagehide') && ids.includes('meanwhile'), ids.join());
    },
  },
  {
    // As browsers tell it: pages of a driver count as visible, which no browser freezes.
    title: 'a page that is frozen holds nobody up, and has all changes when it goes on',
    async run({ name, open }) {
      const [here, there] = [await open(), await open()];
      const tell = (event) => here.evaluate((type) => void document.dispatchEvent(new Event(type)), event);
      for (const page of [here, there]) await page.call('open', name);
      assert.equal(await here.call('write', 'a', 10), 'ok');
      await tell('freeze');
      assert.equal(await there.call('write', 'b', 10), 'ok');
      assert.deepEqual(await here.call('changes'), ['a']);
      await tell('resume');
      await until(async () => (await here.call('changes')).includes('b'));
      await tell('freeze');
      assert.equal(await there.call('destroy'), 'ok');
      assert.deepEqual(await there.call('blocked'), []);
      await tell('resume');
      assert.equal(await here.call('ended'), 'destroyed');
    },
  },
  {
    title: 'to destroy a database that a script holds open is said to wait, and goes on once that is closed',
    async run({ name, open }) {
      const [here, there] = [await open(), await open()];
      const said = [];
      here.on('console', (text, type) => said.push([type, text]));
      await here.call('open', name);
      assert.equal(await here.call('write', 'a', 10), 'ok');
      assert.equal(await there.call('hold', name), 1);
      const destroyed = here.call('destroy');
      await until(async () => (await here.call('blocked')).length > 0);
      assert.deepEqual(await here.call('blocked'), ['destroy']);
      assert.match(said.find(([type]) => /warn/.test(type))?.[1] ?? '', new RegExp(`${name} waits to be destroyed`));
      // Who opens the name waits for that.
      const third = await open();
      const opened = third.call('open', name);
      await until(async () => (await third.call('blocked')).length > 0);
      assert.deepEqual(await third.call('blocked'), ['open']);
      await there.call('letGo');
      assert.equal(await destroyed, 'ok');
      await opened;
      assert.deepEqual(await third.call('ids'), []);
      assert.equal(await third.call('write', 'new', 10), 'ok');
    },
  },
  {
    title: 'a database that another script upgrades is let go of, and what lies in it stays as it is',
    async run({ name, open }) {
      const [here, there] = [await open(), await open()];
      await here.call('open', name);
      assert.equal(await here.call('write', 'a', 10), 'ok');
      assert.equal(await there.call('hold', name, 2), 2);
      const error = await here.call('write', 'b', 10);
      assert.deepEqual([error.status, error.name, error.reason], [500, 'indexed_db_went_bad', 'VersionError']);
      await there.call('letGo');
      const anew = await there.call('tryToOpen', name);
      assert.deepEqual([anew.status, anew.name, anew.reason], [500, 'indexed_db_went_bad', 'VersionError']);
    },
  },
];

/** Leaves the page for another one. */
async function sleep(page, origin) {
  await page.evaluate(() => {
    addEventListener('pageshow', ({ persisted }) => (globalThis.tab.wasKept = persisted));
  });
  // No page is kept that holds a lock, as one does that has just written to localStorage.
  await until(() => page.evaluate(async () => (await navigator.locks.query()).held.length === 0));
  await page.follow(`${origin}/empty.html`);
  assert.equal(await page.evaluate(() => document.title), 'Empty');
}

/** Firefox ends a page that it has kept, where that is in the way of a deletion. */
const canEnd = (adapter, browser) => adapter === 'idb' && browser === 'firefox';

/** Goes back, to the very page that was left; whether it is that. */
async function comeBack(page, canBeAnother = false) {
  await page.back();
  const isAnother = await page.evaluate(() => globalThis.tab.wasKept === undefined);
  if (isAnother && canBeAnother) return false;
  const reasons = await page.evaluate(() => {
    const [{ notRestoredReasons }] = performance.getEntriesByType('navigation');
    return globalThis.tab.wasKept ? undefined : JSON.stringify(notRestoredReasons ?? 'the browser does not say why');
  });
  assert.equal(reasons, undefined, `the page was not kept: ${reasons}`);
  return true;
}
