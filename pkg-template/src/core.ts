// The core behind an instance: opening it, and reaching it.
import type { Local, Remote } from 'virtual:wasm-glue';
import type { Database } from './database';
import { toError } from './errors';
import { encodeOptions } from './json';
import type { KnownOptions } from './json';
import { tellIfBlocked } from './patience';
import { fetchThrough } from './remote';
import { announceDestroyed } from './static_events';
import { loadWasm } from './wasm';

/** The core of an open database. Methods get here only after the queue is ready. */
export function core(db: Database): Local | Remote {
  if (!db._core) throw new Error('database is not open');
  return db._core;
}

/** Asks the core, after the writes that were called for before. A server is asked at once, as in PouchDB. */
export function read<Result>(db: Database, ask: (core: Local | Remote) => Promise<Result>): Promise<Result> {
  return db._remote ? ask(core(db)) : db._writes.before(() => ask(core(db)));
}

export async function openCore(db: Database): Promise<void> {
  try {
    const wasm = await loadWasm();
    db._core = db._remote ? openRemote(wasm, db, String(db.__opts.name)) : await openLocal(wasm, db);
  } catch (error) {
    throw toError(error);
  }
}

const localOptions: KnownOptions = { flags: ['deterministic_revs', 'auto_compaction'], others: ['adapter', 'durability'] };

/** What the core needs to find a local database: its name and options. */
export function localOptionsOf(db: Database): [name: string, options: string] {
  const { name, revs_limit } = db.__opts;
  const options = Number(revs_limit) >= 1 ? { ...localOptions, numbers: ['revs_limit'] } : localOptions;
  const given = db._chosen ? db.__opts : { ...db.__opts, adapter: undefined };
  return [String(name), encodeOptions(given, options)];
}

async function openLocal(wasm: typeof import('virtual:wasm-glue'), db: Database): Promise<Local> {
  const local = await tellIfBlocked(db, 'open', wasm.Local.open(...localOptionsOf(db)));
  local.on_event((event, updateSeq) => {
    if (event === 'change') for (const wake of db._watchers) wake(updateSeq);
    else if (event === 'destroyed') announceDestroyed(db);
  });
  // In the options too, for the databases that belong to this one.
  if (!db._chosen) db.adapter = db._adapter = db.__opts.adapter = local.adapter;
  return local;
}

const remoteOptions: KnownOptions = { flags: ['skip_setup'], others: ['auth', 'headers'] };

function openRemote(wasm: typeof import('virtual:wasm-glue'), db: Database, url: string): Remote {
  const { fetch } = db.__opts as { fetch?: (url: string, init: RequestInit) => Promise<Response> };
  const remote = new wasm.Remote(url, encodeOptions(db.__opts, remoteOptions), fetch);
  db.fetch = (path, init) => fetchThrough(remote, fetch, path, init);
  return remote;
}
