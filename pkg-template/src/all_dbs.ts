// Which databases there are in this browser: `Potoroo.allDbs()`.
import { databasesInMemory } from './static_events';

/**
 * The names of all databases with this prefix, sorted, in whatever storage. Those that belong to others (indexes) are left
 * out. In browsers that can't list their databases (Firefox before 126) those of IndexedDB are missing.
 */
export async function allDbs(prefix: string): Promise<string[]> {
  const names = new Set([...databasesInMemory(), ...namesInLocalStorage(), ...(await namesInIndexedDb())]);
  const known = [...names].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return known.filter((name) => !/-mrview-|-search-/.test(name)).sort();
}

async function namesInIndexedDb(): Promise<string[]> {
  try {
    const databases = (await globalThis.indexedDB?.databases?.()) ?? [];
    return databases.map(({ name = '' }) => name);
  } catch {
    // A page without an origin.
    return [];
  }
}

/** Each has a key `potoroo:NAME/root`, with `%` and `/` in names written as %25 and %2F. */
function namesInLocalStorage(): string[] {
  try {
    const keys = Object.keys(globalThis.document ? localStorage : {});
    const names = keys.flatMap((key) => /^potoroo:([^/]*)\/root$/.exec(key)?.[1] ?? []);
    return names.map((name) => name.replaceAll('%2F', '/').replaceAll('%25', '%'));
  } catch {
    return [];
  }
}
