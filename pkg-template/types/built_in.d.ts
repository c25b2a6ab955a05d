// What are plugins of PouchDB's and part of every database here: upsert, users and sessions, transform, dump and load.
import type { BasicResponse, Callback, DocumentId, Error, ExistingDocument, FilterFunction, Options, PutDocument, Response, RevisionId, Selector, Sequence } from './core.js';

export interface UpsertResponse {
  id: DocumentId;
  /** The document's revision; none where there is no document. */
  rev: RevisionId;
  /** Whether something was written. */
  updated: boolean;
}

/** Gets the document as it is (`{}` where there is none) and gives it as it shall be, or something falsy to leave it so. */
export type UpsertDiffCallback<Content extends {}> = (
  doc: Partial<ExistingDocument<Content>>,
) => UpsertChange<Content> | Promise<UpsertChange<Content>>;

export type UpsertChange<Content extends {}> = (Content & Partial<{ _id: string; _rev: string; _deleted: boolean }>) | false | null | undefined | void;

/** For all calls about users: headers that go with the request. */
export interface UserOptions extends Options {
  ajax?: { headers?: Record<string, string> | undefined } | undefined;
}

export interface PutUserOptions extends UserOptions {
  /** Further members of the user's document. */
  metadata?: { [name: string]: any } | undefined;
  roles?: string[] | undefined;
}

export interface AdminOptions extends UserOptions {
  /** Where the server's configuration is, if not where `_membership` says. */
  configUrl?: string | undefined;
}

export interface UserContext {
  /** Null of nobody in particular. */
  name: string | null;
  roles: string[];
}

export interface LoginResponse extends BasicResponse, UserContext {}

export interface SessionResponse extends BasicResponse {
  userCtx: UserContext;
  info: { authenticated?: string | undefined; authentication_db?: string | undefined; authentication_handlers?: string[] | undefined };
}

export interface User {
  _id: string;
  _rev: string;
  name: string;
  roles: string[];
  type: 'user';
  [metadata: string]: any;
}

/** Both may give a promise. What they are called with is a copy. */
export interface Transformation {
  /** Each document on its way into the database. */
  incoming?: ((doc: any) => any) | undefined;
  /** Each document on its way out of it. */
  outgoing?: ((doc: any) => any) | undefined;
}

/** What a dump consists of; as those of a replication. */
export interface DumpOptions extends Options {
  since?: Sequence | undefined;
  filter?: string | FilterFunction | undefined;
  doc_ids?: DocumentId[] | undefined;
  query_params?: { [name: string]: any } | undefined;
  view?: string | undefined;
  selector?: Selector | undefined;
  /** Documents per line; 100 unless given. */
  batch_size?: number | undefined;
}

/** A writable stream of Node, as far as a dump needs one. */
export interface NodeWritable {
  write(chunk: string, callback: (error?: any) => void): unknown;
  end(callback: () => void): unknown;
}

/** An address, the text of a dump (it begins with a brace), or what holds or gives its bytes, such as a stream of Node. */
export type DumpSource =
  | string
  | Blob
  | globalThis.Response
  | ReadableStream<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | AsyncIterable<Uint8Array | string>;

export interface LoadOptions extends Options {
  /**
   * The address of the database that was dumped. A replication from there then begins where the dump ends, if it has the same
   * options (filter, view, query_params, doc_ids, selector), given here too.
   */
  proxy?: string | undefined;
  filter?: string | undefined;
  doc_ids?: DocumentId[] | undefined;
  query_params?: { [name: string]: any } | undefined;
  view?: string | undefined;
  selector?: Selector | undefined;
  /** For fetching the dump. */
  ajax?: { headers?: Record<string, string> | undefined } | undefined;
}

export interface LoadResponse {
  /** Whether all documents were taken. */
  ok: boolean;
  docs_read: number;
  doc_write_failures: number;
  errors: Error[];
  /** How far the dump goes. */
  last_seq: Sequence;
}

