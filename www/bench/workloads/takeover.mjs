// What an app's users wait for once: a database that PouchDB has left behind, opened for the first time, until its last document can
// be read. In a new page that has no PouchDB. Twice for each adapter, for the time and for the most memory that the page has meanwhile.
import { NAME, TYPE, checkBytes, idOf, makeBytes, mostMemory } from '../page/attachments.mjs';
import { check, checkDocument } from '../page/check.mjs';
import { documentId, LARGE_DOCUMENT_BYTES, makeDocument } from '../page/documents.mjs';
import { watchLongTasks } from '../page/long-tasks.mjs';
import { sleep, time } from '../page/timing.mjs';

const ADAPTERS = ['idb', 'indexeddb'];
const SCRIPTS = ['/node_modules/pouchdb/dist/pouchdb.min.js', '/node_modules/pouchdb/dist/pouchdb.indexeddb.min.js'];
const BATCH = 1000;
const SAMPLES = 50;

/** For one step: PouchDB takes minutes to fill its databases. */
const PATIENCE_MS = 40 * 60_000;

const large = (index) => makeDocument(index, LARGE_DOCUMENT_BYTES);

export function makeTakeoverWorkload({ size, attachments: count, attachmentBytes, pause }) {
  const length = Math.ceil(attachmentBytes / 2);
  const what = `${size.toLocaleString('en-US')} documents and ${count} Blobs of ${(length / 1e6).toLocaleString('en-US')} MB`;
  const rowsOf = (adapter) => ({
    time: { id: `takeover/${adapter}`, title: `take over ${what} from PouchDB ${adapter}` },
    longest: { id: `takeover/${adapter}Longest`, title: `longest task of the page meanwhile (${adapter})`, unit: 'task' },
    tasks: { id: `takeover/${adapter}Tasks`, title: `tasks of 50 ms or more meanwhile (${adapter})`, unit: 'count' },
    page: { id: `takeover/${adapter}Page`, title: `most memory of the page meanwhile (${adapter})`, unit: 'bytes' },
    wasm: { id: `takeover/${adapter}Wasm`, title: `of it WebAssembly memory (${adapter})`, unit: 'bytes' },
  });

  const nameOf = (name, adapter) => `${name}-${adapter}`;

  async function fill({ name, load }) {
    for (const script of SCRIPTS) await load(script);
    for (const adapter of ADAPTERS) {
      const db = new globalThis.PouchDB(nameOf(name, adapter), { adapter });
      for (let start = 0; start < size; start += BATCH) {
        const documents = Array.from({ length: Math.min(BATCH, size - start) }, (_, index) => large(start + index));
        await db.bulkDocs(documents);
      }
      for (let index = 0; index < count; index += 1) {
        await db.putAttachment(idOf(index), NAME, new Blob([makeBytes(index, length)], { type: TYPE }), TYPE);
      }
      await db.close();
    }
  }

  /** As it was filled, and after that away, so that it can be taken over once more. */
  async function checkAndForget(store, where) {
    const stored = await store.count();
    check(stored === size + count, `${where}: ${stored} documents`);
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const index = Math.floor((sample * size) / SAMPLES);
      checkDocument(large(index), await store.get(documentId(index)), where);
    }
    for (const index of [0, count - 1]) {
      const content = await store.getAttachment(idOf(index), NAME);
      checkBytes(new Uint8Array(await content.arrayBuffer()), index, length, where);
    }
    await store.destroy();
    await remove('potoroo-taken-over');
  }

  const stepsOf = (adapter) => {
    const rows = rowsOf(adapter);

    async function takeOver({ contestant, name }) {
      const store = contestant.open(nameOf(name, adapter));
      await store.get(documentId(size - 1));
      return store;
    }

    async function forTime(context) {
      await sleep(3 * pause);
      const longTasks = watchLongTasks();
      const { ms, result: store } = await time(() => takeOver(context));
      const long = await longTasks.stop();
      await checkAndForget(store, rows.time.title);
      return { measured: { [rows.time.id]: ms, [rows.longest.id]: long?.longest, [rows.tasks.id]: long?.count } };
    }

    async function forMemory(context) {
      await sleep(3 * pause);
      let store;
      const most = await mostMemory(async () => {
        store = await takeOver(context);
      });
      await checkAndForget(store, rows.page.title);
      await remove(`_pouch_${nameOf(context.name, adapter)}`);
      return { measured: { [rows.page.id]: most.page, [rows.wasm.id]: most.wasm } };
    }

    return [forTime, forMemory];
  };

  return {
    ...{ id: 'takeover', group: 'size', takeover: true, ownOrigin: true, patienceMs: PATIENCE_MS },
    rows: ADAPTERS.flatMap((adapter) => Object.values(rowsOf(adapter))),
    steps: [fill, ...ADAPTERS.flatMap(stepsOf)],
  };
}

function remove(database) {
  const request = indexedDB.deleteDatabase(database);
  return new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error);
  });
}
