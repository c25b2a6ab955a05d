// The two sides of a replication. A database of ours takes part directly. One of whose methods somebody has replaced
// (a plugin that transforms documents, say), or of another library, takes part through its public methods; so does one in
// the worker where the replication has to be on the page.
import type { Content, Peer, PeerMethods } from 'virtual:wasm-glue';
import { binaryOf } from './attachments';
import { isOwn } from './callbacks';
import type { Change } from './changes';
import { remoteParts } from './core';
import { Database } from './database';
import type { Doc, Options } from './database';
import { errorMembers } from './errors';
import { loadWasm } from './wasm';
import { WorkerLocal } from './worker';
import type { WorkerSide } from './worker';

/** A database as far as a replication needs it: ours, PouchDB's, or anything with these methods. */
export interface ReplicationSide {
  name?: string;
  id(): Promise<unknown>;
  info(): Promise<unknown>;
  changes(options: Options): Feed;
  revsDiff(request: object): Promise<unknown>;
  bulkGet(request: Options): Promise<unknown>;
  bulkDocs(request: Options, options: Options): Promise<unknown>;
  get(id: string, options: Options): Promise<unknown>;
  put(doc: Doc): Promise<unknown>;
  getAttachment?(id: string, name: string, options: Options): Promise<unknown>;
  on?(event: string, listener: () => void): unknown;
  once?(event: string, listener: () => void): unknown;
  removeListener?(event: string, listener: () => void): unknown;
}

interface Feed extends PromiseLike<{ results: Change[]; last_seq: unknown; pending?: number }> {
  on(event: string, listener: (...args: any[]) => void): Feed;
  cancel?(): void;
}

const used = ['id', 'info', 'changes', 'revsDiff', 'bulkGet', 'bulkDocs', 'get', 'put', 'getAttachment'] as const;

export async function peerOf(side: ReplicationSide): Promise<Peer> {
  const core = ownCoreOf(side);
  if (!core) return wrap(side);
  // The public methods do not tell which contents of attachments are there.
  return core instanceof WorkerLocal ? wrap(side, { known_contents: (digests) => core.known_contents(digests) }) : core.peer();
}

/** The two sides, where the worker can replicate them without the page. */
export function sidesInWorker(source: ReplicationSide, target: ReplicationSide): [WorkerSide, WorkerSide] | undefined {
  const sides = [sideInWorker(source), sideInWorker(target)];
  const [from, to] = sides;
  return from && to && sides.some((side) => side instanceof WorkerLocal) ? [from, to] : undefined;
}

function sideInWorker(side: ReplicationSide): WorkerSide | undefined {
  const core = ownCoreOf(side);
  if (core instanceof WorkerLocal) return core;
  const db = side as Database;
  // The worker has a fetch of its own, and not what somebody put into the place of the page's.
  return core && db._remote && !db.__opts.fetch && !db.__opts.reauthenticate && isNativeFetch(globalThis.fetch) ? remoteParts(db) : undefined;
}

/** The core of an open database, unless something that a replication calls is not ours. */
function ownCoreOf(side: ReplicationSide): Database['_core'] {
  return isWhollyOwn(side) ? (side as ReplicationSide & Database)._core : undefined;
}

/** Whether it is a database of ours, with no method replaced that a replication calls. */
export function isWhollyOwn(side: ReplicationSide): boolean {
  return side instanceof Database && used.every((name) => isOwn(side[name]));
}

function isNativeFetch(function_: (...args: any[]) => unknown): boolean {
  // What bind() gives looks native as well, but for its name.
  return function_.name === 'fetch' && Function.prototype.toString.call(function_).includes('[native code]');
}

/** Another library's database says itself what it waits for. */
export function whenOpen(side: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!(side instanceof Database) || side.taskqueue.isReady) resolve();
    else side.taskqueue.addTask((failed) => (failed ? reject(failed) : resolve()));
  });
}

async function wrap(side: ReplicationSide, more?: Pick<PeerMethods, 'known_contents'>): Promise<Peer> {
  const { Peer } = await loadWasm();
  const methods: PeerMethods = {
    is_here: side instanceof Database && !side._remote,
    id: async () => String(await side.id().catch(reject)),
    info: () => answer(side.info()),
    changes: (options, signal) => answer(changesOf(side, JSON.parse(options) as Options, signal)),
    revs_diff: (request) => answer(side.revsDiff(JSON.parse(request) as object)),
    bulk_get: (request) => answer(side.bulkGet(JSON.parse(request) as Options).then(plainBulkGet)),
    bulk_docs: (docs, options, contents) => {
      const { new_edits, ...rest } = JSON.parse(options) as Options;
      const request = { docs: withContents(JSON.parse(docs) as Doc[], contents), new_edits };
      return answer(side.bulkDocs(request, rest).then(plainResults));
    },
    get_attachment: async (id, name, rev) => (await side.getAttachment!(id, name, { rev }).catch(reject)) as Content,
    get: (id, options) => answer(side.get(id, JSON.parse(options) as Options)),
    put: (doc) => answer(side.put(JSON.parse(doc) as Doc)),
    ...more,
  };
  return Peer.from_js(methods);
}

async function answer(promise: PromiseLike<unknown>): Promise<string> {
  try {
    return JSON.stringify(await promise) ?? 'null';
  } catch (error) {
    return reject(error);
  }
}

/** The core takes errors as plain objects. */
function reject(error: unknown): never {
  throw errorMembers(error);
}

/** One page; for a long poll with nothing to tell, the page that there is after the next change. */
async function changesOf(side: ReplicationSide, { feed, ...options }: Options, signal?: AbortSignal): Promise<unknown> {
  for (;;) {
    const page = await side.changes({ ...options, return_docs: true });
    if (feed !== 'longpoll' || page.results.length > 0 || signal?.aborted) return page;
    await nextChange(side, { ...options, since: page.last_seq ?? options.since }, signal);
  }
}

async function nextChange(side: ReplicationSide, options: Options, signal?: AbortSignal): Promise<void> {
  const feed = side.changes({ ...options, live: true, return_docs: false });
  const end = () => feed.cancel?.();
  feed.on('change', end);
  signal?.addEventListener('abort', end);
  await feed;
}

/** Contents in the place of their numbers, as PouchDB takes them. */
function withContents(docs: Doc[], contents: Content[]): Doc[] {
  for (const doc of contents.length > 0 ? docs : []) {
    for (const attachment of Object.values((doc._attachments ?? {}) as Record<string, Doc>)) {
      if (typeof attachment.data !== 'number') continue;
      attachment.data = binaryOf(contents[attachment.data]!, attachment.content_type);
    }
  }
  return docs;
}

function plainBulkGet(answer: unknown): unknown {
  const { results, ...rest } = answer as { results: { id: string; docs: Doc[] }[] };
  const plain = results.map(({ docs, ...result }) => ({
    ...result,
    docs: docs.map((doc) => (doc.error ? { ...doc, error: errorMembers(doc.error) } : doc)),
  }));
  return { ...rest, results: plain };
}

function plainResults(results: unknown): unknown {
  return (results as Doc[]).map((result) => (result.error ? errorMembers(result) : result));
}
