// What comes as plugins with PouchDB and is part of Potoroo: upsert, users and sessions, transform, dump and load, allDbs.
import { expect } from '/node_modules/chai/index.js';
import { attempt, same } from './support/parity.mjs';

let names = 0;
const fresh = (options) => new globalThis.Potoroo(`built-in-${(names += 1)}-${Math.random().toString(36).slice(2)}`, options);

const contents = async (db) => [
  (await db.allDocs({ include_docs: true, conflicts: true })).rows.map(({ doc }) => doc),
  (await db.changes({ style: 'all_docs' })).results.map(({ id, changes, deleted }) => [id, changes.map(({ rev }) => rev).sort(), deleted]).sort(),
];

async function fill(db, count = 5) {
  await db.bulkDocs(Array.from({ length: count }, (_, n) => ({ _id: `doc-${String(n).padStart(5, '0')}`, n, text: 'é\n🐾' })));
  const { _rev } = await db.get('doc-00001');
  await db.remove('doc-00001', _rev);
  await db.bulkDocs([{ _id: 'doc-00000', _rev: '1-other', n: 'other' }], { new_edits: false });
}

describe('upsert as in pouchdb-upsert', () => {
  before(async () => {
    // It installs itself on the global PouchDB.
    const script = document.createElement('script');
    script.src = '/node_modules/pouchdb-upsert/dist/pouchdb.upsert.js';
    document.head.append(script);
    await new Promise((resolve) => script.addEventListener('load', resolve));
  });

  same('results, errors and callbacks', async ({ db, attempt }) => {
    const called = (...args) => new Promise((resolve) => db.upsert(...args, (error, result) => resolve([error, result])));
    return [
      await db.upsert('a', (doc) => ({ ...doc, n: 1 })),
      await db.upsert('a', (doc) => ({ ...doc, n: doc.n + 1 })),
      await db.upsert('a', () => false),
      await db.upsert('missing', () => undefined),
      await called('a', (doc) => ({ ...doc, _id: 'other', _rev: 'other', n: 3 })),
      await attempt(db.upsert(1, () => ({}))),
      await attempt(db.upsert('a', () => { throw new Error('no'); })),
      await db.putIfNotExists('a', { n: 0 }),
      await db.putIfNotExists('b', { n: 0 }),
      await db.putIfNotExists({ _id: 'c', n: 0 }),
      await db.putIfNotExists({ _id: 'c', n: 1 }),
      await attempt(db.putIfNotExists({ n: 1 })),
      await db.allDocs({ include_docs: true }),
    ];
  });

  same('at once', async ({ db }) => {
    const count = (doc) => ({ ...doc, n: (doc.n ?? 0) + 1 });
    const results = await Promise.all(Array.from({ length: 10 }, () => db.upsert('a', count)));
    return [results.map(({ updated }) => updated), (await db.get('a')).n];
  });

  it('waits for a promise of the document', async () => {
    const db = fresh();
    await db.upsert('a', async (doc) => ({ ...doc, n: 1 }));
    expect((await db.get('a')).n).to.equal(1);
    await db.destroy();
  });
});

