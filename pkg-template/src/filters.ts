// Which changes a feed lets through. Functions kept as text in design documents are not run in the browser: that would take
// eval, which many pages forbid. A server runs its own.
import { Database } from './database';
import type { Doc, Options } from './database';
import { BAD_REQUEST, MISSING_DOC, createError, notYet, toError } from './errors';

/** A filter function of the user's. */
export type FilterFunction = (doc: Doc, request: { query?: unknown }) => unknown;

/** Whether a row passes; throws what the feed ends with when the function threw. */
export type RowFilter = (doc: Doc | undefined) => boolean;

/** Combinations of options that make no sense. */
export function checkFilterOptions(options: Options): void {
  const { selector, filter } = options;
  if (!selector || !filter || filter === '_selector') return;
  throw new Error(`selector invalid for filter "${typeof filter === 'string' ? filter : 'function'}"`);
}

/** Writes 'name' as 'name/name', and says which filter `view` or `selector` imply. */
export function normalizeFilter(options: Options): Options {
  const normalized = { ...options };
  if (normalized.view && !normalized.filter) normalized.filter = '_view';
  if (normalized.selector && !normalized.filter) normalized.filter = '_selector';
  if (normalized.filter === '_view') normalized.view = fullName(normalized.view);
  else if (typeof normalized.filter === 'string' && !normalized.filter.startsWith('_')) normalized.filter = fullName(normalized.filter);
  return normalized;
}

/** The filter function of a feed on a local database, or nothing where every row passes; a promise where it takes reading. */
export function localFilter(db: Database, options: Options): RowFilter | undefined | Promise<RowFilter> {
  const { filter, doc_ids, query_params } = options;
  if (typeof filter === 'function') return guarded(filter as FilterFunction, query_params);
  // As in PouchDB, a list of ids makes a named filter void.
  if (typeof filter !== 'string' || doc_ids) return undefined;
  if (filter === '_design') return (doc) => String(doc?._id).startsWith('_design');
  if (filter === '_selector') throw notYet('Filtering local changes by selector');
  if (filter === '_view') return viewFilter(db, options.view);
  return namedFilter(db, filter);
}

async function namedFilter(db: Database, filter: string): Promise<never> {
  const [ddoc, name] = split(filter);
  const { filters } = await designDoc(db, ddoc);
  requireFunction(filters, name, 'filters');
  throw notYet('Running the filter of a design document in the browser');
}

async function viewFilter(db: Database, view: unknown): Promise<never> {
  if (typeof view !== 'string' || !view) throw createError(BAD_REQUEST, '`view` filter parameter not found or invalid.');
  const [ddoc, name] = split(view);
  const { views } = await designDoc(db, ddoc);
  requireFunction(views, name, 'views');
  throw notYet('Running the view of a design document in the browser');
}

/** A replication from a local database filters by function and by ids; a server filters for itself. */
export function refuseFilterOnLocal(source: unknown, { filter, view, selector, doc_ids }: Options): void {
  if (!(source instanceof Database) || source._remote || doc_ids || typeof filter === 'function') return;
  if (filter || view || selector) throw notYet('Replicating from a local database by a named filter or a selector');
}

/** Calls the function as PouchDB does, with its errors as those of the feed. */
export function guarded(filter: FilterFunction, query: unknown): RowFilter {
  const request = { query };
  return (doc) => {
    try {
      return Boolean(filter(doc ?? {}, request));
    } catch (error) {
      throw createError(BAD_REQUEST, `Filter function threw: ${String(error)}`);
    }
  };
}

async function designDoc(db: Database, name: string): Promise<Doc> {
  try {
    return (await db.get(`_design/${name}`)) as Doc;
  } catch (error) {
    throw toError(error);
  }
}

function requireFunction(functions: unknown, name: string, member: string): void {
  const known = functions as Doc | undefined;
  if (!known?.[name]) throw createError(MISSING_DOC, `missing json key: ${known ? name : member}`);
}

function split(name: string): [ddoc: string, name: string] {
  const [ddoc = '', inner = ddoc] = name.split('/');
  return [ddoc, inner];
}

/** PouchDB takes names of one or two parts and makes null of anything else. */
function fullName(name: unknown): string | null {
  if (typeof name !== 'string' || !name) return null;
  const parts = name.split('/');
  if (parts.length > 2) return null;
  return parts.length === 2 ? name : `${name}/${name}`;
}
