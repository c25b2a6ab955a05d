// Which changes pass: selectors, design documents' filters and views, of feeds and of replications.
import { expect } from '/node_modules/chai/index.js';
import { frame } from './support/frame.mjs';
import { same } from './support/parity.mjs';

const documents = [
  { _id: 'A', n: 1, s: 'text', a: [1, 2, 3], o: { x: 1, y: { z: null } } },
  { _id: 'B', n: 2.5, s: 'Text', a: [], o: {} },
  { _id: 'C', n: -4, s: 'é', a: [{ k: 1 }, { k: 5 }], o: { y: 2 } },
  { _id: 'D', n: '1', s: null, a: ['1', 7], o: { x: [10, 20], y: 1 } },
  { _id: 'E', n: true, 'a.b': 1, s: '\u{ffff}' },
];

const selectors = [
  { n: 1 },
  { n: '1' },
  { s: null },
  { s: { $eq: null } },
  { _id: 'B' },
  { _id: { $gt: 'B' } },
  { n: { $gt: null } },
  { n: { $gt: 1 } },
  { n: { $gte: 1, $lt: '1' } },
  { n: { $lt: 1 } },
  { n: { $lte: true } },
  { s: { $gte: 'é', $lte: '\u{10000}' } },
  { s: { $ne: 'text' } },
  { s: { $ne: null } },
  { s: { $exists: true } },
  { missing: { $exists: false } },
  { o: { $exists: false } },
  { 'o.y': { $gt: 0 } },
  { o: { y: 2 } },
  { o: { $eq: { y: 2 } } },
  { 'o.x.1': 20 },
  { 'a\\.b': 1 },
  { n: { $type: 'number' } },
  { s: { $type: 'null' } },
  { a: { $type: 'array' } },
  { o: { $type: 'object' } },
  { n: { $type: 'boolean' } },
  { n: { $in: [1, '1', true] } },
  { a: { $in: [3, '1'] } },
  { s: { $in: [null, 'text'] } },
  { n: { $nin: [1] } },
  { a: { $nin: [3] } },
  { s: { $nin: ['x'] } },
  { a: { $all: [1, 3] } },
  { a: { $all: [] } },
  { a: { $size: 2 } },
  { n: { $mod: [2, 1] } },
  { n: { $mod: [3, -1] } },
  { s: { $regex: '^t' } },
  { s: { $regex: '[tT]ext$' } },
  { a: { $elemMatch: { $gt: 2, $lt: 'x' } } },
  { a: { $elemMatch: { k: 5 } } },
  { a: { $elemMatch: { k: { $gt: 1, $lt: 9 } } } },
  { a: { $allMatch: { k: { $gt: 0 } } } },
  { a: { $allMatch: { $lt: 4 } } },
  { $or: [{ n: 1 }, { s: null }] },
  { $or: [{ n: { $gt: 2 } }, { a: { $size: 2 } }] },
  { $nor: [{ n: 1 }, { s: null }] },
  { $not: { n: 1 } },
  { $not: { n: { $gt: 1 } } },
  { $and: [{ n: { $gt: 0 } }, { s: { $gt: 'U' } }] },
  { $and: [{ $or: [{ n: 1 }, { n: 2.5 }] }, { s: 'Text' }] },
  { n: { $gt: 0 }, s: { $gt: '' } },
];

/** Functions as design documents have them. */
const design = {
  _id: '_design/d',
  filters: {
    some: 'function (doc, req) { return doc.n > (req.query && req.query.least || 0); }',
    d: '(doc) => doc._id === "A"',
    throws: 'function (doc) { return doc.o.y.z.no; }',
  },
  views: {
    lists: { map: 'function (doc) { if (doc.a) emit(doc._id, doc.a.length); }' },
    throws: { map: 'function (doc) { doc.o.y.z.no; }' },
    empty: {},
  },
};

const filled = async (db) => {
  await db.bulkDocs(documents);
  await db.put(design);
  return db;
};

const ids = ({ results }) => results.map(({ id }) => id);

