// sync(): a replication each way, and one object for both.
import type { Options } from './database';
import { EventEmitter } from './emitter';
import { clone } from './json';
import { constructorOf, directed, open, optionsAndCallback, replicate } from './replicate';
import type { ReplicationSide } from './peers';
import type { Replication, ReplicationResult } from './replication';
import { syncStatus } from './status';
import type { Direction, SyncStatus } from './status';

type Callback = (error: unknown, result?: unknown) => void;

export interface SyncResult {
  push: ReplicationResult;
  pull: ReplicationResult;
}

export type SyncFunction = (this: unknown, source: unknown, target: unknown, options?: unknown, callback?: unknown) => Sync;

export const sync: SyncFunction = function (source, target, optionsOrCallback, maybeCallback) {
  const [given, callback] = optionsAndCallback(optionsOrCallback, maybeCallback);
  const options = clone(given);
  const constructor = constructorOf(options, this);
  return new Sync(open(source, constructor, options), open(target, constructor, options), options, callback);
};

export class Sync extends EventEmitter {
  canceled = false;
  readonly push: Replication;
  readonly pull: Replication;
  pushPaused = true;
  pullPaused = true;
  /** Why each of them waits. */
  private readonly _errors: { [direction in Direction]?: unknown } = {};
  readonly then: Promise<SyncResult | undefined>['then'];
  readonly catch: Promise<SyncResult | undefined>['catch'];

  constructor(source: ReplicationSide, target: ReplicationSide, options: Options, callback: Callback | undefined) {
    super();
    const constructor = options.PouchConstructor;
    const ways = (own: unknown) => ({ ...options, ...(own as Options | undefined) });
    this.push = directed('push', replicate.call(constructor, source, target, ways(options.push)));
    this.pull = directed('pull', replicate.call(constructor, target, source, ways(options.pull)));
    this._followState('push', this.push);
    this._followState('pull', this.pull);
    this._forwardOnDemand('change', (direction, change) => ({ direction, change }));
    this._forwardOnDemand('conflict', (_, resolution) => resolution);
    this._forwardOnDemand('status', () => this.status());
    this._forwardOnDemand('denied', (direction, doc) => ({ direction, doc }));
    if (options.live || options.continuous) {
      this.push.on('complete', () => this.pull.cancel());
      this.pull.on('complete', () => this.push.cancel());
    }
    const promise = Promise.all([this.push, this.pull]).then(
      ([push, pull]) => this._complete({ push, pull }, callback),
      (error: unknown) => this._fail(error, callback),
    );
    this.then = promise.then.bind(promise);
    this.catch = promise.catch.bind(promise);
    // The callback has the error already.
    if (callback) promise.catch(() => {});
  }

  /** Both ways as one: the state that a person should know first, and what they have to do together. */
  status(): SyncStatus {
    return syncStatus(this.push.status(), this.pull.status());
  }

  cancel(): void {
    if (this.canceled) return;
    this.canceled = true;
    this.push.cancel();
    this.pull.cancel();
  }

  private _complete(result: SyncResult, callback: Callback | undefined): SyncResult {
    this.emit('complete', result);
    callback?.(null, result);
    this.removeAllListeners();
    return result;
  }

  private _fail(error: unknown, callback: Callback | undefined): undefined {
    this.cancel();
    // Throws where nobody listens, and so rejects the promise.
    if (!callback) this.emit('error', error);
    callback?.(error);
    this.removeAllListeners();
    if (callback) throw error;
    return undefined;
  }

  /** 'paused' when both sides rest, with the error that makes one of them rest; 'active' when the first one stirs. */
  private _followState(direction: Direction, side: Replication): void {
    const own = `${direction}Paused` as const;
    const other = direction === 'push' ? 'pullPaused' : 'pushPaused';
    side.on('paused', (error: unknown) => {
      this[own] = true;
      this._errors[direction] = error;
      if (this[other]) this.emit('paused', error ?? this._errors.push ?? this._errors.pull);
    });
    side.on('active', () => {
      this[own] = false;
      this._errors[direction] = undefined;
      if (this[other]) this.emit('active', { direction });
    });
  }

  /** Listens to both sides only while somebody listens here: a batch's documents are not parsed for nobody. */
  private _forwardOnDemand(event: string, describe: (direction: Direction, payload: unknown) => unknown): void {
    const forward = {
      push: (payload: unknown) => this.emit(event, describe('push', payload)),
      pull: (payload: unknown) => this.emit(event, describe('pull', payload)),
    };
    this.on('newListener', (added) => {
      if (added !== event || this.listenerCount(event) > 0) return;
      this.push.on(event, forward.push);
      this.pull.on(event, forward.pull);
    });
    this.on('removeListener', (removed) => {
      if (removed !== event || this.listenerCount(event) > 0) return;
      this.push.removeListener(event, forward.push);
      this.pull.removeListener(event, forward.pull);
    });
  }
}
