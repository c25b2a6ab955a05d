// Reads the changes of a remote database, page after page; where the feed is live, each when there is something.
import type { Remote } from 'virtual:wasm-glue';
import type { Change, ChangesResult, Sink } from './changes';
import { core } from './core';
import type { FilterFunction } from './evaluate';
import { guarded } from './filters';
import { encodeOptions } from './json';
import type { KnownOptions } from './json';
import { decodeAttachments } from './remote_attachments';

interface Page {
  results: Change[];
  last_seq: number | string;
  pending?: number;
}

const DEFAULT_BATCH_SIZE = 1000;

const known: KnownOptions = {
  flags: ['descending', 'include_docs', 'attachments', 'conflicts', 'update_seq'],
  numbers: ['limit', 'seq_interval'],
  others: ['since', 'style', 'doc_ids', 'feed', 'heartbeat', 'timeout', 'filter', 'view', 'query_params', 'selector'],
};

export async function readRemote(sink: Sink): Promise<ChangesResult> {
  const { options } = sink;
  const filter = typeof options.filter === 'function' ? guarded(options.filter as FilterFunction, options.query_params) : undefined;
  const limit = typeof options.limit === 'number' ? options.limit : undefined;
  const batchSize = Number(options.batch_size) || DEFAULT_BATCH_SIZE;
  const request: Record<string, unknown> = { ...options };
  if (filter) request.include_docs = true;
  if (options.continuous) request.feed = 'longpoll';

  const results: Change[] = [];
  let left = limit ?? Infinity;
  const feed = (core(sink.db) as Remote).feed();
  try {
    for (;;) {
      // A feed that goes backwards can't be continued, so it is one request.
      request.limit = options.descending ? limit : Math.min(left, batchSize);
      const text = await feed.page(encodeOptions(request, known), sink.signal);
      const page = JSON.parse(text) as Page;
      for (const change of page.results) {
        if (sink.cancelled) return { status: 'cancelled' };
        left -= 1;
        if (filter && !filter(change.doc)) continue;
        if (!options.include_docs) delete change.doc;
        else if (options.attachments && options.binary) decodeAttachments(change.doc);
        if (sink.outgoing) await sink.outgoing(change);
        if (options.return_docs) results.push(change);
        sink.emitChange(change, page.pending, page.last_seq);
      }
      if (sink.cancelled) return { status: 'cancelled' };
      const finished = left <= 0 || options.descending || (!options.continuous && page.results.length < batchSize);
      if (finished) return { results, last_seq: page.last_seq };
      request.since = page.last_seq ?? request.since;
    }
  } finally {
    feed.free();
  }
}
