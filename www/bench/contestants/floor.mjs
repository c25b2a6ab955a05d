// The bare platform: the least a page can do to get the same bytes into IndexedDB or through HTTP and the same objects back.
// It takes the documents a database would take and gives what a database would give, but keeps no revisions, checks no
// conflict and indexes nothing. Each batch is one record of JSON bytes, each answer is one record made beforehand.
import { firstRevision, slices } from '../page/documents.mjs';
import { remote } from '../page/remote.mjs';
import { FloorRecordStore } from './floor-records.mjs';
import { deleteDatabase, settled, written } from './indexed-db.mjs';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = (value) => encoder.encode(JSON.stringify(value));
const decode = (bytes) => JSON.parse(decoder.decode(bytes));

export function makeFloor() {
  return {
    open: (name) => new FloorStore(name),
    openAtSize: (name) => new FloorRecordStore(name),
    keepsRevisions: false,
  };
}

function openDatabase(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('batches', { autoIncrement: true });
    request.result.createObjectStore('answers');
  };
  return settled(request);
}

class FloorStore {
  #name;
  #opening;
  /** What `push` sends and what `pull` got. */
  #filled = [];
  #received = [];
  #live;

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

  async #answer(key) {
    const db = await this.#opening;
    const bytes = await settled(db.transaction('answers').objectStore('answers').get(key));
    if (!bytes) throw new Error(`the floor was not prepared for ${key}`);
    return decode(bytes);
  }

  insert(documents) {
    return this.#write('batches', [[encode(documents)]]);
  }

  update(documents) {
    return this.insert(documents);
  }

  put(document) {
    return this.insert([document]);
  }

  putParallel(documents) {
    return this.insert(documents);
  }

  get(id) {
    return this.#answer(`one:${id}`);
  }

  /** Those of `prepareReads`, whichever are asked for. */
  getParallel() {
    return this.#answer('documents');
  }

  allDocs(withDocs) {
    return this.#answer(withDocs ? 'allDocs with docs' : 'allDocs');
  }

  changes(withDocs) {
    return this.#answer(withDocs ? 'changes with docs' : 'changes');
  }

  /** The two requests no pull can do without, as wide as they go; what comes is read and left alone. */
  async pull(url) {
    const source = remote(url);
    const { results } = await (await source.get('/_changes?style=all_docs')).json();
    const wanted = results.flatMap(({ id, changes }) => changes.map(({ rev }) => ({ id, rev })));
    this.#received = await Promise.all(
      slices(wanted, 1000).map(async (docs) =>
        (await source.post('/_bulk_get?revs=true&latest=true', { docs })).arrayBuffer(),
      ),
    );
  }

  /** The two requests no push can do without, as wide as they go. */
  async push(url) {
    const target = remote(url);
    await Promise.all(
      slices(this.#filled, 1000).map(async (documents) => {
        const revisions = Object.fromEntries(documents.map(({ _id, _rev }) => [_id, [_rev]]));
        const missing = await (await target.post('/_revs_diff', revisions)).json();
        const docs = documents.filter(({ _id }) => missing[_id]);
        await (await target.post('/_bulk_docs', { docs, new_edits: false })).arrayBuffer();
      }),
    );
  }

  /** The requests that a change needs: the feed tells of it, and the document is read. Nothing is kept. */
  async live(url, onChange) {
    const source = remote(url);
    this.#live = { target: source, isOver: false };
    const { last_seq } = await (await source.get('/_changes?style=all_docs&limit=0')).json();
    this.#listen(source, last_seq, onChange, this.#live);
  }

  async #listen(source, since, onChange, live) {
    while (!live.isOver) {
      const query = new URLSearchParams({ style: 'all_docs', feed: 'longpoll', timeout: 1000, since });
      const { results, last_seq } = await (await source.get(`/_changes?${query}`)).json();
      const docs = results.flatMap(({ id, changes }) => changes.map(({ rev }) => ({ id, rev })));
      if (docs.length > 0) {
        await (await source.post('/_bulk_get?revs=true&latest=true', { docs })).arrayBuffer();
        for (const { id, rev } of docs) onChange(id, rev);
      }
      since = last_seq;
    }
    live.ended();
  }

  /** The two requests that bring an edit to a server. */
  async edit({ _rev = '0-', ...document }) {
    const { target } = this.#live;
    const [generation, hash] = _rev.split('-');
    const start = Number(generation) + 1;
    const id = firstRevision(start).slice(2);
    const rev = `${start}-${id}`;
    await (await target.post('/_revs_diff', { [document._id]: [rev] })).json();
    const doc = { ...document, _rev: rev, _revisions: { start, ids: hash ? [id, hash] : [id] } };
    await (await target.post('/_bulk_docs', { docs: [doc], new_edits: false })).arrayBuffer();
    return rev;
  }

  /** Once the feed has answered for the last time. */
  async endLive() {
    const ended = new Promise((resolve) => (this.#live.ended = resolve));
    this.#live.isOver = true;
    await ended;
  }

  // Below: preparing and checking, never timed.

  async fill(documents) {
    this.#filled = documents.map((document, index) => {
      const rev = firstRevision(index);
      return { ...document, _rev: rev, _revisions: { start: 1, ids: [rev.slice(2)] } };
    });
    await this.insert(documents);
  }

  async fillHistory(documents) {
    this.#filled = documents;
    await this.insert(documents);
  }

  /** Writes each answer the workload will ask for, from what is stored; `ids` are those that will be asked for singly. */
  async prepareReads({ ids = [] } = {}) {
    const stored = await this.#stored();
    const documents = [...stored.values()].map((document, index) => ({ ...document, _rev: firstRevision(index) }));
    const changes = documents.map(({ _id: id, _rev: rev }, index) => ({ id, seq: index + 1, changes: [{ rev }] }));
    const sorted = documents.toSorted((left, right) => (left._id < right._id ? -1 : 1));
    const rows = sorted.map(({ _id: id, _rev: rev }) => ({ id, key: id, value: { rev } }));
    const answers = {
      documents,
      allDocs: rows,
      'allDocs with docs': rows.map((row, index) => ({ ...row, doc: sorted[index] })),
      changes,
      'changes with docs': changes.map((change, index) => ({ ...change, doc: documents[index] })),
    };
    for (const id of ids) answers[`one:${id}`] = stored.get(id);
    await this.#write('answers', Object.entries(answers).map(([key, value]) => [encode(value), key]));
  }

  /** Every document that is stored, the last version of each, or every one that a pull received. */
  async #stored() {
    if (this.#received.length > 0) {
      const results = this.#received.flatMap((bytes) => decode(bytes).results);
      return new Map(results.map(({ docs: [{ ok }] }) => [ok._id, ok]));
    }
    const db = await this.#opening;
    const batches = await settled(db.transaction('batches').objectStore('batches').getAll());
    return new Map(batches.flatMap(decode).map((document) => [document._id, document]));
  }

  async revisions() {
    return new Map([...(await this.#stored()).keys()].map((id, index) => [id, firstRevision(index)]));
  }

  async count() {
    return (await this.#stored()).size;
  }

  async read(id) {
    return (await this.#stored()).get(id);
  }

  async close() {
    (await this.#opening).close();
  }

  async reopen() {
    await this.close();
    this.#opening = openDatabase(this.#name);
    await this.ready();
  }

  async destroy() {
    await this.close();
    await deleteDatabase(this.#name);
  }
}
