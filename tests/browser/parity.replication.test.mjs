// Replication between databases of this browser, and with a CouchDB.
import { expect } from '/node_modules/chai/index.js';
import { attempt, same, wait } from './support/parity.mjs';

/** What a replication has done, without times; Potoroo tells of local databases too how much is to come. */
const counts = ({ start_time, end_time, docs, pending: _, ...result } = {}) => ({
  ...result,
  errors: result.errors?.length,
  docs: docs?.map(({ _id }) => _id).sort(),
  times: [typeof start_time, typeof end_time],
});

async function fill(db) {
  await db.bulkDocs(['a', 'b', 'c', 'd'].map((_id, n) => ({ _id, n })));
  await db.remove(await db.get('b'));
  await db.bulkDocs([{ _id: 'a', _rev: '1-other', n: 'other' }], { new_edits: false });
  await db.put({ _id: '_local/x' });
}

const state = async (db) => [
  await db.allDocs({ include_docs: true, conflicts: true }),
  (await db.changes({ style: 'all_docs' })).results.map(({ id, changes, deleted }) => [id, changes.map(({ rev }) => rev).sort(), deleted]).sort(),
];

describe('replication as in PouchDB', () => {
  same('from one database to another', async ({ db, fresh }) => {
    const target = fresh();
    await fill(db);
    const results = [counts(await db.replicate.to(target)), counts(await target.replicate.from(db))];
    await db.put({ _id: 'e' });
    results.push(counts(await target.replicate.from(db)));
    return [results, await state(target)];
  });

  same('by the class, with names, options and a callback', async ({ Library, fresh }) => {
    const [source, target] = [fresh(), fresh()];
    await fill(source);
    const byName = await Library.replicate(source.name, target.name);
    const called = await new Promise((resolve) =>
      Library.replicate(source, target, {}, (error, result) => resolve([error, counts(result)])),
    );
    return [counts(byName), called, await state(target)];
  });

  same('of some documents', async ({ db, fresh, attempt }) => {
    await fill(db);
    const answers = [];
    for (const options of [
      { doc_ids: ['a', 'missing'] },
      { filter: (doc) => doc.n > 2 },
      { filter: (doc, { query }) => doc.n === query.n, query_params: { n: 3 } },
      { filter: () => false },
      { since: 3 },
      { style: 'main_only' },
      { batch_size: 1 },
      { checkpoint: false },
      { checkpoint: 'target' },
    ]) {
      const target = fresh();
      const result = counts(await db.replicate.to(target, options));
      answers.push([result.ok, result.status, result.docs_written, await state(target)]);
    }
    answers.push(await attempt(() => db.replicate.to(fresh(), { doc_ids: 'a' })));
    return answers;
  });

  same('of no documents, and then of all', async ({ db, fresh }) => {
    await fill(db);
    const target = fresh();
    const { docs_read, docs_written, status } = await db.replicate.to(target, { doc_ids: [] });
    return [docs_read, docs_written, status, counts(await db.replicate.to(target))];
  });

  same('goes on where it stood, also where methods of the target were replaced before', async ({ db, fresh }) => {
    await fill(db);
    const target = fresh();
    const { bulkDocs } = target;
    // What is said to be written and is not shows what is read again.
    target.bulkDocs = () => Promise.resolve([]);
    const results = [counts(await db.replicate.to(target))];
    target.bulkDocs = bulkDocs;
    results.push(counts(await db.replicate.to(target)));
    await db.put({ _id: 'e' });
    results.push(counts(await db.replicate.to(target)));
    return [results, await state(target)];
  });

  same('events in their order', async ({ db, fresh }) => {
    await fill(db);
    const replication = db.replicate.to(fresh());
    const told = [];
    for (const event of ['change', 'paused', 'active', 'complete', 'error', 'denied']) {
      replication.on(event, (payload) => told.push([event, payload && counts(payload), replication.state]));
    }
    await replication;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return [told, replication.state, replication.cancelled, replication.eventNames?.() ?? []];
  });

  same('cancelled at once', async ({ db, fresh }) => {
    await fill(db);
    const target = fresh();
    const replication = db.replicate.to(target);
    replication.cancel();
    const result = counts(await replication);
    return [result.ok, result.status, result.docs_written, replication.state, replication.cancelled, (await target.info()).doc_count];
  });

  same('live, until it is cancelled', async ({ db, fresh }) => {
    await fill(db);
    const target = fresh();
    const replication = db.replicate.to(target, { live: true });
    await wait(replication, 'paused');
    const before = (await target.info()).doc_count;
    const changed = wait(replication, 'change');
    await db.put({ _id: 'new' });
    const [change] = await changed;
    const completed = wait(replication, 'complete');
    replication.cancel();
    const [result] = await completed;
    return [before, change.docs.map(({ _id }) => _id), change.ok, result.status, result.ok, (await replication).status];
  });

  same('sync in both directions', async ({ db, fresh }) => {
    const other = fresh();
    await db.bulkDocs([{ _id: 'a' }, { _id: 'both', side: 1 }]);
    await other.bulkDocs([{ _id: 'b' }, { _id: 'both', side: 2 }]);
    const sync = db.sync(other);
    const directions = [];
    sync.on('change', ({ direction, change }) => directions.push([direction, change.docs.length]));
    const { push, pull } = await sync;
    return [directions.sort(), counts(push).status, counts(pull).status, await state(db), await state(other)];
  });

  same('live sync: paused, active, change, complete', async ({ db, fresh }) => {
    const other = fresh();
    const sync = db.sync(other, { live: true });
    await wait(sync, 'paused');
    const active = wait(sync, 'active');
    const changed = wait(sync, 'change');
    await other.put({ _id: 'x' });
    const answers = [await active, (await changed)[0].direction];
    while (!(await db.get('x').catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 5));
    const completed = wait(sync, 'complete');
    sync.cancel();
    const [{ push, pull }] = await completed;
    return [answers, push.status, pull.status, sync.canceled, sync.push.state, sync.pull.state];
  });

  same('the end of a database ends its replications', async ({ db, fresh }) => {
    const target = fresh();
    const replication = db.replicate.to(target, { live: true });
    await wait(replication, 'paused');
    await target.destroy();
    return (await replication).status;
  });

  same('an error is an event, a rejection and the callback’s', async ({ db, attempt }) => {
    const nowhere = 'http://127.0.0.1:1/nowhere';
    const failing = db.replicate.to(nowhere);
    const event = wait(failing, 'error');
    const { error } = await attempt(failing);
    const [heard] = await event;
    const [called] = await new Promise((resolve) => db.replicate.to(nowhere, {}, (...args) => resolve(args)));
    const synced = await attempt(db.sync(nowhere));
    return [heard === error, error.result.ok, error.result.status, called instanceof Error, synced.error instanceof Error];
  });
});

