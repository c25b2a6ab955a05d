// Compaction and purge. What PouchDB's idb adapter lacks (purge) is compared with its indexeddb adapter's documented answers.
import { expect } from '/node_modules/chai/index.js';
import { attempt, same } from './support/parity.mjs';

const history = async (db, _id, edits) => {
  const revs = [];
  for (let n = 0; n < edits; n += 1) revs.push((await db.put({ _id, n, ...(n > 0 && { _rev: revs[n - 1] }) })).rev);
  return revs;
};

const readable = async (db, id, revs) => {
  const outcomes = await Promise.all(revs.map((rev) => attempt(db.get(id, { rev }))));
  return outcomes.map(({ value, error }) => (value ? (value.n ?? 'there') : error.reason));
};

const statuses = async (db, id) => (await db.get(id, { revs_info: true }))._revs_info.map(({ status }) => status);

const leaves = async (db, id) => {
  const found = await db.get(id, { open_revs: 'all', revs: true });
  return found.sort((one, other) => (one.ok._rev < other.ok._rev ? -1 : 1));
};

const conflict = (db, _id, root, leaf, more = {}) =>
  db.bulkDocs([{ _id, _revisions: { start: 2, ids: [leaf, root.split('-')[1]] }, ...more }], { new_edits: false });

describe('compaction as in PouchDB', () => {
  same('of everything', async ({ db }) => {
    const revs = await history(db, 'a', 4);
    await conflict(db, 'a', revs[0], 'x', { n: 'x' });
    await history(db, 'b', 1);
    const before = await db.info();
    const answer = await db.compact();
    const { doc_count, update_seq } = await db.info();
    return [
      answer,
      await readable(db, 'a', [...revs, '2-x']),
      await statuses(db, 'a'),
      await leaves(db, 'a'),
      await db.changes({ style: 'all_docs', include_docs: true, conflicts: true }),
      [doc_count, update_seq, before.doc_count, before.update_seq],
      await db.get('_local/compaction'),
      await db.revsDiff({ a: revs }),
    ];
  });

  same('twice, with edits between, and of deletions', async ({ db }) => {
    const revs = await history(db, 'a', 2);
    await db.compact();
    await db.remove('a', revs[1]);
    const { rev } = await db.put({ _id: 'a', again: true });
    const more = await history(db, 'b', 3);
    await db.compact({ interval: 10 });
    return [await readable(db, 'a', [...revs, rev]), await readable(db, 'b', more), await db.get('a', { revs_info: true }), await db.get('_local/compaction')];
  });

  same('many at once, and one with a callback', async ({ db }) => {
    const revs = await history(db, 'a', 3);
    const answers = await Promise.all([db.compact(), db.compact(), db.compact({})]);
    const called = await new Promise((resolve) => void db.compact((error, answer) => resolve([error, answer])));
    return [answers, called, await readable(db, 'a', revs)];
  });

  same('of one document, to a height', async ({ db, attempt }) => {
    const revs = await history(db, 'a', 4);
    const answers = [await attempt(db.compactDocument('a', 2))];
    const kept = [await readable(db, 'a', revs)];
    answers.push(await attempt(db.compactDocument('a', 0)));
    kept.push(await readable(db, 'a', revs));
    answers.push(await attempt(db.compactDocument('none', 0)));
    return [answers, kept];
  });

  same('auto_compaction', async ({ fresh }) => {
    const db = fresh({ auto_compaction: true });
    const revs = await history(db, 'a', 4);
    await conflict(db, 'a', revs[0], 'x', { n: 'x' });
    const { rev } = await db.put({ _id: 'a', _rev: '2-x', n: 'y' });
    await db.bulkDocs(['e', 'd'].map((leaf) => ({ _id: 'b', _rev: `1-${leaf}`, n: leaf })), { new_edits: false });
    const { auto_compaction } = await db.info();
    return [auto_compaction, db.auto_compaction, await readable(db, 'a', [...revs, '2-x', rev]), await statuses(db, 'a'), await leaves(db, 'a'), await leaves(db, 'b')];
  });

  same('revs_limit', async ({ fresh, attempt }) => {
    const found = [];
    for (const revs_limit of [1, 2, '3', 0, null]) {
      const db = fresh({ revs_limit });
      const revs = await history(db, 'a', 5);
      found.push([revs_limit, (await db.get('a', { revs: true }))._revisions.ids.length, await readable(db, 'a', revs), await attempt(db.compact())]);
    }
    return found;
  });

  same('what was compacted is not replicated, its leaves are', async ({ db, fresh }) => {
    const revs = await history(db, 'a', 3);
    await db.compact();
    const target = fresh();
    const { docs_written } = await db.replicate.to(target);
    return [docs_written, await statuses(target, 'a'), await readable(target, 'a', revs)];
  });

  same('a task says that it is done', async ({ db, Library }) => {
    await history(db, 'a', 3);
    const seen = [];
    const { add } = Library.activeTasks;
    Library.activeTasks.add = function (task) {
      seen.push(task);
      return add.call(this, task);
    };
    try {
      await db.compact();
    } finally {
      Library.activeTasks.add = add;
    }
    return [seen, Library.activeTasks.list().filter(({ name }) => name === 'database_compaction')];
  });

  same('random revisions', async ({ fresh }) => {
    const [one, other] = [fresh({ deterministic_revs: false }), fresh({ deterministic_revs: false })];
    const revs = await Promise.all([one, other].map((db) => db.put({ _id: 'a' }).then(({ rev }) => rev)));
    return [revs[0] === revs[1], revs.map((rev) => /^1-[0-9a-f]{32}$/.test(rev))];
  });

  same('force', async ({ db, attempt }) => {
    const { rev } = await db.put({ _id: 'a', n: 1 });
    await db.put({ _id: 'a', n: 2, _rev: rev });
    const forced = await db.put({ _id: 'a', n: 3, _rev: rev }, { force: true });
    const found = await db.get('a', { conflicts: true });
    const unforced = await attempt(db.put({ _id: 'a', n: 4 }, { force: true }));
    return [forced.ok, forced.id, /^2-[0-9a-f]{32}$/.test(forced.rev), found._conflicts.length, unforced, (await db.info()).doc_count];
  });

  same('clean-up of indexes that are not there', ({ db, attempt }) => attempt(db.viewCleanup()));
});

