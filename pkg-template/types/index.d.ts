// The types of Potoroo. Who comes from @types/pouchdb finds the same names in the namespace Potoroo.
//
//     import Potoroo from 'potoroo';
//     interface Note { title: string; done?: boolean }
//     const db: Potoroo.Database<Note> = new Potoroo<Note>('notes');
import * as builtIn from './built_in.js';
import * as core from './core.js';
import { Thenable, EventEmitter } from './emitter.js';
import * as queries from './queries.js';
import * as replication from './replication.js';

declare const Potoroo: Potoroo.Static;

declare namespace Potoroo {
  namespace Core {
    type Error = core.Error;
    type Callback<Result> = core.Callback<Result>;
    type DocumentId = core.DocumentId;
    type DocumentKey = core.DocumentKey;
    type AttachmentId = core.AttachmentId;
    type RevisionId = core.RevisionId;
    type Availability = core.Availability;
    type AttachmentData = core.AttachmentData;
    type Sequence = core.Sequence;
    type Fetch = core.Fetch;
    type Options = core.Options;
    type BasicResponse = core.BasicResponse;
    type Response = core.Response;
    type DatabaseInfo = core.DatabaseInfo;
    type CheckReport = core.CheckReport;
    type Revision<Content extends {}> = core.Revision<Content>;
    type MissingRevision = core.MissingRevision;
    type RevisionInfo = core.RevisionInfo;
    type RevisionDiffOptions = core.RevisionDiffOptions;
    type RevisionDiff = core.RevisionDiff;
    type RevisionDiffResponse = core.RevisionDiffResponse;
    type IdMeta = core.IdMeta;
    type RevisionIdMeta = core.RevisionIdMeta;
    type GetMeta = core.GetMeta;
    type StubAttachment = core.StubAttachment;
    type FullAttachment = core.FullAttachment;
    type Attachment = core.Attachment;
    type Attachments = core.Attachments;
    type NewDocument<Content extends {}> = core.NewDocument<Content>;
    type Document<Content extends {}> = core.Document<Content>;
    type ExistingDocument<Content extends {}> = core.ExistingDocument<Content>;
    type RemoveDocument = core.RemoveDocument;
    type PostDocument<Content extends {}> = core.PostDocument<Content>;
    type PutDocument<Content extends {}> = core.PutDocument<Content>;
    type PutOptions = core.PutOptions;
    type RemoveOptions = core.RemoveOptions;
    type GetOptions = core.GetOptions;
    type GetOpenRevisions = core.GetOpenRevisions;
    type AllDocsOptions = core.AllDocsOptions;
    type AllDocsWithKeyOptions = core.AllDocsWithKeyOptions;
    type AllDocsWithKeysOptions = core.AllDocsWithKeysOptions;
    type AllDocsWithinRangeOptions = core.AllDocsWithinRangeOptions;
    type AllDocsMeta = core.AllDocsMeta;
    type AllDocsRow<Content extends {}> = core.AllDocsRow<Content>;
    type AllDocsKeyRow<Content extends {}> = core.AllDocsKeyRow<Content>;
    type AllDocsResponse<Content extends {}> = core.AllDocsResponse<Content>;
    type AllDocsWithKeysResponse<Content extends {}> = core.AllDocsWithKeysResponse<Content>;
    type BulkDocsOptions = core.BulkDocsOptions;
    type BulkDocsRequest<Content extends {}> = core.BulkDocsRequest<Content>;
    type BulkGetOptions = core.BulkGetOptions;
    type BulkGetResponse<Content extends {}> = core.BulkGetResponse<Content>;
    type ChangesMeta = core.ChangesMeta;
    type FilterFunction = core.FilterFunction;
    type ChangesOptions = core.ChangesOptions;
    type Selector = core.Selector;
    type ChangesResponseChange<Content extends {}> = core.ChangesResponseChange<Content>;
    type ChangesResponse<Content extends {}> = core.ChangesResponse<Content>;
    type CompactOptions = core.CompactOptions;
    type ConflictsOptions = core.ConflictsOptions;
    type Conflict<Content extends {}> = core.Conflict<Content>;
    type ConflictsResponse<Content extends {}> = core.ConflictsResponse<Content>;
    type PurgeResponse = core.PurgeResponse;
    type GetAttachmentOptions = core.GetAttachmentOptions;
    type RemoveAttachmentResponse = core.RemoveAttachmentResponse;
    type ActiveTask = core.ActiveTask;
    type ActiveTasks = core.ActiveTasks;
  }

