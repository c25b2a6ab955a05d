// What is planned and not built yet. Everything that has to be refused for that reason is decided here.
import { method } from './callbacks';
import type { Method } from './database';
import { notYet } from './errors';

const missing: Record<string, string> = {
  query: 'Querying views',
  viewCleanup: 'Cleaning up views',
  createIndex: 'Creating an index',
  getIndexes: 'Listing indexes',
  deleteIndex: 'Deleting an index',
  find: 'Finding by selector',
  explain: 'Explaining a query',
  purge: 'Purging',
  compactDocument: 'Compacting a document',
};

/** Methods that answer with a clear error, until a plugin or a later version brings them. */
export const missingMethods: Record<string, Method> = Object.fromEntries(
  Object.entries(missing).map(([name, what]) => [name, method(name, () => Promise.reject(notYet(what)))]),
);
