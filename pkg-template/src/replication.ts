// The object that replicate() answers with: an emitter, a promise, and a replication that can be cancelled.
import type { ReplicationHooks } from 'virtual:wasm-glue';
import type { ActiveTasks } from './active_tasks';
import type { Doc, Options } from './database';
import { EventEmitter } from './emitter';
import { errorMembers, toError } from './errors';
import { guarded, refuseFilterOnLocal } from './filters';
import type { FilterFunction } from './filters';
import { encodeOptions } from './json';
import type { KnownOptions } from './json';
import { peerOf, sidesInWorker, whenOpen } from './peers';
import type { ReplicationSide } from './peers';
import { directionOf, parseStatus, unknownStatus } from './status';
import type { Direction, ReplicationStatus } from './status';
import { wakeWhenUseful } from './wake';
import { loadWasm } from './wasm';
import { WorkerReplication } from './worker';
import type { WorkerSide } from './worker';

const known: KnownOptions = {
  flags: ['live', 'retry'],
  numbers: ['batch_size', 'batches_limit', 'seq_interval'],
  others: [
    'since',
    'doc_ids',
    'selector',
    'filter',
    'filter_source',
    'view',
    'query_params',
    'checkpoint',
    'style',
    'heartbeat',
    'timeout',
  ],
};

export type ReplicationState = 'pending' | 'active' | 'stopped' | 'cancelled';

/** What a replication has done, as it is reported by 'complete' and by errors. */
export interface ReplicationResult {
  ok: boolean;
  start_time: string;
  end_time?: string;
  docs_read: number;
  docs_written: number;
  doc_write_failures: number;
  errors: unknown[];
  last_seq: unknown;
  status?: string;
  docs?: Doc[];
  pending?: number;
}

/** What runs, here or in the worker. */
interface Runner {
  cancel(): void;
  /** Ends a pause. */
  wake(): void;
}

