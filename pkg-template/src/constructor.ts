// What the constructor itself can do: PouchDB's static functions.
import { ActiveTasks } from './active_tasks';
import { adapters, addAdapter, preferredAdapters } from './adapters';
import type { Adapter } from './adapters';
import { allDbs } from './all_dbs';
import { browserStorage } from './browser_storage';
import type { BrowserStorage } from './browser_storage';
import type { Database, Options } from './database';
import { emitterMethods } from './emitter';
import type { EventEmitter } from './emitter';
import type { Replicate } from './replicate';
import { replicate } from './replicate';
import { events } from './static_events';
import type { SyncFunction } from './sync';
import { sync } from './sync';
import { version } from './version';

type Emitter = Pick<EventEmitter, Exclude<keyof EventEmitter, '_events'>>;

/** The class as its users see it: with `new` or without, extensible by plugins, `class extends` and prototypes. */
export interface Constructor extends Emitter {
  new (name?: unknown, options?: unknown): Database;
  (name?: unknown, options?: unknown): Database;
  prototype: Database;
  version: string;
  prefix: string;
  adapters: Record<string, Adapter>;
  preferredAdapters: string[];
  activeTasks: ActiveTasks;
  storage: BrowserStorage;
  allDbs(callback?: (error: unknown, names?: string[]) => void): Promise<string[]>;
  adapter(id: string, adapter: Adapter, addToPreferred?: boolean): void;
  plugin(plugin: unknown): Constructor;
  defaults(options: Options): Constructor;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  replicate: Replicate;
  sync: SyncFunction;
  __defaults?: Options;
}

/**
 * A class in the manner of old, which ES classes can't do: callable without `new`, and on an existing object by
 * `Parent.call(this, name, options)`. `setUp` does what a constructor does.
 */
export function createClass(parent: { prototype: object }, setUp: (db: Database, name: unknown, options: unknown) => void): Constructor {
  const constructor = function Potoroo(this: unknown, name?: unknown, options?: unknown) {
    if (!(this instanceof constructor)) return new constructor(name, options);
    setUp(this, name, options);
    return undefined;
  } as unknown as Constructor;
  constructor.prototype = Object.create(parent.prototype, {
    constructor: { value: constructor, writable: true, configurable: true },
  }) as Database;
  return constructor;
}

/** `new Potoroo(name, options)` and `new Potoroo({name, ...options})`; the caller's object stays as it is. */
export function nameAndOptions(name: unknown, options: unknown): [name: unknown, options: Options] {
  if (typeof name !== 'object' || name === null) return [name, { ...(options as Options | undefined) }];
  const { name: inner, ...rest } = name as Options;
  return [inner, rest];
}

/** Gives a class the static functions. */
export function addStatics(potoroo: Constructor): void {
  const activeTasks = new ActiveTasks();
  const statics: Omit<Constructor, keyof Emitter | 'prototype' | '__defaults'> = {
    version,
    // Not PouchDB's: its data lies under the same names in another format.
    prefix: '_potoroo_',
    adapters,
    preferredAdapters,
    activeTasks,
    storage: browserStorage,
    adapter: addAdapter,
    plugin(this: Constructor | undefined, plugin: unknown) {
      install(potoroo, plugin);
      return this ?? potoroo;
    },
    defaults(this: Constructor | undefined, options: Options) {
      return withDefaults(potoroo, { ...this?.__defaults, ...options });
    },
    allDbs(this: Constructor | undefined, callback) {
      const names = allDbs(potoroo.prefix + String(this?.__defaults?.prefix ?? ''));
      if (typeof callback === 'function') names.then((all) => callback(null, all), callback);
      return names;
    },
    fetch: (url, init) => globalThis.fetch(url, init),
    replicate,
    sync,
  };
  for (const name of emitterMethods) (statics as Record<string, unknown>)[name] = events[name].bind(events);
  Object.assign(potoroo, statics);
  potoroo.prototype.activeTasks = activeTasks;
}

function install(potoroo: Constructor, plugin: unknown): void {
  if (typeof plugin === 'function') {
    (plugin as (constructor: Constructor) => void)(potoroo);
  } else if (typeof plugin === 'object' && plugin !== null && Object.keys(plugin).length > 0) {
    Object.assign(potoroo.prototype, plugin);
  } else {
    throw new Error(`Invalid plugin: got "${String(plugin)}", expected an object or a function`);
  }
}

/** A class whose instances get these options unless they are given others. */
function withDefaults(potoroo: Constructor, defaults: Options): Constructor {
  const derived = createClass(potoroo, (db, name, options) => {
    const [inner, given] = nameAndOptions(name, options);
    Reflect.apply(potoroo, db, [inner, { ...derived.__defaults, ...given }]);
  });
  Object.assign(derived, { ...potoroo, preferredAdapters: [...potoroo.preferredAdapters] });
  derived.__defaults = defaults;
  return derived;
}

