// The class.
import { placeOf } from './adapters';
import { attachmentMethods } from './attachments';
import { builtInMethods } from './built_in';
import { bindMethods } from './callbacks';
import { changes } from './changes';
import { conflicts } from './conflicts';
import { addStatics, createClass, nameAndOptions } from './constructor';
import type { Constructor } from './constructor';
import { openCore } from './core';
import { Database } from './database';
import { databaseMethods } from './database_methods';
import { documentMethods } from './documents';
import { clone, isWellFormed } from './json';
import { maintenanceMethods } from './maintenance';
import { missingMethods } from './not_yet';
import { replicateMethods } from './replicate';
import type { ReplicateMethods } from './replicate';
import { events, register } from './static_events';
import { TaskQueue } from './task_queue';
import { Writes } from './writes';

export const Potoroo: Constructor = createClass(Database, setUp);

Object.assign(Potoroo.prototype, missingMethods, documentMethods, attachmentMethods, databaseMethods, maintenanceMethods, builtInMethods);
Object.assign(Potoroo.prototype, {
  changes,
  conflicts,
  sync(this: Database, other: unknown, options?: unknown, callback?: unknown) {
    return this.constructor.sync(this, other, options, callback);
  },
  type(this: Database) {
    return this._remote ? 'http' : this.adapter;
  },
});
Object.defineProperty(Potoroo.prototype, 'replicate', {
  get(this: Database): ReplicateMethods {
    return replicateMethods(this);
  },
});
addStatics(Potoroo);

function setUp(db: Database, nameOrOptions: unknown, givenOptions: unknown): void {
  const [name, given] = nameAndOptions(nameOrOptions, givenOptions);
  if (typeof name !== 'string' || !isWellFormed(name)) throw new Error('Missing/invalid DB name');
  const options = clone(given);
  options.deterministic_revs ??= true;
  const { preferredAdapters = Potoroo.preferredAdapters } = db.constructor;
  const place = placeOf(name, options, preferredAdapters, Potoroo.prefix);
  options.name = place.name;
  options.adapter = place.adapter;

  events.emit('debug', ['adapter', 'Picked adapter: ', place.adapter]);
  db.name = name;
  db.adapter = db._adapter = place.adapter;
  db.prefix = Potoroo.prefix;
  db.auto_compaction = options.auto_compaction;
  db.purged_infos_limit = Number(options.purged_infos_limit) || 1000;
  db.__opts = options;
  db._remote = place.remote;
  db._chosen = place.chosen;
  db._writes = new Writes();
  db._feeds = new Set();
  db._watchers = new Set();
  db.taskqueue = new TaskQueue();
  bindMethods(db);

  openCore(db).then(
    () => {
      register(db);
      db.taskqueue.ready();
      // An application may want to say that there is little room, or that nothing will be kept.
      if (!db._chosen && db.adapter !== 'idb') db.emit('adapter', db.adapter);
    },
    (error: Error) => db.taskqueue.fail(error),
  );
}
