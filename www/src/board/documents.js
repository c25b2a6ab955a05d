// What is in the database: one document per note and per column, told apart by their ids.

export const colors = ['straw', 'leaf', 'sky', 'clay', 'stone'];

/**
 * The columns of a new board. Every browser that starts empty writes exactly these documents: equal documents get equal
 * revisions, so they meet in the server as one and cause no conflict.
 */
export const firstColumns = [
  { _id: 'column:ideas', title: 'Ideas', position: 'F' },
  { _id: 'column:doing', title: 'Doing', position: 'V' },
  { _id: 'column:done', title: 'Done', position: 'k' },
];

export const isCard = (id) => id.startsWith('card:');
export const isColumn = (id) => id.startsWith('column:');

export function newCardId() {
  return `card:${Date.now().toString(36)}-${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
}

export function newColumnId() {
  return newCardId().replace('card:', 'column:');
}

/** The first line of a note, short enough for a sentence about it. */
export function headline(card) {
  const line = (card?.text ?? '').trim().split('\n')[0].trim();
  if (line === '') return 'a note without words';
  return line.length > 48 ? line.slice(0, 47).trimEnd() + '…' : line;
}

/** A document as the database gave it, without what the database added. */
export function contentOf(doc) {
  const { _rev, _conflicts, ...content } = doc;
  return content;
}
