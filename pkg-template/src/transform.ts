// Documents changed on their way into the database and out of it: the method of transform-pouch.
import { plainMethod } from './callbacks';
import type { Database, Doc, Method } from './database';
import { clone } from './json';
import { whenOpen } from './peers';
import type { ReplicationSide } from './peers';

type Change = (doc: Doc) => Doc | Promise<Doc>;

export interface Transformation {
  incoming?: Change;
  outgoing?: Change;
}

/**
 * Has every document that is written pass `incoming`, and every one that is read `outgoing`, also by replication. Local
 * documents and deletions without content stay as they are.
 */
export const transform = plainMethod('transform', function (this: Database, transformation: Transformation): void {
  if (this._transformations) {
    this._transformations.push(transformation);
    return;
  }
  const transformations = [transformation];
  this._transformations = transformations;
  const incoming = (doc: Doc) => apply(transformations, 'incoming', clone(doc));
  const outgoing = (doc: Doc) => apply([...transformations].reverse(), 'outgoing', doc);
  this._outgoing = outgoing;
  const all = <Item>(items: Item[], change: (item: Item) => Promise<Item>) => Promise.all(items.map(change));
  const inMember = (member: string) => async (item: Doc) =>
    item[member] ? { ...item, [member]: await outgoing(item[member] as Doc) } : item;

  wrap(this, 'bulkDocs', async (bulkDocs, request: Doc | Doc[], options) =>
    Array.isArray(request)
      ? bulkDocs(await all(request, incoming), options)
      : bulkDocs({ ...request, docs: await all(request.docs as Doc[], incoming) }, options),
  );
  wrap(this, 'get', async (get, ...args) => {
    const answer = (await get(...args)) as Doc | Doc[];
    return Array.isArray(answer) ? all(answer, inMember('ok')) : outgoing(answer);
  });
  wrap(this, 'bulkGet', async (bulkGet, ...args) => {
    const answer = (await bulkGet(...args)) as { results: { docs: Doc[] }[] };
    const results = answer.results.map(async (result) => ({ ...result, docs: await all(result.docs, inMember('ok')) }));
    return { ...answer, results: await Promise.all(results) };
  });
  const rows: Handler = async (read, ...args) => {
    const answer = (await read(...args)) as { rows: Doc[] };
    return { ...answer, rows: await all(answer.rows, inMember('doc')) };
  };
  wrap(this, 'allDocs', rows);
  // A server runs the first three for itself.
  if (!this._remote) return;
  wrap(this, 'query', rows);
  wrap(this, 'put', async (put, doc: Doc, options) => put(await incoming(doc), options));
});

async function apply(transformations: Transformation[], way: keyof Transformation, doc: Doc): Promise<Doc> {
  if (isLeftAlone(doc)) return doc;
  let changed = doc;
  for (const transformation of transformations) changed = (await transformation[way]?.(changed)) ?? changed;
  return changed;
}

function isLeftAlone(doc: Doc): boolean {
  if (typeof doc._id === 'string' && doc._id.startsWith('_local')) return true;
  return Boolean(doc._deleted) && Object.keys(doc).every((name) => name.startsWith('_'));
}

type Handler = (original: Method, ...args: any[]) => Promise<unknown>;

/** Puts a method in the place of one of an instance, with the callback for those who prefer it. */
function wrap(db: Database, name: 'bulkDocs' | 'get' | 'bulkGet' | 'allDocs' | 'put' | 'query', handler: Handler): void {
  const original = db[name];
  db[name] = (...args) => {
    const last = args.length > (name === 'query' ? 1 : 0) && args[args.length - 1];
    const callback = typeof last === 'function' ? (args.pop() as (error: unknown, result?: unknown) => void) : undefined;
    // What waits in the queue is called by its name again, and would come here twice.
    const promise = db.taskqueue.isReady ? handler(original, ...args) : whenOpen(db as ReplicationSide).then(() => handler(original, ...args));
    if (callback) promise.then((result) => callback(null, result), callback);
    return promise;
  };
}
