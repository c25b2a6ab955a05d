// What a remote database does with plain requests of its own, beside the core: db.fetch, DELETE, the wait for compaction.
import type { Remote } from 'virtual:wasm-glue';
import type { Database, Doc, Options } from './database';
import { toError } from './errors';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;
type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/**
 * A request with the credentials and headers of the database. A path starting with a slash is one of the server's. One that
 * is refused with 401 is sent again where the application has fresh credentials.
 */
export async function fetchThrough(remote: Remote, fetch: Fetch | undefined, path: string, init?: RequestInit): Promise<Response> {
  await remote.setup().catch(rethrow);
  const { url } = remote;
  const server = url.slice(0, url.lastIndexOf('/') + 1);
  const address = path.startsWith('/') ? server + path.slice(1) : `${url}/${path}`;
  const send = () => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(JSON.parse(remote.fetch_headers()) as Record<string, string>)) headers.set(name, value);
    return (fetch ?? globalThis.fetch)(address, { ...init, credentials: 'include', headers });
  };
  const { renewals } = remote;
  const answer = await send();
  // A stream has been read when it was sent.
  if (answer.status !== 401 || init?.body instanceof ReadableStream) return answer;
  return (await remote.renew(renewals).catch(rethrow)) ? send() : answer;
}

/** A request for JSON, with a body of JSON; what is no good answer is an error. */
export async function requestJson(db: Database, method: Method, path: string, body?: unknown): Promise<Doc> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return JSON.parse(await (db._core as Remote).request(method, path, text).catch(rethrow)) as Doc;
}

/**
 * A request to the server that does not need the database to be there, nor credentials that it takes: who signs up or logs in
 * may have neither yet.
 */
export function serverRequest(db: Database, path: string, init: RequestInit): Promise<Response> {
  const remote = db._core as Remote;
  const { fetch } = db.__opts as { fetch?: Fetch };
  const headers = new Headers(JSON.parse(remote.fetch_headers()) as Record<string, string>);
  for (const [name, value] of Object.entries(init.headers as Record<string, string>)) headers.set(name, value);
  const address = /^https?:/.test(path) ? path : remote.url.slice(0, remote.url.lastIndexOf('/') + 1) + path;
  return (fetch ?? globalThis.fetch)(address, { ...init, credentials: 'include', headers });
}

/** Deletes with the method DELETE, whose errors differ from those of writing a deletion. */
export function removeRemote(db: Database, deletion: Doc): Promise<unknown> {
  return requestJson(db, 'DELETE', `${encodeDocId(String(deletion._id))}?rev=${encodeURIComponent(String(deletion._rev))}`);
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

export function encodeDocId(id: string): string {
  const kind = /^_(design|local)\//.exec(id)?.[0] ?? '';
  return kind + encodeURIComponent(id.slice(kind.length));
}

/** An error of the core as users get it. */
export function rethrow(raw: unknown): never {
  throw toError(raw);
}
