// The object that replicate() answers with: an emitter, a promise, and a replication that can be cancelled.
import type { ReplicationHooks } from 'virtual:wasm-glue';
import type { ActiveTasks } from './active_tasks';
import { Database } from './database';
import type { Doc, Options } from './database';
import { EventEmitter } from './emitter';
import { errorMembers, toError } from './errors';
import { sourceFilter } from './filters';
import type { RowFilter } from './filters';
import { encodeOptions } from './json';
import type { KnownOptions } from './json';
import { peerOf, sidesInWorker, whenOpen } from './peers';
import type { ReplicationSide } from './peers';
import { directionOf, parseStatus, unknownStatus } from './status';
import type { Direction, ReplicationStatus } from './status';
import { SharedReplication, sharedName } from './shared';
import { Resolver } from './resolve';
import type { Resolution, Resolve } from './resolve';
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
  /** Ends it at once and without a word, as if its page had ended. */
  halt(): void;
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
  /** What is run now; of anything earlier nothing is heard. */
  private _current: object | undefined;
  private _shared: SharedReplication | undefined;
  private _resolver: Resolver | undefined;
  private _settle: (() => Promise<void>) | undefined;
  /** Tells a worker to which events somebody listens. */
  private _tellWorker: (() => void) | undefined;
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
    this._runner = this._idle();
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
    this._release.push(
      wakeWhenUseful({
        wake: () => {
          this._runner.wake();
          this._shared?.wake();
        },
        sleep: () => this._shared?.sleep(),
      }),
    );
    this._begin(source, target, options).catch((error: unknown) => this._onRefused(error, source, target, options));
  }

  /** It did not begin. A design document with its filter may still come, by another replication. */
  private _onRefused(error: unknown, source: ReplicationSide, target: ReplicationSide, options: Options): void {
    if ((error as { status?: number }).status === 404) this._fail(error, source, target, options);
    else this._end('error', this._withResult(error));
  }

  /** In the place of a core that does not run here: there is nothing to wait for. Who cancels may add listeners in the same turn. */
  private _idle(): Runner {
    return { cancel: () => queueMicrotask(() => this._endCancelled()), wake() {}, halt() {} };
  }

  /** Runs the core, or has another tab do so. */
  private async _begin(source: ReplicationSide, target: ReplicationSide, options: Options): Promise<void> {
    await Promise.all([whenOpen(source), whenOpen(target)]);
    const name = await sharedName(source, target, options, encodeOptions(requestOf(options), known));
    if (this.cancelled || this._ended) return undefined;
    if (!name) return this._run(source, target, options);
    const shared = new SharedReplication(name, {
      run: (isFirst) => {
        // The one before it has begun where it was to begin, and this one goes on.
        const { since: _since, ...rest } = options;
        const used = isFirst ? options : rest;
        this._run(source, target, used).catch((error: unknown) => {
          if (this._current) this._onRefused(error, source, target, used);
        });
      },
      halt: () => {
        this._runner.halt();
        this._resolver?.cancel();
        this._current = undefined;
        this._runner = this._idle();
      },
      wake: () => this._runner.wake(),
      hear: (event, payload, wanted) => this._onCoreEvent(event, payload, wanted),
      wants: () => this.eventNames().map(String),
      listen: () => this._tellWorker?.(),
    });
    this._shared = shared;
    this._release.push(() => shared.leave());
    const listen = () => queueMicrotask(() => !this._ended && shared.listen());
    for (const event of ['newListener', 'removeListener']) this.on(event, listen);
    return undefined;
  }

  private async _run(source: ReplicationSide, target: ReplicationSide, options: Options): Promise<void> {
    const current = {};
    this._current = current;
    this._settleConflicts(target, options);
    const hooks = hooksOf(await sourceFilter(source, options), options);
    if (this.cancelled || this._ended || this._current !== current) return;
    // Who hears of the rows one by one is told the seq of each, which a server is not asked for otherwise.
    const request = { ...(this._isWanted('checkpoint') && { seq_interval: 1 }), ...requestOf(options) };
    // The worker can't call functions of the page.
    const sides = Object.keys(hooks).length === 0 ? sidesInWorker(source, target) : undefined;
    const runner = await (sides
      ? this._runInWorker(current, sides, encodeOptions(request, known), (error) => this._onLost(error, source, target, options))
      : this._runOnPage(current, source, target, encodeOptions(request, known), hooks));
    if (this.cancelled || this._ended) runner?.cancel();
    else if (this._current !== current) runner?.halt();
    else if (runner) this._runner = runner;
  }

  private async _runOnPage(
    current: object,
    source: ReplicationSide,
    target: ReplicationSide,
    options: string,
    hooks: ReplicationHooks,
  ): Promise<Runner | undefined> {
    const wasm = await loadWasm();
    const [from, to] = await Promise.all([peerOf(source), peerOf(target)]);
    if (this.cancelled || this._ended || this._current !== current) return undefined;
    const wants = (event: string) => this._isWanted(event);
    return new wasm.Replication(from, to, options, { ...hooks, wants }, (event, payload) => {
      if (this._current === current) this._onOwnEvent(event, payload, this._isWanted(event));
    });
  }

  private async _runInWorker(
    current: object,
    sides: [WorkerSide, WorkerSide],
    options: string,
    onLost: (error: unknown) => void,
  ): Promise<Runner> {
    let runner: WorkerReplication | undefined;
    const events = () => [...this.eventNames().map(String), ...(this._shared?.wanted() ?? [])];
    const isCurrent = () => this._current === current;
    // Later, because the one event comes before the listener is there.
    const tell = () => queueMicrotask(() => !this._ended && isCurrent() && runner?.listen(events()));
    this._tellWorker = tell;
    const follow = (method: 'on' | 'removeListener') => {
      for (const event of ['newListener', 'removeListener']) this[method](event, tell);
    };
    runner = await WorkerReplication.start(sides, options, events(), {
      onEvent: (event, payload, wanted) => {
        if (!isCurrent()) return;
        // Somebody began to listen after the worker had done without the documents.
        if (event === 'change' && !wanted && this.listenerCount(event) > 0) tell();
        this._onOwnEvent(event, payload, wanted);
      },
      onLost: (error) => {
        follow('removeListener');
        if (isCurrent()) onLost(error);
      },
    });
    follow('on');
    // Of those who came while it began.
    tell();
    return runner;
  }

  /** The worker has ended: it goes on from where the checkpoint is, `since` was for the first time. */
  private _onLost(raw: unknown, source: ReplicationSide, target: ReplicationSide, options: Options): void {
    const { since: _since, ...rest } = options;
    this._fail(raw, source, target, rest);
  }

  /** A replication that was told to tries again, as after other errors. */
  private _fail(raw: unknown, source: ReplicationSide, target: ReplicationSide, options: Options): void {
    if (this._ended) return;
    if (this.cancelled) return this._endCancelled();
    if (!options.retry) return this._end('error', this._withResult(raw));
    const now = Date.now();
    const last_error = errorMembers(raw);
    const status = {
      ...this.status(),
      state: 'waiting to retry',
      rate: 0,
      last_error,
      last_error_time: new Date(now).toISOString(),
      next_retry: new Date(now + this._pause).toISOString(),
    };
    this._onOwnEvent('status', JSON.stringify(status), true);
    this._onOwnEvent('paused', JSON.stringify(last_error), true);
    const cancel = () => this._endCancelled();
    const again = () => {
      clearTimeout(timer);
      this._runner = this._idle();
      this._run(source, target, options).catch((error: unknown) => this._fail(error, source, target, options));
    };
    const timer = setTimeout(again, this._pause);
    this._pause = Math.min(2 * this._pause, LONGEST_PAUSE);
    this._runner = { cancel, wake: again, halt: () => clearTimeout(timer) };
    this._release.push(() => clearTimeout(timer));
  }

  private _isWanted(event: string): boolean {
    return this.listenerCount(event) > 0 || Boolean(this._shared?.wanted().includes(event));
  }

  /** Of a core that this tab runs. */
  private _onOwnEvent(event: string, payload: string | undefined, wanted: boolean): void {
    this._shared?.tell(event, payload, wanted);
    this._onCoreEvent(event, payload, wanted);
  }

  private _onCoreEvent(event: string, payload: string | undefined, wanted = true): void {
    if (this._ended) return;
    switch (event) {
      case 'complete':
        this._complete(parse(payload));
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
    this._resolver?.cancel();
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

  /** Of what has arrived, the conflicts are settled before the end. */
  private _complete(result: unknown): void {
    const settle = this.cancelled ? undefined : this._settle;
    if (!settle) return this._end('complete', result);
    this._settle = undefined;
    void settle().then(() => this._end('complete', result));
  }

  /** Has the function of the option `conflicts` settle those of the target: as they arrive, or before the end. */
  private _settleConflicts(target: ReplicationSide, { conflicts, live }: Options): void {
    if (typeof conflicts !== 'function' || !(target instanceof Database) || target._remote) return;
    const begin = () => {
      const resolver = new Resolver(target, conflicts as Resolve, Boolean(live));
      resolver.on('resolved', (resolution: Resolution) => this._tell('conflict', resolution));
      this._resolver?.cancel();
      this._resolver = resolver;
      return resolver;
    };
    if (live) begin();
    else this._settle = () => begin().done();
  }

  private _endCancelled(): void {
    this._end('complete', this._result('cancelled'));
  }

  /** The end of a database is the end of its replications. */
  private _endWith(side: ReplicationSide): void {
    const end = () => {
      this.cancel();
      // The others need not wait for what is cancelled here.
      this._shared?.leave();
    };
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

/** What the core is asked for: of a filter function, its text for the id. */
function requestOf(options: Options): Options {
  const { filter } = options;
  return typeof filter === 'function' ? { ...options, filter: undefined, filter_source: String(filter) } : options;
}

function hooksOf(passes: RowFilter | undefined, { back_off_function }: Options): ReplicationHooks {
  const hooks: ReplicationHooks = {};
  if (passes) {
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
