// Checked by the compiler only: what must compile, and by `@ts-expect-error` what must not.
import Potoroo, { Potoroo as Named } from 'potoroo';
import Slim, { initialize } from 'potoroo/slim';

interface Note {
  title: string;
  done?: boolean;
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(value?: T) => value;

export async function documents() {
  const db: Potoroo.Database<Note> = new Potoroo<Note>('notes', { adapter: 'memory', revs_limit: 50 });
  const { ok, id, rev } = await db.put({ _id: 'a', title: 'A' });
  isTrue<Equal<[typeof ok, typeof id, typeof rev], [boolean, string, string]>>();

  const note = await db.get('a', { conflicts: true });
  const title: string = note.title;
  const conflicts: string[] | undefined = note._conflicts;
  await db.put({ ...note, title: 'B' });
  await db.post({ title, done: true });
  await db.remove(note);
  await db.remove('a', note._rev);
  // @ts-expect-error a title is text
  await db.put({ _id: 'a', title: 1 });
  // @ts-expect-error a revision is needed
  await db.remove({ _id: 'a' });
  // @ts-expect-error there is no such method
  await db.fetchAll();

  const attached = await db.putAttachment('a', 'photo', note._rev, new Blob(['x']), 'image/png');
  await db.putAttachment('new', 'bytes', new Uint8Array(3), 'application/octet-stream');
  const photo: Blob = await db.getAttachment('a', 'photo', { rev: attached.rev });
  await db.removeAttachment('a', 'photo', attached.rev);
  await db.put({ _id: 'b', title, _attachments: { photo: { content_type: 'image/png', data: photo } } });
  // @ts-expect-error a type is needed
  await db.putAttachment('a', 'photo', note._rev);

  for (const revision of await db.get('a', { open_revs: 'all' })) {
    if ('ok' in revision) console.log(revision.ok.title, revision.ok._rev);
    else console.log(revision.missing);
  }
  for (const result of await db.bulkDocs([{ title: 'x' }, { _id: 'b', title: 'y', _deleted: true }])) {
    if ('ok' in result) console.log(result.rev);
    else console.log(result.status, result.name, result.reason, result.message);
  }
  await db.bulkDocs({ docs: [{ title: 'z' }], new_edits: false });

  const { rows, total_rows } = await db.allDocs({ include_docs: true, startkey: 'a', endkey: 'b\ufff0' });
  const titles: (string | undefined)[] = rows.map((row) => row.doc?.title);
  const byKey = await db.allDocs({ keys: ['a', 'b'], include_docs: true });
  for (const row of byKey.rows) {
    if (row.error) console.log(row.key);
    else console.log(row.value.rev, row.doc?.title);
  }
  const diff = await db.revsDiff({ a: ['1-x'] });
  const missing: string[] | undefined = diff['a']?.missing;
  return { titles, total_rows, conflicts, missing, info: (await db.info()).update_seq };
}

export async function storage() {
  const db = new Potoroo<Note>('notes', { durability: 'strict' });
  db.on('adapter', (name) => console.log(name.toUpperCase()));
  db.on('blocked', (what) => console.log(what === 'open' ? 'close the other tabs' : what.toUpperCase()));
  const kept: boolean = (await Potoroo.storage.persisted()) || (await Potoroo.storage.persist());
  const { usage = 0, quota } = await Potoroo.storage.estimate();
  // @ts-expect-error it may not be known
  quota.toFixed();
  console.log(kept, usage.toFixed());
  // @ts-expect-error there is no such durability
  new Potoroo<Note>('notes', { durability: 'eternal' });
  return new Potoroo<Note>('few notes', { adapter: 'localstorage' });
}

export async function inWorker() {
  const db = new Potoroo<Note>('notes', { worker: true });
  // @ts-expect-error it is a flag
  new Potoroo<Note>('notes', { worker: 'shared' });
  const { worker } = await db.info();
  const isInWorker: true | undefined = worker;
  return [isInWorker, Potoroo.defaults({ worker: true })];
}

export function callbacks(db: Potoroo.Database<Note>) {
  db.put({ _id: 'a', title: 'A' }, (error, result) => console.log(error?.status, result?.rev));
  db.get('a', (error, note) => console.log(error?.docId, note?.title));
  db.allDocs((error, result) => console.log(error, result?.rows.length));
  db.destroy((error, result) => console.log(error, result?.ok));
  const callback: Potoroo.Core.Callback<Potoroo.Core.DatabaseInfo> = (_error, info) => console.log(info?.doc_count);
  db.info(callback);
}

export async function untyped() {
  const db = new Potoroo('anything');
  await db.put({ _id: 'a', whatever: 1 });
  const note = await db.get<Note>('a');
  console.log(note.title);
  const withoutNew: Potoroo.Database = Potoroo('anything');
  const compacted: boolean = (await db.compact()).ok;
  await db.compactDocument('a', 0);
  const { deletedRevs, documentWasRemovedCompletely } = await db.purge('a', '1-b');
  console.log(compacted, deletedRevs[0]?.length, documentWasRemovedCompletely === true, (await db.viewCleanup()).ok);
  const byOptions = new Potoroo<Note>({ name: 'b', auto_compaction: true });
  return [withoutNew, byOptions, new Named('c'), new Slim('d')];
}

export async function feeds(db: Potoroo.Database<Note>) {
  const feed = db
    .changes({ live: true, since: 'now', include_docs: true, filter: (doc: Note) => doc.done })
    .on('change', ({ id, seq, deleted, doc }, pending) => console.log(id, seq, deleted, doc?.title, pending))
    .on('complete', ({ last_seq }) => console.log(last_seq))
    .on('error', ({ status }) => console.log(status))
    .on('an event of a plugin', () => {});
  feed.cancel();
  const { results } = await db.changes({ limit: 1, descending: true });
  // @ts-expect-error there is no such style
  db.changes({ style: 'some_docs' });
  return results[0]?.changes[0]?.rev;
}

export async function replication(db: Potoroo.Database<Note>) {
  const remote = new Potoroo<Note>('https://example.org/notes', {
    auth: { username: 'a', password: 'b' },
    headers: { 'x-tenant': 'c' },
    skip_setup: true,
    fetch: (url, init) => Potoroo.fetch(url, { ...init, cache: 'no-store' }),
  });
  const sync: Potoroo.Replication.Sync<Note> = db
    .sync(remote, { live: true, retry: true, pull: { filter: 'board/mine', query_params: { me: 'a' } }, push: { doc_ids: ['a'] } })
    .on('change', ({ direction, change }) => console.log(direction, change.docs.map((doc) => doc.title), change.pending))
    .on('paused', (error) => console.log(error?.message))
    .on('active', ({ direction }) => console.log(direction))
    .on('denied', ({ doc }) => console.log(doc.id))
    .on('status', ({ state, pending, done, push }) => console.log(state, pending && done / (done + pending), push.next_retry))
    .on('error', (error) => console.log(error.result?.docs_read));
  console.log(sync.push.state);
  const status: Potoroo.Replication.ReplicationStatus = sync.push.status();
  if (status.state === 'offline') console.log(status.last_error?.status, status.last_error_time, status.last_success);
  // @ts-expect-error there is no such state
  console.log(status.state === 'sleeping');
  console.log(sync.status().state, sync.status().rate, sync.status().set_aside);
  db.sync(remote, {
    live: true,
    retry: true,
    shared: true,
    conflicts: (leaves) => ({ ...leaves[0], tags: leaves.flatMap(({ tags }) => tags) }),
  }).on('conflict', ({ id, leaves, rev, error }) => console.log(id, leaves.length, rev, error));
  db.replicate.from(remote, { conflicts: async ([winner]) => winner });
  db.replicate.from(remote, { conflicts: () => undefined });
  // @ts-expect-error a revision's number is no document
  db.replicate.from(remote, { conflicts: () => '1-a' });
  const { results } = await db.conflicts({ include_docs: true });
  console.log(results[0]?.conflicts.length, results[0]?.doc?.title, results[0]?.doc?._conflicts);
  const list = db.conflicts({ live: true }).on('change', ({ id, conflicts }) => console.log(id, conflicts.length));
  list.on('ready', (rows) => console.log(rows.length, list.rows[0]?.rev)).cancel();
  await db.bulkDocs([], { atomic: true });
  sync.cancel();
  const { docs_written, end_time } = await db.replicate.from('https://example.org/notes', {
    since: 0,
    batch_size: 500,
    back_off_function: (previous) => Math.min(previous * 2 + 1, 60_000),
  });
  const pushed = await Potoroo.replicate(db, remote, { checkpoint: 'target' });
  const both = await Potoroo.sync(db, 'other');
  // @ts-expect-error a list of ids
  db.replicate.to(remote, { doc_ids: 'a' });
  return [docs_written, end_time, pushed.status, both.pull?.ok];
}

export async function plugins() {
  const WithHello = Potoroo.plugin({
    hello(this: Potoroo.Database, name: string) {
      return `${this.name} ${name}`;
    },
  });
  const greeting: string = new WithHello<Note>('a').hello('b');
  Potoroo.plugin((potoroo) => {
    potoroo.on('created', (name) => console.log(name));
  });
  const Prefixed = Potoroo.defaults({ prefix: 'app-' });
  class Board extends Prefixed<Note> {
    titles() {
      return this.allDocs({ include_docs: true }).then(({ rows }) => rows.map(({ doc }) => doc?.title));
    }
  }
  const titles = await new Board('board').titles();
  await initialize(new URL('https://example.org/potoroo.wasm'));
  return [greeting, titles];
}

// What a plugin's own types add.
declare module 'potoroo' {
  namespace Potoroo {
    interface Database<Content extends {} = {}> {
      rename(id: string, change: (doc: Content) => Content): Promise<void>;
    }
  }
}

export const augmented = (db: Potoroo.Database<Note>) => db.rename('a', (note) => ({ ...note, done: true }));
