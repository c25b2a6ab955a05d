// IndexedDB's requests as promises. Within a transaction nothing else may be awaited: it would end.

export function answerOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as DOMException);
  });
}

/** Opens a database that is there, as it is; undefined if there is none. Whoever wants to upgrade or delete it can. */
export async function openExisting(name: string): Promise<IDBDatabase | undefined> {
  if (!(await mayExist(name))) return undefined;
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    let isNew = false;
    request.onupgradeneeded = () => {
      isNew = true;
      request.transaction!.abort();
    };
    request.onsuccess = () => {
      const database = request.result;
      database.onversionchange = () => database.close();
      resolve(database);
    };
    request.onerror = () => (isNew ? resolve(undefined) : reject(request.error as DOMException));
  });
}

/** A look at the list spares the making of a database that is given up again. Some browsers have none, or not for this page. */
async function mayExist(name: string): Promise<boolean> {
  try {
    return (await indexedDB.databases()).some((database) => database.name === name);
  } catch {
    return true;
  }
}

/** Resolves when it is gone, or as soon as it is known that a script elsewhere keeps it open: it goes with that one then. */
export function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onblocked = () => resolve();
    request.onerror = () => reject(request.error as DOMException);
  });
}