describe('purge', () => {
  const databases = [];
  const open = (options) => {
    const db = new Potoroo(`purge-${Math.random()}`, options);
    databases.push(db);
    return db;
  };
  afterEach(async () => {
    for (const db of databases.splice(0)) await db.destroy();
  });

  for (const adapter of ['idb', 'localstorage', 'memory']) {
    it(`forgets a document, in ${adapter}`, async () => {
      const db = open({ adapter });
      const revs = await history(db, 'a', 3);
      await history(db, 'b', 1);
      const purged = await db.purge('a', revs[2]);
      expect(purged).to.deep.equal({ ok: true, deletedRevs: [...revs].reverse(), documentWasRemovedCompletely: true });
      expect((await attempt(db.get('a'))).error).to.include({ status: 404, reason: 'missing' });
      expect(await db.info()).to.include({ doc_count: 1, update_seq: 5 });
      expect((await db.changes()).results.map(({ id }) => id)).to.deep.equal(['b']);
      expect(await db.get('_local/purges')).to.deep.include({ purges: [{ docId: 'a', rev: revs[2], purgeSeq: 0 }], purgeSeq: 0 });
      expect((await db.check()).problems).to.deep.equal([]);
    });
  }

  it('of a branch leaves the other one, which is a change', async () => {
    const db = open();
    const revs = await history(db, 'a', 3);
    await conflict(db, 'a', revs[0], 'x', { n: 'x' });
    const changed = new Promise((resolve) => {
      const feed = db.changes({ live: true, since: 'now', include_docs: true }).on('change', (change) => {
        feed.cancel();
        resolve(change);
      });
    });
    const { deletedRevs, documentWasRemovedCompletely } = await db.purge('a', revs[2]);
    expect([deletedRevs, documentWasRemovedCompletely]).to.deep.equal([[revs[2], revs[1]], false]);
    expect(await db.get('a', { revs: true })).to.deep.include({ n: 'x', _rev: '2-x' });
    expect(await changed).to.deep.include({ id: 'a', changes: [{ rev: '2-x' }], seq: 5 });
  });

  it('refuses what is no leaf', async () => {
    const db = open();
    const revs = await history(db, 'a', 2);
    const refused = async (...args) => (await attempt(db.purge(...args))).error;
    expect(await refused('a', revs[0])).to.include({ status: 400, message: 'The requested revision is not a leaf' });
    expect(await refused('a', '1-none')).to.include({ status: 404, message: 'The requested revision does not exist' });
    expect(await refused('a')).to.include({ status: 404, message: 'The requested revision does not exist' });
    expect(await refused('b', '1-none')).to.include({ status: 404, message: 'missing' });
    expect(await refused(7, '1-none')).to.include({ status: 400, message: '_id field must contain a string' });
  });

  it('is not undone by a replication that has seen the document, but by a new one', async () => {
    const [ours, theirs] = [open(), open()];
    const [rev] = await history(theirs, 'a', 1);
    await ours.replicate.from(theirs);
    await ours.purge('a', rev);
    expect((await ours.replicate.from(theirs)).docs_written).to.equal(0);
    await ours.replicate.to(theirs);
    expect((await attempt(ours.get('a'))).error.status).to.equal(404);
    expect(await theirs.get('a')).to.include({ _rev: rev });
    expect((await ours.replicate.from(theirs, { checkpoint: false })).docs_written).to.equal(1);
    expect(await ours.get('a')).to.include({ _rev: rev });
  });
});
