// RxDB with the storage that is free and that it recommends for browsers, Dexie; no option set. Its revisions are its own, and
// what it knows of changes is the time of each document's last write.

const schema = {
  version: 0,
  primaryKey: '_id',
  type: 'object',
  properties: {
    _id: { type: 'string', maxLength: 40 },
    type: { type: 'string' },
    title: { type: 'string' },
    author: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
    done: { type: 'boolean' },
    position: { type: 'object', properties: { x: { type: 'number' }, y: { type: 'number' } } },
    created: { type: 'string' },
    text: { type: 'string' },
    edited: { type: 'boolean' },
  },
};

export function makeRxdb() {
  return { open: (name) => new RxdbStore(name), keepsRevisions: false, onlyWithDocs: true };
}

async function openDatabase(name) {
  const { createRxDatabase, getRxStorageDexie } = globalThis.RxDB;
  const database = await createRxDatabase({ name, storage: getRxStorageDexie() });
  const { documents } = await database.addCollections({ documents: { schema } });
  return { database, documents };
}

function accepted({ success, error }) {
  if (error.length > 0) throw new Error(`RxDB refused ${error.length} documents with status ${error[0].status}`);
  return success;
}

const plain = (found) => found.map((document) => document.toJSON());

class RxdbStore {
  #name;
  #opening;
  #newest;

  constructor(name) {
    this.#name = name;
    this.#opening = openDatabase(name);
  }

  async #collection() {
    return (await this.#opening).documents;
  }

  async ready() {
    await this.#opening;
  }

  async insert(documents) {
    this.#newest = accepted(await (await this.#collection()).bulkInsert(documents));
  }

  async update(documents) {
    accepted(await (await this.#collection()).bulkUpsert(documents));
  }

  async put(document) {
    await (await this.#collection()).insert(document);
  }

  putParallel(documents) {
    return Promise.all(documents.map((document) => this.put(document)));
  }

  async get(id) {
    return (await (await this.#collection()).findOne(id).exec())?.toJSON();
  }

  getParallel(ids) {
    return Promise.all(ids.map((id) => this.get(id)));
  }

  async allDocs() {
    const found = plain(await (await this.#collection()).find({ sort: [{ _id: 'asc' }] }).exec());
    return found.map((doc) => ({ id: doc._id, doc }));
  }

  async range(start, limit) {
    const query = { selector: { _id: { $gte: start } }, sort: [{ _id: 'asc' }], limit };
    return plain(await (await this.#collection()).find(query).exec());
  }

  changes() {
    return this.changesSince(undefined);
  }

  async changesSince(checkpoint) {
    const { storageInstance } = await this.#collection();
    const answer = await globalThis.RxDB.getChangedDocumentsSince(storageInstance, Number.MAX_SAFE_INTEGER, checkpoint);
    return answer.documents.map((doc) => ({ id: doc._id, doc }));
  }

  /** The checkpoint of the last insertion: the time of its last write and, of those written then, the greatest id. */
  async position() {
    const checkpoints = this.#newest.map(({ primary: id, _data: { _meta: { lwt } } }) => ({ id, lwt }));
    return checkpoints.reduce((last, one) => (one.lwt > last.lwt || (one.lwt === last.lwt && one.id > last.id) ? one : last));
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

  async count() {
    return (await this.#collection()).count().exec();
  }

  read(id) {
    return this.get(id);
  }

  async close() {
    await (await this.#opening).database.close();
  }

  async reopen() {
    await this.close();
    this.#opening = openDatabase(this.#name);
    await this.ready();
  }

  async destroy() {
    await (await this.#opening).database.remove();
  }
}
