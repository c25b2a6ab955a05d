// What every instance has, by PouchDB's names: plugins read and write most of these members.
import type { Local, Remote } from 'virtual:wasm-glue';
import type { ActiveTasks } from './active_tasks';
import type { Changes } from './changes';
import { EventEmitter } from './emitter';
import type { Conflicts } from './conflicts';
import type { Constructor } from './constructor';
import type { ReplicateMethods } from './replicate';
import type { Sync } from './sync';
import type { TaskQueue } from './task_queue';
import type { Transformation } from './transform';
import type { WorkerLocal } from './worker';
import type { Writes } from './writes';

/** A document as the facade sees it: any object; its members are checked where they matter. */
export type Doc = Record<string, unknown>;

/** Options as a user gave them. */
export type Options = Record<string, unknown>;

/** A public method: promise and callback both. */
export type Method = (...args: any[]) => Promise<any>;

/** The members that are set by the constructor; the methods are mixed in by potoroo.ts. */
export class Database extends EventEmitter {
  declare ['constructor']: Constructor;
  declare name: string;
  declare adapter: string;
  declare prefix: string;
  declare auto_compaction: unknown;
  declare purged_infos_limit: number;
  declare taskqueue: TaskQueue;
  declare activeTasks: ActiveTasks;
  declare __opts: Options;
  declare _adapter: string;
  declare _remote: boolean;
  /** Whether the adapter was asked for; else the core chooses, and `adapter` is what it has chosen once the database is open. */
  declare _chosen: boolean;
  declare _closed?: boolean;
  declare _destroyed?: boolean;
  /** What transform() was called with; `_outgoing` does all of it to a document that is read. */
  declare _transformations?: Transformation[];
  declare _outgoing?: (doc: Doc) => Promise<Doc>;
  declare replicateMethods?: ReplicateMethods;

  /** There from the moment the queue is ready. */
  declare _core?: Local | WorkerLocal | Remote;
  /** Writes that have been handed to the core and not been answered. */
  declare _writes: Writes;
  /** Feeds to end when the database is closed or destroyed. */
  declare _feeds: Set<Changes>;
  /** Called after each commit of this or another tab, with the newest sequence number. */
  declare _watchers: Set<(updateSeq?: number) => void>;
  /** Settles when the last compaction that was asked for is over. */
  declare _compaction?: Promise<unknown>;
  /** Ends the look for other tabs' commits when the page comes back from sleep. */
  declare _stopWaking?: () => void;
}

export interface Database {
  put: Method;
  post: Method;
  get: Method;
  remove: Method;
  bulkDocs: Method;
  bulkGet: Method;
  allDocs: Method;
  revsDiff: Method;
  putAttachment: Method;
  getAttachment: Method;
  removeAttachment: Method;
  info: Method;
  id: Method;
  close: Method;
  destroy: Method;
  check: Method;
  compact: Method;
  compactDocument: Method;
  purge: Method;
  viewCleanup: Method;
  registerDependentDatabase: Method;
  query: Method;
  type(): string;
  conflicts(options?: Options): Conflicts;
  changes(options?: unknown, callback?: unknown): Changes;
  sync(other: unknown, options?: unknown, callback?: unknown): Sync;
  readonly replicate: ReplicateMethods;
  fetch?: (path: string, init?: RequestInit) => Promise<Response>;
}
