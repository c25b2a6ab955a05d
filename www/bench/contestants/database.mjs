// The verbs of the workloads in terms of PouchDB's API, which Potoroo shares: one code for both.
import { slices } from '../page/documents.mjs';

export class DatabaseStore {
  #make;
  #db;
  #sync;

  /** `make` constructs the database; it is called at once, and again by `reopen`. */
  constructor(make) {
    this.#make = make;
    this.#db = make();
  }

  /** Resolves when the database is there, so that no workload pays for making it. */
  async ready() {
    await this.#db.info();
  }

  insert(documents) {
    return this.#db.bulkDocs(documents);
  }

  update(documents) {
    return this.#db.bulkDocs(documents);
  }

  put(document) {
    return this.#db.put(document);
  }

  putParallel(documents) {
    return Promise.all(documents.map((document) => this.#db.put(document)));
  }

  get(id) {
    return this.#db.get(id);
  }

  getParallel(ids) {
    return Promise.all(ids.map((id) => this.#db.get(id)));
  }

  async allDocs(withDocs) {
    return (await this.#db.allDocs(withDocs ? { include_docs: true } : {})).rows;
  }

  async changes(withDocs) {
    return (await this.#db.changes(withDocs ? { include_docs: true } : {})).results;
  }

  /** `limit` documents in the order of their ids, from `start` on. */
  async range(start, limit) {
    return (await this.#db.allDocs({ startkey: start, limit, include_docs: true })).rows.map(({ doc }) => doc);
  }

  /** `since` is what `position` answered once. */
  async changesSince(since, withDocs) {
    return (await this.#db.changes(withDocs ? { since, include_docs: true } : { since })).results;
  }

  putAttachment(id, name, blob, type) {
    return this.#db.putAttachment(id, name, blob, type);
  }

  getAttachment(id, name) {
    return this.#db.getAttachment(id, name);
  }

  /** Replicates into another store of the same contestant. */
  copyTo(store) {
    return this.#db.replicate.to(store.#db);
  }

  pull(url, options) {
    return this.#db.replicate.from(url, options);
  }

  push(url, options) {
    return this.#db.replicate.to(url, options);
  }

  /** Has it sync with the server for as long as it lives; resolves when it is up to date. `onChange` hears of every change. */
  async live(url, onChange) {
    this.#db.changes({ live: true, since: 'now' }).on('change', ({ id, changes }) => onChange(id, changes[0].rev));
    this.#sync = this.#db.sync(url, { live: true, retry: true });
    const { push, pull } = this.#sync;
    await Promise.all([push, pull].map((side) => new Promise((resolve) => side.on('paused', resolve))));
  }

  /** Answers with the new revision. */
  async edit(document) {
    return (await this.#db.put(document)).rev;
  }

  async endLive() {
    this.#sync.cancel();
    await this.#sync;
  }

  // Below: preparing and checking, never timed.

  async fill(documents) {
    for (const slice of slices(documents, 1000)) await this.#db.bulkDocs(slice);
  }

  /** Documents that come with their revisions. */
  async fillHistory(documents) {
    for (const slice of slices(documents, 1000)) await this.#db.bulkDocs(slice, { new_edits: false });
  }

  /** Nothing to do: a database answers every question from what was written. */
  async prepareReads() {}

  async prepareChanges() {}

  async position() {
    return (await this.#db.info()).update_seq;
  }

  async revisionsOf(ids) {
    return new Map((await this.#db.allDocs({ keys: ids })).rows.map((row) => [row.id, row.value.rev]));
  }

  async revisions() {
    return new Map((await this.allDocs(false)).map((row) => [row.id, row.value.rev]));
  }

  async count() {
    return (await this.allDocs(false)).length;
  }

  read(id) {
    return this.#db.get(id);
  }

  close() {
    return this.#db.close();
  }

  async reopen() {
    await this.close();
    this.#db = this.#make();
    await this.ready();
  }

  destroy() {
    return this.#db.destroy();
  }
}
