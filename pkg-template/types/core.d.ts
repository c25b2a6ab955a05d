// Documents, options and results. Names are those of @types/pouchdb-core, so that code written against it keeps compiling.

/**
 * What methods reject with, and what lists of results hold for a document that failed.
 * Use `status` or `name` to tell errors apart: 409 'conflict', 404 'not_found' and so on.
 */
export interface Error extends globalThis.Error {
  /** An HTTP status, also where no HTTP is involved. */
  status?: number | undefined;
  /** A code such as 'conflict' or 'not_found'. */
  name: string;
  message: string;
  /** More than the message says: 'missing' or 'deleted' for a 404. */
  reason?: string | undefined;
  /** Set, so that an error can be told from a result in the same list. */
  error?: string | boolean | undefined;
  id?: string | undefined;
  /** The document that was asked for. */
  docId?: string | undefined;
  rev?: RevisionId | undefined;
}

export type Callback<Result> = (error: Error | null, result: Result | null) => void;

export type DocumentId = string;
export type DocumentKey = string;
export type AttachmentId = string;
export type RevisionId = string;
export type Availability = 'available' | 'compacted' | 'not compacted' | 'missing';
/** Base64, or the bytes; what comes back is a Blob, in Node a Buffer. */
export type AttachmentData = string | Blob | ArrayBuffer | ArrayBufferView;

/** A sequence number of this browser, or an opaque string of a server's. */
export type Sequence = number | string;

export type Fetch = (url: string | Request, options?: RequestInit) => Promise<globalThis.Response>;

export interface Options {
  fetch?: Fetch | undefined;
}

export interface BasicResponse {
  ok: boolean;
}

export interface Response extends BasicResponse {
  id: DocumentId;
  rev: RevisionId;
}

export interface DatabaseInfo {
  db_name: string;
  /** Documents that are not deleted. */
  doc_count: number;
  /** The sequence number of the newest change. */
  update_seq: Sequence;
  /** 'idb', 'indexeddb', 'memory', 'http' or 'https'. */
  adapter: string;
  auto_compaction: boolean;
  /** Of the adapter 'idb'. */
  idb_attachment_format?: 'base64' | 'binary' | undefined;
  /** Of a database that runs in the worker. */
  worker?: true | undefined;
  /** The address, of a remote database. */
  host?: string | undefined;
}

export interface CheckReport {
  /** Whether there is no problem. */
  ok: boolean;
  /** Documents that are not deleted. This and the next three are missing where not everything could be read. */
  documents?: number | undefined;
  deleted_documents?: number | undefined;
  /** Revisions whose contents are stored. */
  revisions?: number | undefined;
  local_documents?: number | undefined;
  /** Commits in the log, and what they take in bytes. */
  log_records: number;
  log_bytes: number;
  /** What the log was sorted into: runs, of blocks. */
  runs: number;
  blocks: number;
  block_bytes: number;
  /** Which record, and what is wrong with it. */
  problems: { record: string; problem: string }[];
}

export interface Revision<Content extends {}> {
  ok: Document<Content> & RevisionIdMeta;
}

export interface MissingRevision {
  missing: RevisionId;
}

export interface RevisionInfo {
  rev: RevisionId;
  status: Availability;
}

export interface RevisionDiffOptions {
  [documentId: string]: RevisionId[];
}

export interface RevisionDiff {
  missing?: RevisionId[] | undefined;
  /** Only of servers. */
  possible_ancestors?: RevisionId[] | undefined;
}

export interface RevisionDiffResponse {
  [documentId: string]: RevisionDiff;
}

export interface IdMeta {
  _id: DocumentId;
}

export interface RevisionIdMeta {
  _rev: RevisionId;
}

export interface GetMeta {
  _rev: RevisionId;
  _deleted?: boolean | undefined;
  /** The other leaves that are not deleted; with the option `conflicts`. */
  _conflicts?: RevisionId[] | undefined;
  _revs_info?: RevisionInfo[] | undefined;
  /** The history, newest first; with the option `revs`. */
  _revisions?: { ids: RevisionId[]; start: number } | undefined;
  _attachments?: Attachments | undefined;
}

export interface StubAttachment {
  content_type: string;
  digest: string;
  stub: true;
  length: number;
  /** The generation of the revision that brought it. */
  revpos?: number | undefined;
}

export interface FullAttachment {
  content_type: string;
  digest?: string | undefined;
  revpos?: number | undefined;
  data: AttachmentData;
}

