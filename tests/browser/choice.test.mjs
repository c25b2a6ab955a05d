// Where a database is kept, by what the browser allows and by what the application asks for.
import { expect } from '/node_modules/chai/index.js';
import { basicScript } from './support/basic_script.mjs';
import { frame } from './support/frame.mjs';
import { wait } from './support/parity.mjs';

let databases = 0;
const fresh = () => `choice-${(databases += 1)}-${Math.random()}`;

/** As browsers do for a page that has no right to storage: at once. */
const forbidding = (window) => {
  window.IDBFactory.prototype.open = () => {
    throw new window.DOMException('denied', 'SecurityError');
  };
};

/** As browsers do where they try and can't: the request fails. */
const failing = (name) => (window) => {
  const { open } = window.IDBFactory.prototype;
  window.IDBFactory.prototype.open = function () {
    // It fails because the database is newer; only the name of the error is made up.
    const request = open.call(this, newer, 1);
    Object.defineProperty(request, 'error', { get: () => new window.DOMException('made up', name) });
    return request;
  };
};
const newer = `newer-${Math.random()}`;
const without = (name) => (window) => Object.defineProperty(window, name, { value: undefined });

async function attempt(promise) {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
}

describe('the place of a database', () => {
  before(async () => {
    const request = indexedDB.open(newer, 2);
    await new Promise((resolve) => {
      request.onsuccess = resolve;
    });
    request.result.close();
  });

  for (const [what, prepare] of [
    ['IndexedDB is forbidden', forbidding],
    ['IndexedDB is closed to a private window', failing('InvalidStateError')],
    ['there is no IndexedDB', without('indexedDB')],
  ]) {
    it(`is localStorage where ${what}, and the application is told`, async () => {
      const { Potoroo, remove } = await frame(prepare);
      const name = fresh();
      const db = new Potoroo(name);
      const told = wait(db, 'adapter');
      const { rev } = await db.put({ _id: 'a', text: 'kept' });
      expect(await told).to.deep.equal(['localstorage']);
      expect([db.adapter, (await db.info()).adapter, db.type()]).to.deep.equal(['localstorage', 'localstorage', 'localstorage']);
      await db.close();
      remove();

      const again = await frame(prepare);
      const same = new again.Potoroo(name);
      expect(await same.get('a')).to.deep.equal({ _id: 'a', _rev: rev, text: 'kept' });
      await same.destroy();
      expect(Object.keys(localStorage).filter((key) => key.includes(name))).to.deep.equal([]);
      again.remove();
    });
  }

  it('is memory in a page that is denied everything', async () => {
    const element = document.createElement('iframe');
    element.sandbox = 'allow-scripts';
    element.srcdoc = `<script src="${location.origin}/pkg/dist/potoroo.iife.js"></script><script>
      const db = new Potoroo('denied');
      const told = new Promise((resolve) => db.once('adapter', resolve));
      const answer = async () => {
        await db.put({ _id: 'a' });
        return { told: await told, adapter: (await db.info()).adapter, id: (await db.get('a'))._id };
      };
      answer().then((answer) => parent.postMessage(answer, '*'), (error) => parent.postMessage({ error: String(error) }, '*'));
    </script>`;
    const message = new Promise((resolve) => {
      addEventListener('message', ({ data }) => resolve(data), { once: true });
    });
    document.body.append(element);
    expect(await message).to.deep.equal({ told: 'memory', adapter: 'memory', id: 'a' });
    element.remove();
  });

  it('is IndexedDB where nothing speaks against it, and no event says so', async () => {
    const db = new Potoroo(fresh());
    const told = [];
    db.on('adapter', (name) => told.push(name));
    expect((await db.info()).adapter).to.equal('idb');
    await db.destroy();
    expect(told).to.deep.equal([]);
  });

  it('stays IndexedDB where that can’t open what is on the disk: an empty database would look like a loss', async () => {
    const { Potoroo, remove } = await frame(failing('UnknownError'));
    const error = await new Potoroo(fresh()).info().then(() => undefined, (error) => error);
    expect([error.status, error.name, error.reason]).to.deep.equal([500, 'indexed_db_went_bad', 'UnknownError']);
    remove();
  });

  it('does not change while the page lives', async () => {
    let refuses = true;
    const { Potoroo, remove } = await frame((window) => {
      const { open } = window.IDBFactory.prototype;
      window.IDBFactory.prototype.open = function (...args) {
        if (refuses) throw new window.DOMException('not now', 'UnknownError');
        return open.apply(this, args);
      };
    });
    const name = fresh();
    const db = new Potoroo(name);
    await db.put({ _id: 'a' });
    refuses = false;
    const second = new Potoroo(name);
    expect((await second.get('a'))._id).to.equal('a');
    await db.close();
    await second.close();
    const third = new Potoroo(name);
    expect([(await third.info()).adapter, (await third.get('a'))._id]).to.deep.equal(['localstorage', 'a']);
    await third.destroy();
    const other = new Potoroo(fresh());
    expect((await other.info()).adapter).to.equal('idb');
    await other.destroy();
    remove();
  });

  it('is IndexedDB where that has no room, and the application gets the error', async () => {
    const { Potoroo, remove } = await frame(failing('QuotaExceededError'));
    const error = await attempt(new Potoroo(fresh()).info());
    expect([error.status, error.name, error.reason]).to.deep.equal([500, 'indexed_db_went_bad', 'QuotaExceededError']);
    remove();
  });

  it('is no other one than that which was asked for', async () => {
    const { Potoroo, remove } = await frame(forbidding);
    const error = await attempt(new Potoroo(fresh(), { adapter: 'idb' }).info());
    expect([error.status, error.name, error.reason]).to.deep.equal([500, 'indexed_db_went_bad', 'SecurityError']);
    for (const adapter of ['localstorage', 'memory']) {
      const db = new Potoroo(fresh(), { adapter });
      const told = [];
      db.on('adapter', (name) => told.push(name));
      expect((await db.info()).adapter).to.equal(adapter);
      await db.destroy();
      expect(told).to.deep.equal([]);
    }
    remove();
  });

  it('can’t be localStorage in a worker', async () => {
    const source = `importScripts('${location.origin}/pkg/dist/potoroo.iife.js');
      try { new Potoroo('x', { adapter: 'localstorage' }); postMessage('opened'); } catch (error) { postMessage(error.message); }`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    const answer = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    worker.terminate();
    expect(answer).to.equal('Invalid Adapter: localstorage');
  });
});

