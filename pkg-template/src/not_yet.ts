// What is planned and not built yet. Everything that has to be refused for that reason is decided here.
import { method } from './callbacks';
import type { Database, Doc, Method } from './database';
import { BAD_REQUEST, createError, notYet } from './errors';
import * as attachments from './remote_attachments';
import * as queries from './remote_queries';

type RemoteMethod = (db: Database, ...args: any[]) => unknown;

/** What each is, and how a server does it. */
const missing: Record<string, [what: string, remote?: RemoteMethod]> = {
  putAttachment: [
    'Storing attachments',
    // Without a revision the arguments move up.
    (db, id, name, ...rest) => attachments.putAttachment(db, id, name, ...((rest.length < 3 ? [null, ...rest] : rest) as [string, unknown, string])),
  ],
  getAttachment: ['Reading attachments', (db, id, name, options) => attachments.getAttachment(db, id, name, options?.rev)],
  removeAttachment: ['Removing attachments', (db, id, name, rev) => attachments.removeAttachment(db, id, name, rev)],
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

/**
 * Refuses a document with attachments, unless it is a server's.
 */
export function refuseAttachments(db: Database, doc: Doc): void {
  if (!doc._attachments || doc._deleted) return;
  for (const name of Object.keys(doc._attachments)) {
    if (name.startsWith('_')) {
      throw createError(BAD_REQUEST, `${name} is not a valid attachment name, attachment names cannot start with '_'`);
    }
    if (!db._remote) throw notYet('Storing attachments');
  }
}
