// Tabs that replicate the same: one of them does it for all, and another one takes over when it is gone.
import assert from 'node:assert/strict';
import { startFeedCounter } from '../support/feeds.mjs';
import { until } from '../support/tabs.mjs';

export const cases = [
  {
    title: 'ten pages with three databases each have three feeds at most, and all are up to date',
    run: (context) =>
      withRemotes(context, 3, async ({ pages, remotes, feeds, names, put }) => {
        // More than browsers open to a host of HTTP/1.1, which is six connections.
        const all = await pages(10);
        for (const page of all) for (const name of names) await page.call('sync', name, remotes[name]);
        await allAre(all, names, 'up to date');
        await until(() => feeds.open().length === 3);
        assert.deepEqual(feeds.open(), names.map((name) => databaseOf(remotes[name])).sort());
        for (const [index, name] of names.entries()) {
          assert.equal(await all[index * 4].call('putIn', name, `here-${name}`), 'ok');
          await put(name, `there-${name}`);
        }
        for (const page of all) {
          for (const name of names) {
            await until(async () => (await page.call('idsOf', name)).length === 2);
            // Also those that only hear of it are told of the documents.
            await until(async () => (await page.call('toldOf', name)).includes(`pull there-${name}`));
            await until(async () => (await page.call('toldOf', name)).includes(`push here-${name}`));
          }
        }
        await allAre(all, names, 'up to date');
        assert.ok(feeds.most() <= 3, 'more than three feeds at a time');
      }),
  },
  {
    title: 'a page with more databases than there are connections has four feeds at a time, which take turns',
    run: (context) =>
      withRemotes(context, 10, async ({ pages, remotes, feeds, names, put }) => {
        const [page] = await pages(1);
        for (const name of names) await page.call('sync', name, remotes[name]);
        await allAre([page], names, 'up to date');
        for (const name of names) await put(name, `there-${name}`);
        for (const name of names) assert.equal(await page.call('putIn', name, `here-${name}`), 'ok');
        for (const name of names) {
          await until(async () => (await page.call('toldOf', name)).includes(`pull there-${name}`));
          await until(async () => (await page.call('toldOf', name)).includes(`push here-${name}`));
        }
        await allAre([page], names, 'up to date');
        await until(() => feeds.open().length === 4);
        const seen = new Set();
        await until(() => {
          for (const database of feeds.open()) seen.add(database);
          return seen.size === 10;
        });
      }),
  },
  ...[
    { how: 'is closed', end: (page) => page.close() },
    {
      how: 'is killed',
      only: 'chromium',
      // Never answered: there is nobody left.
      end: async (page, { devtools }) => void (await devtools(page)).send('Page.crash').catch(() => {}),
    },
    {
      how: 'is killed together with its worker',
      only: 'chromium',
      database: { worker: true },
      end: async (page, { devtools }) => void (await devtools(page)).send('Page.crash').catch(() => {}),
    },
    // As Chromium tells it: pages of a driver are in the foreground, where no browser freezes them.
    { how: 'is frozen', end: (page) => page.evaluate(() => void document.dispatchEvent(new Event('freeze'))) },
    { how: 'is left', end: (page, { origin }) => page.follow(`${origin}/empty.html`) },
    { how: 'cancels', end: (page, { name }) => page.call('cancel', name) },
    { how: 'closes the database', end: (page, { name }) => page.call('closeOne', name) },
    {
      how: 'does nothing for a long time without a word',
      end: (page) =>
        page.evaluate(() => {
          // In a task of its own: the driver waits for this one.
          setTimeout(() => {
            const end = Date.now() + 25_000;
            while (Date.now() < end);
          });
        }),
    },
  ].map(({ how, end, only, database }) => ({
    title: `another page takes over when the one that replicates ${how}`,
    only,
    ownBrowser: only && {},
    run: (context) =>
      withRemotes(context, 1, async ({ pages, remotes, feeds, names: [name], put }) => {
        const all = await pages(3);
        for (const page of all) await page.call('sync', name, remotes[name], { database });
        await allAre(all, [name], 'up to date');
        await until(() => feeds.open().length === 1);
        const elected = await electedOf(all, name);
        const others = all.filter((page) => page !== elected);
        // Nobody waits for what a hidden page shows: it does not take the place of one that is only slow.
        await others[0].native.bringToFront();
        await end(elected, { ...context, name });
        await until(() => isOneElected(others, name));
        await put(name, 'after');
        for (const page of others) await until(async () => (await page.call('toldOf', name)).includes('pull after'));
        assert.equal(await others[0].call('putIn', name, 'mine'), 'ok');
        for (const page of others) await until(async () => (await page.call('toldOf', name)).includes('push mine'));
        await allAre(others, [name], 'up to date');
        await until(() => feeds.open().length === 1);
      }),
  })),
  {
    title: 'a page that was frozen or left takes part again when it comes back',
    only: 'chromium',
    ownBrowser: {},
    run: (context) =>
      withRemotes(context, 1, async ({ pages, remotes, feeds, names: [name], put }) => {
        const all = await pages(2);
        for (const page of all) await page.call('sync', name, remotes[name]);
        await allAre(all, [name], 'up to date');
        for (const sleep of ['freeze', 'leave']) {
          const elected = await electedOf(all, name);
          const other = all.find((page) => page !== elected);
          const dispatch = (event) => elected.evaluate((type) => void document.dispatchEvent(new Event(type)), event);
          if (sleep === 'freeze') await dispatch('freeze');
          else await elected.follow(`${context.origin}/empty.html`);
          await until(() => other.call('isElected', name));
          await put(name, sleep);
          await until(async () => (await other.call('idsOf', name)).includes(sleep));
          if (sleep === 'freeze') await dispatch('resume');
          else await elected.back();
          await until(async () => (await elected.call('idsOf', name)).includes(sleep));
          await put(name, `${sleep}-back`);
          for (const page of all) await until(async () => (await page.call('toldOf', name)).includes(`pull ${sleep}-back`));
          assert.equal(await elected.call('isElected', name), false);
          await until(() => feeds.open().length === 1);
        }
      }),
  },
  {
    title: 'to cancel in one page ends it there alone',
    run: (context) =>
      withRemotes(context, 1, async ({ pages, remotes, names: [name], put }) => {
        const all = await pages(3);
        for (const page of all) await page.call('sync', name, remotes[name]);
        await allAre(all, [name], 'up to date');
        const elected = await electedOf(all, name);
        const [first, second] = all.filter((page) => page !== elected);
        assert.equal(await first.call('cancel', name), 'cancelled');
        await put(name, 'a');
        for (const page of [elected, second]) await until(async () => (await page.call('toldOf', name)).includes('pull a'));
        assert.equal(await elected.call('cancel', name), 'cancelled');
        await put(name, 'b');
        await until(async () => (await second.call('toldOf', name)).includes('pull b'));
        for (const page of [first, elected]) assert.ok(!(await page.call('toldOf', name)).includes('pull b'));
      }),
  },
  {
    title: 'all pages hear that the worker of the one that replicates has died, and that it goes on',
    run: (context) =>
      withRemotes(context, 1, async ({ pages, remotes, names: [name], put }) => {
        const all = await pages(2);
        for (const page of all) {
          await page.evaluate(() => {
            globalThis.workers = [];
            globalThis.Worker = class extends Worker {
              constructor(...args) {
                super(...args);
                globalThis.workers.push(this);
              }
            };
          });
          await page.call('sync', name, remotes[name], { database: { worker: true } });
        }
        await allAre(all, [name], 'up to date');
        const elected = await electedOf(all, name);
        await elected.evaluate(() => {
          for (const worker of globalThis.workers) {
            worker.terminate();
            worker.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
          }
        });
        for (const page of all) {
          await until(async () => (await page.call('errorOf', name)) === 'unknown_error');
          await until(async () => (await page.call('pausesOf', name)).includes('unknown_error'));
        }
        await put(name, 'after');
        for (const page of all) await until(async () => (await page.call('toldOf', name)).includes('pull after'));
        await allAre(all, [name], 'up to date');
      }),
  },
  {
    title: 'all pages hear of an outage, its error and its end',
    // Of a request that was under way Firefox tells like of an exception that nobody has caught.
    expectedErrors: ['Reason: CORS request did not succeed'],
    run: (context) =>
      withRemotes(context, 1, async ({ pages, remotes, feeds, names: [name] }) => {
        const all = await pages(2);
        for (const page of all) await page.call('sync', name, remotes[name]);
        await allAre(all, [name], 'up to date');
        feeds.refuse(true);
        await allAre(all, [name], 'offline');
        for (const page of all) {
          await until(async () => (await page.call('pausesOf', name)).at(-1) !== 'up to date');
          assert.equal(await page.call('errorOf', name), 'TypeError');
        }
        // One that comes now is told of what was before.
        const late = await context.open();
        await late.call('sync', name, remotes[name]);
        await allAre([late], [name], 'offline');
        feeds.refuse(false);
        // Which it is in some seconds anyway.
        for (const page of all) await page.evaluate(() => dispatchEvent(new Event('online')));
        await allAre([...all, late], [name], 'up to date');
        for (const page of [...all, late]) await until(async () => (await page.call('pausesOf', name)).at(-1) === 'up to date');
      }),
  },
  ...[
    { what: 'functions', options: { functions: true } },
    { what: 'shared: false', options: { shared: false } },
    { what: 'other credentials', options: { different: true } },
    { what: 'no Web Locks', without: 'locks' },
  ].map(({ what, options, without }) => ({
    title: `with ${what} each page replicates for itself`,
    run: (context) =>
      withRemotes(context, 1, async ({ pages, remotes, feeds, names: [name], put }) => {
        const all = await pages(2);
        for (const page of all) {
          if (without) await page.evaluate((member) => Object.defineProperty(navigator, member, { value: undefined }), without);
          await page.call('sync', name, remotes[name], options);
        }
        await until(() => feeds.open().length === 2);
        await put(name, 'a');
        for (const page of all) await until(async () => (await page.call('idsOf', name)).includes('a'));
      }),
  })),
  {
    title: 'where Web Locks never answer, a page replicates after a while by itself',
    run: (context) =>
      withRemotes(context, 1, async ({ pages, remotes, names: [name], put }) => {
        const [page] = await pages(1);
        await put(name, 'a');
        await page.call('sync', name, remotes[name], { mute: true });
        await until(async () => (await page.call('toldOf', name)).includes('pull a'));
      }),
  },
];