describe('a database in localStorage', () => {
  it('can do what one in IndexedDB can', async () => {
    const inLocalStorage = await basicScript(Potoroo.defaults({ adapter: 'localstorage' }), fresh());
    const inIndexedDb = await basicScript(Potoroo, fresh());
    expect(inLocalStorage).to.deep.equal({ ...inIndexedDb, adapter: 'localstorage' });
  });

  it('is apart from one of its name in IndexedDB', async () => {
    const name = fresh();
    const [here, there] = [new Potoroo(name, { adapter: 'localstorage' }), new Potoroo(name)];
    await here.put({ _id: 'a' });
    expect((await there.info()).doc_count).to.equal(0);
    await there.destroy();
    expect((await here.get('a'))._id).to.equal('a');
    await here.destroy();
  });

  it('tells that there is no room, stays readable, and is written again when there is', async () => {
    let db = new Potoroo(fresh(), { adapter: 'localstorage' });
    await db.put({ _id: 'before' });
    const ballast = fresh();
    for (let length = 4_194_304; length >= 1; length = Math.floor(length / 2)) {
      try {
        localStorage.setItem(ballast + length, 'x'.repeat(length));
      } catch {
        // The next one is half as long.
      }
    }
    const error = await attempt(db.put({ _id: 'full', text: 'x'.repeat(1000) }));
    expect([error.status, error.name, error.reason]).to.deep.equal([500, 'indexed_db_went_bad', 'QuotaExceededError']);
    expect((await db.allDocs()).rows.map(({ id }) => id)).to.deep.equal(['before']);
    await db.close();
    db = new Potoroo(db.name, { adapter: 'localstorage' });
    expect((await db.allDocs()).rows.map(({ id }) => id)).to.deep.equal(['before']);
    for (const key of Object.keys(localStorage)) if (key.startsWith(ballast)) localStorage.removeItem(key);
    await db.put({ _id: 'after' });
    await db.close();
    const again = new Potoroo(db.name, { adapter: 'localstorage' });
    expect((await again.allDocs()).rows.map(({ id }) => id)).to.deep.equal(['after', 'before']);
    await again.destroy();
  });
});

describe('durability', () => {
  const spying = (asked) => (window) => {
    const { transaction } = window.IDBDatabase.prototype;
    window.IDBDatabase.prototype.transaction = function (stores, mode, options) {
      if (mode === 'readwrite') asked.add(options?.durability);
      return transaction.call(this, stores, mode, options);
    };
  };

  for (const durability of [undefined, 'relaxed', 'strict']) {
    it(`is ${durability ?? 'relaxed by default'}`, async () => {
      const asked = new Set();
      const { Potoroo, remove } = await frame(spying(asked));
      const db = new Potoroo(fresh(), { durability });
      await db.put({ _id: 'a' });
      await db.destroy();
      expect([...asked]).to.deep.equal([durability ?? 'relaxed']);
      remove();
    });
  }

  it('is one of two', async () => {
    const error = await attempt(new Potoroo(fresh(), { durability: 'eternal' }).info());
    expect([error.status, error.name]).to.deep.equal([500, 'badarg']);
    expect(error.reason).to.include('eternal');
  });
});
