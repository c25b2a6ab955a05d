// Reading and writing documents. Arguments are checked here where that needs no database; the core checks the rest.
import type { Answer, Remote } from 'virtual:wasm-glue';
import { uuid } from './active_tasks';
import { checkAttachments, readAnswer, writeLocal } from './attachments';
import { isOwn, method } from './callbacks';
import { core, read } from './core';
import type { Database, Doc, Options } from './database';
import {
  INVALID_ID,
  INVALID_REV,
  MISSING_BULK_DOCS,
  MISSING_DOC,
  MISSING_ID,
  NOT_AN_OBJECT,
  QUERY_PARSE_ERROR,
  RESERVED_ID,
  createError,
  toError,
} from './errors';
import { encodeDocument, encodeOptions, isWellFormed } from './json';
import type { KnownOptions } from './json';
import { removeRemote } from './remote';
import { decodeAttachments, encodeAttachments, fetchAttachments } from './remote_attachments';

type Result = Record<string, unknown>;

const getOptions: KnownOptions = {
  flags: ['revs', 'revs_info', 'conflicts', 'deleted_conflicts', 'latest', 'update_seq'],
  others: ['rev', 'open_revs'],
};
const bulkGetOptions: KnownOptions = { flags: ['revs', 'latest', 'attachments'], others: ['docs'] };
const allDocsOptions: KnownOptions = {
  flags: ['include_docs', 'attachments', 'conflicts', 'inclusive_end', 'descending', 'update_seq'],
  numbers: ['limit', 'skip'],
  others: ['startkey', 'endkey', 'key', 'keys'],
};
/** Of a database in this browser; a server's answers are put in order here. */
const withContents = (options: KnownOptions): KnownOptions => ({
  ...options,
  flags: [...(options.flags ?? []), 'attachments', 'binary'],
});
const NEW_EDITS = '{"new_edits":true}';

