// Whether there is a database of PouchDB's that a new one takes the place of. Runs where the core does: on the page or in the worker.
import { isIdb, readIdb } from './idb';
import { isIndexeddb, readIndexeddb } from './indexeddb';
import type { Mark } from './pieces';
import { openExisting } from './requests';
import type { Reader } from './stored';
import { isTaken } from './taken';

/** The identity that the new database has too, and the mark that it begins with. */
export type Origin = [instance: string | undefined, mark: string];

/** PouchDB's database of this name, if there is one that was not taken over before. */
export async function originOf(from: string): Promise<Origin | undefined> {
  const found = await readPouchDb(from, async (reader): Promise<Mark> => {
    const [instance, seq] = await Promise.all([reader.instance(), reader.updateSeq()]);
    return { from, instance, seq, after: null };
  });
  if (!found || (await isTaken(from, found.instance))) return undefined;
  return [found.instance, JSON.stringify(found)];
}

/**
 * Reads one state of PouchDB's database; undefined where there is none. The connection lasts no longer, because opening it with the adapter
 * `indexeddb` is an upgrade each time.
 */
export async function readPouchDb<Result>(name: string, read: (reader: Reader) => Promise<Result>): Promise<Result | undefined> {
  const database = await openExisting(name);
  if (!database) return undefined;
  try {
    if (isIdb(database)) return await read(readIdb(database));
    return isIndexeddb(database) ? await read(readIndexeddb(database)) : undefined;
  } finally {
    database.close();
  }
}
