// Databases that PouchDB has left behind, opened with Potoroo: everything must be there, as PouchDB tells it.
import { expect } from '/node_modules/chai/index.js';
import { differences, plain } from './support/parity.mjs';

const { PouchDB, Potoroo, testSettings } = globalThis;
let databases = 0;
const fresh = () => `moving-${(databases += 1)}-${Math.random().toString(36).slice(2)}`;

const withoutIndexeddb = PouchDB.adapters;
await new Promise((resolve, reject) => {
  // A plugin of PouchDB's for script tags.
  const script = document.createElement('script');
  script.src = '/node_modules/pouchdb/dist/pouchdb.indexeddb.js';
  script.onload = resolve;
  script.onerror = reject;
  document.head.append(script);
});
if (!withoutIndexeddb.indexeddb) throw new Error('the adapter indexeddb was not loaded');

const history = (start, ...ids) => ({ _rev: `${start}-${ids[0]}`, _revisions: { start, ids } });

/** Documents of every kind, written with PouchDB. */
async function fill(db) {
  await db.bulkDocs(Array.from({ length: 40 }, (_, n) => ({ _id: `doc-${String(n).padStart(2, '0')}`, n, deep: { list: [n, null, true, 'ä\u{1f998}'] } })));
  const first = await db.get('doc-03');
  await db.put({ ...first, n: 'second' });
  await db.remove(await db.get('doc-05'));
  await db.put({ _id: 'doc-05', n: 'back' });
  await db.remove(await db.get('doc-06'));
  await db.bulkDocs(
    [
      { _id: 'conflict', which: 1, ...history(2, 'aaa', 'root') },
      { _id: 'conflict', which: 2, ...history(2, 'bbb', 'root') },
      { _id: 'conflict', which: 3, _deleted: true, ...history(3, 'ccc', 'bba', 'root') },
      { _id: 'a::b', ...history(1, 'x') },
      { _id: 'a', ...history(4, 'd', 'c', 'b', 'a') },
      { _id: 'gone', _deleted: true, ...history(7, 'g', 'f') },
    ],
    { new_edits: false },
  );
  await db.put({ _id: '_design/all', views: { all: { map: 'function (doc) { emit(doc.n); }' } } });
  const bytes = new Uint8Array(70_000).map((_, index) => index % 251);
  await db.put({
    _id: 'attached',
    _attachments: {
      'text.txt': { content_type: 'text/plain', data: btoa('some text') },
      'empty': { content_type: 'text/plain', data: '' },
      'large.bin': { content_type: 'application/x-large', data: new Blob([bytes]) },
    },
  });
  const attached = await db.get('attached');
  await db.put({ ...attached, edited: true });
  // The same content again, and one that only an old revision has.
  await db.putAttachment('doc-01', 'same.txt', (await db.get('doc-01'))._rev, btoa('some text'), 'text/plain');
  await db.removeAttachment('doc-01', 'same.txt', (await db.get('doc-01'))._rev);
  await db.put({ _id: '_local/settings', theme: 'dark' });
  await db.put({ ...(await db.get('_local/settings')), theme: 'light' });
}

/** What a database tells of itself, without what is known to differ. */
async function toldBy(db) {
  const changes = await db.changes({ style: 'all_docs', include_docs: true, conflicts: true, attachments: true });
  const rows = changes.results.map(({ seq, id, changes: revs, deleted, doc }) => ({ seq, id, deleted, revs: revs.map(({ rev }) => rev).sort(), doc: withoutRevpos(doc) }));
  const ids = rows.map(({ id }) => id);
  const leaves = [];
  for (const id of ids) {
    const found = await db.get(id, { open_revs: 'all', revs: true });
    leaves.push(found.map(({ ok }) => withoutRevpos(ok)).sort((left, right) => (left._rev < right._rev ? -1 : 1)));
  }
  const histories = [];
  for (const id of ids) histories.push(await db.get(id, { revs_info: true, rev: leaves[ids.indexOf(id)][0]._rev }).then(({ _revs_info }) => _revs_info));
  const listing = await db.allDocs();
  const { update_seq } = await db.info();
  return { rows, leaves, histories, update_seq, ids: listing.rows.map(({ id, value }) => [id, value.rev]), theme: (await db.get('_local/settings')).theme };
}