describe('users and sessions', () => {
  const remote = () => new globalThis.Potoroo(`${globalThis.testSettings.couch}/users-${Math.random().toString(36).slice(2)}`, { skip_setup: true });
  const name = `Ada ${Math.random().toString(36).slice(2)}`;

  it('sign up, log in, log out', async () => {
    const db = remote();
    const signedUp = await db.signUp(name, 'secret', { metadata: { email: 'ada@example.org' } });
    expect(signedUp).to.include({ ok: true, id: `org.couchdb.user:${name}` });
    expect((await db.signUp(name, 'other').catch((error) => error)).status).to.equal(409);

    const wrong = await db.logIn(name, 'wrong').catch((error) => error);
    expect(wrong).to.be.instanceOf(Error).and.include({ status: 401, name: 'unauthorized' });
    expect(await db.logIn(name, 'secret')).to.include({ ok: true, name });
    expect((await db.getSession()).userCtx.name).to.equal(name);
    expect(await db.getUser(name)).to.include({ name, email: 'ada@example.org', type: 'user' });

    await db.putUser(name, { metadata: { email: 'ada@example.com' } });
    expect((await db.getUser(name)).email).to.equal('ada@example.com');
    await db.changePassword(name, 'secret too');
    expect((await db.logIn(name, 'secret').catch((error) => error)).status).to.equal(401);
    expect(await db.login(name, 'secret too')).to.include({ ok: true });
    expect(await db.logOut()).to.deep.equal({ ok: true });
    expect((await db.getSession()).userCtx.name).to.equal(null);
  });

  it('what is missing is said, to promises and callbacks', async () => {
    const db = remote();
    const local = fresh();
    for (const [promise, message] of [
      [db.logIn(), 'You must provide a username'],
      [db.logIn('a'), 'You must provide a password'],
      [db.signUp('a', 'b', { metadata: { roles: [] } }), 'cannot use reserved word in metadata: "roles"'],
      [db.getUser(), 'You must provide a username'],
      [db.changeUsername('a'), 'You must provide a new username'],
      [local.logIn('a', 'b'), /^This plugin only works for the http\/https adapter/],
    ]) {
      const error = await promise.catch((error) => error);
      expect(error).to.include({ status: 400, name: 'authentication_error', error: true });
      expect(error.message).to.match(new RegExp(message));
    }
    const [called] = await new Promise((resolve) => db.logIn('a', (...args) => resolve(args)));
    expect(called.name).to.equal('authentication_error');
    expect(db.getUsersDatabaseUrl()).to.equal(`${globalThis.testSettings.couch}/_users`);
    await local.destroy();
  });

  it('asks through the fetch of the application, with its headers, and does not make the database', async () => {
    const asked = [];
    const db = new globalThis.Potoroo('https://couch.example/path/notes', {
      headers: { 'x-tenant': 'a' },
      fetch: async (url, { method, headers, body }) => {
        asked.push([method, url, headers.get('x-tenant'), body]);
        return new Response(JSON.stringify({ ok: true, all_nodes: ['couchdb@node'] }));
      },
    });
    await db.logIn('ada', 'p"w');
    await db.signUpAdmin('eve', 'p"w');
    await db.deleteAdmin('eve');
    expect(asked).to.deep.equal([
      ['POST', 'https://couch.example/path/_session', 'a', '{"name":"ada","password":"p\\"w"}'],
      ['GET', 'https://couch.example/path/_membership', 'a', undefined],
      ['PUT', 'https://couch.example/path/_node/couchdb@node/_config/admins/eve', 'a', '"p\\"w"'],
      ['GET', 'https://couch.example/path/_membership', 'a', undefined],
      ['DELETE', 'https://couch.example/path/_node/couchdb@node/_config/admins/eve', 'a', undefined],
    ]);
  });
});

