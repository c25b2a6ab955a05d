// Whether a database runs in the worker, and what it runs on where it does not.
import type { Local } from 'virtual:wasm-glue';
import { isIndexedDb } from '../indexed_db';
import { WorkerLocal } from './local';

export { WorkerLocal } from './local';
export { WorkerReplication } from './replication';
export type { WorkerSide } from './replication';

let hasWarned = false;

/**
 * Opens a database of this adapter in the worker, and on the page where that is not possible: then it is what it would have
 * been without, with the same errors. `before` is the name of PouchDB's database that a new one takes the place of.
 */
export async function openInWorker(
  adapter: string,
  place: [name: string, options: string],
  before: string | undefined,
  onPage: () => Promise<Local>,
): Promise<Local | WorkerLocal> {
  // Workers have no localStorage, and what is in memory must not end with the worker.
  if (!isIndexedDb(adapter)) return onPage();
  try {
    return await WorkerLocal.open(...place, before);
  } catch (error) {
    const local = await onPage();
    warn(error);
    return local;
  }
}

/** Once: it is the same for all databases of the page. */
function warn(error: unknown): void {
  if (hasWarned) return;
  hasWarned = true;
  const { message, reason } = error as { message?: string; reason?: string };
  console.warn(`Potoroo does not run in a worker: ${reason ?? message ?? String(error)}`);
}
