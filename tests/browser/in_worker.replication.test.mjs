// Replications of databases with `worker: true`: in the worker where nothing of the page is needed, else on the page.
import { expect } from '/node_modules/chai/index.js';
import { frame } from './support/frame.mjs';
import { attempt, plain, wait } from './support/parity.mjs';
import { kill, watchWorkers } from './support/workers.mjs';

const { couch, lockedCouch } = globalThis.testSettings;
let databases = 0;
const freshName = () => `in-worker-${(databases += 1)}-${Math.random().toString(36).slice(2)}`;
const fresh = (options = { worker: true }) => new Potoroo(freshName(), options);
const remoteAddress = () => `${couch}/${freshName()}`;

/** How many requests the page itself has made to that database. */
function requestsOfPage(address) {
  const made = performance.getEntriesByType('resource').map(({ name }) => name);
  return made.filter((name) => name === address || name.startsWith(`${address}/`)).length;
}

/**
 * What a replication tells, by event, without times and positions. How the batches' events are interleaved, and so how much is
 * read when one of them is written, is a matter of time.
 */
async function story(replication) {
  const told = { change: [], denied: [], complete: [], error: [] };
  for (const event of Object.keys(told)) replication.on(event, (payload) => told[event].push(payload));
  const steps = new Set();
  replication.on('checkpoint', (step) => steps.add(Object.keys(step)[0]));
  await replication;
  const change = told.change.map(({ docs_read: _, pending: __, ...payload }) => payload);
  const text = JSON.stringify({ ...plain(told), change, steps: [...steps].sort() }, (name, value) => (inTime.has(name) ? 'set' : value));
  return JSON.parse(text);
}
const inTime = new Set(['start_time', 'end_time', 'last_seq']);

const documents = Array.from({ length: 30 }, (_, n) => ({ _id: `doc-${String(n).padStart(2, '0')}`, n }));
const idsOf = async (db) => (await db.allDocs()).rows.map(({ id }) => id);