export type Attachment = StubAttachment | FullAttachment;

export interface Attachments {
  [attachmentId: string]: Attachment;
}

export type NewDocument<Content extends {}> = Content;
export type Document<Content extends {}> = Content & IdMeta;
export type ExistingDocument<Content extends {}> = Document<Content> & RevisionIdMeta;

/** What remove() needs of a document. */
export type RemoveDocument = IdMeta & RevisionIdMeta;

export type PostDocument<Content extends {}> = NewDocument<Content> & {
  filters?: { [filterName: string]: string } | undefined;
  views?: { [viewName: string]: { map: string; reduce?: string | undefined } } | undefined;
  _rev?: RevisionId | undefined;
  _attachments?: Attachments | undefined;
};

export type PutDocument<Content extends {}> = PostDocument<Content> &
  ChangesMeta & {
    _id?: DocumentId | undefined;
  };

export interface PutOptions extends Options {
  /** With the document's `_rev`: writes even where that is no longer the current one, as a revision beside it. */
  force?: boolean | undefined;
  new_edits?: boolean | undefined;
}

export interface RemoveOptions extends Options {
  rev?: RevisionId | undefined;
}

export interface GetOptions extends Options {
  /** Tells of other revisions nobody has decided about, in `_conflicts`. */
  conflicts?: boolean | undefined;
  rev?: RevisionId | undefined;
  /** Gives the history in `_revisions`. */
  revs?: boolean | undefined;
  /** Gives the history with the availability of each revision in `_revs_info`. */
  revs_info?: boolean | undefined;
  attachments?: boolean | undefined;
  binary?: boolean | undefined;
  /** With `rev`: gives the leaf that the revision has become. */
  latest?: boolean | undefined;
}

export interface GetOpenRevisions extends Options {
  open_revs: 'all' | RevisionId[];
  revs?: boolean | undefined;
  latest?: boolean | undefined;
  /** Gives the contents of attachments, not only what there is to know of them. */
  attachments?: boolean | undefined;
  /** Gives them as Blobs, not as base64. */
  binary?: boolean | undefined;
}

export interface GetAttachmentOptions extends Options {
  rev?: RevisionId | undefined;
}

export interface AllDocsOptions extends Options {
  attachments?: boolean | undefined;
  binary?: boolean | undefined;
  conflicts?: boolean | undefined;
  descending?: boolean | undefined;
  include_docs?: boolean | undefined;
  limit?: number | undefined;
  skip?: number | undefined;
  update_seq?: boolean | undefined;
}

export interface AllDocsWithKeyOptions extends AllDocsOptions {
  key: DocumentKey;
}

export interface AllDocsWithKeysOptions extends AllDocsOptions {
  keys: DocumentId[];
}

export interface AllDocsWithinRangeOptions extends AllDocsOptions {
  startkey?: DocumentKey | undefined;
  endkey?: DocumentKey | undefined;
  inclusive_end?: boolean | undefined;
}

export interface AllDocsMeta {
  _conflicts?: RevisionId[] | undefined;
  _attachments?: Attachments | undefined;
}

export interface AllDocsRow<Content extends {}> {
  id: DocumentId;
  key: DocumentKey;
  value: { rev: RevisionId; deleted?: boolean | undefined };
  doc?: ExistingDocument<Content & AllDocsMeta> | undefined;
}

/** Deleted documents have a row with `doc: null` when they are asked for by key. */
export type AllDocsKeyRow<Content extends {}> =
  | (Omit<AllDocsRow<Content>, 'doc'> & { doc?: ExistingDocument<Content & AllDocsMeta> | null | undefined; error?: undefined })
  | { key: DocumentKey; error: 'not_found'; id?: undefined; value?: undefined; doc?: undefined };

export interface AllDocsResponse<Content extends {}> {
  offset: number;
  total_rows: number;
  update_seq?: Sequence | undefined;
  rows: AllDocsRow<Content>[];
}

export interface AllDocsWithKeysResponse<Content extends {}> {
  offset: number;
  total_rows: number;
  update_seq?: Sequence | undefined;
  rows: AllDocsKeyRow<Content>[];
}

export interface BulkDocsOptions extends Options {
  /** False takes `_rev` and `_revisions` as they are, as replication does; only failures are answered then. */
  new_edits?: boolean | undefined;
  /** Either all documents are written or none: then the call fails with the error of the first. Not in PouchDB; of databases in the browser. */
  atomic?: boolean | undefined;
}

