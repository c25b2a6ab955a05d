// The process behind startCouch(): express-pouchdb on LevelDB files, so that a SIGKILL loses nothing that was answered.
// Arguments: port, data directory, and (optionally) "user:password", which every request must then carry.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import expressPouchDB from 'express-pouchdb';
import { jsonParser } from 'express-pouchdb/lib/utils.js';
import PouchDB from 'pouchdb';
import { changesRoutes, formatSeq } from './couch-changes.mjs';

const [port, directory, credentials] = process.argv.slice(2);
mkdirSync(join(directory, 'databases'), { recursive: true });

const Store = PouchDB.defaults({ prefix: join(directory, 'databases') + '/' });

/** Any origin may ask, with credentials: what CouchDB answers with CORS switched on. */
function cors(request, response, next) {
  const origin = request.headers.origin;
  if (origin) {
    response.set({
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Expose-Headers': 'content-type, cache-control, accept-ranges, etag, server, x-couch-request-id',
      Vary: 'Origin',
    });
  }
  if (request.method === 'OPTIONS' && request.headers['access-control-request-method']) {
    response.set({
      'Access-Control-Allow-Methods': 'GET, PUT, POST, HEAD, DELETE, COPY',
      'Access-Control-Allow-Headers':
        request.headers['access-control-request-headers'] ?? 'accept, authorization, content-type, origin, referer',
      'Access-Control-Max-Age': '600',
    });
    return response.status(204).end();
  }
  next();
}

/** CouchDB 3's default: only somebody with a password gets anything. */
function requireCredentials(request, response, next) {
  const expected = 'Basic ' + Buffer.from(credentials, 'utf8').toString('base64');
  if (request.headers.authorization === expected) {
    // express-pouchdb knows no such user and would turn the header down itself.
    delete request.headers.authorization;
    return next();
  }
  const reason = request.headers.authorization
    ? 'Name or password is incorrect.'
    : 'You are not authorized to access this db.';
  response.status(401).json({ error: 'unauthorized', reason });
}

/** What CouchDB 3 answers for a database; express-pouchdb shows its own integer seqs there. */
async function databaseInfo(request, response, next) {
  const name = request.params.db;
  if (name.startsWith('_')) return next();
  const db = await openExisting(name);
  if (!db) return response.status(404).json({ error: 'not_found', reason: 'Database does not exist.' });
  const info = await db.info();
  response.json({
    instance_start_time: '0',
    db_name: name,
    purge_seq: '0-0',
    update_seq: formatSeq(name, info.update_seq),
    sizes: { file: 0, external: 0, active: 0 },
    props: {},
    doc_count: info.doc_count,
    doc_del_count: 0,
    disk_format_version: 8,
    compact_running: false,
    cluster: { q: 1, n: 1, w: 1, r: 1 },
  });
}

/** The database of this name if it exists. One handle each is kept: opening LevelDB for every request would be slow. */
const handles = new Map();
async function openExisting(name) {
  const names = await Store.allDbs();
  if (!names.includes(name)) return undefined;
  let db = handles.get(name);
  if (!db) {
    db = new Store(name);
    db.setMaxListeners(0);
    db.once('destroyed', () => handles.delete(name));
    handles.set(name, db);
  }
  return db;
}

/**
 * The answers of `_bulk_docs` in the order of what was asked, as CouchDB gives them; express-pouchdb's order is that in
 * which its validation of each document happened to end.
 */
function answerInOrder(request, response, next) {
  const asked = (request.body.docs ?? []).map((doc) => doc?._id);
  const send = response.send.bind(response);
  response.send = (body) => {
    response.send = send;
    const rows = JSON.parse(body);
    return send(Array.isArray(rows) ? Buffer.from(JSON.stringify(inOrder(asked, rows)) + '\n') : body);
  };
  next();
}

/** `rows` in the order of the ids `asked`; an id that was undefined stands for one that the server made up. */
function inOrder(asked, rows) {
  const left = new Map(asked.map((id) => [id, []]));
  for (const row of rows) left.get(left.has(row.id) ? row.id : undefined)?.push(row);
  return asked.flatMap((id) => left.get(id).splice(0, 1));
}

const app = express();
app.disable('x-powered-by');
app.use(cors);
if (credentials) app.use(requireCredentials);
app.get('/:db', databaseInfo);
app.use(changesRoutes(openExisting));
app.post('/:db/_bulk_docs', jsonParser, answerInOrder);
app.use(
  expressPouchDB(Store, {
    mode: 'fullCouchDB',
    // Kept on disk: the server's uuid is part of every replication id and must be the same after a restart.
    configPath: join(directory, 'config.json'),
    logPath: join(directory, 'log.txt'),
    overrideMode: { exclude: ['routes/fauxton', 'replicator', 'routes/replicate', 'disk-size', 'compression'] },
  }),
);

const server = app.listen(Number(port), '127.0.0.1', () => process.send?.({ port: server.address().port }));
server.on('error', (error) => {
  console.error(`the CouchDB-compatible server could not listen on port ${port}: ${error.message}`);
  process.exit(1);
});
server.keepAliveTimeout = 60_000;

// The channel closes when the parent is gone, however it ended; nobody else would clean up.
process.on('disconnect', () => {
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
});
process.on('SIGINT', () => {});
