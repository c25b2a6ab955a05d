// What no application should do: PouchDB's answer or a clear error, and a database that works afterwards.
import { expect } from '/node_modules/chai/index.js';
import { attempt, differences, plain, same } from './support/parity.mjs';

const databases = [];
const open = (Library, options) => {
  const db = new Library(`bad-input-${Math.random()}`, options);
  databases.push(db);
  return db;
};

afterEach(async () => {
  for (const db of databases.splice(0)) await db.destroy();
});

/** The document as it is stored, or the error. */
async function stored(db, doc) {
  const { error } = await attempt(() => db.put(doc));
  return error ? outline(error) : attempt(() => db.get(doc._id)).then(({ value, error: lost }) => value ?? outline(lost));
}

const outline = ({ status, name, message }) => ({ isError: true, status, name, message });

/** Written, read, listed, removed: nothing of that is disturbed. */
async function works(db) {
  const { rev } = await db.put({ _id: 'afterwards', n: 1 });
  expect(await db.get('afterwards')).to.deep.equal({ _id: 'afterwards', _rev: rev, n: 1 });
  const { rows } = await db.allDocs({ keys: ['afterwards'] });
  expect(rows[0].value.rev).to.equal(rev);
  await db.remove('afterwards', rev);
  if (db instanceof Potoroo) expect((await db.check()).problems).to.deep.equal([]);
}

/** Both store the document alike, or both refuse it for the same reason. */
function storedAlike(title, make) {
  it(title, async () => {
    const [theirs, ours] = [open(PouchDB), open(Potoroo)];
    const [expected, actual] = [await stored(theirs, make()), await stored(ours, make())];
    expect(differences(plain(expected), plain(actual))).to.deep.equal([]);
    await works(theirs);
    await works(ours);
  });
}

/** Ours is stored so, or refused so, whatever PouchDB does. */
function storedOnly(title, make, expected) {
  it(title, async () => {
    const db = open(Potoroo);
    // Before it is open arguments take another way than afterwards.
    const early = await stored(db, make());
    expect(plain(early)).to.deep.include(expected);
    if (!early.isError) await db.remove(early);
    const later = await stored(db, Object.assign(make(), { _rev: undefined }));
    expect(plain(later)).to.deep.include(expected);
    await works(db);
  });
}

const nested = (levels) => {
  let value = 'deep';
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { value };
  return value;
};

const depthOf = (value) => {
  let levels = 0;
  for (; typeof value === 'object'; levels += 1) value = Array.isArray(value) ? value[0] : value.value;
  return levels;
};