export const documentMethods = {
  put: method('put', function (doc: unknown, options?: Options) {
    checkIsObject(doc);
    checkId(doc._id);
    checkRev(doc);
    if (!options?.force || !doc._rev) return put(this, doc, options);
    const forced = siblingOf(doc);
    return put(this, forced, { ...options, new_edits: false }).then(() => ({ ok: true, id: forced._id, rev: forced._rev }));
  }),

  post: method('post', function (doc: unknown, options?: Options) {
    checkIsObject(doc);
    return writeOne(this, doc, options);
  }),

  /** remove(doc, [options]) or remove(id, rev, [options]). */
  remove: method('remove', function (docOrId: unknown, optionsOrRev?: unknown, third?: Options) {
    const byId = typeof optionsOrRev === 'string';
    const doc = byId ? { _id: docOrId, _rev: optionsOrRev } : docOrId;
    const options = byId ? third : (optionsOrRev as Options | undefined);
    checkIsObject(doc);
    const deletion = { _id: doc._id, _rev: doc._rev || options?.rev, _deleted: true };
    if (this._remote) return removeRemote(this, deletion);
    return writeOne(this, deletion, { ...options, was_delete: true });
  }),

  bulkDocs: method('bulkDocs', function (request: unknown, options?: Options) {
    const docs: unknown = Array.isArray(request) ? request : (request as Options | undefined)?.docs;
    if (!Array.isArray(docs)) throw createError(MISSING_BULK_DOCS);
    for (const doc of docs) {
      checkIsObject(doc);
      checkRev(doc);
      checkAttachments(doc);
    }
    const { new_edits = true } = [options, request as Options].find((given) => given?.new_edits !== undefined) ?? {};
    const encoded = bulkDocsOptions(new_edits, options);
    if (this._remote) return writeRemote(docs, (text) => core(this).bulk_docs(text, encoded)).then(parseResults, rethrow);
    return this._writes.add(writeLocal(this, docs, encoded)).then(parseResults, rethrow);
  }),

  get: method('get', function (id: unknown, options?: Options) {
    if (typeof id !== 'string') throw createError(INVALID_ID);
    if (!isWellFormed(id)) throw withDocId(createError(MISSING_DOC, 'missing'), id);
    const known = this._remote ? getOptions : withContents(getOptions);
    const encoded = isOptions(options) ? encodeOptions(withRevs(options), known) : '{}';
    type Got = Doc | { ok?: Doc }[];
    const docsOf = (got: Got) => (Array.isArray(got) ? got.map(({ ok }) => ok) : [got]);
    const answer = read(this, (core) => core.get(id, encoded)).then((text) => readAnswer(text, docsOf), (raw: unknown) => {
      throw withDocId(toError(raw), id);
    });
    if (!this._remote || !options?.attachments) return answer;
    return answer.then(async (found) => {
      await fetchAttachments(this, found, Boolean(options.binary));
      return found;
    });
  }),

  bulkGet: method('bulkGet', function (request: Options) {
    const encoded = encodeOptions(request, this._remote ? bulkGetOptions : withContents(bulkGetOptions));
    const binary = this._remote && request.attachments && request.binary;
    return read(this, (core) => core.bulk_get(encoded)).then((text) => parseBulkGet(text, Boolean(binary)), rethrow);
  }),

  allDocs: method('allDocs', function (options?: Options) {
    if (!isOptions(options)) return read(this, (core) => core.all_docs('{}') as Promise<string>).then(parse, rethrow);
    const renamed = renameKeys(options);
    if (renamed.keys !== undefined) {
      if (!Array.isArray(renamed.keys)) throw new TypeError('options.keys must be an array');
      const incompatible = ['startkey', 'endkey', 'key'].find((name) => renamed[name] !== undefined);
      if (incompatible) {
        throw createError(QUERY_PARSE_ERROR, `Query parameter \`${incompatible}\` is not compatible with multi-get`);
      }
    }
    const encoded = encodeOptions(renamed, this._remote ? allDocsOptions : withContents(allDocsOptions));
    const docsOf = ({ rows }: { rows: { doc?: Doc }[] }) => rows.map(({ doc }) => doc);
    const answer = read(this, (core) => core.all_docs(encoded)).then((text) => readAnswer(text, docsOf), rethrow);
    if (!this._remote || !renamed.attachments || !renamed.binary) return answer;
    return answer.then((found) => {
      for (const { doc } of found.rows) decodeAttachments(doc);
      return found;
    });
  }),

  revsDiff: method('revsDiff', function (request: object) {
    if (Object.keys(request).length === 0) return {};
    const encoded = encodeDocument(request);
    return read(this, (core) => core.revs_diff(encoded)).then(parse, rethrow);
  }),
};

function put(db: Database, doc: Doc, options: Options | undefined): Promise<unknown> {
  if (!db._remote || options?.new_edits === false) return writeOne(db, doc, options);
  checkOne(doc);
  const write = (text: string) => (core(db) as Remote).put(text.slice(1, -1), '{}');
  return writeRemote([doc], write).then(parse, (raw: unknown) => {
    throw withDocId(toError(raw), doc._id);
  });
}

/** Writes a JSON array of documents, in which there are no bytes any more. */
async function writeRemote(docs: Doc[], write: (text: string) => Promise<string>): Promise<string> {
  return write(encodeDocument(await encodeAttachments(docs)));
}

/** Writes through bulkDocs where somebody has put their own in its place: it is the one gate that all writes pass. */
function writeOne(db: Database, doc: Doc, options: Options | undefined): Promise<unknown> {
  if (!isOwn(db.bulkDocs) && !isLocalId(doc._id)) {
    return db.bulkDocs({ docs: [doc] }, options ?? {}).then((results: unknown[]) => single(results, doc._id));
  }
  checkRev(doc);
  checkOne(doc);
  const encoded = options ? bulkDocsOptions(options.new_edits ?? true, options) : NEW_EDITS;
  const write = (text: string) => core(db).bulk_docs(text, encoded);
  return db._writes
    .add(db._remote ? writeRemote([doc], write) : writeLocal(db, [doc], encoded))
    .then(
      (text) => single(JSON.parse(text) as unknown[], doc._id),
      (raw: unknown) => {
        throw withDocId(toError(raw), doc._id);
      },
    );
}

