// Attachments: their contents on the way to the core and back, and the methods for single ones. Base64 is part of a document's
// text. Everything binary goes beside the text, as a Blob or Uint8Array; where it belongs in the text, there is its index.
import type { Answer, Content, Local } from 'virtual:wasm-glue';
import { copyOf, isBinary, toBlob } from './binary';
import { method } from './callbacks';
import { core, read } from './core';
import type { Database, Doc, Options } from './database';
import { BAD_ARGUMENT, BAD_REQUEST, REV_CONFLICT, createError, toError } from './errors';
import { encodeDocument, encodeOptions } from './json';
import type { KnownOptions } from './json';
import * as remote from './remote_attachments';

type Attachment = Record<string, unknown>;

/** Longer arrays become Blobs: they would be copied several times else. */
const LONGEST_ARRAY = 64 * 1024;

const attachmentOptions: KnownOptions = { flags: ['latest'], others: ['rev'] };

/** Refuses wrong names, and warns of attachments without a type, as PouchDB does before anything else. */
export function checkAttachments(doc: Doc): void {
  const { _attachments } = doc;
  if (!_attachments) return;
  for (const [name, attachment] of Object.entries(_attachments as Record<string, Attachment | null>)) {
    if (name.startsWith('_')) {
      throw createError(BAD_REQUEST, `${name} is not a valid attachment name, attachment names cannot start with '_'`);
    }
    if (!attachment?.content_type) warn(name, doc._id);
  }
}

function warn(name: unknown, id: unknown): void {
  console.warn('Attachment', name, 'on document', id, 'is missing content_type');
}

/** The JSON text of documents for a database in this browser, and the binary contents of their attachments. */
export function encodeWithContents(docs: Doc[]): [text: string, contents?: Content[]] {
  const contents: Content[] = [];
  const plain = docs.map((doc) => (doc._attachments && !doc._deleted ? withoutContents(doc, contents) : doc));
  return contents.length > 0 ? [encodeDocument(plain), contents] : [encodeDocument(docs)];
}

function withoutContents(doc: Doc, contents: Content[]): Doc {
  const attachments = doc._attachments as Record<string, Attachment>;
  const found = contents.length;
  const plain = Object.entries(attachments).map(([name, attachment]): [string, unknown] => {
    const data = attachment?.data;
    if (data === undefined || data === null || typeof data === 'string' || attachment.stub) return [name, attachment];
    contents.push(contentOf(data, name));
    return [name, { ...attachment, data: contents.length - 1 }];
  });
  if (contents.length === found) return doc;
  return { ...doc, _attachments: Object.fromEntries(plain) };
}

/** Taken at once: the caller may change an array later. */
function contentOf(data: unknown, name: string): Content {
  if (!isBinary(data)) throw createError(BAD_ARGUMENT, `Attachment ${name} must have data, or be a stub`);
  // Both are copies.
  return !(data instanceof Blob) && data.byteLength > LONGEST_ARRAY ? toBlob(data, '') : copyOf(data);
}

/** What the core has answered, with contents in place; `docsOf` gives the documents in it. */
export function readAnswer<Result>(answer: Answer, docsOf: (result: Result) => (Doc | null | undefined)[]): Result {
  if (typeof answer === 'string') return JSON.parse(answer) as Result;
  const [text, ...contents] = answer;
  const result = JSON.parse(text) as Result;
  for (const doc of docsOf(result)) {
    for (const attachment of Object.values((doc?._attachments ?? {}) as Record<string, Attachment>)) {
      attachment.data = binaryOf(contents[attachment.data as number]!, attachment.content_type);
    }
  }
  return result;
}

/** A Blob of that type; a Buffer in Node, as in PouchDB. */
export function binaryOf(content: Content, type: unknown): Blob | Uint8Array {
  // By name, so that no bundler takes it for something to be brought along.
  const node = globalThis as { Buffer?: any; document?: unknown; process?: { versions?: { node?: string } } };
  if (node.process?.versions?.node && !node.document && content instanceof Uint8Array) {
    return node.Buffer.from(content.buffer, content.byteOffset, content.byteLength) as Uint8Array;
  }
  return toBlob(content as Blob | Uint8Array<ArrayBuffer>, typeof type === 'string' ? type : '');
}

export const attachmentMethods = {
  /** putAttachment(docId, name, [rev], content, type) */
  putAttachment: method('putAttachment', function (id: string, name: string, ...args: unknown[]) {
    // Without a revision the arguments move up.
    const [rev, data, content_type] = args.length < 3 || args[2] === undefined ? [undefined, ...args] : args;
    if (this._remote) return remote.putAttachment(this, id, name, rev as string | undefined, data, content_type as string);
    if (!content_type) warn(name, id);
    const put = (doc: Doc) => {
      const revpos = (parseInt(String(doc._rev ?? 0), 10) || 0) + 1;
      const added = Object.fromEntries([[name, { content_type, data, revpos }]]);
      return this.put({ ...doc, _attachments: { ...(doc._attachments as object | undefined), ...added } });
    };
    return this.get(id).then(
      (doc: Doc) => {
        if (doc._rev !== rev) throw createError(REV_CONFLICT);
        return put(doc);
      },
      (error: { reason?: unknown }) => {
        if (error.reason !== 'missing') throw error;
        return put({ _id: id });
      },
    );
  }),

  getAttachment: method('getAttachment', function (id: string, name: string, options?: Options) {
    if (this._remote) return remote.getAttachment(this, id, name, options?.rev);
    const encoded = encodeOptions(options ?? {}, attachmentOptions);
    return read(this, (core) => (core as Local).get_attachment(id, name, encoded)).then(
      ([content, type]) => binaryOf(content, type),
      (raw: unknown) => {
        throw toError(raw);
      },
    );
  }),

  removeAttachment: method('removeAttachment', async function (id: string, name: string, rev?: string) {
    if (this._remote) return remote.removeAttachment(this, id, name, rev);
    const doc = (await this.get(id)) as Doc;
    if (doc._rev !== rev) throw createError(REV_CONFLICT);
    if (!doc._attachments) return undefined;
    const { [name]: _removed, ...left } = doc._attachments as Record<string, unknown>;
    const { _attachments: _before, ...rest } = doc;
    return (await this.put(Object.keys(left).length > 0 ? { ...doc, _attachments: left } : rest)) as unknown;
  }),
};

/** The core writes documents, and the contents beside them. */
export function writeLocal(db: Database, docs: Doc[], options: string): Promise<string> {
  const [text, contents] = encodeWithContents(docs);
  return (core(db) as Local).bulk_docs(text, options, contents);
}
