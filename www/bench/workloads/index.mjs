// All workloads, in the order of the table.
//
// A workload has `rows` (id and title each; what its steps measure) and `steps`, which run in the page one after the other;
// between two steps the page is reloaded. A step gets `contestant`, `name` (of a database that does not exist yet), `load` (of scripts that are
// not the contestant's), `url`
// (of a remote database, where `remote` says which) and the `state` the step before answered, and answers
// `{measured: {rowId: value}, state}`. A value is a number in the row's `unit` (ms unless it has one: 'bytes', 'count', or
// 'task', the ms of a task that is noticed from 50 ms on), a list of numbers, or null where there was nothing to measure; what
// several steps measured for a row are its samples. Whatever it made is gone when the last step ends. It throws if a result is
// wrong.
//
// Workloads with `attachments` are for those who keep some, those with `takeover` for those who open what PouchDB has left behind.
// Of those with a `remote`, `contents` is what there is to pull, and `wireRow` a row for the bytes that came and went.
// The report has a part for each `group`; 'size' and 'replication' are run when they are asked for. A workload with `ownOrigin` has a new origin for
// each contestant and round where that is possible; then its steps get `alone`, and what the browser counts for the origin is
// what one of them stores.
import { makeAttachmentsWorkload } from './attachments.mjs';
import { makeBatchWorkload } from './batch.mjs';
import { getWorkload, parallelPutWorkload, putWorkload, updateWorkload } from './single.mjs';
import { makeOpenWorkload } from './open.mjs';
import { makeReplicatedAttachmentsWorkloads } from './replicated-attachments.mjs';
import { makeReplicationWorkloads } from './replication.mjs';
import { makeSizeWorkload } from './size.mjs';
import { makeTakeoverWorkload } from './takeover.mjs';

/**
 * How many documents the rows work on, the ms of `pause` that the rows at size give the browser to settle its files, and how many
 * attachments there are of how many bytes.
 */
export const fullSizes = {
  ...{ few: 200, many: 1000, large: 10_000, size: 100_000, pause: 1000 },
  ...{ replicated: 5000, replicatedMany: 50_000, replicatedHistory: 1000, edits: 500 },
  ...{ attachments: 20, attachmentBytes: 10_000_000 },
};

/** For trying the benchmark out; the numbers then mean nothing. */
export const quickSizes = {
  ...{ few: 50, many: 200, large: 1000, size: 2000, pause: 100 },
  ...{ replicated: 500, replicatedMany: 1000, replicatedHistory: 100, edits: 20 },
  ...{ attachments: 3, attachmentBytes: 1_000_000 },
};

/** One round before those that count, so that no contestant is measured while the browser still compiles its code. */
export function warmUpSizes(sizes) {
  return {
    ...sizes,
    large: Math.min(sizes.large, sizes.many),
    replicated: Math.min(sizes.replicated, 500),
    replicatedMany: Math.min(sizes.replicatedMany, 500),
    replicatedHistory: Math.min(sizes.replicatedHistory, 100),
    edits: Math.min(sizes.edits, 10),
    size: Math.min(sizes.size, 1000),
    pause: Math.min(sizes.pause, 100),
    attachments: Math.min(sizes.attachments, 2),
    attachmentBytes: Math.min(sizes.attachmentBytes, 1_000_000),
  };
}

export function makeWorkloads(sizes) {
  return [
    makeBatchWorkload('batch', sizes.many),
    makeBatchWorkload('batch-large', sizes.large),
    updateWorkload(sizes),
    putWorkload(sizes),
    parallelPutWorkload(sizes),
    getWorkload(sizes),
    makeOpenWorkload(sizes),
    ...makeReplicationWorkloads(sizes),
    makeSizeWorkload(sizes),
    makeAttachmentsWorkload(sizes),
    ...makeReplicatedAttachmentsWorkloads(sizes),
    makeTakeoverWorkload(sizes),
  ];
}
