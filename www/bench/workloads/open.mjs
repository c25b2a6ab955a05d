// A page that comes back to a database of some size: from `new` to the first document.
import { check, checkDocument, checkRows } from '../page/check.mjs';
import { makeDocuments } from '../page/documents.mjs';
import { settle, time } from '../page/timing.mjs';

export function makeOpenWorkload({ large }) {
  const load = { id: 'open/load', title: 'load the script' };
  const cold = { id: 'open/cold', title: `open ${large} in a new page, first get (wasm load included)` };
  const all = { id: 'open/allDocs', title: 'then allDocs with docs, for the first time' };
  const warm = { id: 'open/warm', title: `open ${large} in a new page, first get (library running)` };

  /** Times `new` and a `get` of one document from the middle. */
  async function timeOpening(contestant, name, documents, where) {
    const wanted = documents[documents.length >> 1];
    let store;
    const { ms, result } = await time(async () => {
      store = contestant.open(name);
      return store.get(wanted._id);
    });
    checkDocument(wanted, result, where);
    return { ms, store };
  }

  async function fill({ contestant, name }) {
    const documents = makeDocuments(large);
    const store = contestant.open(name);
    await store.fill(documents);
    check((await store.count()) === large, `filling: not ${large} documents`);
    await store.prepareReads({ ids: [documents[large >> 1]._id] });
    await store.close();
    // The reload must not cut off what the browser still does with the data.
    await settle(300);
  }

  async function openFirst({ contestant, name }) {
    const documents = makeDocuments(large);
    const { ms, store } = await timeOpening(contestant, name, documents, cold.title);
    const { ms: allMs, result } = await time(() => store.allDocs(true));
    checkRows(result, documents, { withDocs: true, sorted: true, revisions: contestant.keepsRevisions }, all.title);
    await store.close();
    return { measured: { [load.id]: contestant.loadMs, [cold.id]: ms, [all.id]: allMs } };
  }

  async function openRunning({ contestant, name }) {
    const documents = makeDocuments(large);
    const other = contestant.open(`${name}-other`);
    await other.put(documents[0]);
    await other.destroy();
    const { ms, store } = await timeOpening(contestant, name, documents, warm.title);
    check((await store.count()) === large, `${warm.title}: not ${large} documents`);
    await store.destroy();
    return { measured: { [warm.id]: ms } };
  }

  return { id: 'open', group: 'calls', rows: [load, cold, all, warm], steps: [fill, openFirst, openRunning] };
}
