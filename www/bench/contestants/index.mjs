// Who takes part, in the order of the table's columns.
import { makeFloor } from './floor.mjs';
import { makePotoroo } from './potoroo.mjs';
import { makePouchDB } from './pouchdb.mjs';

const pouchdbScript = '/node_modules/pouchdb/dist/pouchdb.min.js';

/**
 * `scripts` are what a page needs before `make()` works. `kind` says what a column is for: the `subject` is compared with
 * the best of the `peer`s, and with the `floor`, which no database on this platform can be expected to beat.
 */
export const contestants = [
  { id: 'potoroo', title: 'Potoroo', kind: 'subject', scripts: ['/pkg/dist/potoroo.iife.js'], make: makePotoroo },
  {
    id: 'pouchdb-idb',
    title: 'PouchDB idb',
    kind: 'peer',
    scripts: [pouchdbScript],
    make: () => makePouchDB('idb'),
  },
  {
    id: 'pouchdb-indexeddb',
    title: 'PouchDB indexeddb',
    kind: 'peer',
    scripts: [pouchdbScript, '/node_modules/pouchdb/dist/pouchdb.indexeddb.min.js'],
    make: () => makePouchDB('indexeddb'),
  },
  { id: 'floor', title: 'floor', kind: 'floor', scripts: [], make: makeFloor },
];

export function findContestant(id) {
  const found = contestants.find((contestant) => contestant.id === id);
  if (!found) throw new Error(`no contestant is called ${id}`);
  return found;
}
