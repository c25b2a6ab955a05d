// Many documents in one call: written, then read in every order there is.
import { checkRows, checkStored } from '../page/check.mjs';
import { makeDocuments } from '../page/documents.mjs';
import { time } from '../page/timing.mjs';

export function makeBatchWorkload(id, count) {
  const reads = [
    { id: `${id}/allDocs`, title: `allDocs of ${count}`, verb: 'allDocs', withDocs: false },
    { id: `${id}/allDocs-docs`, title: `allDocs of ${count}, with docs`, verb: 'allDocs', withDocs: true },
    { id: `${id}/changes`, title: `changes of ${count}`, verb: 'changes', withDocs: false },
    { id: `${id}/changes-docs`, title: `changes of ${count}, with docs`, verb: 'changes', withDocs: true },
  ];
  const insert = { id: `${id}/insert`, title: `bulkDocs, insert ${count}` };

  async function run({ contestant, name }) {
    const documents = makeDocuments(count);
    const store = contestant.open(name);
    await store.ready();
    const measured = {};
    measured[insert.id] = (await time(() => store.insert(documents))).ms;
    await checkStored(store, documents, insert.title);
    await store.prepareReads();
    for (const { id: row, title, verb, withDocs } of reads) {
      if (contestant.onlyWithDocs && !withDocs) continue;
      const { ms, result } = await time(() => store[verb](withDocs));
      checkRows(result, documents, { withDocs, sorted: verb === 'allDocs', revisions: contestant.keepsRevisions }, title);
      measured[row] = ms;
    }
    await store.destroy();
    return { measured };
  }

  return { id, group: 'calls', rows: [insert, ...reads.map(({ id: row, title }) => ({ id: row, title }))], steps: [run] };
}