describe('wrong arguments as in PouchDB', () => {
  const calls = {
    'put(null)': (db) => db.put(null),
    'put(7)': (db) => db.put(7),
    'put([])': (db) => db.put([]),
    'put({})': (db) => db.put({}),
    'put of an id that is an object': (db) => db.put({ _id: {} }),
    'put of an id that is an array': (db) => db.put({ _id: ['a'] }),
    'put of an id that is false': (db) => db.put({ _id: false }),
    'put of an id that is true': (db) => db.put({ _id: true }),
    'put of a reserved id': (db) => db.put({ _id: '_a' }),
    'put of an unknown special member': (db) => db.put({ _id: 'a', _foo: 1 }),
    'put of a revision that is a number': (db) => db.put({ _id: 'a', _rev: 1 }),
    'put of a revision without a generation': (db) => db.put({ _id: 'a', _rev: 'abc' }),
    'put of a revision with two dashes': (db) => db.put({ _id: 'a', _rev: '1-a-b' }),
    'put of a revision that is empty': (db) => db.put({ _id: 'a', _rev: '' }),
    'post([])': (db) => db.post([]),
    'post of a number as id': (db) => db.post({ _id: 7 }),
    'get(null)': (db) => db.get(null),
    'get(7)': (db) => db.get(7),
    'get of nothing': (db) => db.get(''),
    'get of a reserved id': (db) => db.get('_a'),
    'get of a revision that is none': (db) => db.get('a', { rev: 'x' }),
    'get of open_revs that are none': (db) => db.get('a', { open_revs: 7 }),
    'get of open_revs with one that is none': (db) => db.get('a', { open_revs: ['x'] }),
    'get of open_revs with a number': (db) => db.get('a', { open_revs: [1] }),
    'remove of an unknown document': (db) => db.remove('none', '1-a'),
    'remove of a document without a revision': (db) => db.remove({ _id: 'a' }),
    'bulkDocs(7)': (db) => db.bulkDocs(7),
    'bulkDocs({})': (db) => db.bulkDocs({}),
    'bulkDocs of docs that are no list': (db) => db.bulkDocs({ docs: { a: 1 } }),
    'bulkDocs of null': (db) => db.bulkDocs([null]),
    'bulkDocs of a number': (db) => db.bulkDocs([7]),
    'bulkDocs of a list': (db) => db.bulkDocs([[]]),
    'bulkDocs of a wrong id among others': (db) => db.bulkDocs([{ _id: 'b' }, { _id: 7 }]),
    'bulkDocs of revisions without one': (db) => db.bulkDocs([{ _id: 'b' }], { new_edits: false }),
    'bulkDocs of revisions without an id': (db) => db.bulkDocs([{ _rev: '1-a' }], { new_edits: false }),
    'allDocs of keys and a range': (db) => db.allDocs({ keys: ['a'], startkey: 'a' }),
    'allDocs of a range that ends before it begins': (db) => db.allDocs({ startkey: 'b', endkey: 'a' }),
    'allDocs of a limit that is a text': (db) => db.allDocs({ limit: 'x' }).then(({ rows }) => rows.length),
    'revsDiff({})': (db) => db.revsDiff({}),
    'compactDocument of an unknown document': (db) => db.compactDocument('none', 0),
  };
  for (const [title, call] of Object.entries(calls)) {
    same(title, async ({ db }) => {
      await db.put({ _id: 'a' });
      const { value, error } = await attempt(() => call(db));
      await works(db);
      return error ? outline(error) : { value };
    });
  }

  // PouchDB throws a TypeError of its own insides, or answers never.
  const unclear = {
    'put()': (db) => db.put(),
    'post()': (db) => db.post(),
    'get()': (db) => db.get(),
    'bulkDocs()': (db) => db.bulkDocs(),
    'bulkGet of nothing': (db) => db.bulkGet({ docs: [] }),
    'bulkGet()': (db) => db.bulkGet(),
    'bulkGet of docs that are none': (db) => db.bulkGet({ docs: 7 }),
    'bulkGet of an id that is a number': (db) => db.bulkGet({ docs: [{ id: 7 }] }),
    'revsDiff()': (db) => db.revsDiff(),
    'revsDiff of a text': (db) => db.revsDiff('abc'),
    'revsDiff of revisions that are no list': (db) => db.revsDiff({ a: 7 }),
    'allDocs of keys that are no list': (db) => db.allDocs({ keys: 'a' }),
    'allDocs of a negative limit': (db) => db.allDocs({ limit: -1 }),
    'allDocs of a huge limit': (db) => db.allDocs({ limit: 1e300, skip: -1e300 }),
    'changes of a list of ids that is none': (db) => db.changes({ doc_ids: 7 }),
    'changes since an object': (db) => db.changes({ since: { a: 1 } }),
    'changes of an unknown style': (db) => db.changes({ style: 'fancy' }),
    'changes of a filter that is a number': (db) => db.changes({ filter: 7 }),
    'put with options that are a text': (db) => db.put({ _id: 'x' }, 'text'),
    'get with options that are a text': (db) => db.get('a', 'text'),
    'remove()': (db) => db.remove(),
    'purge()': (db) => db.purge(),
    'compactDocument()': (db) => db.compactDocument(),
    'compact of a text': (db) => db.compact('text'),
  };
  for (const [title, call] of Object.entries(unclear)) {
    it(`${title} is answered, with a value or an error that has a message`, async () => {
      const db = open(Potoroo);
      await db.put({ _id: 'a' });
      const { error } = await attempt(() => call(db));
      if (error) {
        expect(error).to.be.instanceOf(Error);
        expect(error.message, String(error.stack)).to.be.a('string').that.does.not.match(/^$|unreachable|panic|is not a function/);
      }
      await works(db);
    });
  }
});

