// What concerns a database as a whole: info, id, close, destroy, check.
import type { Local } from 'virtual:wasm-glue';
import { method } from './callbacks';
import { core, localOptionsOf, read } from './core';
import type { Database, Doc, Options } from './database';
import { notYet, toError } from './errors';
import { clone } from './json';
import { tellIfBlocked } from './patience';
import { announceDestroyed, unregister } from './static_events';
import { loadWasm } from './wasm';
import { WorkerLocal } from './worker';

const DEPENDENT = '_local/_pouch_dependentDbs';

export const databaseMethods = {
  info: method('info', function () {
    return read(this, (core) => core.info())
      .then((text) => {
        const info = JSON.parse(text) as Options;
        info.db_name ??= this.name;
        info.auto_compaction = Boolean(this.auto_compaction && !this._remote);
        info.adapter = this.adapter;
        // Where it does not, there is no such member, as in PouchDB.
        if (this._core instanceof WorkerLocal) info.worker = true;
        return info;
      }, rethrow);
  }),

  id: method('id', function () {
    return core(this).id().catch(rethrow);
  }),

  close: method('close', function () {
    const closing = core(this).close();
    this._closed = true;
    endFeeds(this);
    unregister(this);
    this.emit('closed');
    return closing.then(() => undefined, rethrow);
  }),

  destroy: method(
    'destroy',
    function () {
      return (this._remote ? Promise.resolve() : destroyDependents(this))
        .then(() => tellIfBlocked(this, 'destroy', core(this).destroy()).catch(rethrow))
        .then(() => {
          endFeeds(this);
          announceDestroyed(this);
          return { ok: true };
        });
    },
    // One that is damaged, or of a newer format, could not be got rid of else.
    async function () {
      if (this._remote) throw this.taskqueue.failed;
      const wasm = await loadWasm();
      await tellIfBlocked(this, 'destroy', wasm.Local.destroy_unopened(...localOptionsOf(this))).catch(rethrow);
      announceDestroyed(this);
      return { ok: true };
    },
  ),

  /** Reads everything that is stored, and tells what is damaged; also where the database could not be opened for that. */
  check: method(
    'check',
    function () {
      if (this._remote) throw notYet('Checking a remote database');
      return read(this, (core) => (core as Local).check()).then(JSON.parse, rethrow);
    },
    async function () {
      if (this._remote) throw this.taskqueue.failed;
      const wasm = await loadWasm();
      return wasm.Local.check_unopened(...localOptionsOf(this)).then(JSON.parse, rethrow);
    },
  ),

  /** Notes a database (of a plugin's index) that is to be destroyed together with this one, and opens it. */
  registerDependentDatabase: method('registerDependentDatabase', async function (name: string) {
    const options = clone(this.__opts);
    delete options.name;
    if (options.view_adapter) options.adapter = options.view_adapter;
    const db = new this.constructor(name, options);
    await noteDependent(this, name);
    return { db };
  }),
};

async function noteDependent(db: Database, name: string): Promise<void> {
  for (;;) {
    const known = await dependents(db);
    if (known.dependentDbs[name]) return;
    known.dependentDbs[name] = true;
    try {
      await db.put(known);
      return;
    } catch (error) {
      // Another tab noted one of its own meanwhile.
      if ((error as { status?: number }).status !== 409) throw error;
    }
  }
}

async function destroyDependents(db: Database): Promise<void> {
  const { dependentDbs } = await dependents(db);
  const options = clone(db.__opts);
  delete options.name;
  const prefix = db.constructor.prefix;
  await Promise.all(
    Object.keys(dependentDbs).map((name) => {
      const unprefixed = name.startsWith(prefix) ? name.slice(prefix.length) : name;
      return new db.constructor(unprefixed, options).destroy();
    }),
  );
}

async function dependents(db: Database): Promise<Doc & { dependentDbs: Record<string, true> }> {
  try {
    const doc = (await db.get(DEPENDENT)) as Doc;
    return { ...doc, dependentDbs: (doc.dependentDbs ?? {}) as Record<string, true> };
  } catch (error) {
    if ((error as { status?: number }).status !== 404) throw error;
    return { _id: DEPENDENT, dependentDbs: {} };
  }
}

function endFeeds(db: Database): void {
  for (const feed of [...db._feeds]) feed.cancel();
}

function rethrow(raw: unknown): never {
  throw toError(raw);
}
