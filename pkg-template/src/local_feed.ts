// Reads the changes of a database in this browser, page by page, and waits for more where the feed is live.
import type { Local } from 'virtual:wasm-glue';
import { readAnswer } from './attachments';
import type { Change, ChangesResult, Sink } from './changes';
import { core, read } from './core';
import type { Options } from './database';
import { toError } from './errors';
import type { RowFilter } from './filters';
import { encodeOptions } from './json';
import type { KnownOptions } from './json';

interface Page {
  results: Change[];
  last_seq: number;
  pending: number;
}

/** Large enough that a page's cost is its rows', small enough that no page holds up the browser for long. */
const PAGE_SIZE = 2000;
/** The contents of attachments are in memory together. */
const PAGE_SIZE_WITH_ATTACHMENTS = 20;

const pageSize = ({ include_docs, attachments }: Options) =>
  include_docs && attachments ? PAGE_SIZE_WITH_ATTACHMENTS : PAGE_SIZE;

const known: KnownOptions = {
  flags: ['descending', 'include_docs', 'conflicts', 'attachments', 'binary'],
  numbers: ['limit'],
  others: ['since', 'style', 'doc_ids'],
};

export function readLocal(sink: Sink, filter: RowFilter | undefined): Promise<ChangesResult> {
  return sink.options.continuous ? readLive(sink, filter) : readOnce(sink, filter);
}

async function readOnce(sink: Sink, filter: RowFilter | undefined): Promise<ChangesResult> {
  const { options } = sink;
  const results: Change[] = [];
  let left = typeof options.limit === 'number' && options.limit >= 0 ? options.limit : Infinity;
  let since = options.since;
  for (;;) {
    // Pages follow each other upwards only.
    const limit = options.descending ? (filter ? Infinity : left) : filter ? pageSize(options) : Math.min(left, pageSize(options));
    const page = await readPage(sink, filter, { since, limit, descending: options.descending });
    for (const change of page.results) {
      if (sink.cancelled) return { status: 'cancelled' };
      if (!passes(change, sink, filter)) continue;
      if (options.return_docs) results.push(change);
      sink.emitChange(change);
      left -= 1;
      if (left === 0) return { results, last_seq: change.seq };
    }
    since = page.last_seq;
    if (page.results.length < limit) return { results, last_seq: page.last_seq };
  }
}

/** Each change once and in order: a page starts where the last one ended, and another is read after each commit. */
async function readLive(sink: Sink, filter: RowFilter | undefined): Promise<ChangesResult> {
  let { since } = sink.options;
  let hasNews = true;
  let atOnce = false;
  let wake = () => {};
  const onCommit = (updateSeq?: number) => {
    if (updateSeq !== undefined && typeof since === 'number' && updateSeq <= since) return;
    hasNews = true;
    wake();
  };
  sink.db._watchers.add(onCommit);
  sink.signal.addEventListener('abort', () => wake());
  try {
    while (!sink.cancelled) {
      if (!hasNews) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      hasNews = false;
      const page = await readPage(sink, filter, { since, limit: pageSize(sink.options), atOnce });
      atOnce = true;
      for (const change of page.results) {
        if (sink.cancelled) break;
        if (passes(change, sink, filter)) sink.emitChange(change);
      }
      since = page.last_seq;
      if (page.results.length === pageSize(sink.options)) hasNews = true;
    }
    return { status: 'cancelled' };
  } finally {
    sink.db._watchers.delete(onCommit);
  }
}

interface Range {
  since: unknown;
  limit: number;
  descending?: unknown;
  /** The feed has begun: what is being written now comes with a later page. */
  atOnce?: boolean;
}

async function readPage({ db, options }: Sink, filter: RowFilter | undefined, range: Range): Promise<Page> {
  const { since, limit, descending, atOnce } = range;
  const ask = (request: string) => (core(db) as Local).changes(request);
  const request = {
    ...options,
    since,
    descending,
    limit: limit === Infinity ? undefined : limit,
    include_docs: options.include_docs || filter !== undefined,
    attachments: options.include_docs && options.attachments,
  };
  const encoded = encodeOptions(request, known);
  try {
    const answer = await (atOnce ? ask(encoded) : read(db, () => ask(encoded)));
    return readAnswer(answer, (page: Page) => page.results.map(({ doc }) => doc));
  } catch (error) {
    throw toError(error);
  }
}

/** Whether the row is the feed's; takes the document out that only the filter needed. */
function passes(change: Change, sink: Sink, filter: RowFilter | undefined): boolean {
  if (!filter) return true;
  if (!filter(change.doc)) return false;
  if (!sink.options.include_docs) delete change.doc;
  return true;
}
