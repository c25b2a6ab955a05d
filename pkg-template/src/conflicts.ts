// db.conflicts(): the documents with more than one leaf that is not deleted, once or as a list that is kept up to date.
import type { Local } from 'virtual:wasm-glue';
import { markOwn } from './callbacks';
import { core, read } from './core';
import type { Database, Doc, Options } from './database';
import { EventEmitter } from './emitter';
import { closedError, destroyedError, notYet, toError } from './errors';
import { encodeOptions } from './json';
import type { KnownOptions } from './json';
import { whenOpen } from './peers';

/** A document with its leaves; in the event 'change' of one that has been settled, without conflicts. */
export interface Conflict {
  id: string;
  seq: number;
  rev: string;
  conflicts: string[];
  doc?: Doc;
}

export interface ConflictsResult {
  results: Conflict[];
  last_seq: number;
  status?: 'cancelled';
}

/** Conflicts are few; a page of them is read at once. */
const PAGE_SIZE = 500;

const known: KnownOptions = { flags: ['include_docs', 'settled'], numbers: ['limit', 'since'] };

export class Conflicts extends EventEmitter {
  readonly then: Promise<ConflictsResult>['then'];
  readonly catch: Promise<ConflictsResult>['catch'];
  private readonly _rows = new Map<string, Conflict>();
  private _lastSeq = 0;
  private _isCancelled = false;
  private _wake = () => {};

  constructor(
    private readonly _db: Database,
    private readonly _options: Options,
  ) {
    super();
    const promise = this._run();
    this.then = promise.then.bind(promise);
    this.catch = promise.catch.bind(promise);
    promise.then(
      (result) => this._finish('complete', result),
      (error: unknown) => this._finish('error', error),
    );
  }

  /** The documents that have conflicts now, as far as is known, by the order of their last changes. */
  get rows(): Conflict[] {
    return [...this._rows.values()].sort((left, right) => left.seq - right.seq);
  }

  /** Ends it; with `live`, 'complete' comes with what there is. */
  cancel(): void {
    this._isCancelled = true;
    this._wake();
  }

  private async _run(): Promise<ConflictsResult> {
    const db = this._db;
    await whenOpen(db);
    if (db._remote) throw notYet('Listing the conflicts of a remote database');
    let hasNews = false;
    const onCommit = () => {
      hasNews = true;
      this._wake();
    };
    const end = () => this.cancel();
    db._watchers.add(onCommit);
    for (const event of ['closed', 'destroyed']) db.once(event, end);
    try {
      for (let isFirst = true; !this._isCancelled; ) {
        if (db._closed) throw closedError();
        if (db._destroyed) throw destroyedError();
        hasNews = false;
        await this._readAll(isFirst);
        if (isFirst) this._tell('ready', this.rows);
        isFirst = false;
        if (!this._options.live) break;
        // What is committed while it was read may have come too late for that.
        while (!hasNews && !this._isCancelled) await new Promise<void>((resolve) => (this._wake = resolve));
      }
    } catch (error) {
      if (!this._isCancelled) throw toError(error);
    } finally {
      db._watchers.delete(onCommit);
      for (const event of ['closed', 'destroyed']) db.removeListener(event, end);
    }
    return { results: this.rows, last_seq: this._lastSeq, ...(this._isCancelled ? { status: 'cancelled' } : undefined) };
  }

  private async _readAll(isFirst: boolean): Promise<void> {
    for (;;) {
      const request = { ...this._options, since: this._lastSeq, limit: PAGE_SIZE, settled: !isFirst };
      const ask = () => (core(this._db) as Local).conflicts(encodeOptions(request, known));
      const page = JSON.parse(await (isFirst ? read(this._db, ask) : ask())) as ConflictsResult;
      for (const row of page.results) this._take(row);
      this._lastSeq = page.last_seq;
      if (page.results.length < PAGE_SIZE || this._isCancelled) return;
    }
  }

  private _take(row: Conflict): void {
    const before = this._rows.get(row.id);
    if (row.conflicts.length > 0) this._rows.set(row.id, row);
    else if (!this._rows.delete(row.id)) return;
    // Of an edit that concerns no leaf of it, such as a deleted branch that came, nobody is told.
    if (before?.rev === row.rev && String(before.conflicts) === String(row.conflicts)) return;
    this._tell('change', row);
  }

  private _tell(event: string, payload: unknown): void {
    if (this._isCancelled) return;
    try {
      this.emit(event, payload);
    } catch (error) {
      console.error(`Error in .on("${event}", function):`, error);
    }
  }

  private _finish(event: 'complete' | 'error', outcome: unknown): void {
    // An error that nobody listens to is the promise's alone.
    if (event === 'complete' || this.listenerCount('error') > 0) this.emit(event, outcome);
    this.removeAllListeners();
  }
}

/** The method `conflicts` of a database. */
export const conflicts = markOwn(function (this: Database, options?: Options): Conflicts {
  return new Conflicts(this, { ...options });
});
