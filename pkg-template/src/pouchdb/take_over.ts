// Fills a database that takes the place of one of PouchDB's, before anybody uses it.
import type { Local } from 'virtual:wasm-glue';
import { readPouchDb } from './origin';
import { pieceOf } from './pieces';
import type { Mark, Piece } from './pieces';
import { deleteDatabase } from './requests';
import type { StoredDocument } from './stored';
import { noteTaken } from './taken';

/** The core, on the page or in the worker. */
type Core = Pick<Local, 'adoption_mark' | 'adopt'>;

/** A piece should have about so many characters: enough to be quick, and little to hold. */
const PIECE = 1_000_000;
const MOST_DOCUMENTS = 1000;

/** What the last handle of a name is at. */
const working = new Map<string, Promise<void>>();

/**
 * Goes on wherever it has come to, in this or another tab, until everything is there. `remove` deletes PouchDB's database then.
 *
 * Handles of one name do it one after another: for the first one it is work, and whoever comes then looks whether it is done. That one in
 * the worker looks for itself, because it hears later of what was done on the page.
 */
export async function takeOver(name: string, core: Core, remove: boolean): Promise<void> {
  const before = working.get(name);
  const work = (before ?? Promise.resolve()).catch(() => {}).then(() => fill(core, remove));
  working.set(name, work);
  try {
    await work;
  } finally {
    if (working.get(name) === work) working.delete(name);
  }
}

async function fill(core: Core, remove: boolean): Promise<void> {
  let count = 16;
  let mark = await core.adoption_mark();
  while (mark !== undefined) {
    const { from, instance } = JSON.parse(mark) as Mark;
    const { text, contents, isLast } = await nextPiece(mark, count);
    // Before the end: what is noted and not finished is gone on with all the same.
    if (isLast) await noteTaken(from, instance);
    mark = await core.adopt(text, contents);
    if (mark === undefined && remove) await deleteDatabase(from);
    count = Math.ceil(Math.min(MOST_DOCUMENTS, count * 4, (count * PIECE) / text.length));
  }
}

async function nextPiece(mark: string, count: number): Promise<Piece & { isLast: boolean }> {
  const { from, instance, seq, after } = JSON.parse(mark) as Mark;
  const found = await readPouchDb(from, async (reader) => {
    if ((await reader.instance()) !== instance) return undefined;
    const next = await reader.documentsAfter(after, count);
    if (next.length === count) return { documents: next, seq, isLast: false };
    // In the transaction of the last documents: with what has changed meanwhile, everything is of this one moment.
    const [updateSeq, changed, locals] = await Promise.all([reader.updateSeq(), reader.documentsSince(seq), reader.locals()]);
    return { documents: [...new Map([...next, ...changed, ...locals].map(withId)).values()], seq: updateSeq, isLast: true };
  });
  if (!found) {
    console.warn(`PouchDB's database ${from} has gone while it was taken over; what was read of it until then is kept`);
    return { ...(await pieceOf(mark, null, seq, [])), isLast: true };
  }
  const { documents, isLast } = found;
  const next: Mark = { from, instance, seq, after: documents.at(-1)?.id ?? after };
  return { ...(await pieceOf(mark, isLast ? null : JSON.stringify(next), found.seq, documents)), isLast };
}

const withId = (document: StoredDocument): [string, StoredDocument] => [document.id, document];