export interface BuiltIn<Content extends {}> {
  /** Writes a document whatever is there: reads, changes and writes it, again where somebody else was faster. */
  upsert<Model>(id: DocumentId, change: UpsertDiffCallback<Content & Model>): Promise<UpsertResponse>;
  upsert<Model>(id: DocumentId, change: UpsertDiffCallback<Content & Model>, callback: Callback<UpsertResponse>): void;
  /** Writes a document unless there is one. */
  putIfNotExists<Model>(doc: PutDocument<Content & Model> & { _id: DocumentId }): Promise<UpsertResponse>;
  putIfNotExists<Model>(id: DocumentId, doc: Content & Model): Promise<UpsertResponse>;
  putIfNotExists<Model>(doc: PutDocument<Content & Model> & { _id: DocumentId }, callback: Callback<UpsertResponse>): void;
  putIfNotExists<Model>(id: DocumentId, doc: Content & Model, callback: Callback<UpsertResponse>): void;

  /** Of remote databases, as all about users: begins a session by a cookie, which the browser sends from then on. */
  logIn(username: string, password: string, options?: UserOptions): Promise<LoginResponse>;
  logIn(username: string, password: string, callback: Callback<LoginResponse>): void;
  logIn(username: string, password: string, options: UserOptions, callback: Callback<LoginResponse>): void;
  logOut(options?: UserOptions): Promise<BasicResponse>;
  logOut(callback: Callback<BasicResponse>): void;
  /** Who is logged in. */
  getSession(options?: UserOptions): Promise<SessionResponse>;
  getSession(callback: Callback<SessionResponse>): void;
  signUp(username: string, password: string, options?: PutUserOptions): Promise<Response>;
  signUp(username: string, password: string, callback: Callback<Response>): void;
  signUp(username: string, password: string, options: PutUserOptions, callback: Callback<Response>): void;
  getUser(username: string, options?: UserOptions): Promise<User>;
  getUser(username: string, callback: Callback<User>): void;
  /** Sets metadata and roles. */
  putUser(username: string, options?: PutUserOptions): Promise<Response>;
  putUser(username: string, options: PutUserOptions, callback: Callback<Response>): void;
  deleteUser(username: string, options?: UserOptions): Promise<Response>;
  deleteUser(username: string, callback: Callback<Response>): void;
  changePassword(username: string, password: string, options?: UserOptions): Promise<Response>;
  changePassword(username: string, password: string, callback: Callback<Response>): void;
  /** Copies the user under another name and deletes the old one. */
  changeUsername(oldName: string, newName: string, options?: PutUserOptions): Promise<Response>;
  changeUsername(oldName: string, newName: string, callback: Callback<Response>): void;
  /** Makes an administrator of the server; answers with the password's hash that was there before. */
  signUpAdmin(username: string, password: string, options?: AdminOptions): Promise<string>;
  signUpAdmin(username: string, password: string, callback: Callback<string>): void;
  deleteAdmin(username: string, options?: AdminOptions): Promise<string>;
  deleteAdmin(username: string, callback: Callback<string>): void;
  getMembership(options?: UserOptions): Promise<{ all_nodes: string[]; cluster_nodes: string[] }>;
  getUsersDatabaseUrl(): string;

  /**
   * Changes documents on their way in and out: of this instance, and of replications with it. Local documents, and deletions
   * without content, stay as they are. Several follow each other, and back in the opposite order.
   */
  transform(transformation: Transformation): void;

  /** Writes everything as lines of JSON, which load() and pouchdb-load read; a stream is closed at the end. */
  dump(target: WritableStream<Uint8Array> | NodeWritable, options?: DumpOptions): Promise<BasicResponse>;
  dump(options?: DumpOptions): Promise<Blob>;
  /** Stores what dump() or pouchdb-dump has written; documents that are there already do no harm. */
  load(source: DumpSource, options?: LoadOptions): Promise<LoadResponse>;
  load(source: DumpSource, callback: Callback<LoadResponse>): void;
  load(source: DumpSource, options: LoadOptions, callback: Callback<LoadResponse>): void;
}
