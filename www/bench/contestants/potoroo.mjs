// Potoroo's script-tag build as it comes, with no option set but, for the other contestant, that it runs in the worker.
import { DatabaseStore } from './database.mjs';

export function makePotoroo(options) {
  return { open: (name) => new DatabaseStore(() => new globalThis.Potoroo(name, options)) };
}
