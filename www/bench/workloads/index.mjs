// All workloads, in the order of the table.
//
// A workload has `rows` (id and title each; what its steps time) and `steps`, which run in the page one after the other;
// between two steps the page is reloaded. A step gets `contestant`, `name` (of a database that does not exist yet), `url`
// (of a remote database, where `remote` says which) and the `state` the step before answered, and answers
// `{timings: {rowId: ms}, state}`. Whatever it made is gone when the last step ends. It throws if a result is wrong.
import { makeBatchWorkload } from './batch.mjs';
import { getWorkload, parallelPutWorkload, putWorkload, updateWorkload } from './single.mjs';
import { makeOpenWorkload } from './open.mjs';
import { makeReplicationWorkloads } from './replication.mjs';

/** How many documents the rows work on. */
export const fullSizes = { few: 200, many: 1000, large: 10_000, replicated: 5000 };

/** For trying the benchmark out; the numbers then mean nothing. */
export const quickSizes = { few: 50, many: 200, large: 1000, replicated: 500 };

/** One round before those that count, so that no contestant is measured while the browser still compiles its code. */
export function warmUpSizes(sizes) {
  return {
    ...sizes,
    large: Math.min(sizes.large, sizes.many),
    replicated: Math.min(sizes.replicated, 500),
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
  ];
}
