// What makes room in a database: compaction, purge, the removal of indexes that nobody needs.
import type { Local } from 'virtual:wasm-glue';
import { method } from './callbacks';
import { core, read } from './core';
import type { Database, Options } from './database';
import { INVALID_ID, MISSING_DOC, UNKNOWN_ERROR, createError, toError } from './errors';
import { isWellFormed } from './json';
import { compactRemote } from './remote';
import { viewCleanup } from './remote_queries';
import type { WorkerLocal } from './worker';

/** How far a compaction has come. */
interface CompactionStep {
  last_seq: number;
  until: number;
  changes: number;
  dropped: number;
}

export const maintenanceMethods = {
  compact: method('compact', function (options?: Options) {
    if (this._remote) return compactRemote(this, options);
    // One after another: what the first one does, the next need not.
    const before = this._compaction ?? Promise.resolve();
    const compaction = before.then(() => compact(this));
    this._compaction = compaction.catch(() => {});
    return compaction;
  }),

  compactDocument: method('compactDocument', function (id: unknown, maxHeight: unknown) {
    if (this._remote) throw unknownError(`Compacting a document is not implemented in the ${this.adapter} adapter.`);
    checkId(id);
    // Nothing is further than what is no number.
    const height = Number.isNaN(Number(maxHeight)) ? Infinity : Number(maxHeight);
    const compaction = (core(this) as Local).compact_document(id, height);
    return this._writes.add(compaction).then(() => undefined, rethrow);
  }),

  purge: method('purge', function (id: unknown, rev: unknown) {
    if (this._remote) throw unknownError(`Purge is not implemented in the ${this.adapter} adapter.`);
    checkId(id);
    const purging = (core(this) as Local).purge(id, String(rev));
    return this._writes.add(purging).then(JSON.parse, rethrow);
  }),

  /** There are no indexes that could be left over yet, but those of a server. */
  viewCleanup: method('viewCleanup', function () {
    return this._remote ? viewCleanup(this) : { ok: true };
  }),
};

/** In pieces, each a call of its own: between them the page gets its time, and the task tells how far it has come. */
async function compact(db: Database): Promise<{ ok: true }> {
  const local = core(db) as Local | WorkerLocal;
  const next = (piece: Promise<string>) => piece.then((text) => JSON.parse(text) as CompactionStep, rethrow);
  let step = await next(read(db, () => local.begin_compaction()));
  const task = db.activeTasks.add({ name: 'database_compaction', total_items: step.until - step.last_seq });
  try {
    while (step.last_seq < step.until) {
      step = await next(local.compact_further(JSON.stringify(step)));
      db.activeTasks.update(task, { completed_items: step.changes });
    }
  } catch (error) {
    db.activeTasks.remove(task, error);
    throw error;
  }
  db.activeTasks.remove(task);
  return { ok: true };
}

function checkId(id: unknown): asserts id is string {
  if (typeof id !== 'string') throw createError(INVALID_ID);
  if (!isWellFormed(id)) throw createError(MISSING_DOC, 'missing');
}

const unknownError = (reason: string) => createError(UNKNOWN_ERROR, reason);

function rethrow(raw: unknown): never {
  throw toError(raw);
}
