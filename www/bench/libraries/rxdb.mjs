// What the RxDB contestant needs of RxDB, which is published as modules only: build.mjs makes one script of it.
export { createRxDatabase, getChangedDocumentsSince } from 'rxdb/plugins/core';
export { getRxStorageDexie } from 'rxdb/plugins/storage-dexie';
