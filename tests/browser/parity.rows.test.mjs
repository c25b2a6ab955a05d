// What docs/parity.md lists and no other suite asks: options, aliases and events that few use.
import { same, wait } from './support/parity.mjs';

const put = (db, count) => db.bulkDocs(Array.from({ length: count }, (_, index) => ({ _id: `doc-${index}`, index })));
const counts = ({ ok, docs_read, docs_written, doc_write_failures, status }) => [ok, docs_read, docs_written, doc_write_failures, status];

describe('small rows of the class as PouchDB’s', () => {
  same('a scheme in the name picks the adapter', async ({ Library, attempt }) => {
    const name = `rows-${Math.random()}`;
    const db = new Library(`idb://${name}`);
    await db.put({ _id: 'a' });
    const again = new Library(`idb://${name}`);
    const answer = [db.adapter, db.name.replace(name, 'name'), (await attempt(again.get('a'))).value];
    await db.destroy();
    return answer;
  });

  same('options that have no effect on what is stored', async ({ fresh }) => {
    const db = fresh({ size: 50, view_adapter: 'idb', view_update_changes_batch_size: 3, purged_infos_limit: 2 });
    return [await db.put({ _id: 'a' }), await db.get('a')];
  });

  same('an error as text', async ({ db, attempt }) => {
    const { error } = await attempt(db.get('nothing'));
    const { name, message, reason, status } = JSON.parse(error.toString());
    return [error instanceof Error, { name, message, reason, status }];
  });

  same('replications are tasks, with the name of their source', async ({ db, fresh, Library }) => {
    await put(db, 3);
    const names = [];
    const live = db.replicate.to(fresh(), { continuous: true });
    await wait(live, 'paused');
    for (const { name, completed_items } of Library.activeTasks.list()) names.push([name.replace(db.name, 'source'), completed_items]);
    live.cancel();
    await live;
    return [names, Library.activeTasks.list().length];
  });
});

describe('small rows of documents as PouchDB’s', () => {
  same('new_edits as an option of put', async ({ db, attempt }) => [
    await attempt(db.put({ _id: 'a', _rev: '2-b', n: 1 }, { new_edits: false })),
    await db.get('a', { revs: true }),
    await attempt(db.put({ _id: 'a', _rev: '2-b', n: 2 }, { new_edits: true })),
    (await db.get('a'))._rev,
  ]);

  same('open_revs that are none', async ({ db, attempt }) => {
    await db.put({ _id: 'a' });
    const errors = [];
    for (const open_revs of ['some', {}, 1, ['nonsense']]) errors.push((await attempt(db.get('a', { open_revs }))).error);
    return errors;
  });

  same('what is as good as no revision asks for the winner', async ({ db, attempt }) => {
    await db.put({ _id: 'a' });
    const answers = [];
    for (const options of [{ rev: '' }, { rev: false }, { rev: 7 }, { open_revs: false }, { open_revs: '' }]) answers.push(await attempt(db.get('a', options)));
    return answers;
  });

  same('new_edits that is null', async ({ db }) => [
    await db.bulkDocs([{ _id: 'a', _rev: '1-a' }], { new_edits: null }),
    await db.bulkDocs({ docs: [{ _id: 'b', _rev: '1-b' }], new_edits: null }),
    (await db.allDocs()).rows,
  ]);

  same('bulkGet with atts_since', async ({ db }) => {
    const { rev } = await db.put({ _id: 'a', _attachments: { x: { content_type: 'text/plain', data: btoa('x') } } });
    return db.bulkGet({ docs: [{ id: 'a', rev, atts_since: [rev] }], attachments: true });
  });

  same('an attachment without a type is warned of', async ({ db }) => {
    const { warn } = console;
    const warnings = [];
    console.warn = (...words) => warnings.push(words.join(' '));
    try {
      await db.put({ _id: 'a', _attachments: { x: { data: btoa('x') } } });
    } finally {
      console.warn = warn;
    }
    return warnings;
  });

  same('update_seq of a single document is of servers alone', async ({ db }) => {
    await db.put({ _id: 'a' });
    return db.get('a', { update_seq: true });
  });
});

