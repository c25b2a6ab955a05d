// The bare platform at size: IndexedDB with one record for each document, the object itself under its id, and nothing else. A
// batch is one transaction. Changes are one record made beforehand, since a store without an index cannot be asked for them.
import { deleteDatabase, settled, written } from './indexed-db.mjs';

function openDatabase(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('documents');
    request.result.createObjectStore('answers');
  };
  return settled(request);
}

export class FloorRecordStore {
  #name;
  #opening;

  constructor(name) {
    this.#name = name;
    this.#opening = openDatabase(name);
  }

  async ready() {
    await this.#opening;
  }

  async #write(storeName, entries) {
    await written(await this.#opening, storeName, entries);
  }

  async #documents() {
    return (await this.#opening).transaction('documents').objectStore('documents');
  }

  insert(documents) {
    return this.#write('documents', documents.map((document) => [document, document._id]));
  }

  update(documents) {
    return this.insert(documents);
  }

  async get(id) {
    return settled((await this.#documents()).get(id));
  }

  async range(start, limit) {
    return settled((await this.#documents()).getAll(IDBKeyRange.lowerBound(start), limit));
  }

  async changesSince(_, withDocs) {
    const db = await this.#opening;
    const key = withDocs ? 'changes with docs' : 'changes';
    return settled(db.transaction('answers').objectStore('answers').get(key));
  }

  // Below: preparing and checking, never timed.

  /** Nothing to remember: the answer to `changesSince` is made by `prepareChanges`. */
  async position() {
    return null;
  }

  async prepareChanges(documents) {
    await this.#write('answers', [
      [documents.map(({ _id: id }) => ({ id })), 'changes'],
      [documents.map((doc) => ({ id: doc._id, doc })), 'changes with docs'],
    ]);
  }

  async revisionsOf() {
    return new Map();
  }

  async count() {
    return settled((await this.#documents()).count());
  }

  read(id) {
    return this.get(id);
  }

  async close() {
    (await this.#opening).close();
  }

  async destroy() {
    await this.close();
    await deleteDatabase(this.#name);
  }
}