describe('odd documents', () => {
  const everyday = ['\u0000', 'a\u0000b', ' ', '\ufeff', '\uffff', '\ufffd', '\u{10ffff}', 'é', 'e\u0301', '../..', '"\\', '%00', 'constructor', 'toString', '__proto', 'null', '0', 'a\nb'];
  for (const id of everyday) storedAlike(`the id ${JSON.stringify(id)}`, () => ({ _id: id, text: id, [`${id} `]: [id] }));
  storedAlike('an id of a megabyte', () => ({ _id: 'ä'.repeat(1 << 20), n: 1 }));
  storedAlike('names and values of lone surrogates', () => ({ _id: 'a', '\ud800': '\udfff', b: { '\udc00\ud800': ['\ud800', 'x\udbff'] } }));
  storedAlike('dates', () => ({ _id: 'a', date: new Date(0), list: [new Date(1e12)] }));
  storedAlike('undefined', () => ({ _id: 'a', none: undefined, inner: { none: undefined, list: [1, undefined, 2] } }));
  storedAlike('an instance of a class', () => {
    class Note {
      _id = 'a';
      text = 'x';
      get length() {
        return 1;
      }
      save() {}
    }
    return new Note();
  });
  storedAlike('an object without a prototype', () => Object.assign(Object.create(null), { _id: 'a', inner: Object.assign(Object.create(null), { b: 1 }) }));
  storedAlike('a frozen document', () => Object.freeze({ _id: 'a', inner: Object.freeze({ b: 1 }) }));
  storedAlike('names of the prototype', () => ({ _id: 'a', constructor: 1, hasOwnProperty: 2, toString: 3, valueOf: null, inner: { constructor: { prototype: 1 } } }));
  storedAlike('sparse arrays and extreme numbers', () => ({ _id: 'a', numbers: [1e308, 5e-324, 2 ** 53 + 2, -0.5, 1e21] }));
  storedAlike('nesting of 500 levels', () => ({ _id: 'a', deep: nested(500) }));

  storedOnly('NaN and infinities are null, as JSON has it', () => ({ _id: 'a', list: [NaN, Infinity, -Infinity], nan: NaN }), { _id: 'a', list: [null, null, null], nan: null });
  storedOnly('functions and symbols are left out, as JSON has it', () => ({ _id: 'a', f() {}, s: Symbol('s'), list: [() => {}], n: 1 }), { _id: 'a', list: [null], n: 1 });
  storedOnly('maps, sets and patterns have no members', () => ({ _id: 'a', map: new Map([[1, 2]]), set: new Set([1]), pattern: /x/ }), { _id: 'a', map: {}, set: {}, pattern: {} });
  storedOnly('a BigInt is refused', () => ({ _id: 'a', n: 1n }), { status: 400, name: 'bad_request' });
  storedOnly('a document that contains itself is refused', () => {
    const doc = { _id: 'a' };
    doc.inner = { list: [doc] };
    return doc;
  }, { status: 400, name: 'bad_request' });
  storedOnly('a member that throws is refused', () => ({
    _id: 'a',
    inner: {
      get broken() {
        throw new Error('broken');
      },
    },
  }), { isError: true });
  storedOnly('an id that only begins as a design document’s is refused, as by CouchDB', () => ({ _id: '_designs' }), { status: 400, name: 'bad_request' });
  storedOnly('a special member of the prototype', () => JSON.parse('{"_id":"a","__proto__":{"x":1}}'), { status: 500, name: 'doc_validation' });
  storedOnly('proxies, as Vue makes them', () => {
    const proxies = new WeakMap();
    const reactive = (target) => {
      if (typeof target !== 'object' || target === null) return target;
      if (!proxies.has(target)) {
        proxies.set(target, new Proxy(target, { get: (object, name, receiver) => reactive(Reflect.get(object, name, receiver)) }));
      }
      return proxies.get(target);
    };
    return reactive({ _id: 'a', inner: { list: [1, { b: 2 }] } });
  }, { _id: 'a', inner: { list: [1, { b: 2 }] } });

  it('an inner member called __proto__ stays what it is', async () => {
    const db = open(Potoroo);
    await db.put(JSON.parse('{"_id":"a","inner":{"__proto__":{"polluted":true},"b":1}}'));
    const { inner } = await db.get('a');
    expect(JSON.stringify(inner)).to.equal('{"__proto__":{"polluted":true},"b":1}');
    expect(inner.polluted).to.equal(undefined);
    expect({}.polluted).to.equal(undefined);
    const { rows } = await db.allDocs({ include_docs: true });
    expect(Object.keys(rows[0].doc.inner)).to.deep.equal(['__proto__', 'b']);
  });

  it('ids of lone surrogates are refused, and are nobody else’s', async () => {
    const db = open(Potoroo);
    await db.put({ _id: '\ufffd', n: 'another' });
    for (const id of ['\ud800', '\udc00', 'a\ud800b', '\udc00\ud800']) {
      expect((await attempt(db.put({ _id: id }))).error).to.include({ status: 400, message: '_id field must contain a string' });
      expect((await attempt(db.get(id))).error).to.include({ status: 404, docId: id });
      expect((await attempt(db.remove(id, '1-a'))).error).to.include({ status: 400 });
      expect((await attempt(db.purge(id, '1-a'))).error).to.include({ status: 404 });
      expect((await attempt(db.compactDocument(id, 0))).error).to.include({ status: 404 });
      for (const call of [db.allDocs({ keys: [id] }), db.bulkGet({ docs: [{ id }] }), db.revsDiff({ [id]: ['1-a'] }), db.allDocs({ startkey: id })]) {
        expect((await attempt(call)).error).to.include({ status: 500, name: 'badarg' });
      }
    }
    expect(() => new Potoroo('a\ud800')).to.throw('Missing/invalid DB name');
    expect((await db.info()).doc_count).to.equal(1);
    await works(db);
  });

  for (const levels of [2000, 10_000, 100_000]) {
    it(`nesting of ${levels} levels is stored, or refused in words`, async () => {
      const db = open(Potoroo);
      await db.info();
      const { value, error } = await attempt(db.put({ _id: 'a', deep: nested(levels) }));
      if (value) expect(depthOf((await db.get('a')).deep)).to.equal(levels);
      else expect(error).to.include({ status: 400, name: 'bad_request' });
      const early = open(Potoroo);
      const second = await attempt(early.put({ _id: 'a', deep: nested(levels) }));
      if (second.error) expect(second.error).to.include({ status: 400, name: 'bad_request' });
      await works(db);
      await works(early);
    });
  }

  it('nesting that comes from elsewhere is kept, however deep', async () => {
    const db = open(Potoroo);
    await db.info();
    const text = `{"_id":"a","deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    // As a document of a server comes: as text.
    await db._core.bulk_docs(`[${text}]`, '{}');
    const found = await db.get('a');
    let levels = 0;
    for (let value = found.deep; value !== undefined; value = value[0]) levels += 1;
    expect(levels).to.equal(50_000);
    const again = open(Potoroo);
    expect((await db.replicate.to(again)).docs_written).to.equal(1);
    await works(again);
  });

  for (const [name, Library] of Object.entries({ PouchDB, Potoroo })) {
    it(`a document of 50 MB, in ${name}`, async () => {
      const db = open(Library);
      const text = '0123456789abcdef'.repeat(1 << 16);
      const parts = Array.from({ length: 50 }, (_, index) => `${index}${text}`);
      const { rev } = await db.put({ _id: 'a', parts });
      const found = await db.get('a');
      expect([found._rev, found.parts.length, found.parts[49] === parts[49]]).to.deep.equal([rev, 50, true]);
      await db.put({ _id: 'b', n: 1 });
      const { results } = await db.changes({ include_docs: true });
      expect(results.map(({ id, doc }) => [id, doc.parts?.length])).to.deep.equal([['a', 50], ['b', undefined]]);
      await db.put({ ...found, parts: [] });
      await db.compact();
      await works(db);
    }).timeout(60_000);
  }
});