  namespace Query {
    type Options = queries.QueryOptions;
    type Response<Content extends {}> = queries.QueryResponse<Content>;
  }

  namespace Find {
    type Selector = core.Selector;
    type FindRequest<Content extends {}> = queries.FindRequest<Content>;
    type FindResponse<Content extends {}> = queries.FindResponse<Content>;
    type CreateIndexOptions = queries.CreateIndexOptions;
    type CreateIndexResponse = queries.CreateIndexResponse;
    type GetIndexesResponse = queries.GetIndexesResponse;
    type DeleteIndexOptions = queries.DeleteIndexOptions;
  }

  namespace Replication {
    type ReplicateOptions = replication.ReplicateOptions;
    type ReplicationResult<Content extends {}> = replication.ReplicationResult<Content>;
    type ReplicationResultComplete<Content extends {}> = replication.ReplicationResultComplete<Content>;
    type ReplicationError = replication.ReplicationError;
    type ConflictAnswer = replication.ConflictAnswer;
    type ConflictResolution = replication.ConflictResolution;
    type ReplicationState = replication.ReplicationState;
    type ReplicationStatus = replication.ReplicationStatus;
    type Checkpoint = replication.Checkpoint;
    type Replication<Content extends {}> = replication.Replication<Content>;
    type SyncOptions = replication.SyncOptions;
    type SyncStatus = replication.SyncStatus;
    type SyncResult<Content extends {}> = replication.SyncResult<Content>;
    type SyncResultComplete<Content extends {}> = replication.SyncResultComplete<Content>;
    type Sync<Content extends {}> = replication.Sync<Content>;
  }

  type UpsertResponse = builtIn.UpsertResponse;
  type UpsertDiffCallback<Content extends {}> = builtIn.UpsertDiffCallback<Content>;
  type UserContext = builtIn.UserContext;
  type User = builtIn.User;
  type LoginResponse = builtIn.LoginResponse;
  type SessionResponse = builtIn.SessionResponse;
  type PutUserOptions = builtIn.PutUserOptions;
  type Transformation = builtIn.Transformation;
  type DumpOptions = builtIn.DumpOptions;
  type LoadOptions = builtIn.LoadOptions;
  type LoadResponse = builtIn.LoadResponse;

  /** Methods that are added to every database, or a function that gets the constructor. */
  type Plugin<PluginProps extends object = {}> = PluginProps | ((potoroo: Static<any>) => void);

  namespace Configuration {
    interface CommonDatabaseConfiguration {
      name?: string | undefined;
      /**
       * Forces one: 'idb' or 'indexeddb' (the same), 'localstorage' (pages only, for little data), 'memory'; 'http' and
       * 'https' follow from the name. Without it a database is kept in IndexedDB; where that is missing or refused, in
       * localStorage; where there is none (workers, Node), in memory. The event 'adapter' and `info()` say so then.
       */
      adapter?: string | undefined;
      /** Put before the name. May be an address, for names of databases on one server. */
      prefix?: string | undefined;
    }

    interface LocalDatabaseConfiguration extends CommonDatabaseConfiguration {
      /** Drops the contents of all revisions of a document but the leaves whenever it is written. */
      auto_compaction?: boolean | undefined;
      /** How many purges `_local/purges` lists; 1000 unless given. */
      purged_infos_limit?: number | undefined;
      /**
       * What a write survives that was answered. 'relaxed' (default): the end of the page and of the browser. 'strict':
       * also a crash of the operating system or a loss of power; every write then waits for the disk. Asked of IndexedDB;
       * the other adapters have no such choice. Instances of one name in one page share the first one's.
       */
      durability?: 'relaxed' | 'strict' | undefined;
      /**
       * Runs the database in a worker of the package, which all databases with this option share: reading, writing and
       * replicating take no time of the page's. For databases in IndexedDB. Where the page may have no worker, it is as if this
       * was not set, and a warning on the console says why; `info().worker` tells where it runs.
       */
      worker?: boolean | undefined;
      /**
       * Opens a database that is damaged as well, and that fails to open for it: it can be read then, as it was before the
       * damaged commit, and every write fails with the damage. `info().damage` names it. Copy what there is, then destroy it.
       */
      salvage?: boolean | undefined;
      /**
       * How many bytes of what is stored are kept in memory for reading again; 32 MiB (33,554,432) unless given. Instances of
       * one name in one page share the first one's.
       */
      cache_bytes?: number | undefined;
      /**
       * What becomes of a database of PouchDB's where there is none of Potoroo's yet: everything in it is taken over (true, default), or
       * it is left alone (false). `remove` deletes it afterwards; `from` is its name in IndexedDB, `_pouch_` and this one's unless given.
       */
      migrate?: boolean | { remove?: boolean | undefined; from?: string | undefined } | undefined;
      /** How many generations of a document's history are kept; 1000 unless given. */
      revs_limit?: number | undefined;
      /** False gives random revisions instead of those computed from the content. */
      deterministic_revs?: boolean | undefined;
      view_adapter?: string | undefined;
      size?: number | undefined;
    }

