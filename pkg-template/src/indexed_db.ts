// What the facade itself knows of IndexedDB.

export const isIndexedDb = (adapter: string): boolean => adapter === 'idb' || adapter === 'indexeddb';

let isAwake = false;

/**
 * Has the browser open its files for this origin while the module is compiled: 5 to 20 ms in Chromium, the first time in a
 * page. The answer is of no interest.
 */
export function wakeIndexedDb(): void {
  if (isAwake) return;
  isAwake = true;
  try {
    // Throws where the page may store nothing: asked for databases there, Chromium reports an error that nobody can catch.
    if (!globalThis.localStorage) return;
    void indexedDB.databases().catch(() => {});
  } catch {
    // No IndexedDB, or none for this page: that shows at the opening.
  }
}
