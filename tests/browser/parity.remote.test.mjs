// Databases behind HTTP: what the adapter answers, beside PouchDB's, each with a database of its own on the server.
import { expect } from '/node_modules/chai/index.js';
import { attempt, same } from './support/parity.mjs';

let databases = 0;
const freshUrl = (couch, name = `remote-${Date.now()}-${(databases += 1)}`) => `${couch}/${name}`;

/** A test on a remote database. */
function sameRemotely(title, script) {
  same(title, async ({ fresh: _, db: _local, ...rest }) => {
    const remote = new rest.Library(freshUrl(rest.couch));
    try {
      return await script({ ...rest, db: remote });
    } finally {
      await remote.destroy();
    }
  });
}

const textOf = async (blob) => [blob.type, await blob.text()];
const blob = (text, type = 'application/octet-stream') => new Blob([text], { type });

describe('a remote database, as PouchDB’s', () => {
  sameRemotely('ids with slashes, pluses, spaces and unicode', async ({ db }) => {
    const answers = [];
    for (const id of ['a/b', 'a+b', 'a b', 'ü/ö', '日本', '%20', 'a?b#c', '_design/x/y', '_local/a/b c']) {
      const { rev } = await db.put({ _id: id, n: 1 });
      answers.push((await db.get(id)).n, (await db.put({ _id: id, _rev: rev, n: 2 })).id);
      const removed = await db.remove(await db.get(id));
      answers.push([removed.ok, removed.id], (await attempt(db.get(id))).error.status);
    }
    return answers;
  });

  sameRemotely('errors', async ({ db }) => {
    const { rev } = await db.put({ _id: 'a' });
    const failed = async (promise) => {
      const { status, name, message, reason, error, docId } = (await attempt(promise)).error;
      return { status, name, message, reason, error, docId };
    };
    const refused = async (promise) => {
      const { error } = await attempt(promise);
      return [error.status, await error.json()];
    };
    return [
      await refused(db.getAttachment('a', 'none')),
      await refused(db.getAttachment('none', 'x')),
      await failed(db.put({ _id: 'a' })),
      await failed(db.get('none')),
      await failed(db.get('a', { rev: '1-0123456789abcdef0123456789abcdef' })),
      (await failed(db.remove('a', '1-0123456789abcdef0123456789abcdef'))).status,
      (await db.bulkDocs([{ _id: 'a' }, { _id: 'b' }])).map(({ ok, status, name, id }) => [ok, status, name, id]),
      await failed(db.putAttachment('a', 'x', rev, 'no base64!', 'text/plain')),
    ];
  });

  sameRemotely('attachments put, got and removed by themselves', async ({ db }) => {
    const first = await db.putAttachment('a', 'bytes', blob('one'), 'application/octet-stream');
    const second = await db.putAttachment('a', 'dir/ü +', first.rev, btoa('two'), 'text/plain');
    const third = await db.putAttachment('a', 'bytes', second.rev, blob('three'), 'image/x');
    const { _attachments } = await db.get('a');
    const answers = [
      Object.keys(_attachments).sort(),
      await textOf(await db.getAttachment('a', 'bytes')),
      await textOf(await db.getAttachment('a', 'bytes', { rev: first.rev })),
      (await textOf(await db.getAttachment('a', 'dir/ü +')))[1],
    ];
    const removed = await db.removeAttachment('a', 'bytes', third.rev);
    answers.push([removed.ok, removed.id], Object.keys((await db.get('a'))._attachments));
    return answers;
  });

  sameRemotely('attachments within documents, as base64 and as Blobs', async ({ db }) => {
    const data = (_id, data) => ({ _id, _attachments: { x: { content_type: 'application/octet-stream', data } } });
    await db.put(data('a', btoa('base64')));
    await db.put(data('b', blob('Blob')));
    await db.post(data('c', blob('posted')));
    await db.bulkDocs([data('d', blob('bulk')), { _id: 'e' }]);
    const seen = async (doc) => {
      const { data, stub, length, revpos } = doc._attachments?.x ?? {};
      return [doc._id, typeof data === 'string' ? data : data && (await textOf(data)), stub, length, revpos];
    };
    const answers = [];
    for (const options of [{}, { attachments: true }, { attachments: true, binary: true }]) {
      answers.push(await seen(await db.get('a', options)), await seen(await db.get('b', options)));
      const { rows } = await db.allDocs({ include_docs: true, ...options });
      for (const { doc } of rows) answers.push(await seen(doc));
      const { results } = await db.changes({ include_docs: true, ...options });
      for (const { doc } of results.sort((one, other) => (one.id < other.id ? -1 : 1))) answers.push(await seen(doc));
      const [{ ok }] = await db.get('a', { open_revs: 'all', ...options });
      answers.push(await seen(ok));
      const got = await db.bulkGet({ docs: [{ id: 'a' }, { id: 'e' }], ...options });
      for (const { docs } of got.results) answers.push(await seen(docs[0].ok));
    }
    return answers;
  });

  sameRemotely('stubs survive a change of the document', async ({ db }) => {
    await db.put({ _id: 'a', _attachments: { x: { content_type: 'text/plain', data: btoa('kept') } } });
    await db.put({ ...(await db.get('a')), n: 1 });
    return [await (await db.getAttachment('a', 'x')).text(), (await db.get('a')).n];
  });

  sameRemotely('views', async ({ db }) => {
    await db.put({
      _id: '_design/app',
      views: {
        app: { map: 'function (doc) { emit(doc.n, doc._id); }' },
        sum: { map: 'function (doc) { emit(doc.n % 2, doc.n); }', reduce: '_sum' },
      },
    });
    await db.bulkDocs([1, 2, 3, 4].map((n) => ({ _id: `d${n}`, n })));
    const many = Array.from({ length: 600 }, (_, index) => index);
    return [
      (await db.query('app')).rows,
      (await db.query('app/app', { startkey: 2, endkey: 3, include_docs: true })).rows.map(({ doc, key }) => [doc.n, key]),
      (await db.query('app/app', { keys: [4, 1], descending: false })).rows,
      (await db.query('app/app', { keys: many, limit: 2 })).rows,
      (await db.query('app/sum')).rows,
      (await db.query('app/sum', { group: true })).rows,
      (await attempt(db.query('app/none'))).error.status,
      await db.viewCleanup(),
    ];
  });

  sameRemotely('fetch', async ({ db }) => {
    await db.put({ _id: 'a' });
    const read = async (answer) => [answer.status, (await answer.json())._id];
    return [
      await read(await db.fetch('a')),
      await read(await db.fetch('none')),
      (await (await db.fetch('/')).json()).couchdb,
      (await (await db.fetch('_all_docs?limit=0', { method: 'POST', body: '{}', headers: new Headers({ 'Content-Type': 'application/json' }) })).json()).rows,
    ];
  });

  sameRemotely('revisions, local documents and the rest', async ({ db }) => {
    const { rev } = await db.put({ _id: 'a' });
    const ids = [rev.slice(2)];
    await db.bulkDocs([{ _id: 'a', _rev: '2-b', _revisions: { start: 2, ids: ['b', ...ids] } }], { new_edits: false });
    await db.put({ _id: '_local/x', n: 1 });
    const diff = await db.revsDiff({ a: ['2-b', '3-c'], b: ['1-x'] });
    return [
      await db.revsDiff({}),
      [diff.a.missing, diff.b.missing],
      (await db.get('_local/x')).n,
      (await db.get('a', { conflicts: true, revs: true }))._revisions.start,
      await db.compact(),
      [(await db.info()).doc_count, db.type(), db.adapter],
      (await db.allDocs({ keys: ['a', 'none'] })).rows.map(({ id, key, error }) => [id, key, error]),
    ];
  });

  same('addresses', async ({ Library, couch }) => {
    const { host } = new URL(couch);
    const name = `remote-address-${Date.now()}`;
    const put = new Library(`${couch}/${name}/`);
    await put.put({ _id: 'a' });
    const answers = [];
    for (const [address, options] of [
      [`${couch}/${name}?x=1`],
      [name, { prefix: couch }],
      [name, { prefix: `${couch}/` }],
    ]) {
      const db = new Library(address, options);
      answers.push((await db.get('a'))._id, (await db.info()).host.replace(host, 'host').replace(name, 'name'));
    }
    await put.destroy();
    return answers;
  });

  sameRemotely('a fetch and headers of the application’s', async ({ db, Library }) => {
    const seen = [];
    const fetch = (url, options) => {
      const { pathname, search } = new URL(url);
      seen.push([options.method ?? 'GET', pathname.replace(/remote-[-\d]+/, 'db') + search, options.credentials, options.headers.get('X-Who')]);
      // CouchDB's CORS settings do not let it pass.
      options.headers.delete('X-Who');
      return Library.fetch(url, options);
    };
    const other = new Library(db.name, { fetch, headers: { 'X-Who': 'me' }, skip_setup: true });
    await db.info();
    await other.put({ _id: 'a' });
    await other.get('a', { revs: true });
    await other.fetch('a');
    await other.getAttachment('a', 'none').catch(() => {});
    return seen;
  });
});

