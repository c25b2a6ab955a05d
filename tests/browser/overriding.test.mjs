// Methods that plugins, subclasses and apps put in place of ours.
import { expect } from '/node_modules/chai/index.js';

const fresh = (options) => new Potoroo(`overriding-${Math.random()}`, { adapter: 'memory', ...options });

describe('replaced methods', () => {
  it('are used by put, post and remove when bulkDocs is replaced', async () => {
    const db = fresh();
    const { bulkDocs } = db;
    const seen = [];
    db.bulkDocs = (request, ...rest) => {
      seen.push(...request.docs.map(({ _id }) => _id));
      return bulkDocs({ ...request, docs: request.docs.map((doc) => ({ ...doc, stamped: true })) }, ...rest);
    };
    const { rev } = await db.put({ _id: 'a' });
    await db.post({ _id: 'b' });
    expect(await db.get('a')).to.include({ stamped: true });
    expect((await db.remove('a', rev)).ok).to.equal(true);
    expect(seen).to.deep.equal(['a', 'b', 'a']);
    await db.put({ _id: '_local/x' });
    expect(await db.get('_local/x')).to.not.have.property('stamped');
  });

  it('are used for errors too', async () => {
    const db = fresh();
    await db.put({ _id: 'a' });
    const { bulkDocs } = db;
    db.bulkDocs = (...args) => bulkDocs(...args);
    const error = await db.put({ _id: 'a' }).catch((error) => error);
    expect(error).to.include({ status: 409, docId: 'a' });
  });

  it('by a subclass stay in force when the method is taken off its database', async () => {
    class Loud extends Potoroo {
      async get(...args) {
        return { ...(await super.get(...args)), loud: true };
      }
    }
    const db = new Loud(`overriding-${Math.random()}`, { adapter: 'memory' });
    await db.put({ _id: 'a' });
    const { get } = db;
    expect(await get('a')).to.include({ loud: true });
    await db.destroy();
  });

  it('by a plugin that brings what is missing are used', async () => {
    const Derived = Potoroo.defaults({ adapter: 'memory' });
    const db = new Derived(`overriding-${Math.random()}`);
    const before = await db.find({ selector: {} }).catch((error) => error);
    expect(before).to.include({ status: 501, name: 'not_implemented' });
    Derived.prototype.find = async () => ({ docs: [] });
    expect(await new Derived(db.name).find({})).to.deep.equal({ docs: [] });
    await db.destroy();
  });

  it('before the database is open get the calls that wait', async () => {
    const db = fresh();
    const { get } = db;
    const waiting = db.get('a').catch((error) => error.status);
    db.get = () => Promise.resolve('replaced');
    expect(await waiting).to.equal('replaced');
    expect(await get('a').catch((error) => error.status)).to.equal(404);
  });

  it('registerDependentDatabase is there for plugins, and destroy removes what it noted', async () => {
    const db = fresh({ adapter: 'idb' });
    const { db: dependent } = await db.registerDependentDatabase(`${db.name}-index`);
    await dependent.put({ _id: 'a' });
    await db.registerDependentDatabase(`${db.name}-index`);
    expect(await db.get('_local/_pouch_dependentDbs')).to.have.deep.property('dependentDbs', { [`${db.name}-index`]: true });
    await db.destroy();
    const again = new Potoroo(`${db.name}-index`);
    expect((await again.info()).doc_count).to.equal(0);
    await again.destroy();
  });
});

