// A CouchDB to test with: express-pouchdb in a process of its own, or the real CouchDB that COUCHDB_URL names.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProxy } from './proxy.mjs';

const program = fileURLToPath(new URL('./couch-server.mjs', import.meta.url));

/**
 * Starts a CouchDB-compatible server and resolves once it answers.
 *
 * Options: `port` (any free one by default); `delayMs` (put a proxy in front that delays each direction by that much);
 * `user` and `password` (turn everybody else away with 401, as CouchDB 3 does; `url` then carries them).
 * With COUCHDB_URL set, `url` leads to that CouchDB through a proxy, with the credentials in COUCHDB_URL.
 *
 * The result: `url` (no slash at the end), `port`, `proxy` (undefined when there is none);
 * `kill()` ends the server with SIGKILL and `restart()` starts it again on the same port and data (with a real CouchDB the
 * proxy plays dead instead); `request(method, path, body)`; `freshDatabase(prefix)` creates an empty database and answers
 * with its URL; `stop()` ends everything, deletes the databases made by `freshDatabase` and all data of its own.
 */
export async function startCouch({ port = 0, delayMs = 0, user, password } = {}) {
  const backend = process.env.COUCHDB_URL
    ? await useRealCouch(process.env.COUCHDB_URL, { port, delayMs })
    : await startOwnServer({ port, delayMs, user, password });
  const databases = new Set();

  async function request(method, path, body) {
    const { origin, authorization } = splitCredentials(backend.url);
    const response = await fetch(origin + path, {
      method,
      headers: {
        ...(authorization && { authorization }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(`${method} ${path}: ${answer.reason}`), { status: response.status, ...answer });
    return answer;
  }

  return {
    ...backend,
    request,
    async freshDatabase(prefix = 'test') {
      const name = `${prefix}-${randomBytes(6).toString('hex')}`;
      await request('PUT', `/${name}`);
      databases.add(name);
      return `${backend.url}/${name}`;
    },
    async stop() {
      if (process.env.COUCHDB_URL) {
        await backend.restart();
        for (const name of databases) await request('DELETE', `/${name}`).catch(() => {});
      }
      await backend.stop();
    },
  };
}

async function startOwnServer({ port, delayMs, user, password }) {
  const directory = mkdtempSync(join(tmpdir(), 'potoroo-couch-'));
  const removeData = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', removeData);
  const credentials = user === undefined ? [] : [`${user}:${password}`];

  let child;
  async function start(onPort) {
    child = fork(program, [String(onPort), directory, ...credentials], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const started = await Promise.race([
      once(child, 'message').then(([message]) => message),
      once(child, 'exit').then(([code]) => {
        throw new Error(`the CouchDB-compatible server ended with code ${code} while starting`);
      }),
    ]);
    // A test that is over must not be kept alive by its server.
    child.unref();
    child.channel?.unref();
    return started.port;
  }
  async function kill() {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.ref();
    child.kill('SIGKILL');
    await exited;
  }

  const serverPort = await start(delayMs > 0 ? 0 : port);
  const prefix = user === undefined ? 'http://' : `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  const direct = `${prefix}127.0.0.1:${serverPort}`;
  const proxy = delayMs > 0 ? await startProxy({ target: direct, delayMs, port }) : undefined;

  return {
    url: proxy?.url ?? direct,
    port: proxy?.port ?? serverPort,
    proxy,
    kill,
    async restart() {
      await kill();
      await start(serverPort);
    },
    async stop() {
      await proxy?.stop();
      await kill();
      removeData();
      process.removeListener('exit', removeData);
    },
  };
}

async function useRealCouch(target, { port, delayMs }) {
  const proxy = await startProxy({ target, delayMs, port });
  await allowCors(target);
  return {
    url: proxy.url,
    port: proxy.port,
    proxy,
    async kill() {
      proxy.refuse(true);
      proxy.cut();
    },
    async restart() {
      proxy.refuse(false);
    },
    stop: () => proxy.stop(),
  };
}

/** Browsers need CORS, which a fresh CouchDB has switched off; switching it on takes an admin's password. */
async function allowCors(target) {
  const { origin, authorization } = splitCredentials(target);
  const answer = await fetch(origin, { headers: { origin: 'http://127.0.0.1', ...(authorization && { authorization }) } });
  if (answer.headers.has('access-control-allow-origin')) return;
  if (!authorization) throw new Error(`CouchDB at ${origin} has CORS switched off; put an admin's name and password into COUCHDB_URL`);
  const settings = {
    'chttpd/enable_cors': 'true',
    'cors/origins': '*',
    'cors/credentials': 'true',
    'cors/methods': 'GET, PUT, POST, HEAD, DELETE',
    'cors/headers': 'accept, authorization, content-type, origin, referer',
  };
  for (const [name, value] of Object.entries(settings)) {
    const response = await fetch(`${origin}/_node/_local/_config/${name}`, {
      method: 'PUT',
      headers: { authorization },
      body: JSON.stringify(value),
    });
    if (!response.ok) throw new Error(`CouchDB at ${origin} refused the setting ${name}: ${response.status}`);
  }
}

/** fetch turns down a URL with credentials in it, so they go into a header. */
function splitCredentials(address) {
  const url = new URL(address);
  const origin = url.origin + url.pathname.replace(/\/$/, '');
  if (!url.username) return { origin };
  const plain = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { origin, authorization: 'Basic ' + Buffer.from(plain).toString('base64') };
}