/** PouchDB tells no revpos with contents, and no length of empty ones. */
function withoutRevpos(doc) {
  for (const attachment of Object.values(doc?._attachments ?? {})) {
    delete attachment.revpos;
    delete attachment.length;
  }
  return doc;
}

/** In few words: they are long. */
const expectSame = (told, expected) => expect(differences(plain(expected), plain(told)).slice(0, 5)).to.deep.equal([]);

const contentOf = async (db, ...args) => [...new Uint8Array(await (await db.getAttachment(...args)).arrayBuffer())];

for (const adapter of ['idb', 'indexeddb']) {
  describe(`a database of PouchDB's adapter ${adapter}`, () => {
    it('is taken over with everything that is in it, and stays as it is', async () => {
      const name = fresh();
      const theirs = new PouchDB(name, { adapter });
      await fill(theirs);
      const [told, id] = [await toldBy(theirs), await theirs.id()];
      // While PouchDB has it open.
      const ours = new Potoroo(name);
      expectSame(await toldBy(ours), told);
      expect((await ours.get('_local/settings'))._rev).to.equal('0-2');
      expect(await ours.id()).to.equal(id);
      expect((await ours.check()).problems).to.deep.equal([]);
      expect(await contentOf(ours, 'attached', 'large.bin')).to.deep.equal(await contentOf(theirs, 'attached', 'large.bin'));
      const old = (await ours.get('doc-01', { revs: true }))._revisions.ids[1];
      expect(await contentOf(ours, 'doc-01', 'same.txt', { rev: `2-${old}` })).to.deep.equal([...new TextEncoder().encode('some text')]);
      // Each goes its own way from here on.
      await ours.put({ _id: 'ours' });
      expect(await theirs.get('ours').catch(({ status }) => status)).to.equal(404);
      expectSame(await toldBy(theirs), told);
      await ours.close();
      await theirs.put({ _id: 'theirs' });
      const again = new Potoroo(name);
      expect((await again.get('ours'))._id).to.equal('ours');
      expect(await again.get('theirs').catch(({ status }) => status)).to.equal(404);
      // And it does not come back.
      await again.destroy();
      const anew = new Potoroo(name);
      expect((await anew.info()).update_seq).to.equal(0);
      await anew.destroy();
      await theirs.destroy();
    });

    it('goes on from its checkpoints, both ways', async () => {
      const name = fresh();
      const couch = `${testSettings.couch}/${name}`;
      const theirs = new PouchDB(name, { adapter });
      const server = new PouchDB(couch);
      await server.bulkDocs(Array.from({ length: 30 }, (_, n) => ({ _id: `from-server-${n}` })));
      await theirs.bulkDocs(Array.from({ length: 20 }, (_, n) => ({ _id: `from-here-${n}` })));
      await theirs.sync(server);
      await theirs.sync(server);
      await theirs.put({ _id: 'unsent' });
      await theirs.close();
      const ours = new Potoroo(name);
      const push = await ours.replicate.to(couch);
      expect([push.docs_read, push.docs_written]).to.deep.equal([1, 1]);
      expect(push.last_seq).to.equal((await ours.info()).update_seq);
      await server.put({ _id: 'later' });
      const requests = [];
      const watched = new Potoroo(couch, {
        fetch(url, init) {
          requests.push(String(url));
          return fetch(url, init);
        },
      });
      const pull = await ours.replicate.from(watched);
      expect(pull.docs_written).to.equal(1);
      const feed = requests.find((url) => url.includes('/_changes'));
      expect(new URL(feed).searchParams.get('since')).to.not.equal('0');
      await ours.destroy();
      await server.destroy();
      await new PouchDB(name, { adapter }).destroy();
    });

    it('is gone on with where a page died in the middle, and nothing half is seen', async () => {
      const name = fresh();
      const theirs = new PouchDB(name, { adapter });
      await fill(theirs);
      const told = await toldBy(theirs);
      const frame = document.createElement('iframe');
      frame.src = '/empty.html';
      await new Promise((resolve) => {
        frame.onload = resolve;
        document.body.append(frame);
      });
      const script = frame.contentDocument.createElement('script');
      script.src = '/pkg/dist/potoroo.iife.js';
      await new Promise((resolve) => {
        script.onload = resolve;
        frame.contentDocument.head.append(script);
      });
      // Dies when it has written the first piece.
      const { IDBObjectStore } = frame.contentWindow;
      const { add } = IDBObjectStore.prototype;
      let pieces = 0;
      const died = new Promise((resolve) => {
        IDBObjectStore.prototype.add = function (...args) {
          const request = Reflect.apply(add, this, args);
          if (this.name === 'log') {
            pieces += 1;
            if (pieces === 2) this.transaction.addEventListener('complete', () => setTimeout(() => resolve(frame.remove()), 0));
          }
          return request;
        };
      });
      new frame.contentWindow.Potoroo(name);
      await died;
      // Meanwhile PouchDB writes on.
      await theirs.put({ ...(await theirs.get('doc-00')), meanwhile: true });
      const ours = new Potoroo(name);
      const theirsNow = await toldBy(theirs);
      expect(differences(plain(told), plain(theirsNow))).to.not.deep.equal([]);
      expectSame(await toldBy(ours), theirsNow);
      expect((await ours.check()).problems).to.deep.equal([]);
      await ours.destroy();
      await theirs.destroy();
    });

    it('is taken over once by handles that open it at the same time, on the page and in the worker', async () => {
      const name = fresh();
      const theirs = new PouchDB(name, { adapter });
      await fill(theirs);
      const told = await toldBy(theirs);
      const all = [new Potoroo(name), new Potoroo(name), new Potoroo(name, { worker: true })];
      for (const ours of all) expectSame(await toldBy(ours), told);
      await all[0].destroy();
      await theirs.destroy();
    });

    it('is left alone, deleted afterwards, or taken under another name, as the application wants it', async () => {
      const name = fresh();
      await new PouchDB(name, { adapter }).put({ _id: 'a' });
      const without = new Potoroo(name, { migrate: false });
      expect((await without.info()).doc_count).to.equal(0);
      const other = new Potoroo(`${name}-other`, { migrate: { from: `_pouch_${name}` } });
      expect((await other.info()).doc_count).to.equal(1);
      await without.destroy();
      await other.destroy();
      // Noted by its name, whatever took it over.
      await new PouchDB(name, { adapter }).destroy();
      await new PouchDB(name, { adapter }).put({ _id: 'b' });
      const moved = new Potoroo(name, { migrate: { remove: true } });
      expect((await moved.allDocs()).rows.map(({ id }) => id)).to.deep.equal(['b']);
      expect((await indexedDB.databases()).map((database) => database.name)).to.not.include(`_pouch_${name}`);
      await moved.destroy();
    });
  });
}

describe('what is no database of PouchDB’s', () => {
  it('is left alone, and an empty one gives its identity', async () => {
    const name = fresh();
    const request = indexedDB.open(`_pouch_${name}`, 3);
    request.onupgradeneeded = () => request.result.createObjectStore('docs');
    await new Promise((resolve) => (request.onsuccess = resolve));
    const ours = new Potoroo(name);
    expect((await ours.info()).update_seq).to.equal(0);
    request.result.close();
    await ours.destroy();
    const empty = fresh();
    const theirs = new PouchDB(empty);
    const id = await theirs.id();
    const same = new Potoroo(empty);
    expect(await same.id()).to.equal(id);
    expect((await same.info()).update_seq).to.equal(0);
    await same.destroy();
    await theirs.destroy();
  });
});
