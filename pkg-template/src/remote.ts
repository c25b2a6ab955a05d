// What a remote database does with plain requests of its own, beside the core: db.fetch, DELETE, the wait for compaction.
import type { Remote } from 'virtual:wasm-glue';
import type { Database, Doc, Options } from './database';
import { toError } from './errors';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request with the credentials and headers of the database. A path starting with a slash is one of the server's. */
export async function fetchThrough(remote: Remote, fetch: Fetch | undefined, path: string, init?: RequestInit): Promise<Response> {
  await remote.setup().catch(rethrow);
  const headers = new Headers(init?.headers);
  for (const [name, value] of Object.entries(JSON.parse(remote.fetch_headers()) as Record<string, string>)) headers.set(name, value);
  const { url } = remote;
  const server = url.slice(0, url.lastIndexOf('/') + 1);
  const address = path.startsWith('/') ? server + path.slice(1) : `${url}/${path}`;
  return (fetch ?? globalThis.fetch)(address, { ...init, credentials: 'include', headers });
}

/** Deletes with the method DELETE, whose errors differ from those of writing a deletion. */
export async function removeRemote(db: Database, deletion: Doc): Promise<unknown> {
  const answer = await db.fetch!(`${encodeDocId(String(deletion._id))}?rev=${String(deletion._rev)}`, {
    method: 'DELETE',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
  });
  const body = (await answer.json()) as Doc;
  if (!answer.ok) throw toError({ ...body, status: answer.status, message: body.reason });
  return body;
}

/** Asks for compaction and answers when the server no longer says that it is at it. */
export async function compactRemote(db: Database, options: Options | undefined): Promise<{ ok: true }> {
  await (db._core as Remote).compact().catch(rethrow);
  for (;;) {
    const info = (await db.info()) as { compact_running?: boolean };
    if (!info.compact_running) return { ok: true };
    await new Promise((resolve) => setTimeout(resolve, Number(options?.interval) || 200));
  }
}

/** Removes the indexes that no design document asks for any longer. */
export async function cleanUpRemoteViews(db: Database): Promise<unknown> {
  const answer = await db.fetch!('_view_cleanup', { method: 'POST', headers: { 'content-type': 'application/json' } });
  const body = (await answer.json()) as Doc;
  if (!answer.ok) throw toError({ ...body, status: answer.status, message: body.reason });
  return body;
}

function encodeDocId(id: string): string {
  const kind = /^_(design|local)\//.exec(id)?.[0] ?? '';
  return kind + encodeURIComponent(id.slice(kind.length));
}

function rethrow(raw: unknown): never {
  throw toError(raw);
}
