// The object that db.changes() answers with: an emitter, a promise, and a feed that can be cancelled.
import { markOwn } from './callbacks';
import type { Database, Doc, Options } from './database';
import { EventEmitter } from './emitter';
import { closedError, destroyedError, toError } from './errors';
import { checkFilterOptions, localFilter, normalizeFilter } from './filters';
import { clone } from './json';
import { readLocal } from './local_feed';
import { readRemote } from './remote_feed';

export interface Change {
  id: string;
  seq: number | string;
  changes: { rev: string }[];
  deleted?: boolean;
  doc?: Doc;
}

/** What a feed ends with. */
export type ChangesResult = { results: Change[]; last_seq: number | string } | { status: 'cancelled' };

type Callback = (error: unknown, result?: unknown) => void;

/** What the loops that read a feed know of the object that the user holds. */
export interface Sink {
  readonly db: Database;
  readonly options: Options;
  readonly cancelled: boolean;
  /** A change as those who listen get it. */
  readonly outgoing?: (change: Change) => Promise<unknown>;
  /** Aborted by cancel(). */
  readonly signal: AbortSignal;
  emitChange(change: Change, pending?: number, lastSeq?: number | string): void;
}

export class Changes extends EventEmitter {
  readonly db: Database;
  isCancelled = false;
  readonly then: Promise<ChangesResult>['then'];
  readonly catch: Promise<ChangesResult>['catch'];
  private readonly _abort = new AbortController();
  private _resolve!: (result: ChangesResult) => void;
  private _reject!: (error: unknown) => void;

  constructor(db: Database, options: Options, callback?: Callback) {
    super();
    this.db = db;
    const promise = new Promise<ChangesResult>((resolve, reject) => {
      this._resolve = resolve;
      this._reject = reject;
    });
    this.then = promise.then.bind(promise);
    this.catch = promise.catch.bind(promise);
    if (callback) {
      this.on('complete', (result: ChangesResult) => callback(null, result));
      this.on('error', callback);
    }
    promise.then(
      (result) => this._finish('complete', result),
      (error: unknown) => this._finish('error', error),
    );
    db._feeds.add(this);
    this._startWhenOpen(clone(options));
  }

  /** Ends the feed: no further change is emitted, 'complete' comes with status 'cancelled'. */
  cancel(): void {
    if (this.isCancelled) return;
    this.isCancelled = true;
    this._abort.abort();
    if (this.db.taskqueue.isReady) this._end();
  }

  private _startWhenOpen(options: Options): void {
    const { taskqueue } = this.db;
    const start = () => this._read(options).then(this._resolve, this._fail);
    if (taskqueue.isReady) {
      start();
      return;
    }
    taskqueue.addTask((failed) => {
      if (failed) this._reject(failed);
      else if (this.isCancelled) this._end();
      else start();
    });
  }

  /** Asks for the first changes in this very turn: what is written after it does not come before them. */
  private async _read(options: Options): Promise<ChangesResult> {
    if (this.db._closed) throw closedError();
    if (this.db._destroyed) throw destroyedError();
    checkFilterOptions(options);
    const normalized = normalizeFilter(options);
    if (normalized.since === 'latest') normalized.since = 'now';
    normalized.since ||= 0;
    if (normalized.limit === 0) normalized.limit = 1;
    const sink = this._sink(normalized);
    if (this.db._remote) return readRemote(sink);
    const filter = localFilter(this.db, normalized);
    return readLocal(sink, filter instanceof Promise ? await filter : filter);
  }

  /** A request that was given up by cancel() has failed, but the feed has not. */
  private _fail = (error: unknown): void => {
    if (!this.isCancelled) this._reject(toError(error));
  };

  private _sink(options: Options): Sink {
    const feed = this;
    const outgoing = this.db._outgoing;
    return {
      db: this.db,
      options,
      signal: this._abort.signal,
      get cancelled() {
        return feed.isCancelled;
      },
      outgoing: outgoing && (async (change) => change.doc && (change.doc = await outgoing(change.doc))),
      emitChange(change, pending, lastSeq) {
        try {
          feed.emit('change', change, pending, lastSeq);
        } catch (error) {
          console.error('Error in .on("change", function):', error);
        }
      },
    };
  }

  private _end(): void {
    this.emit('cancel');
    this._resolve({ status: 'cancelled' });
  }

  private _finish(event: 'complete' | 'error', outcome: unknown): void {
    this.db._feeds.delete(this);
    // An error that nobody listens to is the promise's alone.
    if (event === 'complete' || this.listenerCount('error') > 0) this.emit(event, outcome);
    this.removeAllListeners();
  }
}

/** The method `changes` of a database. */
export const changes = markOwn(function (this: Database, optionsOrCallback?: unknown, callback?: unknown): Changes {
  const withoutOptions = typeof optionsOrCallback === 'function';
  const options = { ...(withoutOptions ? undefined : (optionsOrCallback as Options | undefined)) };
  options.continuous ??= options.live;
  // A live feed would collect results for ever.
  options.return_docs ??= !options.continuous;
  return new Changes(this, options, (withoutOptions ? optionsOrCallback : callback) as Callback | undefined);
});