    type MaybePromise<Value> = Value | Promise<Value>;

    /** What takes the place of credentials that the server does not take any more. */
    interface FreshCredentials {
      auth?: { username: string; password: string } | undefined;
      /** In place of those of the same name, such as `Authorization`. */
      headers?: Record<string, string> | undefined;
    }

    interface RemoteDatabaseConfiguration extends CommonDatabaseConfiguration {
      fetch?: Core.Fetch | undefined;
      auth?: { username?: string | undefined; password?: string | undefined } | undefined;
      /** Sent with every request. */
      headers?: Record<string, string> | undefined;
      /**
       * Called where the server answers 401, with the error: a session has expired, or a token. What it gives (or promises)
       * takes the place of the credentials so far; without an answer it has logged in anew for a cookie. Then what was
       * refused is sent once more; with `false`, or where that is refused as well, the error stands. Replications use it
       * too, and go on. If it fails, its error takes the place of the server's; one without a status is worth another try.
       */
      reauthenticate?: ((refusal: Core.Error) => MaybePromise<FreshCredentials | boolean | void>) | undefined;
      /** Does without looking whether the database exists, and creating it. */
      skip_setup?: boolean | undefined;
    }

    type DatabaseConfiguration = LocalDatabaseConfiguration | RemoteDatabaseConfiguration;
  }

  /** What `navigator.storage` says of all data of this origin; where it is missing or refuses, that nothing is known. */
  interface BrowserStorage {
    /** Asks the browser not to remove the data by itself when room is scarce; whether it agrees. */
    persist(): Promise<boolean>;
    /** Whether the browser has agreed. */
    persisted(): Promise<boolean>;
    /** In bytes, about. */
    estimate(): Promise<{ usage: number | undefined; quota: number | undefined }>;
  }

  interface StaticEvents extends Record<string, any[]> {
    created: [name: string];
    destroyed: [name: string];
    debug: [args: unknown[]];
  }

  interface Static<PluginProps extends object = {}> extends EventEmitter<StaticEvents> {
    new <Content extends {} = {}>(
      name?: string | null,
      options?: Configuration.DatabaseConfiguration,
    ): Database<Content> & PluginProps;
    new <Content extends {} = {}>(options: Configuration.DatabaseConfiguration): Database<Content> & PluginProps;
    <Content extends {} = {}>(name?: string | null, options?: Configuration.DatabaseConfiguration): Database<Content> & PluginProps;
    <Content extends {} = {}>(options: Configuration.DatabaseConfiguration): Database<Content> & PluginProps;
    readonly prototype: Database<any> & PluginProps;

    readonly version: string;
    prefix: string;
    readonly adapters: Record<string, { valid(): boolean }>;
    readonly preferredAdapters: string[];
    readonly activeTasks: Core.ActiveTasks;
    /** The room in this browser, and the wish to keep what is stored. */
    readonly storage: BrowserStorage;
    /**
     * The names of the databases in this browser, sorted; of a class made by `defaults({ prefix })` those with its prefix.
     * Browsers that can't list their databases (Firefox before 126) leave out those in IndexedDB.
     */
    allDbs(): Promise<string[]>;
    allDbs(callback: Core.Callback<string[]>): void;
    fetch: Core.Fetch;

    /** Adds methods to every database. */
    plugin<PluginSubProps extends object>(plugin: Plugin<PluginSubProps>): Static<PluginProps & PluginSubProps>;
    /** A class whose databases have these options unless they are given others. */
    defaults(options: Configuration.DatabaseConfiguration): Static<PluginProps>;
    adapter(id: string, adapter: { valid(): boolean }, addToPreferredAdapters?: boolean): void;