/** After a worker has ended, for replications that retry; doubled each time. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;

export class Replication extends EventEmitter {
  cancelled = false;
  state: ReplicationState = 'pending';
  /** Of the status; known when it has begun. */
  direction: Direction | undefined;
  readonly then: Promise<ReplicationResult>['then'];
  readonly catch: Promise<ReplicationResult>['catch'];
  private readonly _startTime = new Date().toISOString();
  private _runner: Runner;
  private _ended = false;
  private _status: ReplicationStatus | string | undefined;
  private _pause = FIRST_PAUSE;
  private _task: ((progress: { completed_items: number; total_items: number }) => void) | undefined;
  private _release: (() => void)[] = [];

  constructor() {
    super();
    const promise = new Promise<ReplicationResult>((resolve, reject) => {
      this.once('complete', resolve);
      this.once('error', reject);
    });
    this.then = promise.then.bind(promise);
    this.catch = promise.catch.bind(promise);
    // Who listens to 'error' needs no catch as well.
    promise.catch(() => {});
    // Until the core runs there is nothing to wait for. Who cancels may add listeners in the same turn.
    this._runner = { cancel: () => queueMicrotask(() => this._endCancelled()), wake() {} };
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.state = 'cancelled';
    this.emit('cancel');
    this._runner.cancel();
  }

  /** How it stands, as far as was heard: the payload of the event 'status' is the same. */
  status(): ReplicationStatus {
    const direction = this.direction ?? 'push';
    // Read only where somebody asks.
    if (typeof this._status === 'string') this._status = parseStatus(this._status, direction);
    return { ...(this._status ?? unknownStatus(direction)) };
  }

  /** Begins. Whatever goes wrong comes as 'error', later. */
  start(source: ReplicationSide, target: ReplicationSide, options: Options, tasks: ActiveTasks): void {
    this.direction ??= directionOf(source, target);
    for (const side of [source, target]) this._endWith(side);
    this._trackTask(source, options, tasks);
    this._release.push(wakeWhenUseful({ wake: () => this._runner.wake() }));
    this._run(source, target, options).catch((error: unknown) => this._end('error', this._withResult(error)));
  }

  private async _run(source: ReplicationSide, target: ReplicationSide, options: Options): Promise<void> {
    await Promise.all([whenOpen(source), whenOpen(target)]);
    if (this.cancelled || this._ended) return;
    refuseFilterOnLocal(source, options);
    const { filter } = options;
    const request =
      typeof filter === 'function' ? { ...options, filter: undefined, filter_source: String(filter) } : options;
    const hooks = hooksOf(options);
    // The worker can't call functions of the page.
    const sides = Object.keys(hooks).length === 0 ? sidesInWorker(source, target) : undefined;
    const runner = await (sides
      ? this._runInWorker(sides, encodeOptions(request, known), (error) => this._onLost(error, source, target, options))
      : this._runOnPage(source, target, encodeOptions(request, known), hooks));
    if (this.cancelled || this._ended) runner?.cancel();
    else if (runner) this._runner = runner;
  }

  private async _runOnPage(
    source: ReplicationSide,
    target: ReplicationSide,
    options: string,
    hooks: ReplicationHooks,
  ): Promise<Runner | undefined> {
    const wasm = await loadWasm();
    const [from, to] = await Promise.all([peerOf(source), peerOf(target)]);
    if (this.cancelled || this._ended) return undefined;
    const wants = (event: string) => this.listenerCount(event) > 0;
    return new wasm.Replication(from, to, options, { ...hooks, wants }, (event, payload) => this._onCoreEvent(event, payload));
  }

  private async _runInWorker(
    sides: [WorkerSide, WorkerSide],
    options: string,
    onLost: (error: unknown) => void,
  ): Promise<Runner> {
    let runner: WorkerReplication | undefined;
    const events = () => this.eventNames().map(String);
    // Later, because the one event comes before the listener is there.
    const tell = () => queueMicrotask(() => !this._ended && runner?.listen(events()));
    const follow = (method: 'on' | 'removeListener') => {
      for (const event of ['newListener', 'removeListener']) this[method](event, tell);
    };
    runner = await WorkerReplication.start(sides, options, events(), {
      onEvent: (event, payload, wanted) => {
        // Somebody began to listen after the worker had done without the documents.
        if (event === 'change' && !wanted && this.listenerCount(event) > 0) tell();
        this._onCoreEvent(event, payload, wanted);
      },
      onLost: (error) => {
        follow('removeListener');
        onLost(error);
      },
    });
    follow('on');
    // Of those who came while it began.
    tell();
    return runner;
  }

  /** The worker has ended: an error like any other of those after which a replication tries again, if it was told to. */
  private _onLost(raw: unknown, source: ReplicationSide, target: ReplicationSide, options: Options): void {
    if (this._ended) return;
    if (this.cancelled) return this._endCancelled();
    if (!options.retry) return this._end('error', this._withResult(raw));
    const now = Date.now();
    this._amendStatus({
      state: 'waiting to retry',
      rate: 0,
      last_error: toError(raw),
      last_error_time: new Date(now).toISOString(),
      next_retry: new Date(now + this._pause).toISOString(),
    });
    this._onCoreEvent('paused', JSON.stringify(errorMembers(raw)));
    const cancel = () => this._endCancelled();
    const again = () => {
      clearTimeout(timer);
      this._runner = { cancel, wake() {} };
      // From where the checkpoint is: `since` was for the first time.
      const { since: _since, ...rest } = options;
      this._run(source, target, rest).catch((error: unknown) => this._onLost(error, source, target, rest));
    };
    const timer = setTimeout(again, this._pause);
    this._pause = Math.min(2 * this._pause, LONGEST_PAUSE);
    this._runner = { cancel, wake: again };
    this._release.push(() => clearTimeout(timer));
  }

  private _onCoreEvent(event: string, payload: string | undefined, wanted = true): void {
    if (this._ended) return;
    switch (event) {
      case 'complete':
        this._end('complete', parse(payload));
        break;
      case 'error':
        this._end('error', toError(parse(payload)));
        break;
      case 'active':
        this.state = 'active';
        this._tell('active');
        break;
      case 'paused': {
        const error = payload === undefined ? undefined : toError(parse(payload));
        // In PouchDB's order: listeners of a failure still see the state before it.
        if (!error) this.state = 'pending';
        this._tell('paused', error);
        if (error && !this.cancelled) this.state = 'stopped';
        break;
      }
      case 'status':
        this._setStatus(payload!);
        break;
      case 'denied':
      case 'requestError':
        this._tell(event, toError(parse(payload)));
        break;
      case 'change':
        this._onChange(parse(payload) as ReplicationResult, wanted);
        break;
      case 'checkpoint':
        // Many at once: PouchDB tells them one by one.
        for (const step of parse(payload) as unknown[]) this._tell(event, step);
        break;
    }
  }

  private _setStatus(status: string | ReplicationStatus): void {
    this._status = status;
    if (this.listenerCount('status') > 0) this._tell('status', this.status());
  }

  /** What happens where the core does not run is no news to it. */
  private _amendStatus(changes: Partial<ReplicationStatus>): void {
    this._setStatus({ ...this.status(), ...changes });
  }

  /** One that was not wanted has no documents. */
  private _onChange(result: ReplicationResult, wanted: boolean): void {
    const { docs_read, pending = 0 } = result;
    this._task?.({ completed_items: docs_read, total_items: docs_read + pending });
    if (wanted) this._tell('change', result);
  }

  /** Emits; an exception of a listener is reported as such, and is not the replication's. */
  private _tell(event: string, ...args: unknown[]): void {
    try {
      this.emit(event, ...args);
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  }

  private _end(event: 'complete' | 'error', outcome: unknown): void {
    if (this._ended) return;
    this._ended = true;
    for (const release of this._release) release();
    this._amendEnd(event, outcome);
    this._tell(event, outcome);
    this.removeAllListeners();
  }

  /** The core has told of an end by itself, if it was there. */
  private _amendEnd(event: 'complete' | 'error', outcome: unknown): void {
    const state = event === 'error' ? 'stopped' : this.cancelled ? 'cancelled' : 'complete';
    if (this.status().state === state) return;
    const failure = event === 'error' ? { last_error: outcome as Error, last_error_time: new Date().toISOString() } : undefined;
    const { next_retry: _next, ...status } = this.status();
    this._setStatus({ ...status, state, rate: 0, ...failure });
  }

  private _endCancelled(): void {
    this._end('complete', this._result('cancelled'));
  }

  /** The end of a database is the end of its replications. */
  private _endWith(side: ReplicationSide): void {
    const end = () => this.cancel();
    for (const event of ['destroyed', 'closed']) {
      side.once?.(event, end);
      this._release.push(() => side.removeListener?.(event, end));
    }
  }

  private _trackTask(source: ReplicationSide, options: Options, tasks: ActiveTasks): void {
    const id = tasks.add({ name: `${options.live ? 'continuous ' : ''}replication from ${source.name ?? 'unknown'}` });
    this._task = (progress) => tasks.update(id, progress);
    this._release.push(() => tasks.remove(id));
  }

  private _result(status: string): ReplicationResult {
    return {
      ok: status !== 'aborting',
      start_time: this._startTime,
      docs_read: 0,
      docs_written: 0,
      doc_write_failures: 0,
      errors: [],
      status,
      end_time: new Date().toISOString(),
      last_seq: 0,
    };
  }

  private _withResult(raw: unknown): Error {
    const error = toError(raw) as Error & { result?: ReplicationResult };
    error.result ??= this._result('aborting');
    return error;
  }
}

function hooksOf({ filter, query_params, back_off_function }: Options): ReplicationHooks {
  const hooks: ReplicationHooks = {};
  if (typeof filter === 'function') {
    const passes = guarded(filter as FilterFunction, query_params);
    hooks.filter = (rows) => {
      try {
        return (JSON.parse(rows) as { doc?: Doc }[]).map(({ doc }) => passes(doc));
      } catch (error) {
        // The core takes errors as plain objects.
        throw errorMembers(error);
      }
    };
  }
  if (typeof back_off_function === 'function') {
    hooks.back_off = (previous) => Number((back_off_function as (previous: number) => unknown)(previous));
  }
  return hooks;
}

function parse(payload: string | undefined): unknown {
  return payload === undefined ? undefined : JSON.parse(payload);
}
