// Replication and sync. Names are those of @types/pouchdb-replication.
import type { DocumentId, Error, ExistingDocument, FilterFunction, RevisionId, Selector, Sequence } from './core.js';
import type { Thenable, EventEmitter } from './emitter.js';

export interface ReplicateOptions {
  /** Goes on with what happens from now on, until it is cancelled. */
  live?: boolean | undefined;
  /** Tries again after failures, with growing pauses, which end at once when the network or the page comes back. */
  retry?: boolean | undefined;
  filter?: string | FilterFunction | undefined;
  doc_ids?: DocumentId[] | undefined;
  query_params?: { [name: string]: any } | undefined;
  view?: string | undefined;
  selector?: Selector | undefined;
  /** Where to start, once: after a failure it goes on from where it stood. */
  since?: 'now' | Sequence | undefined;
  heartbeat?: number | false | undefined;
  timeout?: number | false | undefined;
  /** Documents per batch. */
  batch_size?: number | undefined;
  /** Batches that may be under way at once. */
  batches_limit?: number | undefined;
  /** The next pause in milliseconds, out of the previous one (0 at first). */
  back_off_function?: ((previous: number) => number) | undefined;
  /** On which side progress is noted; false notes it nowhere. */
  checkpoint?: boolean | 'target' | 'source' | undefined;
  style?: 'main_only' | 'all_docs' | undefined;
  /**
   * Whether one tab replicates for all tabs of the origin that ask for the same, and the others hear of it. By default where
   * `live` and `retry` are set and nothing is a function, between a database in IndexedDB and a remote one; `true` also without
   * `retry`, and takes functions for equal whose texts are.
   */
  shared?: boolean | undefined;
  /**
   * Settles conflicts of the target, a database in this browser, as they arrive. Gets all leaves that are not deleted, the
   * winner first, and answers the one that is to stay, or a document that takes the place of all; nothing leaves the conflict.
   * It has to answer alike on every device: nothing random, no time, no name of the device.
   */
  conflicts?: ((leaves: ExistingDocument<any>[]) => ConflictAnswer | Promise<ConflictAnswer>) | undefined;
}

export type ConflictAnswer = { [member: string]: any } | null | undefined | void;

/** What became of a conflict. */
export interface ConflictResolution {
  id: DocumentId;
  /** The leaves there were, the winner first. */
  leaves: RevisionId[];
  /** The only one there is now. */
  rev?: RevisionId | undefined;
  /** Why the conflict is still there. */
  error?: unknown;
}

export interface ReplicationResult<Content extends {}> {
  ok: boolean;
  /** An ISO date. */
  start_time: string;
  docs_read: number;
  docs_written: number;
  doc_write_failures: number;
  errors: Error[];
  last_seq: Sequence;
  /** The documents of the batch, in the event 'change'. */
  docs: ExistingDocument<Content>[];
  /** What is still to come, where the source knows. */
  pending?: number | undefined;
}

export interface ReplicationResultComplete<Content extends {}> extends Omit<ReplicationResult<Content>, 'docs' | 'pending'> {
  /** An ISO date. */
  end_time: string;
  status: 'complete' | 'cancelled' | 'aborting';
}

/** An error that ended a replication tells how far it had got. */
export interface ReplicationError extends Error {
  result?: ReplicationResultComplete<{}> | undefined;
}

export type Checkpoint = {
  pending_batch?: Sequence | undefined;
  start_next_batch?: Sequence | undefined;
  revs_diff?: { id: DocumentId; seq: Sequence; changes: { rev: string }[] } | undefined;
  checkpoint?: Sequence | undefined;
};

/**
 * What a replication is about:
 * - `connecting`: it asks both sides where they stand
 * - `catching up`: there are changes on their way
 * - `up to date`: both sides have everything; a live one waits for more
 * - `waiting to retry`: an error was answered; it tries again at `next_retry`
 * - `offline`: nobody answers; it tries again at `next_retry`, or when the network or the page comes back
 * - `complete`, `cancelled`, `stopped` (by an error): it has ended
 */
export type ReplicationState =
  | 'connecting'
  | 'catching up'
  | 'up to date'
  | 'waiting to retry'
  | 'offline'
  | 'complete'
  | 'cancelled'
  | 'stopped';

