// What PouchDB's two adapters keep in IndexedDB, in one form.

/** A revision tree as PouchDB has it. */
export type Tree = { pos: number; ids: Branch }[];
export type Branch = [hash: string, options: { status?: string; deleted?: boolean }, children: Branch[]];

export type Body = Record<string, unknown>;

export interface StoredDocument {
  id: string;
  seq: number;
  tree: Tree;
  bodies: Body[];
  /** What the bodies' attachments refer to, by digest. One that is missing has been lost. */
  contents: Map<string, Blob>;
}

/** A state of a database, read in one transaction. */
export interface Reader {
  instance(): Promise<string | undefined>;
  updateSeq(): Promise<number>;
  /** The next documents in the order of their ids, local ones too. */
  documentsAfter(id: string | null, count: number): Promise<StoredDocument[]>;
  /** Those that were written after this seq. */
  documentsSince(seq: number): Promise<StoredDocument[]>;
  /** The local documents that are kept apart. */
  locals(): Promise<StoredDocument[]>;
}

/** The revisions whose bodies should be there. */
export function availableRevs(tree: Tree): string[] {
  const revs: string[] = [];
  // No recursion: it may be deep.
  const open: [number, Branch][] = tree.map(({ pos, ids }) => [pos, ids]);
  for (let next = open.pop(); next; next = open.pop()) {
    const [generation, [hash, options, children]] = next;
    if (options.status !== 'missing') revs.push(`${generation}-${hash}`);
    for (const child of children) open.push([generation + 1, child]);
  }
  return revs;
}

export const isLocalId = (id: string): boolean => id.startsWith('_local/');

export function attachmentsOf(body: Body): [name: string, attachment: Record<string, unknown>][] {
  return Object.entries((body._attachments ?? {}) as Record<string, Record<string, unknown>>);
}
