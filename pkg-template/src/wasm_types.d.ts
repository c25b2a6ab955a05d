// The Rust core as the facade sees it: what src/js exports through wasm-bindgen. Documents and options cross as one JSON
// text per call and direction; a rejection is a plain object of an error's members, see errors.ts.

declare module 'virtual:wasm-glue' {
  /** What the core can be compiled from. */
  export type WasmInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

  export default function initialize(module: WebAssembly.Module): Promise<unknown>;
  export function compile(input: WasmInput | Promise<WasmInput>): Promise<WebAssembly.Module>;

  /** The content of an attachment. */
  export type Content = Blob | Uint8Array;

  /** A JSON text; with `attachments` and `binary`, followed by the contents that have their index in it as `data`. */
  export type Answer = string | [text: string, ...contents: Content[]];

  /** What a database in this browser and one behind HTTP have in common. */
  interface Core {
    get(id: string, options: string): Promise<Answer>;
    bulk_get(request: string): Promise<Answer>;
    bulk_docs(docs: string, options: string): Promise<string>;
    all_docs(options: string): Promise<Answer>;
    revs_diff(request: string): Promise<string>;
    info(): Promise<string>;
    id(): Promise<string>;
    close(): Promise<void>;
    destroy(): Promise<void>;
    peer(): Peer;
    free(): void;
  }

  /** One handle on a database in this browser; handles of one name in one page share an engine. */
  export class Local implements Core {
    private constructor();
    /**
     * `origin` is called where there is no such database in IndexedDB yet: it may give an identity that the new one is to have, and
     * the mark of one that is to be filled.
     */
    static open(
      name: string,
      options: string,
      origin?: () => Promise<[instance: string | undefined, mark: string] | undefined>,
    ): Promise<Local>;
    readonly adapter: string;
    get(id: string, options: string): Promise<Answer>;
    /** A content and its type. */
    get_attachment(id: string, name: string, options: string): Promise<[Content, string | undefined]>;
    bulk_get(request: string): Promise<Answer>;
    /** Attachments that have a number as `data` have the content with that index. */
    bulk_docs(docs: string, options: string, contents?: Content[]): Promise<string>;
    /** How far the filling of a database has come that takes the place of another; undefined where it is whole. */
    adoption_mark(): Promise<string | undefined>;
    /** Fills it further, and answers the mark from then on: with what it was, where that was not the one that the piece follows. */
    adopt(piece: string, contents?: Content[]): Promise<string | undefined>;
    all_docs(options: string): Promise<Answer>;
    /** One page of changes. */
    changes(options: string): Promise<Answer>;
    /** One page of documents with conflicts. */
    conflicts(options: string): Promise<string>;
    revs_diff(request: string): Promise<string>;
    /** Which of these contents of attachments it has: JSON arrays of digests. */
    known_contents(digests: string): Promise<string>;
    /** Where a compaction begins: `{last_seq, until, changes}`. */
    begin_compaction(): Promise<string>;
    /** Does the next piece of one, and answers where it stands then. It is over when `last_seq` has come to `until`. */
    compact_further(step: string): Promise<string>;
    compact_document(id: string, maxHeight: number): Promise<void>;
    purge(id: string, rev: string): Promise<string>;
    info(): Promise<string>;
    id(): Promise<string>;
    /** Reads everything that is stored, and tells what is wrong with it. */
    check(): Promise<string>;
    /** The same of a database that cannot be opened. */
    static check_unopened(name: string, options: string): Promise<string>;
    /** Removes a database that cannot be opened. */
    static destroy_unopened(name: string, options: string): Promise<void>;
    /** Applies what other tabs have committed, where their notice may have been lost. */
    refresh(): Promise<void>;
    /**
     * Lets go of channels and locks while the page sleeps, and with `still`, where nothing of the page runs from now on, of
     * connections. `resume`, and what reads or writes, takes them up again.
     */
    suspend(still: boolean): void;
    /** Gives up what the browser does not answer because the page slept, and applies what other tabs have committed. */
    resume(): Promise<void>;
    /** 'change' comes after each commit, of this or another tab. One callback per handle. */
    on_event(callback: (name: 'change' | 'destroyed' | 'closed', updateSeq?: number) => void): void;
    close(): Promise<void>;
    destroy(): Promise<void>;
    peer(): Peer;
    free(): void;
  }

