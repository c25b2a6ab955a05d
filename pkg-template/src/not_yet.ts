// What is planned and not built yet. Everything that has to be refused for that reason is decided here.
import { method } from './callbacks';
import type { Database, Method } from './database';
import { notYet } from './errors';
import * as queries from './remote_queries';

type RemoteMethod = (db: Database, ...args: any[]) => unknown;

/** What each is, and how a server does it. */
const missing: Record<string, [what: string, remote?: RemoteMethod]> = {
  query: ['Querying views', (db, view, options) => queries.query(db, view, options)],
  createIndex: ['Creating an index', (db, request) => queries.createIndex(db, request)],
  getIndexes: ['Listing indexes', (db) => queries.getIndexes(db)],
  deleteIndex: ['Deleting an index', (db, index) => queries.deleteIndex(db, index)],
  find: ['Finding by selector', (db, request) => queries.find(db, request)],
  explain: ['Explaining a query', (db, request) => queries.explain(db, request)],
};

/** Methods that answer with a clear error of a database in this browser, until a plugin or a later version brings them. */
export const missingMethods: Record<string, Method> = Object.fromEntries(
  Object.entries(missing).map(([name, [what, remote]]) => [
    name,
    method(name, function (...args: unknown[]) {
      if (!this._remote || !remote) throw notYet(what);
      return remote(this, ...args);
    }),
  ]),
);