describe('a replication in the worker', () => {
  it('pushes and pulls with the events that there are on the page, and the page asks for nothing', async () => {
    const stories = [];
    for (const options of [{}, { worker: true }]) {
      const [source, target] = [fresh(options), fresh(options)];
      const [pushed, pulled] = [remoteAddress(), remoteAddress()];
      await source.bulkDocs(documents);
      const push = await story(source.replicate.to(pushed, { batch_size: 10 }));
      // At once, because batches arrive in any order.
      await source.replicate.to(pulled);
      const pull = await story(target.replicate.from(pulled, { batch_size: 10 }));
      expect(await idsOf(target)).to.deep.equal(documents.map(({ _id }) => _id));
      for (const address of [pushed, pulled]) {
        expect(requestsOfPage(address) > 0).to.equal(!options.worker);
        await new Potoroo(address).destroy();
      }
      stories.push([push, pull]);
      await source.destroy();
      await target.destroy();
    }
    expect(stories[1]).to.deep.equal(stories[0]);
  });

  it('goes between two databases of the worker', async () => {
    const [source, target] = [fresh(), fresh()];
    await source.bulkDocs(documents);
    expect((await source.replicate.to(target)).docs_written).to.equal(30);
    const sync = source.sync(target, { live: true });
    const changed = wait(sync, 'change');
    await target.put({ _id: 'new' });
    const [{ direction, change }] = await changed;
    expect([direction, change.docs.map(({ _id }) => _id)]).to.deep.equal(['pull', ['new']]);
    sync.cancel();
    await sync;
    await source.destroy();
    await target.destroy();
  });

  it('gets all options through', async () => {
    const [source, target] = [fresh(), fresh()];
    await source.bulkDocs(documents);
    const { docs_written } = await source.replicate.to(target, { doc_ids: ['doc-03', 'doc-07', 'none'], checkpoint: false });
    expect([docs_written, await idsOf(target)]).to.deep.equal([2, ['doc-03', 'doc-07']]);
    const { update_seq } = await source.info();
    expect((await source.replicate.to(target, { since: update_seq - 1, batch_size: 1 })).docs_read).to.equal(1);
    await source.destroy();
    await target.destroy();
  });

  it('gets name, password and headers through', async () => {
    const { origin, username, password } = new URL(lockedCouch);
    const address = `${origin}/${freshName()}`;
    const auth = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
    const source = fresh();
    await source.bulkDocs(documents);
    const refused = await attempt(source.replicate.to(address, { auth: { ...auth, password: 'wrong' } }));
    expect(refused.error.status).to.equal(401);
    expect((await source.replicate.to(address, { auth })).docs_written).to.equal(30);
    const authorization = `Basic ${btoa(`${auth.username}:${auth.password}`)}`;
    expect((await fresh().replicate.from(address, { headers: { authorization } })).docs_written).to.equal(30);
    expect(requestsOfPage(address)).to.equal(0);
    await new Potoroo(address, { auth }).destroy();
    await source.destroy();
  });

  it('gives documents to those who begin to listen while it runs, and only whole changes', async () => {
    const [source, target] = [fresh(), fresh()];
    const replication = source.replicate.to(target, { live: true });
    await wait(replication, 'paused');
    await source.put({ _id: 'unheard' });
    while ((await target.info()).doc_count < 1) await wait(replication, 'paused');
    const changed = wait(replication, 'change');
    await source.put({ _id: 'heard' });
    const [{ docs, docs_written }] = await changed;
    expect([docs.map(({ _id }) => _id), docs_written]).to.deep.equal([['heard'], 2]);
    replication.cancel();
    expect((await replication).status).to.equal('cancelled');
    await source.destroy();
    await target.destroy();
  });

  it('ends with its database, and when it is cancelled before it has begun', async () => {
    const [source, target] = [fresh(), fresh()];
    const early = source.replicate.to(target, { live: true });
    early.cancel();
    expect((await early).status).to.equal('cancelled');
    const live = source.replicate.to(target, { live: true });
    await wait(live, 'paused');
    await source.close();
    expect((await live).status).to.equal('cancelled');
    expect(Potoroo.activeTasks.list()).to.deep.equal([]);
    await target.destroy();
  });

  it('tells what went wrong', async () => {
    const db = fresh();
    const errors = [];
    for (const side of [db, fresh({})]) {
      const { error } = await attempt(side.replicate.from(remoteAddress(), { auth: undefined, skip_setup: true }));
      errors.push([error.status, error.name, error.message, error.result.status, error.result.docs_read]);
    }
    expect(errors[0]).to.deep.equal(errors[1]);
    expect(errors[0][0]).to.equal(404);
    await db.destroy();
  });
});

describe('a replication whose worker dies', () => {
  /** A pair of databases in a frame, with one document in the source. */
  async function pair() {
    const workers = [];
    const { Potoroo, window, remove } = await frame(watchWorkers(workers));
    const [source, target] = [freshName(), freshName()].map((name) => new Potoroo(name, { worker: true }));
    await source.put({ _id: 'before' });
    const clean = async () => {
      await source.destroy();
      await target.destroy();
      remove();
    };
    return { workers, source, target, window, clean };
  }

  it('fails', async () => {
    const { workers, source, target, clean } = await pair();
    const replication = source.replicate.to(target, { live: true });
    await wait(replication, 'paused');
    kill(workers[0]);
    const { error } = await attempt(replication);
    expect([error.status, error.name, error.reason, error.result.ok]).to.deep.equal([500, 'unknown_error', 'out of memory', false]);
    await clean();
  });

  it('waits with the error where it is to retry, and goes on when that makes sense', async () => {
    const { workers, source, target, window, clean } = await pair();
    const replication = source.replicate.to(target, { live: true, retry: true });
    await wait(replication, 'paused');
    const paused = wait(replication, 'paused');
    kill(workers[0]);
    expect((await paused)[0].reason).to.equal('out of memory');
    await source.put({ _id: 'after' });
    const changed = wait(replication, 'change');
    for (const event of ['online', 'pageshow']) window.dispatchEvent(new Event(event));
    const [{ docs, docs_written }] = await changed;
    expect([docs.map(({ _id }) => _id), docs_written]).to.deep.equal([['after'], 1]);
    replication.cancel();
    expect((await replication).status).to.equal('cancelled');
    await clean();
  });

  it('can be cancelled while it waits', async () => {
    const { workers, source, target, clean } = await pair();
    const replication = source.replicate.to(target, { live: true, retry: true });
    await wait(replication, 'paused');
    kill(workers[0]);
    replication.cancel();
    expect((await replication).status).to.equal('cancelled');
    await clean();
  });
});

