// IndexedDB's requests and transactions as promises, for the contestants that have nothing else.

export function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Puts `[value, key]` entries in a transaction of their own; resolves once the transaction is complete. */
export function written(db, storeName, entries) {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(storeName, 'readwrite');
    const store = transaction.objectStore(storeName);
    for (const [value, key] of entries) store.put(value, key);
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
    transaction.commit();
  });
}

export function deleteDatabase(name) {
  return settled(indexedDB.deleteDatabase(name));
}
