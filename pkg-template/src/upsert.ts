// Writing a document whatever is there: the methods of pouchdb-upsert.
import { method } from './callbacks';
import type { Database, Doc } from './database';

export interface UpsertResult {
  updated: boolean;
  rev: string | undefined;
  id: string;
}

/** Gives the document as it shall be, or nothing where it shall stay as it is. */
type Change = (doc: Doc) => unknown;

export const upsertMethods = {
  upsert: method('upsert', function (id: unknown, change: Change) {
    return upsert(this, id, change);
  }, { functions: 2 }),

  /** putIfNotExists(id, doc) or putIfNotExists(doc). */
  putIfNotExists: method('putIfNotExists', function (...args: unknown[]) {
    const [id, doc] = typeof args[0] === 'string' ? args : [(args[0] as Doc | undefined)?._id, args[0]];
    return upsert(this, id, (existing) => !existing._rev && doc);
  }),
};

async function upsert(db: Database, id: unknown, change: Change): Promise<UpsertResult> {
  if (typeof id !== 'string') throw new Error('doc id is required');
  for (;;) {
    const existing = await getOrNothing(db, id);
    const rev = existing._rev as string | undefined;
    const changed = (await change(existing)) as Doc | false | undefined;
    if (!changed) return { updated: false, rev, id };
    try {
      const written = (await db.put({ ...changed, _id: id, _rev: rev })) as { rev: string };
      return { updated: true, rev: written.rev, id };
    } catch (error) {
      // Somebody else was faster: what they wrote is to be changed.
      if ((error as { status?: number }).status !== 409) throw error;
    }
  }
}

async function getOrNothing(db: Database, id: string): Promise<Doc> {
  try {
    return (await db.get(id)) as Doc;
  } catch (error) {
    if ((error as { status?: number }).status !== 404) throw error;
    return {};
  }
}