describe('transform', () => {
  const reversed = (doc) => ({ ...doc, text: [...doc.text].reverse().join('') });
  const texts = async (db) => (await db.allDocs({ include_docs: true })).rows.map(({ doc }) => doc.text).join(' ');

  it('changes what is written and what is read, also before the database is open and by replications', async () => {
    const db = fresh();
    const plain = new globalThis.Potoroo(db.name);
    db.transform({ incoming: reversed, outgoing: async (doc) => reversed(doc) });
    const doc = { _id: 'a', text: 'put' };
    await db.put(doc);
    expect(doc).to.deep.equal({ _id: 'a', text: 'put' });
    expect((await plain.get('a')).text).to.equal('tup');
    await db.bulkDocs({ docs: [{ _id: 'b', text: 'bulk' }] });
    await new Promise((resolve) => db.post({ _id: 'c', text: 'post' }, resolve));
    const other = fresh();
    await other.put({ _id: 'd', text: 'pulled' });
    await db.sync(other);
    expect(await texts(plain)).to.equal('tup klub tsop dellup');
    for (const each of [db, other]) expect(await texts(each)).to.equal('put bulk post pulled');
    expect((await db.bulkGet({ docs: [{ id: 'a' }] })).results[0].docs[0].ok.text).to.equal('put');
    expect((await db.get('a', { open_revs: 'all' }))[0].ok.text).to.equal('put');
    await db.remove(await db.get('a'));
    await db.put({ _id: '_local/x', text: 'local' });
    expect((await plain.get('_local/x')).text).to.equal('local');
    for (const each of [db, other]) await each.destroy();
  });

  it('feeds tell changed documents, in their order', async () => {
    const db = fresh();
    let pause = 20;
    const outgoing = async (doc) => {
      // The first one takes longest.
      await new Promise((resolve) => setTimeout(resolve, (pause = Math.max(0, pause - 10))));
      return reversed(doc);
    };
    db.transform({ outgoing });
    await db.bulkDocs(['one', 'two', 'three'].map((text, n) => ({ _id: String(n), text })));
    const told = [];
    const { results } = await db.changes({ include_docs: true }).on('change', ({ doc }) => told.push(doc.text));
    expect(told).to.deep.equal(['eno', 'owt', 'eerht']);
    expect(results.map(({ doc }) => doc.text)).to.deep.equal(told);
    const live = db.changes({ live: true, since: 'now', include_docs: true });
    const next = new Promise((resolve) => live.once('change', resolve));
    await db.put({ _id: '3', text: 'four' });
    expect((await next).doc.text).to.equal('ruof');
    live.cancel();
    await db.destroy();
  });

  it('several follow each other, and back in the opposite order', async () => {
    const db = fresh();
    db.transform({ incoming: (doc) => ({ ...doc, text: `${doc.text}1` }), outgoing: (doc) => ({ ...doc, text: `${doc.text}-` }) });
    db.transform({ incoming: (doc) => ({ ...doc, text: `${doc.text}2` }), outgoing: (doc) => ({ ...doc, text: `${doc.text}+` }) });
    await db.put({ _id: 'a', text: '' });
    expect((await db.get('a')).text).to.equal('12+-');
    await db.destroy();
  });
});

describe('dump and load', () => {
  it('carries everything over, by a Blob, a text, a stream and an address', async () => {
    const db = fresh();
    await fill(db, 250);
    const dump = await db.dump();
    const text = await dump.text();
    const lines = text.trim().split('\n').map((line) => JSON.parse(line));
    expect(lines[0]).to.have.all.keys('version', 'db_type', 'start_time', 'db_info');
    expect(lines.slice(1).map((line) => Object.keys(line)[0])).to.deep.equal(['docs', 'seq', 'docs', 'seq', 'docs', 'seq']);
    expect(lines.at(-1).seq).to.equal((await db.info()).update_seq);
    const address = URL.createObjectURL(dump);
    for (const source of [dump, text, dump.stream(), address, new Response(dump), [text.slice(0, 999), text.slice(999)]]) {
      const target = fresh();
      const result = await target.load(source);
      expect(result).to.deep.equal({ ok: true, docs_read: 251, doc_write_failures: 0, errors: [], last_seq: lines.at(-1).seq });
      expect(await contents(target)).to.deep.equal(await contents(db));
      await target.destroy();
    }
    await db.destroy();
  });

  it('carries attachments over', async () => {
    const db = fresh();
    const _attachments = { 'a.txt': { content_type: 'text/plain', data: new Blob(['é🐾'.repeat(1000)]) } };
    await db.put({ _id: 'a', _attachments });
    const loaded = fresh();
    await loaded.load(await db.dump());
    expect(await (await loaded.getAttachment('a', 'a.txt')).text()).to.equal('é🐾'.repeat(1000));
    for (const each of [db, loaded]) await each.destroy();
  });

  it('streams, a batch at a time, with the options of a replication', async () => {
    const db = fresh();
    await fill(db, 30);
    const chunks = [];
    let writing = 0;
    const target = new WritableStream({
      async write(chunk) {
        expect((writing += 1)).to.equal(1);
        await new Promise((resolve) => setTimeout(resolve));
        chunks.push(chunk);
        writing -= 1;
      },
      close: () => chunks.push('closed'),
    });
    expect(await db.dump(target, { batch_size: 10, filter: (doc) => doc.n > 5 })).to.deep.equal({ ok: true });
    expect(chunks.pop()).to.equal('closed');
    const loaded = fresh();
    const { docs_read } = await loaded.load(new Blob(chunks));
    expect(docs_read).to.equal(24);
    expect((await loaded.allDocs()).rows[0].id).to.equal('doc-00006');
    for (const each of [db, loaded]) await each.destroy();
  });

  it('loads what pouchdb-dump has written, and says which line is broken', async () => {
    const db = fresh();
    const lines = [
      '{"version":"1.2.2","db_type":"leveldb","start_time":"2014-09-07T21:31:01.527Z","db_info":{"doc_count":2,"update_seq":2,"db_name":"testdb"}}',
      '{"docs":[{"n":1,"_id":"a","_rev":"1-x","_revisions":{"start":1,"ids":["x"]}}]}',
      '{"docs":[{"n":2,"_id":"b","_rev":"2-y","_revisions":{"start":2,"ids":["y","z"]}}]}\r',
      '{"seq":2}',
    ];
    await db.load(lines.join('\n'));
    expect((await db.allDocs()).rows.map(({ id, value }) => [id, value.rev])).to.deep.equal([['a', '1-x'], ['b', '2-y']]);
    const { error } = await attempt(db.load([...lines, '{"docs"'].join('\n')));
    expect([error.status, error.reason]).to.deep.equal([400, 'line 5 of the dump is no JSON object']);
    const [called] = await new Promise((resolve) => db.load(new URL('/nowhere', location).href, (...args) => resolve(args)));
    expect(called.status).to.equal(404);
    await db.destroy();
  });

  it('with `proxy`, a replication goes on where the dump ends', async () => {
    const remote = new globalThis.Potoroo(`${globalThis.testSettings.couch}/dump-${Math.random().toString(36).slice(2)}`);
    await fill(remote);
    const db = fresh();
    await db.load(await remote.dump(), { proxy: remote.name });
    expect(await contents(db)).to.deep.equal(await contents(remote));
    await remote.put({ _id: 'later' });
    const read = [];
    const { docs_read } = await db.replicate.from(remote).on('change', ({ docs }) => read.push(...docs.map(({ _id }) => _id)));
    expect([docs_read, read]).to.deep.equal([1, ['later']]);
    for (const each of [db, remote]) await each.destroy();
  });
});

