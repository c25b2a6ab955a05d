// A database of many documents: loaded, opened again in new pages, asked and changed there, and what it takes on disk and in
// memory. The same database serves all rows, in the order in which an app would do these things to it.
import { check, checkDocument, sampleOf } from '../page/check.mjs';
import { documentId, editDocument, LARGE_DOCUMENT_BYTES, makeDocument, randomFrom } from '../page/documents.mjs';
import { watchLongTasks } from '../page/long-tasks.mjs';
import { measureMemory } from '../page/memory.mjs';
import { settledUsage } from '../page/storage.mjs';
import { settle, sleep, time } from '../page/timing.mjs';

const BATCH = 1000;
const OPENINGS = 3;
const RANGES = 10;
const RANGE = 100;

const large = (index) => makeDocument(index, LARGE_DOCUMENT_BYTES);
const withCommas = (count) => count.toLocaleString('en-US');

/**
 * Pauses before an opening in a new page. After the last connection to an origin's databases is closed, Chromium keeps the
 * files open for two seconds; nobody who comes back to a page finds them open.
 */
const PAUSES_TO_CLOSE = 3;

/** For one step; only what hangs for good is cut off. */
const PATIENCE_MS = 40 * 60_000;

export function makeSizeWorkload({ size, few, pause }) {
  const small = Math.min(1000, Math.ceil(size / 10));
  const recent = Math.ceil(size / 100);
  const [total, fewer] = [withCommas(size), withCommas(small)];
  const rows = {
    load: { title: `load ${total} by bulkDocs of ${withCommas(BATCH)}` },
    longest: { title: 'longest task of the page during that load', unit: 'task' },
    longTasks: { title: 'tasks of 50 ms or more during that load', unit: 'count' },
    openSmall: { title: `open ${fewer} in a new page, first get` },
    open: { title: `open ${total} in a new page, first get` },
    reopenSmall: { title: `open ${fewer} again, library running, first get` },
    reopen: { title: `open ${total} again, library running, first get` },
    getCold: { title: `get ${few} at random, the first after opening in a new page` },
    getWarm: { title: `get the same ${few} again, in another order` },
    range: { title: `allDocs from a startkey, limit ${RANGE}, with docs` },
    changes: { title: `changes since a seq, the last ${withCommas(recent)}` },
    changesDocs: { title: `changes since a seq, the last ${withCommas(recent)}, with docs` },
    update: { title: `bulkDocs, update ${withCommas(recent)} at random` },
    disk: { title: `bytes on disk, ${total} documents`, unit: 'bytes' },
    loadPage: { title: 'memory of the page after the load', unit: 'bytes' },
    loadWasm: { title: 'of it WebAssembly memory', unit: 'bytes' },
    readPage: { title: 'memory of the page after these reads', unit: 'bytes' },
    readWasm: { title: 'of it WebAssembly memory, after these reads', unit: 'bytes' },
  };
  for (const [name, row] of Object.entries(rows)) row.id = `size/${name}`;

  const openStore = (contestant, name) => (contestant.openAtSize ?? contestant.open)(name);
  const smallName = (name) => `${name}-small`;

  /** Indexes of `count` different documents, others for each seed. */
  function pick(count, seed) {
    const random = randomFrom(seed);
    const picked = new Set();
    while (picked.size < count) picked.add(random(size));
    return [...picked];
  }

  async function load({ contestant, name, alone }) {
    const other = openStore(contestant, smallName(name));
    await other.ready();
    await other.insert(Array.from({ length: small }, (_, index) => large(index)));
    check((await other.count()) === small, `filling: not ${small} documents`);
    await other.close();
    const usedBefore = alone ? await settledUsage(pause) : null;

    const store = openStore(contestant, name);
    await store.ready();
    await settle();
    const longTasks = watchLongTasks();
    let ms = 0;
    let position;
    for (let start = 0; start < size; ) {
      // The changes asked for later begin where a batch does.
      const end = Math.min(start + BATCH, start < size - recent ? size - recent : size);
      if (start === size - recent) position = await store.position();
      const documents = await longTasks.own(() => Array.from({ length: end - start }, (_, index) => large(start + index)));
      const started = performance.now();
      await store.insert(documents);
      ms += performance.now() - started;
      start = end;
    }
    // What a database puts off until later belongs to the load too.
    await sleep(1000);
    const long = await longTasks.stop();
    await settle();
    const memory = await measureMemory();
    const latest = Array.from({ length: recent }, (_, index) => large(size - recent + index));
    await store.prepareChanges(latest);
    await store.close();
    const usedAfter = alone ? await settledUsage(pause) : null;
    const measured = {
      [rows.load.id]: ms,
      [rows.longest.id]: long?.longest,
      [rows.longTasks.id]: long?.count,
      [rows.disk.id]: usedAfter === null ? null : usedAfter - usedBefore,
      [rows.loadPage.id]: memory.page,
      [rows.loadWasm.id]: memory.wasm,
    };
    return { measured, state: { position } };
  }

  /** Times the opening and a `get` of one document. */
  async function timeOpening(contestant, name, index, where) {
    let store;
    const { ms, result } = await time(async () => {
      store = openStore(contestant, name);
      return store.get(documentId(index));
    });
    checkDocument(large(index), result, where);
    return { ms, store };
  }

  /** In a new page, and again in the same one. */
  async function openSmall({ contestant, name, state }) {
    const measured = {};
    await sleep(PAUSES_TO_CLOSE * pause);
    for (const row of [rows.openSmall, rows.reopenSmall]) {
      const { ms, store } = await timeOpening(contestant, smallName(name), small >> 1, row.title);
      measured[row.id] = ms;
      await store.close();
    }
    return { measured, state };
  }

  async function timeGets(store, indexes, where) {
    const ids = indexes.map(documentId);
    const { ms, result } = await time(async () => {
      const found = [];
      for (const id of ids) found.push(await store.get(id));
      return found;
    });
    for (const [at, index] of indexes.entries()) checkDocument(large(index), result[at], where);
    return ms;
  }

  /** One page's life with the large database; `more` is done with it before it is closed, `last` once it was opened again. */
  async function openLarge(opening, { contestant, name }, { more, last }) {
    const [first, ...indexes] = pick(few + 1, opening);
    await sleep(PAUSES_TO_CLOSE * pause);
    const { ms, store } = await timeOpening(contestant, name, first, rows.open.title);
    const measured = {
      [rows.open.id]: ms,
      [rows.getCold.id]: await timeGets(store, indexes, rows.getCold.title),
      [rows.getWarm.id]: await timeGets(store, indexes.toReversed(), rows.getWarm.title),
    };
    Object.assign(measured, await more?.(store));
    await store.close();
    const again = await timeOpening(contestant, name, first, rows.reopen.title);
    measured[rows.reopen.id] = again.ms;
    Object.assign(measured, await last?.(again.store));
    await again.store.close();
    return measured;
  }

  async function timeRanges(store) {
    const ids = Array.from({ length: size }, (_, index) => documentId(index));
    const sorted = ids.map((_, index) => index).sort((left, right) => (ids[left] < ids[right] ? -1 : 1));
    const samples = [];
    for (const at of pick(RANGES, OPENINGS + 1).map((index) => Math.min(index, size - RANGE))) {
      const expected = sorted.slice(at, at + RANGE);
      const { ms, result } = await time(() => store.range(documentId(expected[0]), RANGE));
      samples.push(ms);
      check(result.length === RANGE, `${rows.range.title}: ${result.length} documents`);
      for (const [place, index] of expected.entries()) checkDocument(large(index), result[place], rows.range.title);
    }
    return samples;
  }

  async function timeChanges(store, position, row, withDocs) {
    const { ms, result } = await time(() => store.changesSince(position, withDocs));
    check(result.length === recent, `${row.title}: ${result.length} rows`);
    const byId = new Map(result.map((change) => [change.id, change]));
    for (let index = size - recent; index < size; index += 1) {
      const change = byId.get(documentId(index));
      check(change, `${row.title}: ${documentId(index)} is missing`);
      if (withDocs) checkDocument(large(index), change.doc, row.title);
    }
    return ms;
  }

  async function readMore(store, { position }, { onlyWithDocs }) {
    const measured = {
      [rows.range.id]: await timeRanges(store),
      [rows.changes.id]: onlyWithDocs ? null : await timeChanges(store, position, rows.changes, false),
      [rows.changesDocs.id]: await timeChanges(store, position, rows.changesDocs, true),
    };
    await settle();
    const memory = await measureMemory();
    return { ...measured, [rows.readPage.id]: memory.page, [rows.readWasm.id]: memory.wasm };
  }

  async function update(store, { keepsRevisions }) {
    const documents = pick(recent, OPENINGS + 2).map(large);
    const revisions = await store.revisionsOf(documents.map(({ _id }) => _id));
    const edited = documents.map((document) => editDocument(document, revisions.get(document._id)));
    const { ms } = await time(() => store.update(edited));
    return { ms, check: (reopened) => checkUpdated(reopened, edited, keepsRevisions) };
  }

  async function checkUpdated(store, edited, keepsRevisions) {
    for (const document of sampleOf(edited)) {
      const stored = await store.read(document._id);
      checkDocument(document, stored, rows.update.title);
      const isNext = keepsRevisions === false || stored._rev.startsWith('2-');
      check(isNext, `${rows.update.title}: ${document._id} is at ${stored._rev}`);
    }
    const count = await store.count();
    check(count === size, `${rows.update.title}: ${count} documents stored instead of ${size}`);
  }

  const opening = (number) => async (context) => ({ measured: await openLarge(number, context, {}), state: context.state });

  async function lastOpening({ contestant, name, state }) {
    let updated;
    const measured = await openLarge(OPENINGS, { contestant, name }, {
      more: (store) => readMore(store, state, contestant),
      async last(store) {
        updated = await update(store, contestant);
        return { [rows.update.id]: updated.ms };
      },
    });
    const store = openStore(contestant, name);
    await store.ready();
    await updated.check(store);
    await store.destroy();
    const other = openStore(contestant, smallName(name));
    await other.ready();
    await other.destroy();
    return { measured };
  }

  const steps = [load];
  for (let number = 1; number < OPENINGS; number += 1) steps.push(openSmall, opening(number));
  steps.push(openSmall, lastOpening);
  return { id: 'size', group: 'size', rows: Object.values(rows), steps, patienceMs: PATIENCE_MS, ownOrigin: true };
}