/** The result for the only document; a write of existing revisions answers with an empty list where all is well. */
function single(results: unknown[], id: unknown): unknown {
  const [result] = results as Result[];
  if (result === undefined) return results;
  if (result.error) throw withDocId(toError(result), id);
  return result;
}

function bulkDocsOptions(new_edits: unknown, options: Options | undefined): string {
  if (new_edits && !options?.was_delete && !options?.atomic) return NEW_EDITS;
  const { was_delete, atomic } = options ?? {};
  return JSON.stringify({ new_edits: Boolean(new_edits), was_delete, atomic: atomic ? true : undefined });
}

/** A revision beside the one given, for put's option `force`. */
function siblingOf(doc: Doc): Doc {
  const [generation = '', parent] = String(doc._rev).split('-');
  const start = parseInt(generation, 10) + 1;
  const hash = uuid().replaceAll('-', '');
  return { ...doc, _rev: `${start}-${hash}`, _revisions: { start, ids: [hash, parent] } };
}

/** What is as good as nothing asks for the winner, and what is no text for a revision that is not there. */
function withRevs({ rev, open_revs, ...options }: Options): Options {
  return { ...options, ...(rev ? { rev: String(rev) } : {}), ...(open_revs ? { open_revs } : {}) };
}

function renameKeys(options: Options): Options {
  const { start_key, end_key } = options;
  if (!start_key && !end_key) return options;
  return { ...options, ...(start_key ? { startkey: start_key } : {}), ...(end_key ? { endkey: end_key } : {}) };
}

const parse = (text: string) => JSON.parse(text) as unknown;

function rethrow(raw: unknown): never {
  throw toError(raw);
}

function parseResults(text: string): unknown[] {
  const results = JSON.parse(text) as Result[];
  return results.map((result) => (result.error ? toError(result) : result));
}

function parseBulkGet(text: Answer, binary: boolean): unknown {
  type Got = { results: { docs: Result[] }[] };
  const answer = readAnswer(text, ({ results }: Got) => results.flatMap(({ docs }) => docs.map(({ ok }) => ok as Doc)));
  for (const { docs } of answer.results) {
    for (const doc of docs) {
      // A server's have no status, and stay what they are.
      if ((doc.error as Result | undefined)?.status) doc.error = toError(doc.error);
      if (binary) decodeAttachments(doc.ok);
    }
  }
  return answer;
}

function withDocId(error: Error, id: unknown): Error {
  if (id !== undefined) (error as Error & { docId?: unknown }).docId = id;
  return error;
}

function checkOne(doc: Doc): void {
  try {
    checkAttachments(doc);
  } catch (error) {
    throw withDocId(error as Error, doc._id);
  }
}

function isOptions(options: unknown): options is Options {
  return typeof options === 'object' && options !== null;
}

function isLocalId(id: unknown): boolean {
  return typeof id === 'string' && id.startsWith('_local/');
}

function checkIsObject(doc: unknown): asserts doc is Doc {
  if (typeof doc !== 'object' || doc === null || Array.isArray(doc)) throw createError(NOT_AN_OBJECT);
}

function checkId(id: unknown): void {
  if (!id) throw createError(MISSING_ID);
  if (typeof id !== 'string') throw createError(INVALID_ID);
  if (id.startsWith('_') && !/^_(design|local)/.test(id)) throw createError(RESERVED_ID);
}

function checkRev(doc: Doc): void {
  const rev = doc._rev;
  if (rev !== undefined && (typeof rev !== 'string' || !/^\d+-[^-]*$/.test(rev))) throw createError(INVALID_REV);
}
