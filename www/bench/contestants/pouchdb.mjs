// PouchDB's own builds; the adapter is the only option set, but in the rows that say so.
import { DatabaseStore } from './database.mjs';

export function makePouchDB(adapter) {
  return {
    open: (name) => new DatabaseStore(() => new globalThis.PouchDB(name, { adapter })),
    // The first advice given to whoever finds its replication slow.
    tuned: { batch_size: 1000 },
  };
}