describe('allDbs', () => {
  it('names the databases of this browser, whatever they are kept in', async () => {
    const { Potoroo } = globalThis;
    const mine = `all-dbs-${Math.random().toString(36).slice(2)}`;
    const open = ['idb', 'localstorage', 'memory'].map((adapter) => new Potoroo(`${mine}/é%2F-${adapter}`, { adapter }));
    const belonging = new Potoroo(`${mine}-mrview-1`);
    for (const db of [...open, belonging]) await db.info();
    const listed = async (Library = Potoroo) => (await Library.allDbs()).filter((name) => name.includes(mine));
    expect(await listed()).to.deep.equal(open.map(({ name }) => name).sort());
    await open[2].close();
    expect((await listed()).length).to.equal(3);
    const Prefixed = Potoroo.defaults({ prefix: `${mine}/` });
    expect(await Prefixed.allDbs()).to.deep.equal(['é%2F-idb', 'é%2F-localstorage', 'é%2F-memory']);
    const [error, called] = await new Promise((resolve) => Potoroo.allDbs((...args) => resolve(args)));
    expect([error, called.includes(open[0].name)]).to.deep.equal([null, true]);
    for (const { name, adapter } of open) await new Potoroo(name, { adapter }).destroy();
    await belonging.destroy();
    expect(await listed()).to.deep.equal([]);
  });
});

describe('debug', () => {
  it('tells the adapter that was picked, and calls with their outcome', async () => {
    const { Potoroo } = globalThis;
    const told = [];
    const listener = (args) => told.push(args);
    Potoroo.on('debug', listener);
    const db = fresh();
    await db.put({ _id: 'a' });
    await db.get('b').catch(() => {});
    Potoroo.removeListener('debug', listener);
    await db.destroy();
    expect(told.map(([topic, name, method, outcome]) => [topic, topic === 'api' ? name === db.name : name, method, typeof outcome === 'string' && outcome])).to.deep.equal([
      ['adapter', 'Picked adapter: ', 'idb', false],
      ['api', true, 'put', false],
      ['api', true, 'put', 'success'],
      ['api', true, 'get', 'b'],
      ['api', true, 'get', 'error'],
    ]);
  });
});
