// The object that replicate() answers with: an emitter, a promise, and a replication that can be cancelled.
import type { ReplicationHooks } from 'virtual:wasm-glue';
import type { ActiveTasks } from './active_tasks';
import type { Doc, Options } from './database';
import { EventEmitter } from './emitter';
import { errorMembers, toError } from './errors';
import { sourceFilter } from './filters';
import type { RowFilter } from './filters';
import { encodeOptions } from './json';
import type { KnownOptions } from './json';
import { peerOf, sidesInWorker, whenOpen } from './peers';
import type { ReplicationSide } from './peers';
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
  readonly then: Promise<ReplicationResult>['then'];
  readonly catch: Promise<ReplicationResult>['catch'];
  private readonly _startTime = new Date().toISOString();
  private _runner: Runner;
  private _ended = false;
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

  /** Begins. Whatever goes wrong comes as 'error', later. */
  start(source: ReplicationSide, target: ReplicationSide, options: Options, tasks: ActiveTasks): void {
    for (const side of [source, target]) this._endWith(side);
    this._trackTask(source, options, tasks);
    this._release.push(wakeWhenUseful({ wake: () => this._runner.wake() }));
    this._run(source, target, options).catch((error: unknown) => {
      // A design document with the filter may still come, by another replication.
      if ((error as { status?: number }).status === 404) this._fail(error, source, target, options);
      else this._end('error', this._withResult(error));
    });
  }

  private async _run(source: ReplicationSide, target: ReplicationSide, options: Options): Promise<void> {
    await Promise.all([whenOpen(source), whenOpen(target)]);
    if (this.cancelled || this._ended) return;
    const rowFilter = await sourceFilter(source, options);
    const { filter } = options;
    const request =
      typeof filter === 'function' ? { ...options, filter: undefined, filter_source: String(filter) } : options;
    const hooks = hooksOf(rowFilter, options);
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
    this._onCoreEvent('paused', JSON.stringify(errorMembers(raw)));
    const cancel = () => this._endCancelled();
    const again = () => {
      clearTimeout(timer);
      this._runner = { cancel, wake() {} };
      this._run(source, target, options).catch((error: unknown) => this._fail(error, source, target, options));
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
    this._tell(event, outcome);
    this.removeAllListeners();
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