describe('what PouchDB’s remote databases do not do', () => {
  const { couch, lockedCouch } = globalThis.testSettings;

  it('asks for fresh credentials when those it has are refused, for whatever it was about', async () => {
    const locked = new URL(freshUrl(lockedCouch));
    const { username, password } = locked;
    locked.username = locked.password = '';
    const asked = [];
    let answer = { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } };
    const open = () =>
      new Potoroo(locked.href, {
        auth: { username: 'ada', password: 'expired' },
        reauthenticate: async (refusal) => {
          asked.push(refusal.status);
          return answer;
        },
      });
    const db = open();
    await Promise.all([db.put({ _id: 'a' }), db.info(), db.allDocs()]);
    expect(asked).to.deep.equal([401]);
    const second = open();
    await second.putAttachment('b', 'x', new Blob(['y']), 'text/plain');
    expect(await (await open().getAttachment('b', 'x')).text()).to.equal('y');
    expect(asked).to.deep.equal([401, 401, 401]);

    const local = new Potoroo(`credentials-${Date.now()}`);
    await local.put({ _id: 'c' });
    const { ok, docs_written } = await local.replicate.to(open());
    expect([ok, docs_written]).to.deep.equal([true, 1]);
    answer = false;
    const { error } = await attempt(local.replicate.from(open(), { retry: true }));
    expect(error.status).to.equal(401);
    await local.destroy();
    await db.destroy();
  });

  it('finds by selector', async () => {
    const db = new Potoroo(freshUrl(couch));
    await db.bulkDocs([{ _id: 'a', n: 1 }, { _id: 'b', n: 2 }]);
    const { id, result } = await db.createIndex({ fields: ['n'] });
    expect(result).to.equal('created');
    const { indexes } = await db.getIndexes();
    expect(indexes.map(({ ddoc }) => ddoc)).to.deep.equal([null, id]);
    const { docs } = await db.find({ selector: { n: { $gt: 1 } }, fields: ['_id'] });
    expect(docs).to.deep.equal([{ _id: 'b' }]);
    expect((await db.explain({ selector: { n: 1 } })).index.ddoc).to.equal(id);
    const { ddoc, name } = indexes[1];
    expect(await db.deleteIndex({ ddoc, name })).to.deep.equal({ ok: true });
    expect((await attempt(db.find())).error.message).to.equal('you must provide search parameters to find()');
    await db.destroy();
  });

  it('says what came where a page came in place of an answer', async () => {
    const page = async () => new Response('<html>Log in</html>', { headers: { 'content-type': 'text/html' } });
    const db = new Potoroo('http://127.0.0.1:9/a', { fetch: page, skip_setup: true });
    for (const call of [db.get('a'), db.info(), db.find({ selector: {} }), db.query('a'), db.putAttachment('a', 'x', new Blob(['y']), 'text/plain')]) {
      const { error } = await attempt(call);
      expect(error, 'must fail').to.be.an.instanceof(Error);
      expect(error.status).to.not.equal(200);
    }
  });
});
