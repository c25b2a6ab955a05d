// Potoroo's script-tag build as it comes, no option set.
import { DatabaseStore } from './database.mjs';

export function makePotoroo() {
  return { open: (name) => new DatabaseStore(() => new globalThis.Potoroo(name)) };
}
