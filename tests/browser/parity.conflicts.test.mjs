// Revision trees: conflicts, replicated edits, history, stemming.
import { same } from './support/parity.mjs';

/** Writes revisions as replication does; `history` is newest first. */
const replicated = (db, _id, history, more = {}) => {
  const start = Number(history[0].split('-')[0]);
  const ids = history.map((rev) => rev.split('-')[1]);
  return db.bulkDocs([{ _id, _rev: history[0], _revisions: { start, ids }, ...more }], { new_edits: false });
};

const everything = async (db, id, attempt) => ({
  winner: await attempt(db.get(id, { conflicts: true, revs: true, revs_info: true })),
  leaves: (await attempt(db.get(id, { open_revs: 'all', revs: true }))).value?.sort(byRev),
  changes: (await db.changes({ style: 'all_docs', include_docs: true, conflicts: true })).results,
  count: (await db.info()).doc_count,
});

const byRev = (a, b) => (a.ok._rev < b.ok._rev ? -1 : 1);

describe('revision trees as in PouchDB', () => {
  same('two branches', async ({ db, attempt }) => {
    await replicated(db, 'a', ['1-r'], { n: 0 });
    await replicated(db, 'a', ['2-b', '1-r'], { n: 1 });
    await replicated(db, 'a', ['2-c', '1-r'], { n: 2 });
    const before = await everything(db, 'a', attempt);
    const removed = await attempt(db.remove('a', '2-c'));
    return [before, removed, await everything(db, 'a', attempt)];
  });

  same('a longer branch wins, a deleted one never over a living one', async ({ db, attempt }) => {
    await replicated(db, 'a', ['4-d', '3-c', '2-b', '1-r'], { _deleted: true });
    await replicated(db, 'a', ['2-x', '1-r'], { n: 1 });
    const first = await everything(db, 'a', attempt);
    await replicated(db, 'a', ['3-y', '2-x', '1-r'], { _deleted: true });
    return [first, await everything(db, 'a', attempt), await attempt(db.get('a', { rev: '4-d', revs: true }))];
  });

  same('branches that do not know of each other, and one that joins them', async ({ db, attempt }) => {
    await replicated(db, 'a', ['3-c', '2-b'], { n: 3 });
    await replicated(db, 'a', ['5-e', '4-d'], { n: 5 });
    const apart = await everything(db, 'a', attempt);
    await replicated(db, 'a', ['5-e', '4-d', '3-c', '2-b', '1-a'], { n: 5 });
    return [apart, await everything(db, 'a', attempt)];
  });

  same('the same revision again changes nothing', async ({ db, attempt }) => {
    await replicated(db, 'a', ['2-b', '1-r'], { n: 1 });
    const { update_seq } = await db.info();
    await replicated(db, 'a', ['2-b', '1-r'], { n: 2 });
    await replicated(db, 'a', ['1-r'], { n: 3 });
    return [update_seq, (await db.info()).update_seq, await everything(db, 'a', attempt), await attempt(db.get('a', { rev: '1-r' }))];
  });

  same('a replicated edit without a history', async ({ db, attempt }) => {
    await db.bulkDocs({ docs: [{ _id: 'a', _rev: '3-x', n: 1 }], new_edits: false });
    const put = await db.put({ _id: 'b', _rev: '2-y' }, { new_edits: false });
    return [put, await everything(db, 'a', attempt), await db.get('b', { revs: true })];
  });

  same('edits on any leaf, not on inner revisions', async ({ db, attempt }) => {
    await replicated(db, 'a', ['2-b', '1-r']);
    await replicated(db, 'a', ['2-c', '1-r']);
    return [
      await attempt(db.put({ _id: 'a', _rev: '2-b', n: 'loser' })),
      await attempt(db.put({ _id: 'a', _rev: '1-r', n: 'inner' })),
      await attempt(db.put({ _id: 'a', _rev: '2-c', n: 'winner' })),
      await attempt(db.put({ _id: 'a', n: 'none' })),
      await everything(db, 'a', attempt),
    ];
  });

  same('open_revs', async ({ db, attempt }) => {
    await replicated(db, 'a', ['3-c', '2-b', '1-r'], { n: 3 });
    await replicated(db, 'a', ['2-x', '1-r'], { n: 2 });
    const sorted = async (...args) => (await attempt(db.get(...args))).value?.map((one) => JSON.stringify(one)).sort();
    return [
      await sorted('a', { open_revs: ['3-c', '2-x', '9-none'] }),
      await sorted('a', { open_revs: ['1-r', '2-b'] }),
      await sorted('a', { open_revs: ['1-r', '2-b'], latest: true }),
      await sorted('a', { open_revs: ['2-b'], latest: true, revs: true }),
      await attempt(db.get('a', { rev: '2-b', latest: true })),
      await attempt(db.get('a', { rev: '1-r', latest: true, conflicts: true })),
      await attempt(db.get('a', { rev: '2-x', latest: true })),
    ];
  });

  same('revsDiff', async ({ db }) => {
    await replicated(db, 'a', ['3-c', '2-b', '1-r']);
    await replicated(db, 'a', ['2-x', '1-r']);
    const missing = async (request) => {
      const diff = await db.revsDiff(request);
      return Object.entries(diff).map(([id, { missing, ...rest }]) => [id, missing.sort(), rest]);
    };
    return [
      await missing({ a: ['3-c', '2-x', '2-b', '1-r'] }),
      await missing({ a: ['3-d', '3-c'], b: ['1-x', '2-y'] }),
      await missing({}),
      await missing({ a: [], unknown: [] }),
    ];
  });

  same('bulkGet', async ({ db }) => {
    await replicated(db, 'a', ['3-c', '2-b', '1-r'], { n: 3 });
    await replicated(db, 'a', ['2-x', '1-r'], { n: 2 });
    await db.put({ _id: 'b' });
    return [
      await db.bulkGet({ docs: [{ id: 'a' }, { id: 'b' }, { id: 'missing' }] }),
      await db.bulkGet({ docs: [{ id: 'a', rev: '3-c' }, { id: 'b' }, { id: 'a', rev: '2-x' }] }),
      await db.bulkGet({ docs: [{ id: 'a', rev: '9-none' }] }),
      await db.bulkGet({ docs: [{ id: 'a', rev: '2-b' }], revs: true, latest: true }),
    ];
  });

  same('stemming', async ({ fresh, attempt }) => {
    const db = fresh({ revs_limit: 3 });
    let rev;
    for (let n = 0; n < 6; n += 1) ({ rev } = await db.put({ _id: 'a', n, ...(rev && { _rev: rev }) }));
    await replicated(db, 'b', ['6-f', '5-e', '4-d', '3-c', '2-b', '1-a']);
    return [await everything(db, 'a', attempt), await everything(db, 'b', attempt)];
  });
});
