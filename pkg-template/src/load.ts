// Reads what dump() has written, or pouchdb-dump, line by line: what it takes of the memory is a line and a batch.
import { uuid } from './active_tasks';
import { method } from './callbacks';
import type { Database, Doc, Options } from './database';
import { BAD_REQUEST, createError, toError } from './errors';
import { encodeOptions } from './json';
import { open } from './replicate';
import { loadWasm } from './wasm';

type Chunk = string | Uint8Array;

/** An address, the dump's text, or what holds or gives its bytes; streams of Node are iterated. */
type Source = string | Blob | Response | ReadableStream<Chunk> | AsyncIterable<Chunk>;

export interface LoadResult {
  ok: boolean;
  docs_read: number;
  doc_write_failures: number;
  errors: unknown[];
  last_seq: unknown;
}

/** A batch is written when it has so many documents, or letters: as much as fits into a request that proxies let pass. */
const DOCUMENTS = 500;
const LETTERS = 800_000;

export const loadMethods = {
  /** load(source, [options]). Loading twice does no harm. */
  load: method('load', async function (source: Source, options?: Options): Promise<LoadResult> {
    const result: LoadResult = { ok: true, docs_read: 0, doc_write_failures: 0, errors: [], last_seq: 0 };
    let docs: Doc[] = [];
    let letters = 0;
    const write = async () => {
      if (docs.length === 0) return;
      // Only what was refused is answered.
      const refused = (await this.bulkDocs({ docs, new_edits: false })) as unknown[];
      result.docs_read += docs.length;
      result.doc_write_failures += refused.length;
      result.errors.push(...refused);
      [docs, letters] = [[], 0];
    };
    let number = 0;
    for await (const line of lines(chunks(this, source, options))) {
      number += 1;
      if (!line.trim()) continue;
      const entry = parse(line, number);
      if (Array.isArray(entry.docs)) docs.push(...(entry.docs as Doc[]));
      if (entry.seq) result.last_seq = entry.seq;
      letters += line.length;
      if (docs.length >= DOCUMENTS || letters >= LETTERS) await write();
    }
    await write();
    result.ok = result.errors.length === 0;
    if (options?.proxy) await writeCheckpoint(this, result.last_seq, options);
    return result;
  }),
};

function parse(line: string, number: number): Doc {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === 'object' && entry !== null) return entry as Doc;
  } catch {
    // The same as any other line that is none.
  }
  throw createError(BAD_REQUEST, `line ${number} of the dump is no JSON object`);
}

async function* chunks(db: Database, source: Source, options: Options | undefined): AsyncIterable<Chunk> {
  if (typeof source === 'string' && /^\s*\{/.test(source)) yield source;
  else if (typeof source === 'string') yield* read(await fetched(db, source, options));
  else if (source instanceof Blob) yield* read(source.stream());
  else if (source instanceof Response) yield* read(source.body);
  else if (source instanceof ReadableStream) yield* read(source);
  else yield* source;
}

async function fetched(db: Database, url: string, options: Options | undefined): Promise<ReadableStream<Chunk> | null> {
  const { headers } = (options?.ajax ?? {}) as { headers?: Record<string, string> };
  const answer = await db.constructor.fetch(url, { headers });
  if (!answer.ok) throw toError({ status: answer.status, name: 'unknown_error', message: `${url}: ${answer.statusText}` });
  return answer.body;
}

/** Not all browsers can iterate a stream. */
async function* read(stream: ReadableStream<Chunk> | null): AsyncIterable<Chunk> {
  const reader = stream?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return;
    yield value;
  }
}

async function* lines(chunks: AsyncIterable<Chunk>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  for await (const chunk of chunks) {
    const [rest = '', ...further] = (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })).split('\n');
    begun.push(rest);
    for (const next of further) {
      yield begun.join('');
      begun = [next];
    }
  }
  yield begun.join('') + decoder.decode();
}

/** Has a replication from the database that was dumped begin where the dump ends. */
async function writeCheckpoint(db: Database, seq: unknown, { proxy, ...options }: Options): Promise<void> {
  const source = open(proxy, db.constructor, options) as Database;
  const { replication_id } = await loadWasm();
  const request = encodeOptions(options, { others: ['filter', 'view', 'query_params', 'doc_ids', 'selector'] });
  const id = replication_id(String(await source.id()), String(await db.id()), request);
  const session = uuid();
  for (const side of [db, source]) {
    const known = ((await side.get(id).catch(() => ({}))) ?? {}) as Doc & { history?: unknown[] };
    const history = [{ last_seq: seq, session_id: session }, ...(known.history ?? [])].slice(0, 5);
    const checkpoint = { ...known, _id: id, session_id: session, last_seq: seq, history, replicator: 'pouchdb', version: 1 };
    try {
      await side.put(checkpoint);
    } catch (error) {
      // One who may only read keeps checkpoints on this side alone.
      const { status } = error as { status?: number };
      if (side === db || (status !== 401 && status !== 403)) throw error;
    }
  }
}
