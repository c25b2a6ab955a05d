// The contract that all methods share: a promise, and a callback as last argument for those who prefer it; calls before the
// database is open wait; calls after it was closed or destroyed fail.
import { events } from './static_events';
import type { Database, Method } from './database';
import { closedError, destroyedError, notJson } from './errors';
import { clone } from './json';

type Callback = (error: unknown, result?: unknown) => void;
type Body = (this: Database, ...args: any[]) => unknown;

const own = new WeakSet<object>();
const names = new Set<string>();
const whereUnopened = new Map<string, Body>();

interface MethodOptions {
  /** What can be done where the database could not be opened; else its calls fail with the error of that. */
  unopened?: Body;
  /** Among the first so many arguments a function is no callback. */
  functions?: number;
}

/** A public method out of its body, which may throw and gets no callback. */
export function method(name: string, body: Body, { unopened, functions = 0 }: MethodOptions = {}): Method {
  const api = function (this: Database, ...args: unknown[]): Promise<unknown> {
    const hasCallback = args.length > functions && typeof args[args.length - 1] === 'function';
    const callback = hasCallback ? (args.pop() as Callback) : undefined;
    const promise = call(this, name, body, args);
    // What the callback throws ends as an unhandled rejection, not in this promise.
    if (callback) promise.then((result) => callback(null, result), callback);
    return promise;
  };
  own.add(api);
  names.add(name);
  if (unopened) whereUnopened.set(name, unopened);
  return api;
}

/** A public method that is a function like any other: no callback, no queue. */
export function plainMethod<Own extends object>(name: string, function_: Own): Own {
  names.add(name);
  return markOwn(function_);
}

/** Lets `const { get } = db` work, and `.then(db.get)`; methods that a subclass or a plugin put in place of ours too. */
export function bindMethods(db: Database): void {
  const members = db as unknown as Record<string, Method>;
  for (const name of names) {
    const found = members[name];
    if (typeof found !== 'function') continue;
    const bound = found.bind(db);
    if (own.has(found)) own.add(bound);
    members[name] = bound;
  }
}

/** Whether a method is ours, and not one that a plugin, a subclass or a test put in its place. */
export function isOwn(candidate: unknown): boolean {
  return typeof candidate === 'function' && own.has(candidate);
}

/** Marks a function as ours that is not made by method(). */
export function markOwn<Own extends object>(function_: Own): Own {
  own.add(function_);
  return function_;
}

function call(db: Database, name: string, body: Body, args: unknown[]): Promise<unknown> {
  if (db._closed) return Promise.reject(closedError());
  if (db._destroyed) return Promise.reject(destroyedError());
  try {
    if (!db.taskqueue.isReady) return callWhenOpen(db, name, args);
    const result = body.apply(db, args);
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    return events.listenerCount('debug') > 0 ? logged(db, name, args, promise) : promise;
  } catch (error) {
    return Promise.reject(error);
  }
}

function callWhenOpen(db: Database, name: string, args: unknown[]): Promise<unknown> {
  // The caller may change its objects while the call waits.
  const copies = cloneArguments(args);
  return new Promise((resolve, reject) => {
    // Replacements written for PouchDB expect a callback here, as from its queue.
    const callback: Callback = (error, result) => (error ? reject(error as Error) : resolve(result));
    db.taskqueue.addTask((failed) => {
      const unopened = failed && whereUnopened.get(name);
      if (unopened) resolve(unopened.apply(db, copies));
      else if (failed) reject(failed);
      // By name: a plugin may have replaced the method meanwhile.
      else resolve((db as unknown as Record<string, Method>)[name]!(...copies, callback));
    });
  });
}

function cloneArguments(args: unknown[]): unknown[] {
  try {
    return clone(args);
  } catch (error) {
    if (error instanceof RangeError || String(error).includes('recursion')) {
      throw notJson('it contains itself, or is nested too deeply');
    }
    throw error;
  }
}

/** Reports the call and its outcome as 'debug' events of the constructor, where somebody listens. */
function logged(db: Database, name: string, args: unknown[], promise: Promise<unknown>): Promise<unknown> {
  events.emit('debug', ['api', db.name, name, ...args]);
  promise.then(
    (result) => events.emit('debug', ['api', db.name, name, 'success', result]),
    (error: unknown) => events.emit('debug', ['api', db.name, name, 'error', error]),
  );
  return promise;
}
