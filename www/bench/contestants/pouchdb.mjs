// PouchDB's own builds; the adapter is the only option set.
import { DatabaseStore } from './database.mjs';

export function makePouchDB(adapter) {
  return { open: (name) => new DatabaseStore(() => new globalThis.PouchDB(name, { adapter })) };
}
