// Databases of runs that were stopped or whose page was closed.

/** Names that measure.mjs makes are in the names of everything a contestant stores. */
const isOurs = (name) => /bench-[0-9a-f]{12}/.test(name ?? '');

/** Only to be called while nobody else runs the benchmark in this browser. */
export async function removeLeftovers() {
  const databases = (await indexedDB.databases?.()) ?? [];
  await Promise.all(databases.filter(({ name }) => isOurs(name)).map(({ name }) => remove(name)));
}

function remove(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
