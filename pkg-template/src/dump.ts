// A database as text, a line of JSON after the other, in the format of pouchdb-replication-stream and pouchdb-dump: a header,
// then batches of documents with their history, each followed by how far that goes.
import { method } from './callbacks';
import type { Change } from './changes';
import type { Database, Doc, Options } from './database';
import { clone } from './json';
import { version } from './version';

/** Where lines go. Resolves when the next one may come. */
interface Output {
  write(line: string): unknown;
  close(): unknown;
}

/** A stream of the web, or of Node. */
type Target = WritableStream<Uint8Array> | NodeWritable;

interface NodeWritable {
  write(chunk: string, callback: (error?: Error | null) => void): unknown;
  end(callback: () => void): unknown;
}

/** Documents at once; what a dump takes of the memory is a batch. */
const BATCH_SIZE = 100;

export const dumpMethods = {
  /** dump([target], [options]): writes to a stream and closes it, or answers with a Blob. */
  dump: method('dump', async function (...args: unknown[]) {
    const [target, options] = isTarget(args[0]) ? [args[0], args[1]] : [undefined, args[0]];
    if (target) {
      await dump(this, outputTo(target), { ...(options as Options | undefined) });
      return { ok: true };
    }
    const parts: Blob[] = [];
    await dump(this, { write: (line) => parts.push(new Blob([line])), close() {} }, { ...(options as Options | undefined) });
    return new Blob(parts, { type: 'application/x-ndjson' });
  }),
};

async function dump(db: Database, output: Output, options: Options): Promise<void> {
  const { filter, doc_ids, query_params, view, selector } = options;
  const batchSize = Number(options.batch_size) || BATCH_SIZE;
  const line = (value: unknown) => output.write(`${JSON.stringify(value)}\n`);
  await line({ version, db_type: db.type(), start_time: new Date().toJSON(), db_info: await db.info() });
  let since: unknown = options.since || 0;
  for (;;) {
    const page = (await db.changes(
      clone({ since, limit: batchSize, style: 'all_docs', filter, doc_ids, query_params, view, selector, return_docs: true }),
    )) as { results: Change[]; last_seq: unknown };
    const docs = await documentsOf(db, page.results);
    if (docs.length > 0) await line({ docs });
    // A function sees rows that count and may let none of them pass.
    const isLast = typeof filter === 'function' ? page.last_seq === since : page.results.length < batchSize;
    since = page.last_seq;
    if (isLast || docs.length > 0) await line({ seq: since });
    if (isLast) break;
  }
  await output.close();
}

/** All leaves with their history and their attachments. What has been compacted meanwhile is not there. */
async function documentsOf(db: Database, changes: Change[]): Promise<Doc[]> {
  if (changes.length === 0) return [];
  const wanted = changes.flatMap(({ id, changes }) => changes.map(({ rev }) => ({ id, rev })));
  const { results } = (await db.bulkGet({ docs: wanted, revs: true, attachments: true })) as { results: { docs: Doc[] }[] };
  return results.flatMap(({ docs }) => docs.flatMap(({ ok }): Doc[] => (ok ? [ok as Doc] : [])));
}

function isTarget(candidate: unknown): candidate is Target {
  const { write, getWriter } = (candidate ?? {}) as Record<string, unknown>;
  return typeof write === 'function' || typeof getWriter === 'function';
}

function outputTo(target: Target): Output {
  if ('getWriter' in target) {
    const writer = target.getWriter();
    const encoder = new TextEncoder();
    return { write: (line) => writer.write(encoder.encode(line)), close: () => writer.close() };
  }
  return {
    write: (line) =>
      new Promise<void>((resolve, reject) => target.write(line, (error) => (error ? reject(error) : resolve()))),
    close: () => new Promise<void>((resolve) => target.end(resolve)),
  };
}