    replicate<Content extends {}>(
      source: string | Database<Content>,
      target: string | Database<Content>,
      options?: Replication.ReplicateOptions,
      callback?: Core.Callback<Replication.ReplicationResultComplete<Content>>,
    ): Replication.Replication<Content>;

    sync<Content extends {}>(
      source: string | Database<Content>,
      target: string | Database<Content>,
      options?: Replication.SyncOptions,
      callback?: Core.Callback<Replication.SyncResultComplete<Content>>,
    ): Replication.Sync<Content>;
  }

  interface DatabaseEvents extends Record<string, any[]> {
    created: [db: Database<any>];
    destroyed: [];
    closed: [];
    /**
     * Once, after opening, where no adapter was asked for and it is not IndexedDB: 'localstorage' (room for little) or
     * 'memory' (nothing is kept).
     */
    adapter: [name: string];
    /**
     * Opening or destroying has to wait, because something else has the database open and does not let go of it, such as
     * a script in any tab of the site. It goes on by itself once that is closed.
     */
    blocked: [what: 'open' | 'destroy'];
  }

  interface ChangesEvents<Content extends {}> extends Record<string, any[]> {
    change: [change: Core.ChangesResponseChange<Content>, pending?: number, lastSeq?: Core.Sequence];
    complete: [result: Core.ChangesResponse<Content>];
    error: [error: Core.Error];
  }

  /** A feed of changes; awaiting it gives what 'complete' does. */
  interface Changes<Content extends {}>
    extends EventEmitter<ChangesEvents<Content>>, Thenable<Core.ChangesResponse<Content>> {
    cancel(): void;
  }

  interface ConflictsEvents<Content extends {}> extends Record<string, any[]> {
    /** What there was in the beginning has been read. */
    ready: [rows: Core.Conflict<Content>[]];
    /** A document has a conflict, other leaves than before, or (without `conflicts`) none any more. */
    change: [conflict: Core.Conflict<Content>];
    complete: [result: Core.ConflictsResponse<Content>];
    error: [error: Core.Error];
  }

  interface Conflicts<Content extends {}>
    extends EventEmitter<ConflictsEvents<Content>>, Thenable<Core.ConflictsResponse<Content>> {
    /** The documents that have conflicts now. */
    readonly rows: Core.Conflict<Content>[];
    cancel(): void;
  }

  interface Database<Content extends {} = {}> extends EventEmitter<DatabaseEvents>, builtIn.BuiltIn<Content>, queries.Queries<Content> {
    readonly name: string;
    readonly adapter: string;
    readonly activeTasks: Core.ActiveTasks;

    /** Writes a document: a new one, or with `_rev` the next revision of one. */
    put<Model>(doc: Core.PutDocument<Content & Model>, options?: Core.PutOptions): Promise<Core.Response>;
    put<Model>(doc: Core.PutDocument<Content & Model>, callback: Core.Callback<Core.Response>): void;
    put<Model>(
      doc: Core.PutDocument<Content & Model>,
      options: Core.PutOptions | null,
      callback: Core.Callback<Core.Response>,
    ): void;

    /** Writes a document under an id made up for it. */
    post<Model>(doc: Core.PostDocument<Content & Model>, options?: Core.Options): Promise<Core.Response>;
    post<Model>(doc: Core.PostDocument<Content & Model>, callback: Core.Callback<Core.Response>): void;
    post<Model>(
      doc: Core.PostDocument<Content & Model>,
      options: Core.Options | null,
      callback: Core.Callback<Core.Response>,
    ): void;

    get<Model>(id: Core.DocumentId, options: Core.GetOpenRevisions): Promise<(Core.Revision<Content & Model> | Core.MissingRevision)[]>;
    get<Model>(id: Core.DocumentId, options?: Core.GetOptions): Promise<Core.Document<Content & Model> & Core.GetMeta>;
    get<Model>(id: Core.DocumentId, callback: Core.Callback<Core.Document<Content & Model> & Core.GetMeta>): void;
    get<Model>(
      id: Core.DocumentId,
      options: Core.GetOpenRevisions,
      callback: Core.Callback<(Core.Revision<Content & Model> | Core.MissingRevision)[]>,
    ): void;
    get<Model>(
      id: Core.DocumentId,
      options: Core.GetOptions | null,
      callback: Core.Callback<Core.Document<Content & Model> & Core.GetMeta>,
    ): void;

