// Calls for one document each, one after the other and all at once; and saving again what is there.
import { check, checkDocument, checkStored, sampleOf } from '../page/check.mjs';
import { editDocument, makeDocuments } from '../page/documents.mjs';
import { time } from '../page/timing.mjs';

export function putWorkload({ few }) {
  const row = { id: 'put', title: `put ${few}, one by one` };
  async function run({ contestant, name }) {
    const documents = makeDocuments(few);
    const store = contestant.open(name);
    await store.ready();
    const { ms } = await time(async () => {
      for (const document of documents) await store.put(document);
    });
    await checkStored(store, documents, row.title);
    await store.destroy();
    return { measured: { [row.id]: ms } };
  }
  return { id: 'put', group: 'calls', rows: [row], steps: [run] };
}

export function parallelPutWorkload({ many }) {
  const row = { id: 'put-parallel', title: `put ${many}, in parallel` };
  async function run({ contestant, name }) {
    const documents = makeDocuments(many);
    const store = contestant.open(name);
    await store.ready();
    const { ms } = await time(() => store.putParallel(documents));
    await checkStored(store, documents, row.title);
    await store.destroy();
    return { measured: { [row.id]: ms } };
  }
  return { id: 'put-parallel', group: 'calls', rows: [row], steps: [run] };
}

export function getWorkload({ few, many }) {
  const oneByOne = { id: 'get', title: `get ${few}, one by one` };
  const parallel = { id: 'get-parallel', title: `get ${many}, in parallel` };
  async function run({ contestant, name }) {
    const documents = makeDocuments(many);
    const wanted = documents.slice(0, few);
    const ids = wanted.map(({ _id }) => _id);
    const allIds = documents.map(({ _id }) => _id);
    const store = contestant.open(name);
    await store.fill(documents);
    await checkStored(store, documents, 'filling');
    await store.prepareReads({ ids });

    const single = await time(async () => {
      const found = [];
      for (const id of ids) found.push(await store.get(id));
      return found;
    });
    check(single.result.length === few, `${oneByOne.title}: ${single.result.length} documents`);
    wanted.forEach((document, index) => checkDocument(document, single.result[index], oneByOne.title));

    const all = await time(() => store.getParallel(allIds));
    check(all.result.length === many, `${parallel.title}: ${all.result.length} documents`);
    const byId = new Map(all.result.map((document) => [document._id, document]));
    for (const document of documents) checkDocument(document, byId.get(document._id), parallel.title);

    await store.destroy();
    return { measured: { [oneByOne.id]: single.ms, [parallel.id]: all.ms } };
  }
  return { id: 'get', group: 'calls', rows: [oneByOne, parallel], steps: [run] };
}

export function updateWorkload({ many }) {
  const row = { id: 'update', title: `bulkDocs, update ${many}` };
  async function run({ contestant, name }) {
    const documents = makeDocuments(many);
    const store = contestant.open(name);
    await store.fill(documents);
    const revisions = await store.revisions();
    const edited = documents.map((document) => editDocument(document, revisions.get(document._id)));
    const { ms } = await time(() => store.update(edited));
    await checkStored(store, edited, row.title);
    for (const { _id } of contestant.keepsRevisions === false ? [] : sampleOf(edited)) {
      const now = (await store.read(_id))._rev;
      check(now.startsWith('2-'), `${row.title}: ${_id} is at ${now}`);
    }
    await store.destroy();
    return { measured: { [row.id]: ms } };
  }
  return { id: 'update', group: 'calls', rows: [row], steps: [run] };
}