describe('what is not there yet', () => {
  const calls = {
    query: ['a/b'],
    find: [{ selector: {} }],
    createIndex: [{ index: { fields: ['a'] } }],
    getIndexes: [],
    deleteIndex: [{}],
    explain: [{}],
  };
  for (const [name, args] of Object.entries(calls)) {
    it(`${name} says so, to promises and callbacks`, async () => {
      const db = fresh();
      const error = await db[name](...args).catch((error) => error);
      expect(error).to.be.instanceOf(Error).and.include({ status: 501, name: 'not_implemented', error: true });
      expect(error.message).to.match(/ is not available yet$/);
      const [called] = await new Promise((resolve) => db[name](...args, (...args) => resolve(args)));
      expect(called.status).to.equal(501);
    });
  }

  it('filters kept in design documents say so', async () => {
    const db = fresh();
    await db.put({ _id: '_design/d', filters: { f: 'function () { return true; }' }, views: { v: { map: 'function () {}' } } });
    for (const options of [{ filter: 'd/f' }, { view: 'd/v' }, { filter: '_view', view: 'd/v' }, { selector: { a: 1 } }]) {
      expect(await db.changes(options).catch((error) => error)).to.include({ status: 501, name: 'not_implemented' });
      const replication = db.replicate.to(fresh(), options);
      expect(await replication.catch((error) => error)).to.include({ status: 501, name: 'not_implemented' });
    }
  });
});

describe('the options of the constructor', () => {
  it('stay as they are', async () => {
    for (const options of [{ adapter: 'memory', revs_limit: 5 }, { adapter: 'memory', name: `overriding-${Math.random()}` }]) {
      const before = { ...options };
      const db = options.name ? new Potoroo(Object.freeze(options)) : new Potoroo('a', Object.freeze(options));
      await db.info();
      expect(options).to.deep.equal(before);
    }
  });
});

describe('documents that are no JSON', () => {
  it('are refused with a reason, also while the database opens', async () => {
    const cyclic = { _id: 'a' };
    cyclic.self = { cyclic };
    const db = fresh();
    for (const doc of [cyclic, { _id: 'b', big: 1n }]) {
      for (const write of [() => db.put(doc), () => db.post(doc), () => db.bulkDocs([doc])]) {
        const error = await write().catch((error) => error);
        expect(error).to.be.instanceOf(Error).and.include({ status: 400, name: 'bad_request' });
        expect(error.message).to.match(/^Document can not be written as JSON: /);
      }
    }
    expect((await db.allDocs()).total_rows).to.equal(0);
  });

  it('lose what JSON has no place for', async () => {
    const db = fresh();
    await db.put({ _id: 'a', none: undefined, method() {}, symbol: Symbol('x'), nan: NaN, proxy: new Proxy({ b: 1 }, {}), map: new Map() });
    const { _rev, ...doc } = await db.get('a');
    expect(doc).to.deep.equal({ _id: 'a', nan: null, proxy: { b: 1 }, map: {} });
    expect(_rev).to.match(/^1-[0-9a-f]{32}$/);
  });
});

describe('inside Vue’s reactive state', () => {
  it('databases, feeds, replications and syncs work as outside', async () => {
    const { reactive, ref } = await import('/node_modules/vue/dist/vue.esm-browser.prod.js');
    const state = reactive({ db: fresh(), docs: [] });
    const other = ref(fresh());
    await state.db.put(reactive({ _id: 'a', list: [reactive({ b: 1 })] }));
    state.feed = state.db.changes({ live: true, include_docs: true }).on('change', ({ doc }) => state.docs.push(doc));
    state.replication = state.db.replicate.to(other.value);
    expect((await state.replication).docs_written).to.equal(1);
    state.sync = state.db.sync(other.value, { live: true });
    await new Promise((resolve) => state.sync.once('paused', resolve));
    await other.value.put({ _id: 'b' });
    while (state.docs.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(state.docs.map(({ _id }) => _id)).to.deep.equal(['a', 'b']);
    expect(state.docs[0].list).to.deep.equal([{ b: 1 }]);
    state.sync.cancel();
    expect((await state.sync).push.status).to.equal('cancelled');
    state.feed.cancel();
    expect(await state.feed).to.deep.equal({ status: 'cancelled' });
    const late = state.db.replicate.from(other.value, { live: true });
    state.late = late;
    state.late.cancel();
    expect((await late).status).to.equal('cancelled');
    await state.db.close();
    await other.value.destroy();
  });
});