export interface BulkDocsRequest<Content extends {}> {
  docs: PutDocument<Content>[];
  new_edits?: boolean | undefined;
}

export interface BulkGetOptions extends Options {
  docs: { id: DocumentId; rev?: RevisionId | undefined }[];
  revs?: boolean | undefined;
  latest?: boolean | undefined;
  attachments?: boolean | undefined;
  binary?: boolean | undefined;
}

export interface BulkGetResponse<Content extends {}> {
  results: {
    id: DocumentId;
    docs: ({ ok: Content & IdMeta & GetMeta } | { error: Error } | MissingRevision)[];
  }[];
}

export interface ChangesMeta {
  _conflicts?: RevisionId[] | undefined;
  _deleted?: boolean | undefined;
  _attachments?: Attachments | undefined;
}

/** Called with each document; a truthy answer lets the change through. */
export type FilterFunction = (doc: any, request: { query?: any }) => unknown;

export interface ChangesOptions {
  /** Goes on with what happens from now on, until it is cancelled. */
  live?: boolean | undefined;
  /** The sequence number after which to begin; 0 unless given. */
  since?: 'now' | Sequence | undefined;
  include_docs?: boolean | undefined;
  limit?: number | false | undefined;
  conflicts?: boolean | undefined;
  attachments?: boolean | undefined;
  binary?: boolean | undefined;
  /** Newest first; not for live feeds. */
  descending?: boolean | undefined;
  filter?: string | FilterFunction | undefined;
  doc_ids?: DocumentId[] | undefined;
  query_params?: { [name: string]: any } | undefined;
  view?: string | undefined;
  selector?: Selector | undefined;
  /** Whether the result holds the changes; true unless the feed is live. */
  return_docs?: boolean | undefined;
  /** 'all_docs' lists all leaves of a document instead of the winning one. */
  style?: 'main_only' | 'all_docs' | undefined;
  /** Changes per request, of remote databases. */
  batch_size?: number | undefined;
  timeout?: number | false | undefined;
  heartbeat?: number | false | undefined;
  seq_interval?: number | undefined;
}

/** A Mango selector. */
export interface Selector {
  [field: string]: any;
}

export interface ChangesResponseChange<Content extends {}> {
  id: DocumentId;
  seq: Sequence;
  changes: { rev: RevisionId }[];
  deleted?: boolean | undefined;
  doc?: ExistingDocument<Content & ChangesMeta> | undefined;
}

export interface ChangesResponse<Content extends {}> {
  /** 'cancelled' of a feed that was; then nothing else is set. */
  status?: string | undefined;
  last_seq: Sequence;
  results: ChangesResponseChange<Content>[];
}

export interface ConflictsOptions {
  /** Keeps the list up to date, until it is cancelled. */
  live?: boolean | undefined;
  /** Each with its winner, as `get` with `conflicts` gives it. */
  include_docs?: boolean | undefined;
}

/** A document with more than one leaf that is not deleted. */
export interface Conflict<Content extends {}> {
  id: DocumentId;
  /** Of its last change. */
  seq: number;
  /** The winner. */
  rev: RevisionId;
  /** The other leaves; empty in the event 'change' of a document that has been settled. */
  conflicts: RevisionId[];
  doc?: ExistingDocument<Content & GetMeta> | undefined;
}

export interface ConflictsResponse<Content extends {}> {
  /** By the order of their last changes. */
  results: Conflict<Content>[];
  last_seq: number;
  status?: 'cancelled' | undefined;
}

export interface CompactOptions extends Options {
  /** How often a server is asked whether it is done, in milliseconds. */
  interval?: number | undefined;
}

export interface PurgeResponse extends BasicResponse {
  /** The leaf first. */
  deletedRevs: RevisionId[];
  documentWasRemovedCompletely: boolean;
}

export interface RemoveAttachmentResponse extends BasicResponse {
  id: DocumentId;
  rev: RevisionId;
}

export interface ActiveTask {
  id: string;
  name: string;
  created_at: string;
  updated_at?: string | undefined;
  total_items?: number | undefined;
  completed_items?: number | undefined;
}

export interface ActiveTasks {
  list(): ActiveTask[];
  add(task: { name: string; total_items?: number | undefined }): string;
  get(id: string): ActiveTask | undefined;
  update(id: string, update: { total_items?: number | undefined; completed_items?: number | undefined }): Record<string, ActiveTask>;
  remove(id: string, reason?: unknown): Record<string, ActiveTask>;
}