async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('filters as in PouchDB', () => {
  same('selectors', async ({ db }) => {
    await db.bulkDocs(documents);
    const answers = {};
    for (const selector of selectors) answers[JSON.stringify(selector)] = ids(await db.changes({ selector }));
    return answers;
  });

  same('a selector with other options', async ({ db }) => {
    await filled(db);
    const selector = { n: { $gt: 0 } };
    return [
      await db.changes({ selector, limit: 1 }),
      await db.changes({ selector, descending: true, include_docs: true }),
      await db.changes({ selector, since: 2, style: 'all_docs' }),
      await db.changes({ selector, filter: '_selector' }),
      ids(await db.changes({ selector, doc_ids: ['C'] })),
      await db.changes({ selector, return_docs: false }),
    ];
  });

  same('filters and views of design documents', async ({ db }) => {
    await filled(db);
    const answers = [];
    for (const options of [
      { filter: 'd/some' },
      { filter: 'd/some', query_params: { least: 2 } },
      { filter: 'd/some', limit: 1, include_docs: true },
      { filter: 'd' },
      { filter: '_view', view: 'd/lists' },
      { view: 'd/lists', descending: true },
    ]) {
      answers.push(await db.changes(options));
    }
    return answers;
  });

  same('wrong uses', async ({ db, attempt }) => {
    await filled(db);
    await db.put({ _id: '_design/none' });
    const answers = [];
    for (const options of [
      { filter: 'd/throws' },
      { filter: 'd/missing' },
      { filter: 'none/missing' },
      { filter: 'missing/missing' },
      { filter: '_selector' },
      { filter: '_view' },
      { filter: '_view', view: 'a/b/c' },
      { view: 'd/throws' },
      { view: 'd/empty' },
      { view: 'd/missing' },
      { view: 'none/missing' },
      { view: 'missing/missing' },
      { selector: { n: 1 }, filter: 'd/some' },
      { selector: { n: 1 }, filter: '_view' },
      { selector: { n: 1 }, filter: () => true },
      { selector: 'n' },
    ]) {
      answers.push(await attempt(db.changes(options)));
    }
    return answers;
  });

  same('live, by selector, by design document and by view', async ({ db }) => {
    await filled(db);
    const feeds = [{ selector: { n: { $gt: 1 } } }, { filter: 'd/some' }, { view: 'd/lists' }].map((options) =>
      db.changes({ ...options, live: true }),
    );
    const seen = feeds.map(() => []);
    feeds.forEach((feed, index) => feed.on('change', ({ id, doc }) => seen[index].push([id, doc])));
    await until(() => seen.every((changes) => changes.length >= 2));
    for (const doc of [{ _id: 'F', n: 5, a: [] }, { _id: 'G' }, { _id: 'H', n: 6, a: [1] }]) await db.put(doc);
    await until(() => seen.every((changes) => changes.at(-1)[0] === 'H'));
    for (const feed of feeds) feed.cancel();
    await Promise.all(feeds);
    return seen;
  });

  same('replications of a local database', async ({ db, fresh, attempt }) => {
    await filled(db);
    const answers = [];
    for (const options of [
      { selector: { n: { $gt: 1 } } },
      { filter: '_selector', selector: { s: 'text' } },
      { filter: 'd/some' },
      { filter: 'd/some', query_params: { least: 2 } },
      { filter: 'd' },
      { filter: '_view', view: 'd/lists' },
      { view: 'd/lists', batch_size: 1 },
      { doc_ids: ['A', '_design/d'] },
      { filter: 'd/missing' },
      { filter: 'd/throws' },
      { view: 'd/missing' },
      { selector: { n: 1 }, filter: 'd/some' },
    ]) {
      const target = fresh();
      const { value, error } = await attempt(db.replicate.to(target, options));
      const { rows } = await target.allDocs();
      const failed = error && { name: error.name, message: error.message, reason: error.reason, status: error.status };
      answers.push([value?.docs_written, failed, rows.map(({ id }) => id)]);
    }
    return answers;
  });

  same('a live filtered replication', async ({ db, fresh }) => {
    await filled(db);
    const target = fresh();
    const replication = db.replicate.to(target, { live: true, filter: 'd/some' });
    await until(async () => (await target.info()).doc_count === 4);
    await db.bulkDocs([{ _id: 'F', n: 0 }, { _id: 'G', n: 9 }]);
    await until(async () => (await target.info()).doc_count === 5);
    replication.cancel();
    await replication;
    return (await target.allDocs()).rows.map(({ id }) => id);
  });

  same('of a CouchDB', async ({ Library, couch, fresh, attempt }) => {
    const remote = new Library(`${couch}/filters-${Math.random().toString(36).slice(2)}`);
    await filled(remote);
    const answers = [];
    for (const options of [
      { filter: 'd/some' },
      { filter: 'd/some', query_params: { least: 2 } },
      { filter: 'd' },
      { view: 'd/lists' },
      { doc_ids: ['A'] },
      { filter: 'd/missing' },
    ]) {
      const target = fresh();
      const feed = await attempt(remote.changes(options));
      const { value } = await attempt(remote.replicate.to(target, options));
      const { rows } = await target.allDocs();
      answers.push([feed.value && ids(feed.value).sort(), feed.error?.status, value?.docs_written, rows.map(({ id }) => id)]);
    }
    await remote.destroy();
    return answers;
  });
});

