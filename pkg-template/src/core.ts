// The core behind an instance: opening it, and reaching it.
import type { Local, Remote } from 'virtual:wasm-glue';
import type { Database } from './database';
import { toError } from './errors';
import { isIndexedDb, wakeIndexedDb } from './indexed_db';
import { encodeOptions } from './json';
import type { KnownOptions } from './json';
import { tellIfBlocked } from './patience';
import { originOf } from './pouchdb/origin';
import { takeOver } from './pouchdb/take_over';
import { fetchThrough } from './remote';
import { announceDestroyed } from './static_events';
import { loadWasm } from './wasm';
import { openInWorker } from './worker';
import type { WorkerLocal } from './worker';

type Core = Local | WorkerLocal | Remote;

/** The core of an open database. Methods get here only after the queue is ready. */
export function core(db: Database): Core {
  if (!db._core) throw new Error('database is not open');
  return db._core;
}

/** Asks the core, after the writes that were called for before. A server is asked at once, as in PouchDB. */
export function read<Result>(db: Database, ask: (core: Core) => Promise<Result>): Promise<Result> {
  return db._remote ? ask(core(db)) : db._writes.before(() => ask(core(db)));
}

export async function openCore(db: Database): Promise<void> {
  try {
    db._core = db._remote ? await openRemote(db) : await openLocal(db);
  } catch (error) {
    throw toError(error);
  }
}

const localOptions: KnownOptions = {
  flags: ['deterministic_revs', 'auto_compaction', 'salvage'],
  others: ['adapter', 'durability'],
};

/** Whole numbers from 1 on; anything else is as good as nothing. */
const limits = ['revs_limit', 'purged_infos_limit', 'cache_bytes'];

/** Where databases are that were opened without a wish: they stay there for the life of the page, on whatever thread. */
const places = new Map<string, string>();

/** What the core needs to find a local database: its name and options. */
export function localOptionsOf(db: Database, adapter = adapterOf(db)): [name: string, options: string] {
  const given = Object.fromEntries(limits.map((limit) => [limit, Number(db.__opts[limit])]));
  const numbers = limits.filter((limit) => given[limit]! >= 1);
  return [String(db.__opts.name), encodeOptions({ ...db.__opts, ...given, adapter }, { ...localOptions, numbers })];
}

/** What the option `migrate` says in an object. */
function migrationOf(db: Database): { from?: unknown; remove?: unknown } {
  const { migrate } = db.__opts;
  return typeof migrate === 'object' && migrate !== null ? migrate : {};
}

/** The name of PouchDB's database that this one takes the place of, if there is one. Its indexes are made anew. */
function pouchDbOf(db: Database): string | undefined {
  const { name, migrate = true } = db.__opts;
  const { from } = migrationOf(db);
  const stored = String(name);
  if (typeof from === 'string') return from;
  if (!migrate || !stored.startsWith(db.prefix) || /-mrview-|-search-/.test(stored)) return undefined;
  const theirs = `_pouch_${stored.slice(db.prefix.length)}`;
  return theirs === stored ? undefined : theirs;
}

/** The only one that will do; undefined where the core has the choice. */
function adapterOf(db: Database): string | undefined {
  const { name, adapter } = db.__opts;
  return db._chosen ? String(adapter) : places.get(String(name));
}

async function openLocal(db: Database): Promise<Local | WorkerLocal> {
  const before = pouchDbOf(db);
  const origin = before === undefined ? undefined : () => originOf(before);
  const onPage = async () => (await loadWasm()).Local.open(...localOptionsOf(db), origin);
  const adapter = adapterOf(db) ?? 'idb';
  if (isIndexedDb(adapter)) wakeIndexedDb();
  const opening = db.__opts.worker ? openInWorker(adapter, localOptionsOf(db, adapter), before, onPage) : onPage();
  const local = await tellIfBlocked(db, 'open', opening);
  try {
    await takeOver(String(db.__opts.name), local, Boolean(migrationOf(db).remove));
  } catch (error) {
    await local.close();
    throw error;
  }
  local.on_event((event, updateSeq) => {
    if (event === 'change') for (const wake of db._watchers) wake(updateSeq);
    else if (event === 'destroyed') announceDestroyed(db);
  });
  if (!db._chosen) {
    places.set(String(db.__opts.name), local.adapter);
    // In the options too, for the databases that belong to this one.
    db.adapter = db._adapter = db.__opts.adapter = local.adapter;
  }
  return local;
}

const remoteOptions: KnownOptions = { flags: ['skip_setup'], others: ['auth', 'headers'] };

/** What the core makes a remote database of. */
export function remoteParts(db: Database): { url: string; options: string } {
  return { url: String(db.__opts.name), options: encodeOptions(db.__opts, remoteOptions) };
}

async function openRemote(db: Database): Promise<Remote> {
  const wasm = await loadWasm();
  const { fetch, reauthenticate } = db.__opts as {
    fetch?: (url: string, init: RequestInit) => Promise<Response>;
    reauthenticate?: (refusal: Error) => unknown;
  };
  const { url, options } = remoteParts(db);
  const remote = new wasm.Remote(url, options, fetch, reauthenticate && ((refusal) => reauthenticate(toError(refusal))));
  db.fetch = (path, init) => fetchThrough(remote, fetch, path, init);
  return remote;
}
