// Who takes part, in the order of the table's columns.
import { makeDexie } from './dexie.mjs';
import { makeFloor } from './floor.mjs';
import { makePotoroo } from './potoroo.mjs';
import { makePouchDB } from './pouchdb.mjs';
import { makeRxdb } from './rxdb.mjs';

const pouchdbScript = '/node_modules/pouchdb/dist/pouchdb.min.js';

/**
 * `scripts` are what a page needs before `make()` works; `library` is the npm package they come from. `kind` says what a column
 * is for: the `subject` is compared with the best of the `peer`s, which do the same job, with each of the `other`s, which do
 * less of it, and with the `floor`, which no database on this platform can be expected to beat. Who `replicates` takes part in
 * the rows with a server, who `keepsAttachments` in those with attachments, who `takesOver` in those with PouchDB's data. Who comes
 * `onRequest` takes part where `--contestants` names it.
 */
export const contestants = [
  {
    id: 'potoroo',
    title: 'Potoroo',
    kind: 'subject',
    library: 'potoroo',
    scripts: ['/pkg/dist/potoroo.iife.js'],
    make: () => makePotoroo(),
    replicates: true,
    keepsAttachments: true,
    takesOver: true,
  },
  {
    id: 'potoroo-worker',
    title: 'Potoroo in worker',
    kind: 'other',
    library: 'potoroo',
    scripts: ['/pkg/dist/potoroo.iife.js'],
    make: () => makePotoroo({ worker: true }),
    replicates: true,
    keepsAttachments: true,
    takesOver: true,
    onRequest: true,
  },
  {
    id: 'pouchdb-idb',
    title: 'PouchDB idb',
    kind: 'peer',
    library: 'pouchdb',
    scripts: [pouchdbScript],
    make: () => makePouchDB('idb'),
    replicates: true,
    keepsAttachments: true,
  },
  {
    id: 'pouchdb-indexeddb',
    title: 'PouchDB indexeddb',
    kind: 'peer',
    library: 'pouchdb',
    scripts: [pouchdbScript, '/node_modules/pouchdb/dist/pouchdb.indexeddb.min.js'],
    make: () => makePouchDB('indexeddb'),
    replicates: true,
    keepsAttachments: true,
  },
  {
    id: 'dexie',
    title: 'Dexie',
    kind: 'other',
    library: 'dexie',
    scripts: ['/node_modules/dexie/dist/dexie.min.js'],
    make: makeDexie,
    replicates: false,
  },
  {
    id: 'rxdb',
    title: 'RxDB on Dexie',
    kind: 'other',
    library: 'rxdb',
    scripts: ['/target/bench/rxdb.js'],
    make: makeRxdb,
    replicates: false,
  },
  { id: 'floor', title: 'floor', kind: 'floor', scripts: [], make: makeFloor, replicates: true },
];

export function findContestant(id) {
  const found = contestants.find((contestant) => contestant.id === id);
  if (!found) throw new Error(`no contestant is called ${id}`);
  return found;
}
