// The page's end of one worker, from its start to its end: calls and answers, events, and the notice of its end.
import script from 'virtual:worker-script';
import { SERVER } from './protocol';
import type { Answer, Call, Event } from './protocol';

export interface Connection {
  readonly isAlive: () => boolean;
  /** Rejects with the error of the call, or with {@link WorkerEnded}. */
  readonly call: (object: number, method: string, ...args: unknown[]) => Promise<unknown>;
  /** A call whose outcome does not matter. */
  readonly tell: (object: number, method: string, ...args: unknown[]) => void;
  /** The number of an object that is about to be made. */
  readonly add: (listener: Listener) => number;
  /** The object is no longer used. A worker without objects ends, a little later. */
  readonly remove: (object: number) => void;
}

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

/**
 * Starts a worker with the module; resolves when it can be called. Rejects where the page may have none. `onEnd` is called once,
 * after that.
 *
 * The state is in variables and not in members: Vue wraps objects in proxies together with what they refer to, and a list out
 * of such a one can't be sent.
 */
export async function openConnection(module: WebAssembly.Module, onEnd: () => void): Promise<Connection> {
  const [worker, forgetScript] = createWorker();
  const pending = new Map<number, Pending>();
  const listeners = new Map<number, Listener>();
  let alive = true;
  let lastCall = 0;
  let lastObject = SERVER;
  let outbox: Call[] = [];
  let silentLooks = 0;
  let looking: ReturnType<typeof setInterval> | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;

  worker.onmessage = ({ data }: MessageEvent<(Answer | Event)[]>) => {
    silentLooks = 0;
    for (const message of data) {
      if ('call' in message) settle(message);
      else listeners.get(message.object)?.onEvent(message.event, message.payload, message.wanted ?? true);
    }
    endWhenIdle();
  };
  worker.onerror = (event) => {
    // It is told by errors of the calls.
    event.preventDefault();
    end(event.message || 'its script was refused');
  };
  worker.onmessageerror = () => end('a message could not be read');

  function call(object: number, method: string, ...args: unknown[]): Promise<unknown> {
    if (!alive) return Promise.reject(workerEnded('it is gone'));
    return new Promise((resolve, reject) => {
      lastCall += 1;
      pending.set(lastCall, { resolve, reject });
      look();
      post([lastCall, object, method, ...args]);
    });
  }

  function settle(answer: Answer): void {
    const call = pending.get(answer.call);
    pending.delete(answer.call);
    if ('error' in answer) call?.reject(answer.error);
    else call?.resolve(answer.value);
  }

  function post(call: Call): void {
    if (outbox.push(call) === 1) queueMicrotask(flush);
  }

  function flush(): void {
    const calls = outbox;
    outbox = [];
    if (!alive) return;
    try {
      worker.postMessage(calls);
    } catch (error) {
      // All is text but the module, which a browser may not let through.
      end(String(error));
    }
  }

  /** Whatever waits is told why. */
  function end(why: string): void {
    if (!alive) return;
    alive = false;
    clearInterval(looking);
    clearTimeout(idle);
    worker.terminate();
    onEnd();
    const error = workerEnded(why);
    for (const { reject } of pending.values()) reject(error);
    for (const listener of [...listeners.values()]) listener.onLost(error);
  }

  const isUsed = () => pending.size > 0 || listeners.size > 0;

  function endWhenIdle(): void {
    clearTimeout(idle);
    if (isUsed() || !alive) return;
    idle = setTimeout(() => isUsed() || end('nobody needs it'), IDLE_MS);
  }

  /** A browser need not say that a worker has ended, and no call may wait for ever. */
  function look(): void {
    if (looking !== undefined) return;
    let last = Date.now();
    silentLooks = 0;
    looking = setInterval(() => {
      const now = Date.now();
      const slept = now - last > 2 * LOOK_MS;
      last = now;
      if (pending.size === 0) {
        clearInterval(looking);
        looking = undefined;
        return;
      }
      // A page that slept wakes up before its messages do.
      silentLooks = slept ? 0 : silentLooks + 1;
      if (silentLooks > SILENT_LOOKS) end('it no longer answers');
      else post([0, SERVER, 'ping']);
    }, LOOK_MS);
  }

  try {
    await call(SERVER, 'start', module);
  } catch (error) {
    end('it could not start');
    throw error;
  } finally {
    forgetScript();
  }
  return {
    isAlive: () => alive,
    call,
    tell(object, method, ...args) {
      if (alive) post([0, object, method, ...args]);
    },
    add(listener) {
      lastObject += 1;
      listeners.set(lastObject, listener);
      return lastObject;
    },
    remove(object) {
      listeners.delete(object);
      endWhenIdle();
    },
  };
}

/** The worker, and what gives the address of its script back when it has been read. */
function createWorker(): [worker: Worker, forgetScript: () => void] {
  if (typeof Worker !== 'function') throw new Error('there are no workers here');
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const forget = () => URL.revokeObjectURL(address);
  try {
    return [new Worker(address, { name: 'potoroo' }), forget];
  } catch (error) {
    forget();
    throw error;
  }
}

function workerEnded(why: string): WorkerEnded {
  return { status: 500, name: 'unknown_error', message: 'The worker that runs the database has ended', reason: why, error: true };
}
