// A piece of PouchDB's database as the core takes it: one JSON text, and contents of attachments beside it.
import { toBase64 } from '../binary';
import { isWellFormed } from '../json';
import { attachmentsOf, isLocalId } from './stored';
import type { Body, StoredDocument } from './stored';

/** How far it has come; kept by the core, which gives the next piece only to whoever knows it. */
export interface Mark {
  /** The name of PouchDB's database in IndexedDB, and its identity. */
  from: string;
  instance: string | undefined;
  /** Its seq when it was begun. What is written after that is read at the end. */
  seq: number;
  /** The id of the last document that was taken over. */
  after: string | null;
}

export interface Piece {
  text: string;
  contents: Blob[];
}

/** Of its indexes PouchDB keeps a list, of those of Potoroo there is none yet. */
const NOT_TAKEN = '_local/_pouch_dependentDbs';

/** `after` is the mark from then on, null for the last piece. */
export async function pieceOf(before: string, after: string | null, updateSeq: number, found: StoredDocument[]): Promise<Piece> {
  const contents: Blob[] = [];
  const documents = found.filter(({ id }) => !isLocalId(id) && canBeTaken(id));
  const locals = found.filter(({ id }) => isLocalId(id) && id !== NOT_TAKEN && canBeTaken(id));
  const piece = {
    before,
    after,
    update_seq: updateSeq,
    documents: documents.map((document) => ({
      id: document.id,
      seq: document.seq,
      tree: JSON.stringify(document.tree.map(({ pos, ids }) => ({ pos, ids }))),
      revs: document.bodies.map((body) => withContents(document, body, contents)),
    })),
    locals: (await Promise.all(locals.map(localOf))).flat(),
  };
  return { text: textOf(piece), contents };
}

/** There is no text in the core with half a character in it. */
function canBeTaken(id: string): boolean {
  if (isWellFormed(id)) return true;
  console.warn(`The document ${JSON.stringify(id)} stays in PouchDB's database: its id is no Unicode`);
  return false;
}

/** Numbers that JSON does not have become texts. PouchDB has stored them, so they must not be in the way of everything else. */
function textOf(piece: object): string {
  try {
    return JSON.stringify(piece);
  } catch {
    return JSON.stringify(piece, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  }
}

function withContents({ id, contents }: StoredDocument, body: Body, beside: Blob[]): Body {
  if (body._attachments === undefined) return body;
  const attachments = attachmentsOf(body).flatMap(([name, attachment]): [string, unknown][] => {
    const content = contents.get(String(attachment.digest));
    if (!content) {
      console.warn(`The attachment ${name} of document ${id} has no content in PouchDB's database`);
      return [];
    }
    let index = beside.indexOf(content);
    if (index < 0) index = beside.push(content) - 1;
    const { content_type, revpos } = attachment;
    return [[name, { content_type, revpos, data: index }]];
  });
  const { _attachments, ...rest } = body;
  return attachments.length > 0 ? { ...rest, _attachments: Object.fromEntries(attachments) } : rest;
}

/** Of a local document there is one revision, and its attachments are part of it. */
async function localOf({ id, bodies, contents }: StoredDocument): Promise<Body[]> {
  const body = bodies.at(-1);
  if (!body || body._deleted) return [];
  const { _attachments, ...rest } = body;
  if (_attachments === undefined) return [{ ...rest, _id: id }];
  const attachments = attachmentsOf(body).map(async ([name, attachment]) => {
    const content = contents.get(String(attachment.digest));
    const { stub, ...members } = attachment;
    return [name, content ? { ...members, data: await toBase64(content) } : attachment] as const;
  });
  return [{ ...rest, _id: id, _attachments: Object.fromEntries(await Promise.all(attachments)) }];
}