    /** Marks a document as deleted, on every device that it replicates to. */
    /** The document is made if there is none. `rev` is that of the document. */
    putAttachment(
      docId: Core.DocumentId,
      attachmentId: Core.AttachmentId,
      rev: Core.RevisionId,
      attachment: Core.AttachmentData,
      type: string,
    ): Promise<Core.Response>;
    putAttachment(
      docId: Core.DocumentId,
      attachmentId: Core.AttachmentId,
      rev: Core.RevisionId,
      attachment: Core.AttachmentData,
      type: string,
      callback: Core.Callback<Core.Response>,
    ): void;
    putAttachment(
      docId: Core.DocumentId,
      attachmentId: Core.AttachmentId,
      attachment: Core.AttachmentData,
      type: string,
    ): Promise<Core.Response>;
    putAttachment(
      docId: Core.DocumentId,
      attachmentId: Core.AttachmentId,
      attachment: Core.AttachmentData,
      type: string,
      callback: Core.Callback<Core.Response>,
    ): void;
    getAttachment(
      docId: Core.DocumentId,
      attachmentId: Core.AttachmentId,
      options?: Core.GetAttachmentOptions,
    ): Promise<Blob>;
    getAttachment(docId: Core.DocumentId, attachmentId: Core.AttachmentId, callback: Core.Callback<Blob>): void;
    getAttachment(
      docId: Core.DocumentId,
      attachmentId: Core.AttachmentId,
      options: Core.GetAttachmentOptions,
      callback: Core.Callback<Blob>,
    ): void;
    removeAttachment(
      docId: Core.DocumentId,
      attachmentId: Core.AttachmentId,
      rev: Core.RevisionId,
    ): Promise<Core.RemoveAttachmentResponse>;
    removeAttachment(
      docId: Core.DocumentId,
      attachmentId: Core.AttachmentId,
      rev: Core.RevisionId,
      callback: Core.Callback<Core.RemoveAttachmentResponse>,
    ): void;
    remove(doc: Core.RemoveDocument, options?: Core.RemoveOptions): Promise<Core.Response>;
    remove(doc: Core.RemoveDocument, callback: Core.Callback<Core.Response>): void;
    remove(doc: Core.RemoveDocument, options: Core.RemoveOptions, callback: Core.Callback<Core.Response>): void;
    remove(id: Core.DocumentId, rev: Core.RevisionId, options?: Core.Options): Promise<Core.Response>;
    remove(id: Core.DocumentId, rev: Core.RevisionId, callback: Core.Callback<Core.Response>): void;
    remove(id: Core.DocumentId, rev: Core.RevisionId, options: Core.Options, callback: Core.Callback<Core.Response>): void;

    /** Writes many documents at once; the results are in the order of the documents. */
    bulkDocs<Model>(
      docs: Core.PutDocument<Content & Model>[] | Core.BulkDocsRequest<Content & Model>,
      options?: Core.BulkDocsOptions,
    ): Promise<(Core.Response | Core.Error)[]>;
    bulkDocs<Model>(
      docs: Core.PutDocument<Content & Model>[] | Core.BulkDocsRequest<Content & Model>,
      callback: Core.Callback<(Core.Response | Core.Error)[]>,
    ): void;
    bulkDocs<Model>(
      docs: Core.PutDocument<Content & Model>[] | Core.BulkDocsRequest<Content & Model>,
      options: Core.BulkDocsOptions | null,
      callback: Core.Callback<(Core.Response | Core.Error)[]>,
    ): void;

    bulkGet<Model>(options: Core.BulkGetOptions): Promise<Core.BulkGetResponse<Content & Model>>;
    bulkGet<Model>(options: Core.BulkGetOptions, callback: Core.Callback<Core.BulkGetResponse<Content & Model>>): void;

