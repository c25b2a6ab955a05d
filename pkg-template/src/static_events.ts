// The events of the constructor ('created', 'destroyed', 'ref', 'unref', 'debug'), which it shares with all it was derived
// into by defaults(), and the instances of each database, so that all of them learn of its end.
import type { Local } from 'virtual:wasm-glue';
import type { Database } from './database';
import { EventEmitter } from './emitter';
import { wakeWhenUseful } from './wake';

export const events = new EventEmitter();

const instances = new Map<string, Set<Database>>();

const inMemory = new Set<string>();

/** The names of the databases that this page has in memory, open or not. */
export const databasesInMemory = (): Iterable<string> => inMemory;

/** Instances with the same key are handles on the same data. */
const keyOf = (db: Database) => `${db.adapter} ${String(db.__opts.name)}`;

/** An instance is open. */
export function register(db: Database): void {
  const known = instances.get(keyOf(db));
  if (known) known.add(db);
  else instances.set(keyOf(db), new Set([db]));
  if (db.adapter === 'memory') inMemory.add(String(db.__opts.name));
  if (!db._remote) {
    db._stopWaking = wakeWhenUseful({
      wake: (slept) => lookForMissedCommits(db, slept),
      sleep: (still) => (db._core as Local | undefined)?.suspend(still),
    });
  }
  events.emit('ref', db);
  db.emit('created', db);
  events.emit('created', db.name);
}

/** An instance was closed. */
export function unregister(db: Database): void {
  const known = instances.get(keyOf(db));
  db._stopWaking?.();
  known?.delete(db);
  if (known?.size === 0) instances.delete(keyOf(db));
  events.emit('unref', db);
}

/** The data is gone, by whatever instance or tab: every instance of this page says so, and the constructor once. */
export function announceDestroyed(db: Database): void {
  const key = keyOf(db);
  const known = instances.get(key) ?? new Set<Database>();
  instances.delete(key);
  if (db.adapter === 'memory') inMemory.delete(String(db.__opts.name));
  const first = !db._destroyed;
  known.add(db);
  for (const instance of known) {
    instance._destroyed = true;
    instance._stopWaking?.();
  }
  known.delete(db);
  if (first) db.emit('destroyed');
  for (const instance of known) instance.emit('destroyed', true);
  if (first) events.emit('destroyed', db.name);
}

/** A page that slept or was in the back/forward cache has heard nothing of other tabs' commits. */
function lookForMissedCommits(db: Database, slept: boolean): void {
  const local = db._core as Local | undefined;
  // Where the storage can't be read, the next call says so.
  (slept ? local?.resume() : local?.refresh())?.catch(() => {});
}
