// Checked by the compiler only: the calls that PouchDB's documentation shows, page by page.
import Potoroo from 'potoroo';

const db = new Potoroo('docs');

export async function databases() {
  new Potoroo('docs', { adapter: 'memory', auto_compaction: true, revs_limit: 10 });
  new Potoroo('http://localhost:5984/docs', { auth: { username: 'a', password: 'b' } });
  new Potoroo('http://example.com/docs', {
    fetch(url, options) {
      (options?.headers as Headers).set('X-Some-Special-Header', 'foo');
      return Potoroo.fetch(url, options);
    },
  });
  const Prefixed = Potoroo.defaults({ prefix: 'http://example.org' });
  const { db_name, doc_count, update_seq } = await new Prefixed('docs').info();
  db.destroy((error, response) => console.log(error, response?.ok));
  await db.close();
  return [db_name, doc_count, update_seq];
}

export async function documents() {
  db.put({ _id: 'mydoc', title: 'Heroes' }, (error, response) => console.log(error?.name, response?.rev));
  const doc = await db.get<{ title: string }>('mydoc');
  await db.put({ _id: 'mydoc', _rev: doc._rev, title: "Let's Dance" });
  await db.put({ ...doc, _deleted: true });
  await db.post({ title: 'Ziggy Stardust' });
  await db.remove(doc);
  await db.remove(doc._id, doc._rev);
  db.get('mydoc', (error, found) => console.log(error?.reason, found?._id));
  await db.get('mydoc', { rev: doc._rev, revs: true, revs_info: true, conflicts: true });
  await db.get('mydoc', { open_revs: 'all' });
  await db.bulkDocs([{ title: 'Lisa Says', _id: 'doc1' }, { title: 'Space Oddity', _id: 'doc2', _rev: '1-a' }]);
  db.bulkDocs([{ _id: 'doc1' }], (error, results) => console.log(error, results?.length));
  const all = await db.allDocs({ include_docs: true, attachments: true, startkey: 'bar', endkey: 'quux', limit: 1, skip: 1 });
  await db.allDocs({ keys: ['a', 'b'], include_docs: true });
  await db.bulkGet({ docs: [{ id: 'a', rev: '1-a' }, { id: 'b' }] });
  await db.revsDiff({ myDoc1: ['1-b2e54331db828310f3c772d6e042ac9c'] });
  await db.compact();
  await db.purge('mydoc', '6-3a24009a9525bde9e4bfa8a99046b00d');
  return all.rows.map(({ id, value }) => [id, value.rev]);
}

export async function feeds() {
  const changes = db
    .changes({ since: 'now', live: true, include_docs: true })
    .on('change', (change) => console.log(change.id, change.seq))
    .on('complete', (info) => console.log(info.results))
    .on('error', (error) => console.log(error));
  changes.cancel();
  db.changes({ limit: 10, since: 0 }, (error, response) => console.log(error, response?.last_seq));
  await db.changes({ filter: (doc) => doc.type === 'marsupial' });
  await db.changes({ doc_ids: ['a', 'c'] });
  await db.changes({ filter: 'myfilter', query_params: { type: 'marsupial' } });
  await db.changes({ filter: '_view', view: 'mydesign/myview' });
  await db.changes({ selector: { type: { $in: ['marsupial'] } }, timeout: 1000, heartbeat: 500 });
}

export async function replications(remote: Potoroo.Database) {
  const replication = Potoroo.replicate('mydb', 'http://localhost:5984/mydb', { live: true, retry: true })
    .on('change', (info) => console.log(info.docs_written))
    .on('paused', (error) => console.log(error))
    .on('active', () => {})
    .on('denied', (error) => console.log(error.id))
    .on('complete', (info) => console.log(info.status))
    .on('error', (error) => console.log(error));
  replication.cancel();
  await db.replicate.to(remote, { selector: { type: 'marsupial' } });
  await db.replicate.from(remote, { filter: 'mydesign/myfilter', query_params: { type: 'marsupial' } });
  await db.replicate.to(remote, { view: 'mydesign/myview' });
  const sync = Potoroo.sync('mydb', 'http://localhost:5984/mydb', { live: true, retry: true });
  sync.on('change', ({ direction }) => console.log(direction)).on('active', () => {});
  const { push, pull } = await db.sync(remote);
  return [push?.docs_written, pull?.errors.length];
}

export async function queries() {
  const { id, result } = await db.createIndex({ index: { fields: ['foo', { bar: 'desc' }], ddoc: 'mydesigndoc', partial_filter_selector: { a: 1 } } });
  const { docs } = await db.find({ selector: { name: 'Mario', debut: { $gt: 1990 } }, fields: ['_id', 'name'], sort: ['name'], limit: 9 });
  const { indexes } = await db.getIndexes();
  await db.deleteIndex(indexes[0] as { ddoc: string; name: string });
  db.find({ selector: {} }, (error, found) => console.log(error, found?.docs[0]?._id));
  const { index } = await db.explain({ selector: { name: 'Mario' } });
  const view = await db.query('mydesign/index', { key: 'foo', include_docs: true, group_level: 1 });
  await db.query<{ name: string }>((doc, emit) => emit(doc.name), { startkey: 'a', endkey: 'b\ufff0', reduce: '_count' });
  await db.query({ map: (doc: { type: string }, emit) => emit(doc.type), reduce: '_count' }, { group: true });
  // @ts-expect-error a selector is needed
  await db.find({});
  return [id, result, docs.length, index.name, view.rows[0]?.doc?._rev, await db.viewCleanup()];
}

export function plugins() {
  const Greeting = Potoroo.plugin({ sayHello: () => console.log('Hello!') }).plugin({ thank: (name: string) => console.log(name) });
  const greeter = new Greeting('foobar');
  greeter.sayHello();
  greeter.thank('Mom');
  Potoroo.on('created', (name) => console.log(name.length));
  Potoroo.on('destroyed', (name) => console.log(name.length));
  return Potoroo.activeTasks.list().map(({ id, name, total_items, completed_items }) => [id, name, total_items, completed_items]);
}
