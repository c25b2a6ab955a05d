// What is planned and not built yet. Everything that has to be refused for that reason is decided here.
import { method } from './callbacks';
import type { Database, Doc, Method, Options } from './database';
import { BAD_REQUEST, createError, notYet } from './errors';

const missing: Record<string, string> = {
  putAttachment: 'Storing attachments',
  getAttachment: 'Reading attachments',
  removeAttachment: 'Removing attachments',
  query: 'Querying views',
  createIndex: 'Creating an index',
  getIndexes: 'Listing indexes',
  deleteIndex: 'Deleting an index',
  find: 'Finding by selector',
  explain: 'Explaining a query',
};

/** Methods that answer with a clear error, until a plugin or a later version brings them. */
export const missingMethods: Record<string, Method> = Object.fromEntries(
  Object.entries(missing).map(([name, what]) => [name, method(name, () => Promise.reject(notYet(what)))]),
);

/**
 * Refuses a document with attachments. A server may get them as they are, as long as they are JSON: stubs must survive the
 * way from get() to put().
 */
export function refuseAttachments(db: Database, doc: Doc): void {
  const attachments = doc._attachments;
  if (!attachments || doc._deleted) return;
  for (const [name, attachment] of Object.entries(attachments as Record<string, Doc>)) {
    if (name.startsWith('_')) {
      throw createError(BAD_REQUEST, `${name} is not a valid attachment name, attachment names cannot start with '_'`);
    }
    if (db._remote && (attachment.data === undefined || typeof attachment.data === 'string')) continue;
    throw notYet('Storing attachments');
  }
}

/** A server's attachments can't be fetched; in this browser there are none that could be missing from the answer. */
export function refuseAttachmentContent(db: Database, options: Options | undefined): void {
  if (db._remote && options?.attachments) throw notYet('Reading attachments');
}