describe('filters better than in PouchDB', () => {
  const changed = async (options) => {
    const db = new globalThis.Potoroo(`filters-${Math.random().toString(36).slice(2)}`);
    try {
      await filled(db);
      return ids(await db.changes(options));
    } finally {
      await db.destroy();
    }
  };

  it('a selector means all that stands in it', async () => {
    expect(await changed({ selector: { $and: [{ n: 1 }, { n: 2.5 }] } })).to.deep.equal([]);
    expect(await changed({ selector: { s: 'text', $and: [{ n: { $lt: 9 } }] } })).to.deep.equal(['A']);
    expect(await changed({ selector: { a: [] } })).to.deep.equal(['B']);
    expect(await changed({ selector: { missing: { too: 1 } } })).to.deep.equal([]);
  });

  it('operators of CouchDB that PouchDB lacks', async () => {
    expect(await changed({ selector: { s: { $beginsWith: 'te' } } })).to.deep.equal(['A']);
    expect(await changed({ selector: { o: { $keyMapMatch: { $eq: 'x' } } } })).to.deep.equal(['A', 'D']);
    expect(await changed({ selector: { n: { $not: { $gt: 1 } } } })).to.deep.equal(['A', 'C', 'E', '_design/d']);
  });

  it('what is wrong with a selector or a function is an error of the feed', async () => {
    const failing = (options) => changed(options).then(() => 'nothing', ({ status, name, message }) => [status, name, message.split(' - ')[0]]);
    expect(await failing({ selector: { n: { $foo: 1 } } })).to.deep.equal([
      400,
      'bad_request',
      'Something wrong with the request',
    ]);
    const db = new globalThis.Potoroo(`filters-${Math.random().toString(36).slice(2)}`);
    await db.put({ _id: '_design/d', filters: { d: 'function (' } });
    const error = await db.changes({ filter: 'd' }).catch((error) => error);
    expect([error.status, error.name]).to.deep.equal([400, 'bad_request']);
    expect(error.reason).to.contain('does not compile: SyntaxError');
    await db.destroy();
  });

  it('a replication that retries waits for the design document of its filter', async () => {
    const name = `filters-${Math.random().toString(36).slice(2)}`;
    const [source, target] = [new globalThis.Potoroo(`${name}-source`), new globalThis.Potoroo(`${name}-target`)];
    await source.bulkDocs(documents);
    const replication = source.replicate.to(target, { live: true, retry: true, filter: 'd/some' });
    const [error] = await new Promise((resolve) => replication.once('paused', (...args) => resolve(args)));
    expect(error.status).to.equal(404);
    await source.put(design);
    await until(async () => (await target.info()).doc_count === 4);
    replication.cancel();
    await replication;
    for (const db of [source, target]) await db.destroy();
  });

  it('a page that forbids eval is told so, and selectors work there', async () => {
    // Firefox tells the page of it as well.
    globalThis.expectUncaught('blocked a JavaScript eval');
    const { Potoroo, remove } = await frame(undefined, '/no-eval.html');
    const db = new Potoroo(`filters-${Math.random().toString(36).slice(2)}`);
    await filled(db);
    const error = await db.changes({ filter: 'd/some' }).catch((error) => error);
    expect([error.status, error.name]).to.deep.equal([500, 'eval_forbidden']);
    expect(error.message).to.contain('Content Security Policy');
    expect(ids(await db.changes({ selector: { n: { $gt: 1, $regex: undefined } } }))).to.deep.equal(['B', 'D']);
    await db.destroy();
    remove();
  });
});
