// Attachments in replication, with a CouchDB and between databases of both libraries.
import { expect } from '/node_modules/chai/index.js';
import { same } from './support/parity.mjs';

let databases = 0;
const freshUrl = (couch) => `${couch}/carried-${Date.now()}-${(databases += 1)}`;
const blob = (content, type = 'application/octet-stream') => new Blob([content], { type });
const noise = (length, seed = 1) => Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7 + (index >> 8)) & 255);

/** A short word for bytes. */
async function word(content) {
  const bytes = new Uint8Array(await content.arrayBuffer());
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return `${content.type} ${bytes.length} ${btoa(String.fromCharCode(...new Uint8Array(digest))).slice(0, 12)}`;
}

const text = (data) => ({ content_type: 'text/plain', data });
const bytes = (data, type = 'application/octet-stream') => ({ content_type: type, data: blob(data, type) });

async function fill(db) {
  await db.put({ _id: 'small', _attachments: { 'a.txt': text(btoa('some text')), 'dir/ü +': bytes('in a folder') } });
  await db.put({ _id: 'large', n: 1, _attachments: { noise: bytes(noise(300_000)), more: bytes(noise(200_000, 2)), 'c.txt': text(btoa('c')) } });
  await db.put({ _id: 'empty', _attachments: { nothing: bytes('') } });
  await db.put({ _id: 'none' });
  // Two revisions with other contents under one name.
  const branch = (hash, content) => ({ _id: 'two', _rev: `1-${hash}`, _attachments: { x: text(btoa(content)) } });
  await db.bulkDocs([branch('a', 'loses'), branch('b', 'wins')], { new_edits: false });
}

/** All there is: documents without what the server decides, and contents. */
async function state(db) {
  const { rows } = await db.allDocs({ include_docs: true });
  const all = [];
  for (const { doc } of rows) {
    const { _attachments = {}, ...rest } = doc;
    const contents = [];
    for (const name of Object.keys(_attachments).sort()) {
      // revpos is not compared: PouchDB sends contents again, and the server then takes them for new ones.
      const { content_type, length, stub } = _attachments[name];
      contents.push([name, content_type, length, stub, await word(await db.getAttachment(doc._id, name))]);
    }
    // The two give different revisions to Blobs: PouchDB the same one to all of them.
    rest._rev = parseInt(rest._rev, 10);
    all.push([rest, contents]);
  }
  const losing = await db.getAttachment('two', 'x', { rev: '1-a' }).then((found) => found.text(), () => 'none');
  return [all, losing];
}

const counts = ({ docs_read, docs_written, doc_write_failures, ok }) => [ok, docs_read, docs_written, doc_write_failures];

describe('attachments in replication as in PouchDB', () => {
  same('to a server and back', async ({ db, fresh, couch, Library }) => {
    const remote = new Library(freshUrl(couch));
    await fill(db);
    const results = [counts(await db.replicate.to(remote)), await state(remote)];
    const other = fresh();
    results.push(counts(await other.replicate.from(remote)), await state(other));
    const large = await other.get('large');
    await other.put({ ...large, n: 2, _attachments: { ...large._attachments, 'c.txt': text(btoa('changed')) } });
    await other.put({ ...(await other.get('small')), _attachments: {} });
    results.push(counts(await other.replicate.to(remote)), counts(await db.replicate.from(remote)), await state(db));
    await remote.destroy();
    return results;
  });

  same('between databases of the browser', async ({ db, fresh }) => {
    const other = fresh();
    await fill(db);
    return [counts(await db.replicate.to(other)), await state(other)];
  });
});

