// The documents every contestant gets: the same ones in each run, all of one size in JSON, different from one another.

export const DOCUMENT_BYTES = 420;

/** For the rows at size. */
export const LARGE_DOCUMENT_BYTES = 1000;

/** For the rows with a server. */
export const REPLICATED_DOCUMENT_BYTES = 500;

const words = (
  'meadow river lantern copper window garden letter harbor winter market orchard signal bridge canyon ribbon timber ' +
  'violet thunder pocket island morning mirror pepper silver forest button kettle anchor marble feather shelter candle ' +
  'plain early quiet narrow bright hollow gentle sudden heavy distant open wooden broken second common gradual careful ' +
  'carry follow gather deliver repair borrow measure finish water answer travel listen remember choose deliver prepare'
).split(' ');

/** A small generator with a seed: the text must compress like text, not like one line repeated. */
export function randomFrom(seed) {
  let state = (seed + 1) * 0x9e3779b9;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

function sentence(random, length) {
  let text = '';
  while (text.length < length) text += `${words[random(words.length)]} `;
  return text.slice(0, length);
}

/** The id of the index-th document. Ids come in no order, as uuids do; the odd factor keeps them different. */
export function documentId(index) {
  return `note-${(Math.imul(index + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}`;
}

export function makeDocument(index, bytes = DOCUMENT_BYTES) {
  const random = randomFrom(index);
  const document = {
    _id: documentId(index),
    type: 'note',
    title: sentence(random, 24),
    author: words[random(words.length)],
    tags: [words[random(words.length)], words[random(words.length)]],
    done: random(2) === 1,
    position: { x: random(2000), y: random(2000) },
    created: new Date(1_700_000_000_000 + index * 61_000).toISOString(),
    text: '',
  };
  document.text = sentence(random, bytes - JSON.stringify(document).length);
  return document;
}

export function makeDocuments(count, bytes = DOCUMENT_BYTES) {
  return Array.from({ length: count }, (_, index) => makeDocument(index, bytes));
}

/** The documents of the rows with a server; with more than one revision, they come as replication carries them. */
export function makeReplicated(count, revisions) {
  const documents = makeDocuments(count, REPLICATED_DOCUMENT_BYTES);
  return revisions === 1 ? documents : documents.map((document, index) => withHistory(document, index, revisions));
}

/** Without what replication adds. */
export const plain = ({ _rev, _revisions, ...document }) => document;

/** The document with the last of so many revisions, and the others named. */
function withHistory(document, index, revisions) {
  const hash = (generation) => (index * 1000 + generation).toString(16).padStart(32, '0');
  const ids = Array.from({ length: revisions }, (_, back) => hash(revisions - back));
  return { ...document, _rev: `${revisions}-${ids[0]}`, _revisions: { start: revisions, ids } };
}

/** The same document as somebody would save it again: one member changed, one added. `rev` where there are revisions. */
export function editDocument(document, rev) {
  const edited = { ...document, done: !document.done, edited: true };
  return rev === undefined ? edited : { ...edited, _rev: rev };
}

/** A revision in CouchDB's form for whoever has to name one without a database that makes them. */
export function firstRevision(index) {
  return `1-${(index + 1).toString(16).padStart(32, '0')}`;
}

/** The list cut into slices of at most `size`. */
export function slices(list, size) {
  const parts = [];
  for (let start = 0; start < list.length; start += size) parts.push(list.slice(start, start + size));
  return parts;
}