/** How a replication stands; counts are since it was begun. */
export interface ReplicationStatus {
  state: ReplicationState;
  direction: 'push' | 'pull';
  /** How many changes are still to come, as far as is known; some databases count a document as often as it has changed. */
  pending?: number | undefined;
  /** How many changes were dealt with since it was last up to date: a progress bar shows `done / (done + pending)`. */
  done: number;
  /** Changes in a second, lately. */
  rate: number;
  docs_read: number;
  docs_written: number;
  /** Documents that the source could not give or the target did not take; see the event 'denied'. */
  doc_write_failures: number;
  /** Documents that wait to be tried again, because the source could not give or the target did not take them. */
  set_aside: number;
  last_seq?: Sequence | undefined;
  /** What made it wait or stop the last time; it stays when that is over. */
  last_error?: Error | undefined;
  /** An ISO date. */
  last_error_time?: string | undefined;
  /** When a batch was last done, or nothing was found to do: an ISO date. */
  last_success?: string | undefined;
  /** When it tries again: an ISO date. */
  next_retry?: string | undefined;
}

/** Both ways as one: the state that a person should know first, and the sums. */
export interface SyncStatus extends Omit<ReplicationStatus, 'direction' | 'last_seq'> {
  push: ReplicationStatus;
  pull: ReplicationStatus;
}

export interface ReplicationEvents<Content extends {}> extends Record<string, any[]> {
  /** A batch was written. */
  change: [result: ReplicationResult<Content>];
  /** Up to date, or with an error: waiting before the next try. */
  paused: [error?: Error];
  active: [];
  /** A document was refused. The others go on; it is tried again later, and told of again if the reason is another then. */
  denied: [error: Error];
  checkpoint: [checkpoint: Checkpoint];
  /** A failure after which it tries again. */
  requestError: [error: Error];
  /** The function of the option `conflicts` was called in this tab. Not in PouchDB. */
  conflict: [resolution: ConflictResolution];
  /** How it stands has changed; it comes before the events that tell of the same. Not in PouchDB. */
  status: [status: ReplicationStatus];
  complete: [result: ReplicationResultComplete<Content>];
  error: [error: ReplicationError];
  cancel: [];
}

export interface Replication<Content extends {}>
  extends EventEmitter<ReplicationEvents<Content>>, Thenable<ReplicationResultComplete<Content>> {
  readonly cancelled: boolean;
  readonly state: 'pending' | 'active' | 'stopped' | 'cancelled';
  /** How it stands. Not in PouchDB. */
  status(): ReplicationStatus;
  cancel(): void;
}

export interface SyncOptions extends ReplicateOptions {
  /** For the way to the other database, over the common options. */
  push?: ReplicateOptions | undefined;
  /** For the way from it. */
  pull?: ReplicateOptions | undefined;
}

export interface SyncResult<Content extends {}> {
  direction: 'push' | 'pull';
  change: ReplicationResult<Content>;
}

export interface SyncResultComplete<Content extends {}> {
  push?: ReplicationResultComplete<Content> | undefined;
  pull?: ReplicationResultComplete<Content> | undefined;
}

export interface SyncEvents<Content extends {}> extends Record<string, any[]> {
  change: [result: SyncResult<Content>];
  /** Both ways are up to date, or wait before the next try because of the error. */
  paused: [error?: Error];
  active: [way: { direction: 'push' | 'pull' }];
  denied: [refused: { direction: 'push' | 'pull'; doc: Error }];
  /** The function of the option `conflicts` was called in this tab. Not in PouchDB. */
  conflict: [resolution: ConflictResolution];
  /** How one of the ways stands has changed. Not in PouchDB. */
  status: [status: SyncStatus];
  complete: [result: SyncResultComplete<Content>];
  error: [error: ReplicationError];
}

export interface Sync<Content extends {}> extends EventEmitter<SyncEvents<Content>>, Thenable<SyncResultComplete<Content>> {
  readonly push: Replication<Content>;
  readonly pull: Replication<Content>;
  readonly canceled: boolean;
  /** How both ways stand. Not in PouchDB. */
  status(): SyncStatus;
  cancel(): void;
}
