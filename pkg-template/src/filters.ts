// Which changes a feed lets through.
import { Database } from './database';
import type { Doc, Options } from './database';
import { BAD_REQUEST, MISSING_DOC, createError, toError } from './errors';
import { evaluateFilter, evaluateView } from './evaluate';
import type { FilterFunction } from './evaluate';

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

/**
 * The filter function of a feed on a local database, or nothing where the core filters (by ids and selectors) or every row
 * passes; a promise where it takes reading.
 */
export function localFilter(db: Database, options: Options): RowFilter | undefined | Promise<RowFilter> {
  const { filter, doc_ids, selector, query_params } = options;
  if (typeof filter === 'function') return guarded(filter as FilterFunction, query_params);
  // As in PouchDB, a list of ids makes a named filter void.
  if (typeof filter !== 'string' || doc_ids) return undefined;
  if (filter === '_design') return (doc) => String(doc?._id).startsWith('_design');
  if (filter === '_view') return viewFilter(db, options);
  return selector ? undefined : namedFilter(db, filter, query_params);
}

async function namedFilter(db: Database, filter: string, query: unknown): Promise<RowFilter> {
  const [ddoc, name] = split(filter);
  const { filters } = await designDoc(db, ddoc);
  const source = (filters as Doc | undefined)?.[name];
  if (!source) throw createError(MISSING_DOC, `missing json key: ${filters ? name : 'filters'}`);
  return guarded(evaluateFilter(source), query);
}

async function viewFilter(db: Database, { view, query_params }: Options): Promise<RowFilter> {
  if (typeof view !== 'string' || !view) throw createError(BAD_REQUEST, '`view` filter parameter not found or invalid.');
  const [ddoc, name] = split(view);
  const { views } = await designDoc(db, ddoc);
  const source = (views as Record<string, Doc> | undefined)?.[name]?.map;
  if (!source) throw createError(MISSING_DOC, `missing json key: ${views ? name : 'views'}`);
  return guarded(evaluateView(source), query_params);
}

/** What of a replication's source passes, where that takes a function on this page: a server filters for itself. */
export async function sourceFilter(source: unknown, options: Options): Promise<RowFilter | undefined> {
  checkFilterOptions(options);
  if (typeof options.filter !== 'function' && (!(source instanceof Database) || source._remote)) return undefined;
  const normalized = normalizeFilter(options);
  // The core knows this one.
  return normalized.filter === '_design' ? undefined : localFilter(source as Database, normalized);
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
