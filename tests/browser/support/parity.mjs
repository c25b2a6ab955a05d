// The same script on PouchDB and on Potoroo: the answers must be the same.
import { expect } from '/node_modules/chai/index.js';

const libraries = { PouchDB: globalThis.PouchDB, Potoroo: globalThis.Potoroo };
let databases = 0;

/**
 * A test that runs `script` on both. It gets `{db, fresh, attempt, Library, couch, wait}`: an empty database; a function
 * that makes another one (`fresh(options)`); one that turns a rejection into a value; the class; the address of a CouchDB;
 * and one that waits for an event. What the script answers must be the same, after JSON: names of databases, random ids and
 * times must not be in it.
 */
export function same(title, script) {
  it(title, async () => {
    const theirs = await run('PouchDB', script);
    const ours = await run('Potoroo', script);
    expect(theirs, 'the script must answer something').to.not.equal(undefined);
    expect(differences(theirs, ours)).to.deep.equal([]);
  });
}

/**
 * Where the answers differ, as lines of text. Errors of ours may tell more than PouchDB's: the document they are about, and
 * the reason.
 */
export function differences(theirs, ours, path = '') {
  if (!isObject(theirs) || !isObject(ours) || Array.isArray(theirs) !== Array.isArray(ours)) {
    return Object.is(theirs, ours) ? [] : [`${path}: PouchDB ${JSON.stringify(theirs)}, Potoroo ${JSON.stringify(ours)}`];
  }
  const names = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
  if (theirs.isError && ours.isError) {
    for (const extra of ['docId', 'id', 'reason']) if (theirs[extra] === undefined) names.delete(extra);
  }
  return [...names].flatMap((name) => differences(theirs[name], ours[name], `${path}/${name}`));
}

const isObject = (value) => typeof value === 'object' && value !== null;

async function run(library, script) {
  const Library = libraries[library];
  const opened = [];
  const fresh = (options) => {
    databases += 1;
    const db = new Library(`${library.toLowerCase()}-${databases}-${Math.random().toString(36).slice(2)}`, options);
    opened.push(db);
    return db;
  };
  try {
    const answer = await script({ db: fresh(), fresh, attempt, Library, couch: globalThis.testSettings.couch, wait });
    return answer === undefined ? undefined : plain(answer);
  } finally {
    for (const db of opened) await db.destroy().catch(() => {});
  }
}

/** The outcome of a promise or of a function, as a value. */
export async function attempt(promise) {
  try {
    return { value: await (typeof promise === 'function' ? promise() : promise) };
  } catch (error) {
    return { error };
  }
}

/** The next event of that name, as the list of its arguments. */
export function wait(emitter, event) {
  return new Promise((resolve) => {
    emitter.once(event, (...args) => resolve(args));
  });
}

/** Through JSON, with the members of errors that are the library's promise. */
export function plain(value) {
  return JSON.parse(JSON.stringify(value, (_, member) => (member instanceof Error ? membersOf(member) : member)));
}

function membersOf({ status, name, message, reason, docId, id, error }) {
  return { isError: true, status, name, message, reason, docId, id, error };
}