  /** A database behind HTTP. Every method first makes sure that the database is there, unless told to skip that. */
  export class Remote implements Core {
    constructor(
      url: string,
      options: string,
      fetch?: (url: string, init: RequestInit) => Promise<Response>,
      reauthenticate?: (refusal: unknown) => unknown,
    );
    /** Without credentials and without a slash at the end. */
    readonly url: string;
    /** JSON of the headers that every request carries. */
    fetch_headers(): string;
    /** How often the credentials were renewed. */
    readonly renewals: number;
    /** Whether a request with these headers that was refused with 401 is worth sending again. */
    renew(renewals: number): Promise<boolean>;
    setup(): Promise<void>;
    /** Any other request in the database, with a body of JSON. */
    request(method: string, path: string, body?: string): Promise<string>;
    get(id: string, options: string): Promise<string>;
    put(doc: string, options: string): Promise<string>;
    bulk_get(request: string): Promise<string>;
    bulk_docs(docs: string, options: string): Promise<string>;
    all_docs(options: string): Promise<string>;
    feed(): RemoteFeed;
    revs_diff(request: string): Promise<string>;
    info(): Promise<string>;
    id(): Promise<string>;
    compact(): Promise<void>;
    close(): Promise<void>;
    destroy(): Promise<void>;
    peer(): Peer;
    free(): void;
  }

  /** A changes feed; what it keeps open ends when it is freed. */
  export interface RemoteFeed {
    /** The next page; with the feed 'longpoll' when there is something. */
    page(options: string, signal?: AbortSignal): Promise<string>;
    free(): void;
  }

  /** The methods a replication needs of a database that is not the core's own. */
  export interface PeerMethods {
    /** Whether it is a database of ours in this browser. */
    is_here: boolean;
    id(): Promise<string>;
    info(): Promise<string>;
    /** One page; with the feed 'longpoll' when there is one. Aborted when nobody waits for it any longer. */
    changes(options: string, signal?: AbortSignal): Promise<string>;
    revs_diff(request: string): Promise<string>;
    bulk_get(request: string): Promise<string>;
    /** Contents have their index as `data` in the documents. */
    bulk_docs(docs: string, options: string, contents: Content[]): Promise<string>;
    get(id: string, options: string): Promise<string>;
    put(doc: string): Promise<string>;
    get_attachment(id: string, name: string, rev: string): Promise<Content>;
    /** As of {@link Local}; without, all contents are given. */
    known_contents?(digests: string): Promise<string>;
  }

  /** One side of a replication. */
  export class Peer {
    private constructor();
    static from_js(methods: PeerMethods): Peer;
    free(): void;
  }

  /** Under which id a replication between these databases keeps its checkpoints. */
  export function replication_id(source: string, target: string, options: string): string;

  export interface ReplicationHooks {
    /** Which rows of a page (JSON array of changes with documents) are to be replicated. */
    filter?: (rows: string) => boolean[];
    /** The next pause in milliseconds after the previous one. */
    back_off?: (previous: number) => number;
    /** Whether somebody listens: without, 'change' comes without documents and 'checkpoint' not at all, which is less work. */
    wants?: (event: string) => boolean;
  }

  export class Replication {
    constructor(
      source: Peer,
      target: Peer,
      options: string,
      hooks: ReplicationHooks,
      /** The payload is JSON text; that of 'checkpoint' is a list of payloads. */
      onEvent: (name: string, payload?: string) => void,
    );
    cancel(): void;
    /** Ends a pause between two tries at once. */
    wake(): void;
    /** Ends it at once, and tells nothing more. */
    halt(): void;
    free(): void;
  }
}

declare module 'virtual:wasm-base64' {
  const base64: string;
  export default base64;
}

/** What wasm-bindgen has written; the same classes, without the way from bytes to a module. */
declare module 'virtual:wasm-bindgen' {
  export { Local, Remote, Replication } from 'virtual:wasm-glue';
  export function initSync(input: { module: WebAssembly.Module }): unknown;
}

/** The bundle of worker/server.ts as text. */
declare module 'virtual:worker-script' {
  const script: string;
  export default script;
}
