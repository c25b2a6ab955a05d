// allDocs with all its options.
import { same } from './support/parity.mjs';

async function fill(db) {
  const { rev } = await db.put({ _id: 'gone' });
  await db.remove('gone', rev);
  await db.bulkDocs(['d', 'b', 'a', 'c', 'ä', 'B', '_design/x', 'e'].map((_id, n) => ({ _id, n })));
  await db.bulkDocs([{ _id: 'b', _rev: '1-other', n: 'other' }], { new_edits: false });
  await db.put({ _id: '_local/hidden' });
}

describe('allDocs as in PouchDB', () => {
  same('of an empty database', async ({ db }) => [
    await db.allDocs(),
    await db.allDocs({ include_docs: true, limit: 1, skip: 1 }),
    await db.allDocs({ keys: ['a'] }),
    await db.allDocs({ key: 'a' }),
  ]);

  const ranges = [
    {},
    { startkey: 'b' },
    { endkey: 'b' },
    { endkey: 'b', inclusive_end: false },
    { startkey: 'a', endkey: 'c' },
    { startkey: 'a', endkey: 'c', inclusive_end: false },
    { startkey: 'c', endkey: 'a' },
    { startkey: 'c', endkey: 'a', descending: true },
    { startkey: 'c', endkey: 'a', descending: true, inclusive_end: false },
    { startkey: 'bb', endkey: 'd\ufff0' },
    { start_key: 'b', end_key: 'c' },
    { startkey: 'b', endkey: 'b' },
    { startkey: 'zz' },
    { key: 'b' },
    { key: 'gone' },
    { key: 'missing' },
    { key: '' },
    { startkey: '', endkey: 'b' },
    { descending: true },
  ];
  for (const range of ranges) {
    same(`range ${JSON.stringify(range)}`, async ({ db }) => {
      await fill(db);
      const answers = [];
      for (const more of [{}, { include_docs: true }, { limit: 2 }, { skip: 1 }, { skip: 2, limit: 1 }, { limit: 0 }, { skip: 100 }]) {
        answers.push(await db.allDocs({ ...range, ...more }));
      }
      return answers;
    });
  }

  same('keys', async ({ db, attempt }) => {
    await fill(db);
    const keys = ['c', 'missing', 'gone', 'a', 'c', '_design/x'];
    return [
      await db.allDocs({ keys }),
      await db.allDocs({ keys, include_docs: true, conflicts: true }),
      await db.allDocs({ keys, skip: 1, limit: 3 }),
      await db.allDocs({ keys, skip: 1 }),
      await db.allDocs({ keys, limit: 2 }),
      (await db.allDocs({ keys, limit: 0 })).rows,
      await db.allDocs({ keys, descending: true }),
      await db.allDocs({ keys, descending: true, skip: 1, limit: 2 }),
      (await db.allDocs({ keys: [] })).rows,
      (await db.allDocs({ keys: [], include_docs: true })).rows,
      await attempt(db.allDocs({ keys: 'a' })),
      await attempt(db.allDocs({ keys, startkey: 'a' })),
      await attempt(db.allDocs({ keys, endkey: 'a' })),
      await attempt(db.allDocs({ keys, key: 'a' })),
    ];
  });

  same('conflicts and update_seq', async ({ db }) => {
    await fill(db);
    return [
      await db.allDocs({ include_docs: true, conflicts: true }),
      await db.allDocs({ update_seq: true, limit: 1 }),
      await db.allDocs({ update_seq: true, keys: ['a'] }),
      await db.allDocs({ conflicts: true, limit: 1 }),
    ];
  });

  same('with a callback', async ({ db }) => {
    await fill(db);
    const called = (...args) => new Promise((resolve) => db.allDocs(...args, (error, result) => resolve([error, result])));
    return [await called(), await called({ limit: 1 }), await called({ keys: 1 })];
  });
});