describe('small rows of feeds as PouchDB’s', () => {
  same('since latest, and options that are of servers', async ({ db }) => {
    await put(db, 4);
    return [
      await db.changes({ since: 'latest' }),
      await db.changes({ since: 2, timeout: 10, heartbeat: 20, batch_size: 1, seq_interval: 3 }),
    ];
  });

  same('continuous is live', async ({ db }) => {
    const feed = db.changes({ continuous: true });
    const heard = wait(feed, 'change');
    await db.put({ _id: 'a' });
    const [change] = await heard;
    feed.cancel();
    return [change, await feed];
  });
});

describe('small rows of replication as PouchDB’s', () => {
  same('the constructor of the databases that are named', async ({ Library }) => {
    const prefix = `rows-${Math.random()}-`;
    const PouchConstructor = Library.defaults({ prefix });
    const [source, target] = ['source', 'target'].map((name) => new PouchConstructor(name));
    await put(source, 3);
    const result = counts(await Library.replicate('source', 'target', { PouchConstructor }));
    const { doc_count } = await target.info();
    await source.destroy();
    await target.destroy();
    return [result, doc_count];
  });

  same('one batch at a time', async ({ db, fresh }) => {
    await put(db, 7);
    const target = fresh();
    const read = [];
    const replication = db.replicate.to(target, { batch_size: 2, batches_limit: 1 });
    replication.on('change', ({ docs_read }) => read.push(docs_read));
    return [counts(await replication), read, (await target.info()).doc_count];
  });

  same('options of a sync for one direction', async ({ db, fresh }) => {
    const other = fresh();
    await put(db, 3);
    await other.put({ _id: 'theirs' });
    const { push, pull } = await db.sync(other, { push: { doc_ids: ['doc-1'] }, pull: { doc_ids: ['nothing'] } });
    return [counts(push), counts(pull), (await other.allDocs()).rows.map(({ id }) => id)];
  });

  same('the events of checkpoints', async ({ db, fresh }) => {
    await put(db, 3);
    const steps = [];
    const replication = db.replicate.to(fresh());
    replication.on('checkpoint', (step) => steps.push(Object.keys(step).join()));
    await replication;
    return [...new Set(steps)].sort();
  });
});

/** A server that has one answer for each kind of request, and what it was asked. */
function pretend(answers) {
  const asked = [];
  const fetch = async (url, { method = 'GET', headers, credentials }) => {
    const { pathname, search } = new URL(url);
    asked.push([method, pathname.replace(/\/$/, '') + search, credentials, headers.get('authorization'), headers instanceof Headers]);
    const [status, body] = answers(method, pathname) ?? [200, {}];
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  };
  return { fetch, asked };
}

describe('small rows of remote databases as PouchDB’s', () => {
  same('a database that somebody else makes at the same time', async ({ Library, attempt }) => {
    const { fetch, asked } = pretend((method, path) => {
      if (path.endsWith('/a')) return [200, { _id: 'a', _rev: '1-x' }];
      return method === 'GET' ? [404, { error: 'not_found', reason: 'no_db_file' }] : [412, { error: 'file_exists' }];
    });
    const db = new Library('http://server.invalid/rows', { fetch, auth: { username: 'ü', password: 'p:w' } });
    return [await attempt(db.get('a')), asked];
  });

  same('parameters of a feed', async ({ Library, attempt }) => {
    const { fetch, asked } = pretend(() => [200, { results: [], last_seq: '7-x', pending: 0 }]);
    const db = new Library('http://server.invalid/rows', { fetch, skip_setup: true });
    for (const options of [
      { since: '3-x', limit: 4, style: 'all_docs', seq_interval: 5 },
      { descending: true, include_docs: true, conflicts: true, timeout: 5000 },
      { filter: 'some/filter', query_params: { a: 'b c', n: 1 } },
      { view: 'some/view' },
    ]) {
      await attempt(db.changes(options));
    }
    // In which order they stand does not matter, nor what says how many changes come in one answer and how long that may take.
    const own = ['limit', 'heartbeat', 'timeout'];
    return asked.map(([method, path]) => {
      const { pathname, searchParams } = new URL(path, 'http://server.invalid');
      return [method, pathname, [...searchParams].filter(([name]) => !own.includes(name)).sort()];
    });
  });
});
