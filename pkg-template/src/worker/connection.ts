// The page's end of one worker, from its start to its end: calls and answers, events, and the notice of its end.
import script from 'virtual:worker-script';
import { SERVER } from './protocol';
import type { Answer, Call, Event } from './protocol';

/** Who is told what an object in the worker tells. */
export interface Listener {
  onEvent(event: string, payload: string | number | undefined, wanted: boolean): void;
  /** The worker has ended, and the object with it. */
  onLost(error: WorkerEnded): void;
}

/** What calls are rejected with at the core's edge: the members of an error. */
export interface WorkerEnded {
  status: number;
  name: string;
  message: string;
  reason: string;
  error: true;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A worker that gives no sign of life in so many looks, while it has something to do, is dead. */
const LOOK_MS = 10_000;
const SILENT_LOOKS = 6;
/** It takes some milliseconds to start, and is soon needed again where a page closes one database and opens another. */
const IDLE_MS = 1000;

export class Connection {
  isAlive = true;
  private readonly _worker: Worker;
  private readonly _script: string;
  private readonly _pending = new Map<number, Pending>();
  private readonly _listeners = new Map<number, Listener>();
  private _lastCall = 0;
  private _lastObject = SERVER;
  private _outbox: Call[] = [];
  private _silentLooks = 0;
  private _looking: ReturnType<typeof setInterval> | undefined;
  private _idle: ReturnType<typeof setTimeout> | undefined;

  /** Throws where the page may have no worker. Whether it has one is known when `start` was answered. */
  constructor(private readonly _onEnd: () => void) {
    if (typeof Worker !== 'function') throw new Error('there are no workers here');
    this._script = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    try {
      this._worker = new Worker(this._script, { name: 'potoroo' });
    } catch (error) {
      URL.revokeObjectURL(this._script);
      throw error;
    }
    this._worker.onmessage = ({ data }: MessageEvent<(Answer | Event)[]>) => this._receive(data);
    this._worker.onerror = (event) => {
      event.preventDefault();
      this.end(event.message || 'its script was refused');
    };
    this._worker.onmessageerror = () => this.end('a message could not be read');
  }

  /** Resolves when the worker can be called. */
  async start(module: WebAssembly.Module): Promise<void> {
    try {
      await this.call(SERVER, 'start', module);
    } catch (error) {
      this.end('it could not start');
      throw error;
    } finally {
      URL.revokeObjectURL(this._script);
    }
  }

  call(object: number, method: string, ...args: unknown[]): Promise<unknown> {
    if (!this.isAlive) return Promise.reject(workerEnded('it is gone'));
    return new Promise((resolve, reject) => {
      this._lastCall += 1;
      this._pending.set(this._lastCall, { resolve, reject });
      this._look();
      this._post([this._lastCall, object, method, ...args]);
    });
  }

  /** A call whose outcome does not matter. */
  tell(object: number, method: string, ...args: unknown[]): void {
    if (this.isAlive) this._post([0, object, method, ...args]);
  }

  /** The number of an object that is about to be made. */
  add(listener: Listener): number {
    this._lastObject += 1;
    this._listeners.set(this._lastObject, listener);
    return this._lastObject;
  }

  /** The object is no longer used. A worker without objects ends, a little later. */
  remove(object: number): void {
    this._listeners.delete(object);
    this._endWhenIdle();
  }

  /** Whatever waits for it is told why. */
  end(why: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    clearInterval(this._looking);
    clearTimeout(this._idle);
    this._worker.terminate();
    this._onEnd();
    const error = workerEnded(why);
    for (const { reject } of this._pending.values()) reject(error);
    this._pending.clear();
    for (const listener of this._listeners.values()) listener.onLost(error);
    this._listeners.clear();
  }

  private _post(call: Call): void {
    if (this._outbox.push(call) === 1) queueMicrotask(() => this._flush());
  }

  private _flush(): void {
    const calls = this._outbox;
    this._outbox = [];
    if (!this.isAlive) return;
    try {
      this._worker.postMessage(calls);
    } catch (error) {
      // All is text but the module, which a browser may not let through.
      this.end(String(error));
    }
  }

  private _receive(messages: (Answer | Event)[]): void {
    this._silentLooks = 0;
    for (const message of messages) {
      if ('call' in message) this._settle(message);
      else this._listeners.get(message.object)?.onEvent(message.event, message.payload, message.wanted ?? true);
    }
    this._endWhenIdle();
  }

  private _settle(answer: Answer): void {
    const pending = this._pending.get(answer.call);
    if (!pending) return;
    this._pending.delete(answer.call);
    if ('error' in answer) pending.reject(answer.error);
    else pending.resolve(answer.value);
  }

  private _endWhenIdle(): void {
    clearTimeout(this._idle);
    if (this._isUsed()) return;
    this._idle = setTimeout(() => {
      if (!this._isUsed()) this.end('nobody needs it');
    }, IDLE_MS);
  }

  private _isUsed(): boolean {
    return this._pending.size > 0 || this._listeners.size > 0;
  }

  /** A browser need not say that a worker has ended, and no call may wait for ever. */
  private _look(): void {
    if (this._looking !== undefined) return;
    let last = Date.now();
    this._silentLooks = 0;
    this._looking = setInterval(() => {
      const now = Date.now();
      const slept = now - last > 2 * LOOK_MS;
      last = now;
      if (this._pending.size === 0) {
        clearInterval(this._looking);
        this._looking = undefined;
        return;
      }
      // A page that slept wakes up before its messages do.
      this._silentLooks = slept ? 0 : this._silentLooks + 1;
      if (this._silentLooks > SILENT_LOOKS) this.end('it no longer answers');
      else this.tell(SERVER, 'ping');
    }, LOOK_MS);
  }
}

function workerEnded(why: string): WorkerEnded {
  return { status: 500, name: 'unknown_error', message: 'The worker that runs the database has ended', reason: why, error: true };
}
