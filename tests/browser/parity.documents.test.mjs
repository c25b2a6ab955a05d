// Writing and reading documents.
import { same } from './support/parity.mjs';

describe('documents as in PouchDB', () => {
  same('put, get and update', async ({ db }) => {
    const first = await db.put({ _id: 'a', text: 'ä€𝄞', nested: { list: [1, null, true] } });
    const second = await db.put({ _id: 'a', _rev: first.rev, text: 'b' });
    return [first, second, await db.get('a'), await db.get('a', { rev: first.rev }), (await db.info()).doc_count];
  });

  same('revisions are computed from the document as it was given', async ({ db }) => {
    const revs = [];
    for (const doc of [
      { _id: 'order', b: 1, a: 2 },
      { b: 1, a: 2, _id: 'order2' },
      { _id: 'date', at: new Date(0) },
      { _id: 'undefined', a: undefined, b: 1 },
      { _id: 'numbers', list: [1e21, 1e-7, -0, 0.1, 123456789012345680000] },
      { _id: 'escapes', text: '\u0000\u001f"\\/\u2028\ud83d\ude00' },
      { _id: 'integer keys', 2: 'b', 1: 'a', x: 1 },
      { _id: 'deleted', _deleted: true, why: 'x' },
      { _id: '_design/d', views: { v: { map: 'function (doc) { emit(doc._id) }' } } },
      { _id: 'replicator', _replication_id: 'x', _replication_state: 'triggered', _access: ['a'] },
    ]) {
      revs.push(await db.put(doc));
    }
    return [revs, await db.allDocs({ include_docs: true })];
  });

  same('conflicts and misses', async ({ db, attempt }) => {
    const { rev } = await db.put({ _id: 'a' });
    return [
      await attempt(db.put({ _id: 'a' })),
      await attempt(db.put({ _id: 'a', _rev: '1-0000' })),
      await attempt(db.put({ _id: 'new', _rev: '1-0000' })),
      await attempt(db.get('missing')),
      await attempt(db.get('a', { rev: '2-x' })),
      await attempt(db.get('a', { rev: 'nonsense' })),
      await attempt(db.post({ _id: 'a' })),
      await attempt(db.remove('a', '1-0000')),
      await attempt(db.remove({ _id: 'missing', _rev: '1-x' })),
      await attempt(db.remove('a', rev)),
      await attempt(db.remove('a', rev)),
      await attempt(db.get('a')),
    ];
  });

  same('wrong arguments', async ({ db, attempt }) => [
    await attempt(db.put('text')),
    await attempt(db.put(null)),
    await attempt(db.put([])),
    await attempt(db.put({})),
    await attempt(db.put({ _id: '' })),
    await attempt(db.put({ _id: 1 })),
    await attempt(db.put({ _id: '_wrong' })),
    await attempt(db.put({ _id: 'a', _rev: 'x' })),
    await attempt(db.put({ _id: 'a', _rev: null })),
    await attempt(db.put({ _id: 'a', _wrong: 1 })),
    await attempt(db.post(1)),
    await attempt(db.post({ _id: '_wrong' })),
    await attempt(db.get(1)),
    await attempt(db.get('')),
    await attempt(db.bulkDocs({})),
    await attempt(db.bulkDocs({ docs: 'a' })),
    await attempt(db.bulkDocs([1])),
    await attempt(db.bulkDocs([{ _id: 'ok' }, { _id: '_wrong' }])),
    await attempt(db.bulkDocs([{ _id: 'ok' }, { _id: 2 }])),
    await attempt(db.bulkDocs([{ _id: 'ok' }, { _wrong: 2 }])),
    await attempt(db.get('ok')),
    await attempt(db.get('a', { open_revs: 'some' })),
    await attempt(db.get('a', { open_revs: ['x'] })),
    await attempt(db.get('a', { open_revs: [] })),
    await attempt(db.get('a', { open_revs: 'all' })),
    await attempt(db.get('a', { open_revs: ['1-x'] })),
  ]);

  same('post makes ids', async ({ db }) => {
    const { id, rev, ok } = await db.post({ a: 1 });
    const doc = await db.get(id);
    return [ok, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), doc.a, doc._rev === rev];
  });

  same('deletions, and writing over them', async ({ db, attempt }) => {
    const { rev } = await db.put({ _id: 'a', text: 'x' });
    const removed = await db.remove({ _id: 'a', _rev: rev, text: 'y' });
    const again = await db.put({ _id: 'a', text: 'z' });
    const deletedWithBody = await db.put({ _id: 'a', _rev: again.rev, _deleted: true, why: 'w' });
    return [
      removed,
      again,
      deletedWithBody,
      await attempt(db.get('a')),
      await db.get('a', { rev: removed.rev }),
      await db.get('a', { rev: deletedWithBody.rev }),
      await attempt(db.put({ _id: 'a', _rev: deletedWithBody.rev, _deleted: true })),
      await attempt(db.put({ _id: 'a', _rev: deletedWithBody.rev, text: 'q' })),
      await attempt(db.get('a', { revs: true, revs_info: true })),
      await db.get('a', { rev: deletedWithBody.rev, revs: true, revs_info: true }),
      await db.info().then(({ doc_count, update_seq }) => [doc_count, update_seq]),
    ];
  });

  same('remove in all its forms', async ({ db, attempt }) => {
    const revs = {};
    for (const id of ['a', 'b', 'c', 'd']) revs[id] = (await db.put({ _id: id })).rev;
    return [
      await db.remove('a', revs.a, {}),
      await db.remove({ _id: 'b', _rev: revs.b }, {}),
      await db.remove({ _id: 'c' }, { rev: revs.c }),
      await attempt(db.remove({ _id: 'd' })),
      await new Promise((resolve) => db.remove('d', revs.d, (...args) => resolve(args))),
    ];
  });

  same('put with force writes beside the current revision', async ({ db }) => {
    const first = await db.put({ _id: 'a', n: 1 });
    await db.put({ _id: 'a', n: 2, _rev: first.rev });
    const forced = await db.put({ _id: 'a', n: 3, _rev: first.rev }, { force: true });
    const leaves = await db.get('a', { open_revs: 'all' });
    return [forced.ok, forced.id, forced.rev.split('-')[0], leaves.map(({ ok }) => ok.n).sort()];
  });

  same('bulkDocs answers in the order given', async ({ db }) => {
    const { rev } = await db.put({ _id: 'known' });
    const results = await db.bulkDocs([
      { _id: 'z', n: 1 },
      { _id: 'known', n: 2 },
      { _id: 'known', _rev: rev, n: 3 },
      { _id: 'a', n: 4 },
      { _id: 'a', n: 5 },
      { _id: '_local/x', n: 6 },
      { _id: 'gone', _deleted: true },
    ]);
    const withRequest = await db.bulkDocs({ docs: [{ _id: 'b' }] }, {});
    return [results, withRequest, await db.allDocs({ include_docs: true }), await db.get('_local/x'), await db.bulkDocs([])];
  });

  same('several edits of one document in one call', async ({ db }) => {
    const { rev } = await db.put({ _id: 'a' });
    await db.bulkDocs([{ _id: 'a', _rev: '1-other' }], { new_edits: false });
    const results = await db.bulkDocs([
      { _id: 'a', _rev: rev, n: 1 },
      { _id: 'a', _rev: '1-other', n: 2 },
      { _id: 'a', _rev: rev, n: 3 },
      { _id: 'b', n: 4 },
      { _id: 'b', n: 5 },
      { _id: 'c', _deleted: true },
      { _id: 'c', n: 6 },
    ]);
    const leaves = await Promise.all(['a', 'b', 'c'].map((id) => db.get(id, { open_revs: 'all', revs: true })));
    return [results, leaves.map((list) => list.map(({ ok }) => JSON.stringify(ok)).sort()), await db.get('a', { conflicts: true })];
  });

  same('local documents', async ({ db, attempt }) => {
    const first = await db.put({ _id: '_local/a', n: 1 });
    const second = await db.put({ _id: '_local/a', _rev: first.rev, n: 2 });
    return [
      first,
      second,
      await attempt(db.put({ _id: '_local/a', n: 3 })),
      await attempt(db.put({ _id: '_local/a', _rev: '0-7' })),
      await db.get('_local/a'),
      (await db.allDocs()).total_rows,
      (await db.changes()).results.length,
      await attempt(db.remove(await db.get('_local/a'))),
      await attempt(db.get('_local/a')),
      await attempt(db.remove({ _id: '_local/b', _rev: '0-1' })),
      (await db.info()).update_seq,
    ];
  });

  same('calls made at once are done in their order', async ({ db }) => {
    const answers = await Promise.allSettled([
      db.put({ _id: 'a', n: 1 }),
      db.put({ _id: 'a', n: 2 }),
      db.get('a'),
      db.bulkDocs([{ _id: 'b' }, { _id: 'c' }]),
      db.allDocs(),
    ]);
    return answers.map(({ status }) => status);
  });

  same('the caller may change its objects while a call waits', async ({ db }) => {
    const doc = { _id: 'a', list: [1] };
    const putting = db.put(doc);
    doc.list.push(2);
    doc.more = true;
    await putting;
    const second = { _id: 'b', list: [1] };
    const puttingSecond = db.put(second);
    second.list.push(2);
    await puttingSecond;
    return [await db.get('a'), await db.get('b'), doc, second];
  });

  same('the caller’s objects stay as they are', async ({ db }) => {
    const doc = Object.freeze({ _id: 'a', when: new Date(5), inner: Object.freeze({ b: 1 }) });
    const options = Object.freeze({});
    await db.put(doc, options);
    const request = Object.freeze({ docs: Object.freeze([Object.freeze({ _id: 'b' })]) });
    await db.bulkDocs(request, options);
    await db.allDocs(Object.freeze({ keys: Object.freeze(['a', 'b']), skip: 1 }));
    return [Object.keys(doc), doc.when instanceof Date, Object.keys(request), await db.get('a')];
  });

  same('ids of all kinds', async ({ db }) => {
    const ids = ['a/b', 'ä', '𝄞', '\ufffd', '\uffff', '+', '%2F', 'a b', '0', 'constructor', 'toString', 'a\u0000b', '~', 'A'];
    await db.bulkDocs(ids.map((_id, n) => ({ _id, n })));
    const read = [];
    for (const id of ids) read.push((await db.get(id)).n);
    return [read, (await db.allDocs()).rows.map(({ id }) => id), (await db.allDocs({ keys: ids })).rows];
  });
});
