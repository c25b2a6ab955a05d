// Several tabs, in processes of their own, with one database in localStorage.
import assert from 'node:assert/strict';

const options = { adapter: 'localstorage' };

export const cases = [
  ...[
    { title: 'with locks', rounds: 100, prepare: () => {} },
    { title: 'without locks', rounds: 6, prepare: withoutLocks },
  ].map(({ title, rounds, prepare }) => ({
    title: `tabs that write into localStorage at once lose nothing, ${title}`,
    async run({ name, open }) {
      const pages = await Promise.all([open(), open(), open()]);
      for (const page of pages) {
        await page.evaluate(prepare);
        await page.call('open', name, options);
      }
      const outcomes = await Promise.all(pages.map((page, index) => page.evaluate(writeMany, index, rounds)));
      // Each tab also counts up in one document; a conflict is answered by trying again.
      assert.deepEqual(outcomes, pages.map(() => []));
      const anew = await open();
      await anew.evaluate(prepare);
      await anew.call('open', name, options);
      for (const page of [...pages, anew]) {
        await page.call('refresh');
        assert.equal((await page.call('ids')).length, pages.length * rounds + 1);
        assert.equal((await page.call('get', 'counter')).count, pages.length * rounds);
      }
    },
  })),
  {
    title: 'tabs that open a new database in localStorage at once have one',
    async run({ name, open }) {
      const pages = await Promise.all([open(), open(), open()]);
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(pages.map((page) => page.call('open', `${name}-${round}`, options)));
        const outcomes = await Promise.all(pages.map((page, index) => page.call('write', `${index}`, 10)));
        assert.deepEqual(outcomes, pages.map(() => 'ok'));
        for (const page of pages) {
          await page.call('refresh');
          assert.deepEqual(await page.call('ids'), ['0', '1', '2']);
        }
      }
    },
  },
  {
    title: 'a tab sees what another one has written to localStorage, as soon as it was answered',
    async run({ name, open }) {
      const [here, there] = [await open(), await open()];
      for (const page of [here, there]) await page.call('open', name, options);
      for (let round = 0; round < 50; round += 1) {
        assert.equal(await here.call('write', `${round}`, 20), 'ok');
        await there.call('refresh');
        assert.equal((await there.call('ids')).length, round + 1);
      }
    },
  },
  ...[
    { title: 'by a channel', prepare: () => {} },
    { title: 'without a channel', prepare: () => { delete globalThis.BroadcastChannel; } },
  ].flatMap(({ title, prepare }) => [
    {
      title: `a tab hears of commits in localStorage ${title}`,
      async run({ name, open }) {
        const [here, there] = [await open(), await open()];
        for (const page of [here, there]) {
          await page.evaluate(prepare);
          await page.call('open', name, options);
        }
        const changed = there.call('changed');
        assert.equal(await here.call('write', 'a', 10), 'ok');
        assert.ok(await changed);
        assert.deepEqual(await there.call('ids'), ['a']);
      },
    },
    {
      title: `a tab hears ${title} that its database in localStorage was destroyed`,
      async run({ name, open }) {
        const [here, there] = [await open(), await open()];
        for (const page of [here, there]) {
          await page.evaluate(prepare);
          await page.call('open', name, options);
        }
        assert.equal(await here.call('write', 'a', 10), 'ok');
        await there.call('destroy');
        assert.equal(await here.call('ended'), 'destroyed');
        assert.equal((await here.call('write', 'b', 10)).message, 'database is destroyed');
        await there.call('open', name, options);
        assert.deepEqual(await there.call('ids'), []);
      },
    },
  ]),
  {
    ownBrowser: {},
    title: 'a database in localStorage that was cleared is destroyed, and can be made anew',
    async run({ name, open }) {
      const [here, there] = [await open(), await open()];
      await here.call('open', name, options);
      assert.equal(await here.call('write', 'a', 10), 'ok');
      await there.evaluate(() => localStorage.clear());
      assert.equal(await here.call('ended'), 'destroyed');
      assert.equal((await here.call('write', 'b', 10)).message, 'database is destroyed');
      await here.call('open', name, options);
      assert.deepEqual(await here.call('ids'), []);
      // By the page itself, which no event tells.
      await here.evaluate(() => localStorage.clear());
      assert.equal((await here.call('write', 'c', 10)).message, 'database is destroyed');
    },
  },
  {
    title: 'a tab that is killed while it writes into localStorage leaves all that was answered, and whole commits',
    only: 'chromium',
    ownBrowser: {},
    async run({ name, open, devtools }) {
      const acknowledged = new Set();
      for (let round = 0; round < 10; round += 1) {
        const page = await open();
        await page.call('open', name, options);
        page.on('console', (text) => {
          if (text.startsWith('written ')) acknowledged.add(text.slice('written '.length));
        });
        const before = acknowledged.size;
        const crashed = page.native.waitForEvent('crash');
        // Neither this nor the order to crash is ever answered.
        page.evaluate(writeForEver, round).catch(() => {});
        while (acknowledged.size < before + 5 + round) await new Promise((resolve) => setTimeout(resolve, 1));
        const session = await devtools(page);
        session.send('Page.crash').catch(() => {});
        await crashed;
      }
      const after = await open();
      await after.call('open', name, options);
      const found = await after.call('ids');
      for (const id of acknowledged) assert.ok(found.includes(id), `${id} was answered and is gone`);
      // Each write has two documents.
      for (const id of found) assert.ok(found.includes(id.endsWith('-a') ? id.replace(/a$/, 'b') : id.replace(/b$/, 'a')), `${id} is half a write`);
      assert.ok(acknowledged.size >= 10 * 5 && found.length >= acknowledged.size);
    },
  },
];

// What follows runs in the page.

function withoutLocks() {
  Object.defineProperty(navigator, 'locks', { value: undefined });
}

/** Writes documents of its own, and counts them in one that all tabs write; answers what went wrong. */
async function writeMany(writer, rounds) {
  const { db } = globalThis.tab;
  const problems = [];
  const put = (doc) => db.put(doc).catch(({ status, message }) => ({ status, message }));
  for (let round = 0; round < rounds; round += 1) {
    const written = await put({ _id: `${writer}-${round}` });
    if (!written.ok) problems.push(written);
    for (;;) {
      const counter = await db.get('counter').catch(() => ({ _id: 'counter', count: 0 }));
      const counted = await put({ ...counter, count: counter.count + 1 });
      if (counted.ok) break;
      if (counted.status !== 409) {
        problems.push(counted);
        break;
      }
    }
  }
  return problems;
}

async function writeForEver(round) {
  for (let index = 0; ; index += 1) {
    const ids = [`${round}-${index}-a`, `${round}-${index}-b`];
    await globalThis.tab.db.bulkDocs(ids.map((_id) => ({ _id, text: 'x'.repeat(500) })));
    for (const id of ids) console.log(`written ${id}`);
  }
}
