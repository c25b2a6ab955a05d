// Views and Mango of a remote database: the server answers them.
import type { Database, Doc, Options } from './database';
import { requestJson } from './remote';
import { decodeAttachments } from './remote_attachments';

/** Options that stand in the address as they are. */
const plain = [
  'reduce',
  'include_docs',
  'attachments',
  'limit',
  'descending',
  'group',
  'group_level',
  'skip',
  'stale',
  'conflicts',
  'inclusive_end',
  'update_seq',
];
/** Options that stand there as JSON. */
const values = ['startkey', 'start_key', 'endkey', 'end_key', 'key'];

/** Keys that make an address longer than this go into a body. */
const LONGEST_ADDRESS = 2000;

type View = string | Record<string, unknown> | ((...args: any[]) => unknown);

/** A view by its name, or a function: CouchDB has had none of the latter since 2.0, and says so. */
export async function query(db: Database, view: View, options: Options = {}): Promise<Doc> {
  const parameters = new Map<string, string>();
  for (const name of plain) if (options[name] !== undefined) parameters.set(name, String(options[name]));
  for (const name of values) if (options[name] !== undefined) parameters.set(name, JSON.stringify(options[name]));
  let keys = options.keys;
  if (keys !== undefined && addressOf(new Map(parameters).set('keys', JSON.stringify(keys))).length <= LONGEST_ADDRESS) {
    parameters.set('keys', JSON.stringify(keys));
    keys = undefined;
  }
  const answer = await ask(db, view, addressOf(parameters), keys);
  for (const { doc, value } of answer.rows) {
    const failed = value as { error?: unknown } | null | undefined;
    if (failed?.error === 'builtin_reduce_error') throw new Error(String((failed as Doc).reason));
    if (options.attachments && options.binary) decodeAttachments(doc);
  }
  return answer;
}

async function ask(db: Database, view: View, parameters: string, keys: unknown): Promise<{ rows: Doc[] } & Doc> {
  if (typeof view === 'string') {
    const [design, name = design] = view.split('/');
    const path = `_design/${encodeURIComponent(design!)}/_view/${encodeURIComponent(name!)}${parameters}`;
    return (await (keys === undefined ? requestJson(db, 'GET', path) : requestJson(db, 'POST', path, { keys }))) as { rows: Doc[] };
  }
  const parts = typeof view === 'function' ? { map: view } : view;
  const texts = Object.entries(parts).map(([name, part]) => [name, Array.isArray(part) ? part : String(part)]);
  const body = { ...Object.fromEntries(texts), ...(keys === undefined ? {} : { keys }) };
  return (await requestJson(db, 'POST', `_temp_view${parameters}`, body)) as { rows: Doc[] };
}

function addressOf(parameters: Map<string, string>): string {
  return parameters.size === 0 ? '' : `?${[...parameters].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
}

export const viewCleanup = (db: Database) => requestJson(db, 'POST', '_view_cleanup', {});

/** `{index: {fields, …}}`, or PouchDB's short form `{fields, …}`. */
export function createIndex(db: Database, request: unknown): Promise<Doc> {
  checkIsObject(request, 'you must provide an index to create');
  const { fields, ...rest } = request;
  const index: Doc = { ...(request.index as Doc | undefined), ...(fields ? { fields } : {}) };
  // What belongs to the request is often written into the index.
  for (const name of ['type', 'name', 'ddoc']) {
    if (index[name]) rest[name] = index[name];
    delete index[name];
  }
  return requestJson(db, 'POST', '_index', { type: 'json', ...rest, index });
}

export const getIndexes = (db: Database) => requestJson(db, 'GET', '_index');

export function deleteIndex(db: Database, index: unknown): Promise<Doc> {
  checkIsObject(index, 'you must provide an index to delete');
  const { ddoc, type = 'json', name } = index;
  if (!ddoc) throw new Error("you must provide an index's ddoc");
  if (!name) throw new Error("you must provide an index's name");
  return requestJson(db, 'DELETE', `_index/${[ddoc, type, name].map((part) => encodeURIComponent(String(part))).join('/')}`);
}

export function find(db: Database, request: unknown): Promise<Doc> {
  checkIsObject(request, 'you must provide search parameters to find()');
  return requestJson(db, 'POST', '_find', request);
}

export function explain(db: Database, request: unknown): Promise<Doc> {
  checkIsObject(request, 'you must provide search parameters to explain()');
  return requestJson(db, 'POST', '_explain', request);
}

function checkIsObject(request: unknown, what: string): asserts request is Doc {
  if (typeof request !== 'object' || request === null) throw new Error(what);
}