    /** All documents, or a range of them, in the order of their ids. */
    allDocs<Model>(options: Core.AllDocsWithKeysOptions): Promise<Core.AllDocsWithKeysResponse<Content & Model>>;
    allDocs<Model>(
      options?: Core.AllDocsWithKeyOptions | Core.AllDocsWithinRangeOptions | Core.AllDocsOptions,
    ): Promise<Core.AllDocsResponse<Content & Model>>;
    allDocs<Model>(callback: Core.Callback<Core.AllDocsResponse<Content & Model>>): void;
    allDocs<Model>(
      options: Core.AllDocsWithKeyOptions | Core.AllDocsWithinRangeOptions | Core.AllDocsOptions,
      callback: Core.Callback<Core.AllDocsResponse<Content & Model>>,
    ): void;

    /** Which of the revisions are not here. */
    revsDiff(revisions: Core.RevisionDiffOptions): Promise<Core.RevisionDiffResponse>;
    revsDiff(revisions: Core.RevisionDiffOptions, callback: Core.Callback<Core.RevisionDiffResponse>): void;

    /** The documents that have conflicts, once or (with `live`) as a list that is kept up to date. Not in PouchDB. */
    conflicts(options?: Core.ConflictsOptions): Conflicts<Content>;

    /** What was changed, once or as it happens. */
    changes<Model>(options?: Core.ChangesOptions): Changes<Content & Model>;
    changes<Model>(
      options: Core.ChangesOptions | null,
      callback: Core.Callback<Core.ChangesResponse<Content & Model>>,
    ): Changes<Content & Model>;

    info(): Promise<Core.DatabaseInfo>;
    info(callback: Core.Callback<Core.DatabaseInfo>): void;
    /** Identifies the database in replications. */
    id(): Promise<string>;
    id(callback: Core.Callback<string>): void;
    /** Ends the feeds of this instance; it can't be used any more. The data stays. */
    close(): Promise<void>;
    close(callback: Core.Callback<void>): void;
    /** Deletes the data; of a remote database too. */
    destroy(options?: Core.Options | null): Promise<Core.BasicResponse>;
    destroy(callback: Core.Callback<Core.BasicResponse>): void;
    destroy(options: Core.Options | null, callback: Core.Callback<Core.BasicResponse>): void;
    /**
     * Reads everything that is stored and tells what is damaged, of a local database; also where it could not be opened for
     * that. What is not damaged stays readable.
     */
    check(): Promise<Core.CheckReport>;
    check(callback: Core.Callback<Core.CheckReport>): void;
    /** Drops the contents of all revisions but the leaves. That they were there stays known. */
    compact(options?: Core.CompactOptions): Promise<Core.BasicResponse>;
    compact(callback: Core.Callback<Core.BasicResponse>): void;
    compact(options: Core.CompactOptions, callback: Core.Callback<Core.BasicResponse>): void;
    /** Drops the contents of one document's revisions that are further than `maxHeight` generations from all leaves. */
    compactDocument(id: Core.DocumentId, maxHeight: number): Promise<void>;
    compactDocument(id: Core.DocumentId, maxHeight: number, callback: Core.Callback<void>): void;
    /**
     * Forgets a leaf with those of its ancestors upon which nothing else was made, as if it had never been. Other databases are
     * not told. Only of local databases.
     */
    purge(id: Core.DocumentId, rev: Core.RevisionId): Promise<Core.PurgeResponse>;
    purge(id: Core.DocumentId, rev: Core.RevisionId, callback: Core.Callback<Core.PurgeResponse>): void;
    /** Removes indexes that no design document asks for any longer. */
    viewCleanup(): Promise<Core.BasicResponse>;
    viewCleanup(callback: Core.Callback<Core.BasicResponse>): void;
    type(): string;
    /** Of remote databases: a request with the credentials and headers of the database. */
    fetch?: Core.Fetch | undefined;

    readonly replicate: {
      to<OtherContent extends {} = Content>(
        target: string | Database<OtherContent>,
        options?: Replication.ReplicateOptions,
        callback?: Core.Callback<Replication.ReplicationResultComplete<Content>>,
      ): Replication.Replication<Content>;
      from<OtherContent extends {} = Content>(
        source: string | Database<OtherContent>,
        options?: Replication.ReplicateOptions,
        callback?: Core.Callback<Replication.ReplicationResultComplete<Content>>,
      ): Replication.Replication<Content>;
    };

    sync<OtherContent extends {} = Content>(
      other: string | Database<OtherContent>,
      options?: Replication.SyncOptions,
      callback?: Core.Callback<Replication.SyncResultComplete<Content>>,
    ): Replication.Sync<Content>;
  }
}

export { Potoroo };
export default Potoroo;
