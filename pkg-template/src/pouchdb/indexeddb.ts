// The adapter `indexeddb`: one record has a document with its tree, all its bodies and contents; local documents are such records too.
import { contentOf } from './contents';
import { answerOf } from './requests';
import { isLocalId } from './stored';
import type { Body, Reader, StoredDocument, Tree } from './stored';

const DOCUMENTS = 'docs';
const META = 'meta';
/** Versions are times, behind the schema's number; those of anything else are small. */
const FIRST_VERSION = 1e13;

interface Row {
  id: string;
  seq?: number;
  rev: string;
  rev_tree: Tree;
  revs: Record<string, { data: Body; deleted?: boolean }>;
  attachments?: Record<string, { data?: unknown }>;
}

export function isIndexeddb(database: IDBDatabase): boolean {
  const { objectStoreNames: stores, version } = database;
  return version >= FIRST_VERSION && stores.contains(DOCUMENTS) && stores.contains(META);
}

export function readIndexeddb(database: IDBDatabase): Reader {
  const transaction = database.transaction([DOCUMENTS, META]);
  const documents = transaction.objectStore(DOCUMENTS);
  const meta = transaction.objectStore(META);
  const metadata = async () => ((await answerOf(meta.get(META))) ?? {}) as { db_uuid?: string; seq?: number };
  const all = async (rows: Promise<Row[]>) => (await rows).map(documentOf);

  return {
    instance: async () => (await metadata()).db_uuid,
    updateSeq: async () => (await metadata()).seq ?? 0,
    documentsAfter(id, count) {
      const range = id === null ? null : IDBKeyRange.lowerBound(id, true);
      return all(answerOf<Row[]>(documents.getAll(range, count)));
    },
    documentsSince: (seq) => all(answerOf<Row[]>(documents.index('seq').getAll(IDBKeyRange.lowerBound(seq, true)))),
    locals: async () => (await answerOf<Row[]>(meta.getAll())).filter(({ id }) => isLocalId(id)).map(documentOf),
  };
}

function documentOf({ id, seq = 0, rev_tree: tree, revs, attachments = {} }: Row): StoredDocument {
  const bodies = Object.entries(revs).map(([_rev, { data, deleted }]) => {
    const { _id, ...body } = data;
    return { ...body, _rev, ...(deleted && { _deleted: true }) };
  });
  const contents = new Map(Object.entries(attachments).map(([digest, { data }]) => [digest, contentOf(data)]));
  return { id, seq, tree, bodies, contents };
}