describe('a replication on the page, of databases in the worker,', () => {
  it('is one with functions', async () => {
    const [source, target] = [fresh(), fresh()];
    await source.bulkDocs(documents);
    const { docs_written } = await source.replicate.to(target, { filter: ({ n }, { query }) => n % query.of === 0, query_params: { of: 10 } });
    expect([docs_written, await idsOf(target)]).to.deep.equal([3, ['doc-00', 'doc-10', 'doc-20']]);
    const pauses = [];
    const nowhere = source.replicate.to('http://127.0.0.1:9/nowhere', {
      live: true,
      retry: true,
      back_off_function: (previous) => pauses.push(previous) * 600_000,
    });
    await wait(nowhere, 'paused');
    expect(pauses).to.deep.equal([0]);
    nowhere.cancel();
    await nowhere;
    await source.destroy();
    await target.destroy();
  });

  it('is one with a fetch of the application', async () => {
    const address = remoteAddress();
    const asked = [];
    const remote = new Potoroo(address, {
      fetch: (url, init) => {
        asked.push(url);
        return fetch(url, init);
      },
    });
    const db = fresh();
    await db.bulkDocs(documents);
    const sync = db.sync(remote, { live: true });
    await wait(sync.push, 'change');
    expect(asked.some((url) => url.endsWith('_bulk_docs'))).to.equal(true);
    sync.cancel();
    await sync;
    await remote.destroy();
    await db.destroy();
  });

  it('is one where the page’s own fetch was replaced', async () => {
    const { Potoroo, window, remove } = await frame();
    const native = window.fetch;
    const asked = [];
    window.fetch = (url, init) => {
      asked.push(url);
      return native(url, init);
    };
    const [db, address] = [new Potoroo(freshName(), { worker: true }), remoteAddress()];
    await db.bulkDocs(documents);
    expect((await db.replicate.to(address)).docs_written).to.equal(30);
    expect(asked.some((url) => url.endsWith('_bulk_docs'))).to.equal(true);
    await new Potoroo(address).destroy();
    await db.destroy();
    remove();
  });

  it('is one with a method that the application has replaced, and one with a database on the page', async () => {
    const [source, target, onPage] = [fresh(), fresh(), fresh({})];
    await source.bulkDocs(documents);
    const { bulkDocs } = target;
    const taken = [];
    target.bulkDocs = (request, options) => {
      taken.push(...request.docs.map(({ _id }) => _id));
      return bulkDocs(request, options);
    };
    expect((await source.replicate.to(target)).docs_written).to.equal(30);
    expect(taken.sort()).to.deep.equal(documents.map(({ _id }) => _id));
    const sync = source.sync(onPage, { live: true });
    await wait(sync.push, 'change');
    const changed = wait(sync.pull, 'change');
    await onPage.put({ _id: 'new' });
    expect((await changed)[0].docs.map(({ _id }) => _id)).to.deep.equal(['new']);
    sync.cancel();
    await sync;
    for (const db of [source, target, onPage]) await db.destroy();
  });
});