describe('attachments in replication', () => {
  const { couch } = globalThis.testSettings;
  const opened = [];
  const open = (Library, name = `carried-${Date.now()}-${(databases += 1)}`, options = {}) => {
    const db = new Library(name, options);
    opened.push(db);
    return db;
  };
  after(() => Promise.all(opened.map((db) => db.destroy())));

  it('are brought from a PouchDB and to one', async () => {
    const [theirs, ours, back] = [open(PouchDB), open(Potoroo), open(PouchDB)];
    await fill(theirs);
    await Potoroo.replicate(theirs, ours);
    expect(await state(ours)).to.deep.equal(await state(theirs));
    await Potoroo.replicate(ours, back);
    expect(await state(back)).to.deep.equal(await state(theirs));
  });

  it('pass through methods that somebody has replaced', async () => {
    const [from, to] = [open(Potoroo), open(Potoroo)];
    const seen = [];
    for (const db of [from, to]) {
      const { bulkDocs, bulkGet } = db;
      db.bulkDocs = (request, ...rest) => {
        seen.push(request.docs?.length);
        return bulkDocs(request, ...rest);
      };
      db.bulkGet = (...args) => bulkGet(...args);
    }
    await fill(from);
    seen.length = 0;
    await from.replicate.to(to);
    expect(seen.reduce((sum, count) => sum + count)).to.equal(6);
    expect(await state(to)).to.deep.equal(await state(from));
  });

  it('are not sent or fetched again where they have not changed', async () => {
    const requests = [];
    let ancestor;
    const fetch = async (url, options = {}) => {
      const size = options.body instanceof Blob ? options.body.size : (options.body?.length ?? 0);
      const path = new URL(url).pathname.split('/').slice(2).join('/');
      requests.push([options.method, path, size]);
      const response = await Potoroo.fetch(url, options);
      if (path !== '_revs_diff' || !ancestor) return response;
      // CouchDB tells which revisions it has; a PouchDB Server does not.
      const missing = await response.json();
      for (const entry of Object.values(missing)) entry.possible_ancestors ??= [ancestor];
      return new Response(JSON.stringify(missing), { headers: { 'content-type': 'application/json' } });
    };
    const url = freshUrl(couch);
    const [one, two, remote] = [open(Potoroo), open(Potoroo), open(Potoroo, url, { fetch })];
    await fill(one);
    await one.replicate.to(remote);
    await two.replicate.from(remote);
    requests.length = 0;
    const large = await one.get('large');
    ancestor = large._rev;
    await one.put({ ...large, n: 2 });
    await one.replicate.to(remote);
    expect(requests.filter(([, , size]) => size > 5000)).to.deep.equal([]);
    expect((await remote.get('large'))._attachments.noise.revpos).to.equal(1);
    requests.length = 0;
    await two.replicate.from(remote);
    // CouchDB compresses the text, so that its digest tells nothing; it has not changed since the revision that is there.
    // With a `fetch` of its own a replication runs on the page, where databases in the worker must tell what they have.
    const again = requests.filter(([method, path]) => method === 'GET' && path.startsWith('large/'));
    expect(again).to.deep.equal([]);
    expect(await state(two)).to.deep.equal(await state(one));
  });

  it('become base64 outside the core’s memory, where a server takes no multipart', async () => {
    const url = freshUrl(couch);
    const bodies = [];
    const fetch = async (address, options = {}) => {
      const { pathname } = new URL(address);
      if (options.method === 'PUT' && pathname.endsWith('/large')) return new Response('{"error":"bad_request"}', { status: 400 });
      if (pathname.endsWith('/_bulk_docs')) bodies.push([new Headers(options.headers).get('content-type'), options.body]);
      return Potoroo.fetch(address, options);
    };
    const [from, remote] = [open(Potoroo), open(Potoroo, url, { fetch })];
    // More than two of the pieces that are encoded at a time, and no multiple of three bytes.
    const contents = { 'a.bin': noise(1_700_000), 'b.bin': noise(900_001, 2), 'c.txt': noise(10, 3) };
    const attachments = Object.entries(contents).map(([name, content]) => [name, bytes(content)]);
    await from.put({ _id: 'large', text: 'ä\u{1f998}', _attachments: Object.fromEntries(attachments) });
    expect(counts(await from.replicate.to(remote))).to.deep.equal([true, 1, 1, 0]);
    const [[type, body]] = bodies;
    expect([type, body instanceof Blob]).to.deep.equal(['application/json', true]);
    const [sent] = JSON.parse(await body.text()).docs;
    expect(sent.text).to.equal('ä\u{1f998}');
    for (const [name, content] of Object.entries(contents)) {
      expect(await word(await remote.getAttachment('large', name))).to.equal(await word(blob(content)));
      expect(atob(sent._attachments[name].data).length).to.equal(content.length);
    }
  });

  it('are refused where they are not what they should be, and the rest goes on', async () => {
    const url = freshUrl(couch);
    const honest = open(Potoroo, url);
    await honest.bulkDocs(['a', 'b', 'c'].map((_id) => ({ _id, _attachments: { x: bytes(noise(400_000, _id.charCodeAt(0))) } })));
    const fetch = async (address, options) =>
      new URL(address).pathname.endsWith('/b/x') ? new Response(noise(400_000, 99)) : Potoroo.fetch(address, options);
    const [target, liar] = [open(Potoroo), open(Potoroo, url, { fetch })];
    const denied = [];
    const { docs_written, doc_write_failures } = await target.replicate.from(liar).on('denied', ({ docId }) => denied.push(docId));
    expect([docs_written, doc_write_failures, denied]).to.deep.equal([2, 1, ['b']]);
    expect((await target.allDocs()).rows.map(({ id }) => id)).to.deep.equal(['a', 'c']);
    expect((await target.check()).problems).to.deep.equal([]);
  });
});