const databaseOf = (remote) => new URL(remote).pathname.slice(1);

/** The page that pulls. */
async function electedOf(pages, name) {
  const elected = [];
  for (const page of pages) if (await page.call('isElected', name)) elected.push(page);
  assert.equal(elected.length, 1, 'not one is elected');
  return elected[0];
}

async function isOneElected(pages, name) {
  for (const page of pages) if (await page.call('isElected', name)) return true;
  return false;
}

async function allAre(pages, names, state) {
  for (const page of pages) for (const name of names) await until(async () => (await page.call('stateOf', name)) === state);
}

/** Runs with so many databases on the server, reached through what counts its feeds. */
async function withRemotes({ name, open, couch }, count, run) {
  const feeds = await startFeedCounter(couch.url);
  try {
    const names = Array.from({ length: count }, (_, index) => `${name}-${index}`);
    const remotes = {};
    for (const each of names) remotes[each] = `${feeds.url}${new URL(await couch.freshDatabase(each)).pathname}`;
    const put = (to, id) => couch.request('PUT', `/${databaseOf(remotes[to])}/${id}`, {});
    const pages = async (number) => {
      const opened = [];
      for (let page = 0; page < number; page += 1) opened.push(await open());
      return opened;
    };
    await run({ feeds, names, remotes, put, pages });
  } finally {
    await feeds.stop();
  }
}
