// replicate(), static and as db.replicate.to and .from.
import type { Constructor } from './constructor';
import type { Database, Options } from './database';
import { BAD_REQUEST, createError } from './errors';
import { clone } from './json';
import type { ReplicationSide } from './peers';
import { Replication } from './replication';
import type { Direction } from './status';

type Callback = (error: unknown, result?: unknown) => void;

export type Replicate = (this: unknown, source: unknown, target: unknown, options?: unknown, callback?: unknown) => Replication;

export interface ReplicateMethods {
  to(other: unknown, options?: unknown, callback?: unknown): Replication;
  from(other: unknown, options?: unknown, callback?: unknown): Replication;
}

export const replicate: Replicate = function (source, target, optionsOrCallback, maybeCallback) {
  const [given, callback] = optionsAndCallback(optionsOrCallback, maybeCallback);
  if (given.doc_ids && !Array.isArray(given.doc_ids)) {
    throw createError(BAD_REQUEST, '`doc_ids` filter parameter is not a list.');
  }
  const options = clone(given);
  options.live = Boolean(options.continuous || options.live);
  options.retry = Boolean(options.retry);
  const replication = new Replication();
  if (callback) {
    replication.once('error', callback);
    replication.once('complete', (result: unknown) => callback(null, result));
  }
  const constructor = constructorOf(options, this);
  const from = open(source, constructor, options);
  const to = open(target, constructor, options);
  replication.start(from, to, options, constructor.activeTasks);
  return replication;
};

/** `db.replicate`, made at its first use. */
export function replicateMethods(db: Database): ReplicateMethods {
  db.replicateMethods ??= {
    to: (other, options, callback) => directed('push', db.constructor.replicate(db, other, options, callback)),
    from: (other, options, callback) => directed('pull', db.constructor.replicate(other, db, options, callback)),
  };
  return db.replicateMethods;
}

/** Says which way it goes, where the databases alone do not. */
export function directed(direction: Direction, replication: Replication): Replication {
  replication.direction = direction;
  return replication;
}

export function optionsAndCallback(options: unknown, callback: unknown): [options: Options, callback: Callback | undefined] {
  if (typeof options === 'function') return [{}, options as Callback];
  return [(options as Options | undefined) ?? {}, typeof callback === 'function' ? (callback as Callback) : undefined];
}

/** Whose instances names become: the class the function was called on, or the one in the options. */
export function constructorOf(options: Options, self: unknown): Constructor {
  const constructor = (options.PouchConstructor ?? self) as Constructor;
  options.PouchConstructor = constructor;
  return constructor;
}

/** A database out of its name: options such as auth and fetch are given with those of the replication. */
export function open(side: unknown, constructor: Constructor, options: Options): ReplicationSide {
  return (typeof side === 'string' ? new constructor(side, options) : side) as ReplicationSide;
}
