// The events of the constructor ('created', 'destroyed', 'ref', 'unref', 'debug'), which it shares with all it was derived
// into by defaults(), and the instances of each database, so that all of them learn of its end.
import type { Database } from './database';
import { EventEmitter } from './emitter';

export const events = new EventEmitter();

const instances = new Map<string, Set<Database>>();

/** Instances with the same key are handles on the same data. */
const keyOf = (db: Database) => `${db.adapter} ${String(db.__opts.name)}`;

/** An instance is open. */
export function register(db: Database): void {
  const known = instances.get(keyOf(db));
  if (known) known.add(db);
  else instances.set(keyOf(db), new Set([db]));
  events.emit('ref', db);
  db.emit('created', db);
  events.emit('created', db.name);
}

/** An instance was closed. */
export function unregister(db: Database): void {
  const known = instances.get(keyOf(db));
  known?.delete(db);
  if (known?.size === 0) instances.delete(keyOf(db));
  events.emit('unref', db);
}

/** The data is gone, by whatever instance or tab: every instance of this page says so, and the constructor once. */
export function announceDestroyed(db: Database): void {
  const key = keyOf(db);
  const known = instances.get(key) ?? new Set<Database>();
  instances.delete(key);
  const first = !db._destroyed;
  known.add(db);
  for (const instance of known) instance._destroyed = true;
  known.delete(db);
  if (first) db.emit('destroyed');
  for (const instance of known) instance.emit('destroyed', true);
  if (first) events.emit('destroyed', db.name);
}
