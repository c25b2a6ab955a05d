// Attachments of a remote database: bytes go to the server and come from it as they are, and only where PouchDB's API has
// base64 they become that.
import { fromBase64, isBinary, toBase64, toBlob } from './binary';
import type { Database, Doc } from './database';
import { BAD_ARGUMENT, createError, toError } from './errors';
import { encodeDocId } from './remote';

type Attachments = Record<string, Doc>;

/** Requests for attachments at once; browsers have six connections to a server, and a feed may hold one. */
const AT_ONCE = 5;

/** putAttachment(docId, name, [rev], content, type) */
export async function putAttachment(db: Database, id: string, name: string, rev: string | null | undefined, content: unknown, type: string): Promise<unknown> {
  const body = isBinary(content) ? toBlob(content, type) : decode(String(content), type);
  const answer = await db.fetch!(pathOf(id, name, rev), { method: 'PUT', headers: { 'content-type': type, accept: 'application/json' }, body });
  return json(answer);
}

export async function getAttachment(db: Database, id: string, name: string, rev?: unknown): Promise<Blob> {
  const answer = await db.fetch!(pathOf(id, name, rev));
  if (!answer.ok) {
    const again = answer.clone();
    await json(answer).catch((error: Error) => {
      // PouchDB rejects with the Response, of which applications read what the server says.
      throw Object.defineProperty(error, 'json', { value: () => again.json() });
    });
  }
  return answer.blob();
}

export async function removeAttachment(db: Database, id: string, name: string, rev: unknown): Promise<unknown> {
  return json(await db.fetch!(pathOf(id, name, rev), { method: 'DELETE', headers: { accept: 'application/json' } }));
}

/** Puts the bytes of a document's attachments (or of those in the list that `open_revs` gives) where the stubs are. */
export async function fetchAttachments(db: Database, answer: unknown, binary: boolean): Promise<void> {
  const docs = Array.isArray(answer) ? (answer as { ok?: Doc }[]).map(({ ok }) => ok ?? {}) : [answer as Doc];
  const wanted = docs.flatMap((doc) =>
    Object.entries((doc._attachments ?? {}) as Attachments).map(([name, attachment]) => async () => {
      const blob = await getAttachment(db, String(doc._id), name, doc._rev);
      attachment.data = binary ? toBlob(blob, String(attachment.content_type)) : await toBase64(blob);
      delete attachment.stub;
      delete attachment.length;
    }),
  );
  // Each takes the next one that is left.
  const take = async () => {
    for (let next = wanted.shift(); next; next = wanted.shift()) await next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
}

/** Turns the base64 that a server has put into its answer into Blobs. */
export function decodeAttachments(doc: unknown): void {
  for (const attachment of Object.values(((doc as Doc | null | undefined)?._attachments ?? {}) as Attachments)) {
    if (typeof attachment.data === 'string') attachment.data = fromBase64(attachment.data, String(attachment.content_type));
  }
}

/** The documents with base64 in place of Blobs and buffers; the caller's stay as they are. */
export async function encodeAttachments(docs: Doc[]): Promise<Doc[]> {
  return Promise.all(docs.map(encodeOf));
}

async function encodeOf(doc: Doc): Promise<Doc> {
  const attachments = Object.entries((doc._attachments ?? {}) as Attachments);
  if (!attachments.some(([, attachment]) => isBinary(attachment?.data))) return doc;
  const encoded = attachments.map(async ([name, attachment]) => {
    const { data } = attachment;
    return [name, isBinary(data) ? { ...attachment, data: await toBase64(data) } : attachment] as const;
  });
  return { ...doc, _attachments: Object.fromEntries(await Promise.all(encoded)) };
}

function decode(base64: string, type: string): Blob {
  try {
    return fromBase64(base64, type);
  } catch {
    throw createError(BAD_ARGUMENT, 'Attachment is not a valid base64 string');
  }
}

function pathOf(id: string, name: string, rev?: unknown): string {
  // Slashes in a name are slashes in the address.
  const encoded = name.split('/').map(encodeURIComponent).join('/');
  return `${encodeDocId(id)}/${encoded}${rev ? `?rev=${encodeURIComponent(String(rev))}` : ''}`;
}

async function json(answer: Response): Promise<unknown> {
  const text = await answer.text();
  let body: Doc;
  try {
    body = JSON.parse(text) as Doc;
  } catch {
    body = { error: 'unknown_error', reason: `The server answered ${answer.status}` };
    if (answer.ok) throw toError({ status: 500, ...body });
  }
  if (!answer.ok) throw toError({ message: body.reason, ...body, status: answer.status });
  return body;
}
