// The adapter `idb`: what the tree says of a document in one store, bodies by seq in another, contents in a third. In databases that
// no newer PouchDB has opened: trees that are no text, documents without a seq, and local documents among the others (schemas 1 to 4).
import { contentOf } from './contents';
import { answerOf } from './requests';
import { attachmentsOf, availableRevs } from './stored';
import type { Body, Reader, StoredDocument, Tree } from './stored';

const STORES = ['document-store', 'by-sequence', 'attach-store', 'meta-store'];
const LOCALS = 'local-store';

interface Row {
  id: string;
  seq?: number;
  data?: string;
  rev_tree?: Tree;
}

export function isIdb(database: IDBDatabase): boolean {
  return STORES.every((store) => database.objectStoreNames.contains(store));
}

export function readIdb(database: IDBDatabase): Reader {
  const hasLocals = database.objectStoreNames.contains(LOCALS);
  const transaction = database.transaction(hasLocals ? [...STORES, LOCALS] : STORES);
  const [documents, sequence, contents, meta] = STORES.map((name) => transaction.objectStore(name)) as [
    IDBObjectStore,
    IDBObjectStore,
    IDBObjectStore,
    IDBObjectStore,
  ];
  const bodiesByRev = sequence.index('_doc_id_rev');

  async function documentOf(row: Row): Promise<StoredDocument> {
    const metadata = typeof row.data === 'string' ? (JSON.parse(row.data) as Row) : row;
    const { id } = row;
    const tree = metadata.rev_tree ?? [];
    const revs = availableRevs(tree);
    const found = await Promise.all(revs.map((rev) => answerOf<Body | undefined>(bodiesByRev.get(`${id}::${rev}`))));
    const bodies = found.flatMap((body, index) => (body ? [bodyOf(body, revs[index]!)] : []));
    const seq = row.seq ?? metadata.seq ?? (await lastSeqOf(id, revs));
    return { id, seq, tree, bodies, contents: await contentsOf(bodies) };
  }

  async function lastSeqOf(id: string, revs: string[]): Promise<number> {
    const seqs = await Promise.all(revs.map((rev) => answerOf(bodiesByRev.getKey(`${id}::${rev}`))));
    return Math.max(0, ...seqs.map((seq) => Number(seq ?? 0)));
  }

  async function contentsOf(bodies: Body[]): Promise<Map<string, Blob>> {
    const digests = new Set(bodies.flatMap(attachmentsOf).map(([, { digest }]) => String(digest)));
    const found = await Promise.all(
      [...digests].map(async (digest) => {
        const row = await answerOf<{ body?: unknown } | undefined>(contents.get(digest));
        return [digest, row] as const;
      }),
    );
    return new Map(found.flatMap(([digest, row]) => (row ? [[digest, contentOf(row.body)]] : [])));
  }

  const all = async (rows: Promise<Row[]>) => Promise.all((await rows).map(documentOf));

  return {
    async instance() {
      const row = (await answerOf(meta.get('meta-store'))) as Record<string, unknown> | undefined;
      const instance = row?.[`${database.name}_id`];
      return instance === undefined ? undefined : String(instance);
    },
    async updateSeq() {
      const last = await answerOf(sequence.openKeyCursor(null, 'prev'));
      return Number(last?.key ?? 0);
    },
    documentsAfter(id, count) {
      const range = id === null ? null : IDBKeyRange.lowerBound(id, true);
      return all(answerOf<Row[]>(documents.getAll(range, count)));
    },
    async documentsSince(seq) {
      const rows = await answerOf<Body[]>(sequence.getAll(IDBKeyRange.lowerBound(seq, true)));
      const ids = new Set(rows.map(({ _doc_id_rev }) => String(_doc_id_rev).replace(/::[^:]*$/, '')));
      const found = await Promise.all([...ids].map((id) => answerOf<Row | undefined>(documents.get(id))));
      return Promise.all(found.flatMap((row) => (row ? [documentOf(row)] : [])));
    },
    async locals() {
      if (!hasLocals) return [];
      const rows = await answerOf<Body[]>(transaction.objectStore(LOCALS).getAll());
      return rows.map((body) => ({
        id: String(body._id),
        seq: 0,
        tree: [],
        bodies: [bodyOf(body, String(body._rev))],
        contents: new Map(),
      }));
    },
  };
}

function bodyOf(stored: Body, _rev: string): Body {
  const { _doc_id_rev, _id, ...body } = stored;
  return { ...body, _rev };
}
