// GET and POST /db/_changes as CouchDB 3 answers them. express-pouchdb's own route ends the process on an unknown filter,
// knows no `timeout` and no selector, and never stops a continuous feed whose reader has gone.
import express from 'express';

/** A seq as CouchDB 2 and later give it: a number, a dash, and something nobody should look into. */
export function formatSeq(database, number) {
  return `${number}-${Buffer.from(`${database}:${number}`).toString('base64url')}`;
}

function parseSeq(text) {
  const number = Number.parseInt(text, 10);
  return Number.isNaN(number) ? 0 : number;
}

const flag = (value) => value === 'true';

async function readOptions(db, request) {
  const { query, body = {} } = request;
  const options = {
    since: query.since === 'now' ? (await db.info()).update_seq : parseSeq(query.since ?? '0'),
    descending: flag(query.descending),
    include_docs: flag(query.include_docs),
    conflicts: flag(query.conflicts),
    attachments: flag(query.attachments),
    style: query.style ?? 'main_only',
    query_params: query,
  };
  if (query.limit !== undefined) options.limit = Math.max(1, Number(query.limit));
  if (query.filter === '_selector') options.selector = body.selector;
  else if (query.filter === '_doc_ids') options.doc_ids = body.doc_ids ?? JSON.parse(query.doc_ids ?? '[]');
  else if (query.filter === '_design') options.filter = (doc) => doc._id.startsWith('_design/');
  else if (query.filter) Object.assign(options, { filter: query.filter, view: query.view });
  return options;
}

function formatChange(database, change) {
  const { seq, id, changes, ...rest } = change;
  return { seq: formatSeq(database, seq), id, changes, ...rest };
}

function sendError(response, error) {
  const status = error.status ?? 500;
  response.status(status).json({ error: error.name ?? 'unknown_error', reason: error.reason ?? error.message });
}

/** Heartbeats or the timeout of a waiting feed; `stop` must be called when the feed is over. */
function keepAlive(query, response, onTimeout) {
  if (query.heartbeat !== undefined && query.heartbeat !== 'false') {
    const every = query.heartbeat === 'true' ? 60_000 : Number(query.heartbeat);
    const timer = setInterval(() => response.write('\n'), every);
    return { touch() {}, stop: () => clearInterval(timer) };
  }
  const wait = Math.min(Number(query.timeout ?? 60_000), 60_000);
  let timer = setTimeout(onTimeout, wait);
  return {
    touch() {
      clearTimeout(timer);
      timer = setTimeout(onTimeout, wait);
    },
    stop: () => clearTimeout(timer),
  };
}

/** `limit` further changes after `since`, as they come; `write` gets each, `end` the last seq. */
function follow({ db, options, request, response, write, end, limit }) {
  let lastSeq = options.since;
  let count = 0;
  let over = false;
  const finish = (error) => {
    if (over) return;
    over = true;
    alive.stop();
    feed.cancel();
    if (error) response.destroy(error);
    else end(lastSeq);
  };
  const alive = keepAlive(request.query, response, () => finish());
  const feed = db.changes({ ...options, live: true, limit: undefined, return_docs: false });
  feed.on('change', (change) => {
    if (over) return;
    lastSeq = change.seq;
    alive.touch();
    write(change);
    count += 1;
    if (count === limit) finish();
  });
  feed.on('error', finish);
  response.on('close', () => {
    over = true;
    alive.stop();
    feed.cancel();
  });
}

async function longpoll(name, db, options, request, response) {
  const ready = await db.changes(options);
  if (ready.results.length > 0) return normal(name, db, options, response, ready);
  response.type('application/json');
  response.write('{"results":[\n');
  follow({
    db,
    options,
    request,
    response,
    limit: 1,
    write: (change) => response.write(JSON.stringify(formatChange(name, change)) + '\n'),
    end: (seq) => response.end(`],\n"last_seq":${JSON.stringify(formatSeq(name, seq))},"pending":0}\n`),
  });
}

function continuous(name, db, options, request, response) {
  response.type('application/json');
  // CouchDB's sign that the feed is open.
  response.write('\n');
  follow({
    db,
    options,
    request,
    response,
    limit: options.limit,
    write: (change) => response.write(JSON.stringify(formatChange(name, change)) + '\n'),
    end: (seq) => response.end(JSON.stringify({ last_seq: formatSeq(name, seq), pending: 0 }) + '\n'),
  });
}

async function normal(name, db, options, response, ready) {
  const { results, last_seq: lastSeq } = ready ?? (await db.changes(options));
  const full = options.limit !== undefined && results.length === options.limit && !options.descending;
  // Counted in updates, not documents: never too small, and zero exactly when nothing is left. Counting documents would
  // read the rest of the feed for every page.
  const pending = full ? (await db.info()).update_seq - lastSeq : 0;
  response.json({
    results: results.map((change) => formatChange(name, change)),
    last_seq: formatSeq(name, lastSeq),
    pending,
  });
}

/** A router with the changes feeds; `open(name)` gives the database or undefined. */
export function changesRoutes(open) {
  const router = express.Router();
  const handle = async (request, response) => {
    const name = request.params.db;
    try {
      const db = await open(name);
      if (!db) return response.status(404).json({ error: 'not_found', reason: 'Database does not exist.' });
      const options = await readOptions(db, request);
      const feed = request.query.feed ?? 'normal';
      if (feed === 'longpoll') await longpoll(name, db, options, request, response);
      else if (feed === 'continuous') continuous(name, db, options, request, response);
      else await normal(name, db, options, response);
    } catch (error) {
      if (response.headersSent) response.destroy(error);
      else sendError(response, error);
    }
  };
  router.get('/:db/_changes', handle);
  router.post('/:db/_changes', express.json({ limit: '64mb' }), handle);
  return router;
}
