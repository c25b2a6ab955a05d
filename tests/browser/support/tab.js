// In a page: what the cases of *.tabs.mjs call there by name. `tab.db` is the database opened last.
/* global Potoroo */

const membersOf = ({ status, name, message, reason }) => ({ status, name, message, reason });

/** `ok`, or the members of the error. */
const outcomeOf = (promise) => promise.then(() => 'ok', membersOf);

let opened;
let held;
/** By the names of their databases. */
const syncs = new Map();

globalThis.tab = {
  /** Resolves once the database is open. */
  async open(name, options) {
    const db = new Potoroo(name, options);
    const blocked = [];
    const changes = [];
    const ended = new Promise((resolve) => db.on('destroyed', () => resolve('destroyed')));
    db.on('blocked', (what) => blocked.push(what));
    let changed = () => {};
    const change = new Promise((resolve) => (changed = resolve));
    tab.db = db;
    opened = { name, options, blocked, changes, ended, change };
    const { update_seq } = await db.info();
    const feed = db.changes({ live: true, since: update_seq });
    feed.on('change', ({ id }) => changed(changes.push(id)));
    feed.catch(() => {});
  },

  /** As `open`, but answers how it went. */
  tryToOpen: (name, options) => outcomeOf(tab.open(name, options)),

  async reopen() {
    await tab.db.close();
    await tab.open(opened.name, opened.options);
  },

  /** Writes a document of so many letters, and answers how it went. */
  write: (_id, length) => outcomeOf(tab.db.put({ _id, text: tab.letters(length) })),

  /** Not one letter again and again, which would be stored in hardly any room. */
  letters(length) {
    const codes = new Uint8Array(length);
    for (let start = 0; start < length; start += 65_536) crypto.getRandomValues(codes.subarray(start, start + 65_536));
    return new TextDecoder().decode(codes.map((code) => 64 + (code & 31)));
  },

  /** Writes until that fails; answers how many were written, and the error. */
  async fill(prefix, length) {
    for (let written = 0; ; written += 1) {
      const outcome = await tab.write(`${prefix}-${String(written).padStart(5, '0')}`, length);
      if (outcome !== 'ok') return { written, error: outcome };
    }
  },

  ids: async () => (await tab.db.allDocs()).rows.map(({ id }) => id),
  get: (id) => tab.db.get(id),
  remove: (id) => outcomeOf(tab.db.get(id).then((doc) => tab.db.remove(doc))),
  check: () => tab.db.check(),
  destroy: () => outcomeOf(tab.db.destroy()),
  /** Resolve at the first event of their kind. */
  ended: () => opened.ended,
  changed: () => opened.change,
  /** What there was so far: ids, and what was said to wait. */
  changes: () => opened.changes,
  blocked: () => opened.blocked,

  /** Reads what other tabs have committed, whether or not they have been heard of. */
  refresh: () => tab.db._core.refresh(),

  /**
   * Opens the database and has it sync for as long as it lives; `database` are options of its own. `functions`: with a function
   * that does nothing; `different`: as no other page; `mute`: without any answer of the browser's to questions for locks.
   */
  async sync(name, remote, { database, functions, different, mute, ...options } = {}) {
    if (mute) LockManager.prototype.request = () => new Promise(() => {});
    const db = new Potoroo(name, database);
    if (functions) options.fetch = (url, init) => fetch(url, init);
    if (different) options.headers = { 'x-page': String(Math.random()) };
    const told = [];
    const pauses = [];
    const sync = db.sync(remote, { live: true, retry: true, ...options });
    sync.on('change', ({ direction, change }) => told.push(...change.docs.map(({ _id }) => `${direction} ${_id}`)));
    sync.on('paused', (error) => pauses.push(error?.name ?? 'up to date'));
    sync.on('error', () => {});
    syncs.set(name, { db, sync, told, pauses });
  },
  stateOf: (name) => syncs.get(name).sync.status().state,
  errorOf: (name) => syncs.get(name).sync.status().last_error?.name,
  toldOf: (name) => syncs.get(name).told,
  pausesOf: (name) => syncs.get(name).pauses,
  idsOf: async (name) => (await syncs.get(name).db.allDocs()).rows.map(({ id }) => id),
  putIn: (name, _id) => outcomeOf(syncs.get(name).db.put({ _id })),
  isElected: (name) => syncs.get(name).sync.pull._shared._election.isElected,
  /** Answers how it ended. */
  async cancel(name) {
    const { sync } = syncs.get(name);
    sync.cancel();
    return (await sync).pull.status;
  },
  closeOne: (name) => outcomeOf(syncs.get(name).db.close()),

  /** Does as a script that knows nothing of others: opens the database and listens to nothing. */
  hold(name, version) {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(`_potoroo_${name}`, version);
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        held = request.result;
        resolve(request.result.version);
      };
    });
  },
  /** Of what it holds open. */
  bytesOf(store) {
    return new Promise((resolve, reject) => {
      const request = held.transaction(store).objectStore(store).getAll();
      request.onsuccess = () => resolve(request.result.reduce((sum, { byteLength }) => sum + byteLength, 0));
      request.onerror = () => reject(request.error);
    });
  },
  letGo: () => held.close(),

  deleteDatabase(name) {
    return new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(`_potoroo_${name}`);
      request.onsuccess = () => resolve();
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error('an open tab keeps the database from being deleted'));
    });
  },

  /** The names of this origin's IndexedDB databases. */
  databases: async () => (await indexedDB.databases()).map(({ name }) => name),
};