describe('replication with a CouchDB as in PouchDB', () => {
  const remoteName = (couch) => `${couch}/parity-${Math.random().toString(36).slice(2)}`;

  same('there and back', async ({ db, fresh, Library, couch }) => {
    const remote = new Library(remoteName(couch));
    await fill(db);
    const pushed = counts(await db.replicate.to(remote));
    const back = fresh();
    const pulled = counts(await back.replicate.from(remote));
    const again = counts(await back.replicate.from(remote.name));
    const answers = [pushed, pulled, again].map(({ ok, status, docs_read, docs_written }) => [ok, status, docs_read, docs_written]);
    const listed = (await remote.allDocs({ include_docs: true })).rows;
    await remote.destroy();
    return [answers, await state(back), listed];
  });

  same('the calls of a remote database', async ({ Library, couch, attempt }) => {
    const remote = new Library(remoteName(couch));
    const first = await remote.put({ _id: 'a/b', n: 1 });
    const second = await remote.put({ _id: 'a/b', _rev: first.rev, n: 2 });
    const bulk = await remote.bulkDocs([{ _id: 'c' }, { _id: 'a/b' }]);
    const removed = await remote.remove('c', bulk[0].rev);
    const feed = await remote.changes({ include_docs: true });
    const answers = [
      [first, second, removed],
      bulk.map(({ ok, id, status, name }) => [ok, id, status, name]),
      await remote.get('a/b'),
      await remote.get('a/b', { revs: true, conflicts: true }),
      (await attempt(remote.get('missing'))).error.status,
      (await attempt(remote.put({ _id: 'a/b' }))).error.status,
      (await attempt(remote.put({ _id: '_wrong' }))).error,
      (await remote.allDocs({ include_docs: true })).rows,
      (await remote.allDocs({ keys: ['a/b', 'none'] })).rows.map(({ key, id, error }) => [key, id, error]),
      await remote.revsDiff({ 'a/b': ['9-x'] }).then((diff) => diff['a/b'].missing),
      feed.results.map(({ id, deleted, doc }) => [id, deleted, doc._id]).sort(),
      (await remote.info()).adapter,
      remote.type(),
      remote._remote,
      (await remote.fetch('_all_docs').then((answer) => answer.json())).total_rows,
    ];
    answers.push((await remote.destroy()).ok);
    return answers;
  });

  same('a live feed of a remote database', async ({ Library, couch }) => {
    const remote = new Library(remoteName(couch));
    await remote.put({ _id: 'a' });
    const feed = remote.changes({ live: true, include_docs: true });
    const told = [];
    feed.on('change', ({ id, doc }) => told.push([id, doc._id]));
    while (told.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await remote.put({ _id: 'b' });
    while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    feed.cancel();
    const result = await feed;
    await remote.destroy();
    return [told, result];
  });
});

describe('a replication between PouchDB and Potoroo', () => {
  it('works with either as source and target, live too', async () => {
    const [theirs, ours, back] = [new PouchDB('mixed-theirs'), new Potoroo('mixed-ours'), new PouchDB('mixed-back')];
    await fill(theirs);
    expect((await ours.replicate.from(theirs)).docs_written).to.equal(5);
    expect((await Potoroo.replicate(ours, back)).docs_written).to.equal(5);
    expect(await state(ours)).to.deep.equal(await state(theirs));
    expect(await state(back)).to.deep.equal(await state(theirs));
    const live = ours.replicate.from(theirs, { live: true });
    await wait(live, 'paused');
    const changed = wait(live, 'change');
    await theirs.put({ _id: 'live' });
    expect((await changed)[0].docs[0]._id).to.equal('live');
    live.cancel();
    expect((await live).status).to.equal('cancelled');
    for (const db of [theirs, ours, back]) await db.destroy();
  });

  it('passes through methods that were replaced', async () => {
    const [source, target] = [new Potoroo('replaced-source'), new Potoroo('replaced-target')];
    await fill(source);
    const { bulkDocs } = target;
    target.bulkDocs = ({ docs, ...rest }, ...args) => bulkDocs({ ...rest, docs: docs.map((doc) => ({ ...doc, seen: true })) }, ...args);
    await source.replicate.to(target);
    expect((await target.get('d')).seen).to.equal(true);
    const other = new Potoroo('replaced-other');
    other.bulkDocs = () => Promise.reject(Object.assign(new Error('no'), { status: 500, name: 'refused' }));
    const { error } = await attempt(source.replicate.to(other));
    expect(error).to.be.instanceOf(Error).and.include({ status: 500, name: 'refused', message: 'no' });
    expect(error.result).to.include({ ok: false, docs_written: 0 });
    for (const db of [source, target, other]) await db.destroy();
  });
});
