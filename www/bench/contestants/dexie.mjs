// Dexie the way people use it who want speed: one table keyed by the document's id, whole batches with bulkPut and bulkGet. It
// keeps no revisions and checks no conflict. A number of its own that each write raises, with an index on it, stands for the
// sequence that databases which replicate have.

export function makeDexie() {
  return { open: (name) => new DexieStore(name), keepsRevisions: false };
}

function openDatabase(name) {
  const db = new globalThis.Dexie(name);
  db.version(1).stores({ documents: '_id, _seq' });
  return db;
}

class DexieStore {
  #name;
  #db;
  #seq;

  constructor(name) {
    this.#name = name;
    this.#db = openDatabase(name);
  }

  get #table() {
    return this.#db.documents;
  }

  async ready() {
    await this.#db.open();
    await this.position();
  }

  /** The number given last; asked once, since this page is the only one that writes. */
  async position() {
    this.#seq ??= (await this.#table.orderBy('_seq').last())?._seq ?? 0;
    return this.#seq;
  }

  #numbered(document) {
    this.#seq += 1;
    return { ...document, _seq: this.#seq };
  }

  async insert(documents) {
    await this.position();
    return this.#table.bulkPut(documents.map((document) => this.#numbered(document)));
  }

  update(documents) {
    return this.insert(documents);
  }

  async put(document) {
    await this.position();
    return this.#table.put(this.#numbered(document));
  }

  putParallel(documents) {
    return Promise.all(documents.map((document) => this.put(document)));
  }

  get(id) {
    return this.#table.get(id);
  }

  getParallel(ids) {
    return Promise.all(ids.map((id) => this.#table.get(id)));
  }

  async allDocs(withDocs) {
    const inOrder = this.#table.orderBy('_id');
    if (!withDocs) return (await inOrder.primaryKeys()).map((id) => ({ id }));
    return (await inOrder.toArray()).map((doc) => ({ id: doc._id, doc }));
  }

  range(start, limit) {
    return this.#table.where('_id').aboveOrEqual(start).limit(limit).toArray();
  }

  changes(withDocs) {
    return this.changesSince(0, withDocs);
  }

  async changesSince(seq, withDocs) {
    const newer = this.#table.where('_seq').above(seq);
    if (!withDocs) return (await newer.primaryKeys()).map((id) => ({ id }));
    return (await newer.toArray()).map((doc) => ({ id: doc._id, doc }));
  }

  // Below: preparing and checking, never timed.

  async fill(documents) {
    await this.insert(documents);
  }

  async prepareReads() {}

  async prepareChanges() {}

  async revisions() {
    return new Map();
  }

  async revisionsOf() {
    return new Map();
  }

  count() {
    return this.#table.count();
  }

  read(id) {
    return this.get(id);
  }

  async close() {
    this.#db.close();
  }

  async reopen() {
    await this.close();
    this.#db = openDatabase(this.#name);
    this.#seq = undefined;
    await this.ready();
  }

  async destroy() {
    await this.#db.delete();
  }
}
