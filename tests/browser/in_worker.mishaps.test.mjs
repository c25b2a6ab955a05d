// When the worker of a database dies, and where there can be none.
import { expect } from '/node_modules/chai/index.js';
import { frame } from './support/frame.mjs';
import { attempt, wait } from './support/parity.mjs';
import { kill, listenToWarnings, watchWorkers } from './support/workers.mjs';

let databases = 0;
const fresh = () => `worker-mishap-${(databases += 1)}-${Math.random()}`;
const inWorker = { worker: true };

/** A frame whose workers are known. */
async function watchedFrame() {
  const workers = [];
  return { workers, ...(await frame(watchWorkers(workers))) };
}

describe('a worker that dies', () => {
  it('fails the calls that wait for it, and the next one brings everything back', async () => {
    const { Potoroo, workers, remove } = await watchedFrame();
    const [db, other] = [fresh(), fresh()].map((name) => new Potoroo(name, inWorker));
    await db.put({ _id: 'a' });
    await other.put({ _id: 'b' });
    const waiting = [db.put({ _id: 'lost' }), other.get('b'), other.allDocs()].map((call) => attempt(call));
    kill(workers[0]);
    for (const { error } of await Promise.all(waiting)) {
      expect(error.message).to.equal('The worker that runs the database has ended');
      expect([error.status, error.name, error.reason, error.error]).to.deep.equal([500, 'unknown_error', 'out of memory', true]);
    }
    expect((await db.get('a'))._id).to.equal('a');
    expect((await other.get('b'))._id).to.equal('b');
    expect(workers.length).to.equal(2);
    await db.destroy();
    await other.destroy();
    remove();
  });

  it('loses no write that was answered', async () => {
    const { Potoroo, workers, remove } = await watchedFrame();
    const db = new Potoroo(fresh(), inWorker);
    const answered = [];
    const writing = Array.from({ length: 200 }, async (_, index) => {
      const { id } = await db.put({ _id: `doc-${index}` });
      if (answered.push(id) === 50) kill(workers[0]);
    });
    await Promise.allSettled(writing);
    const found = (await db.allDocs()).rows.map(({ id }) => id);
    expect(answered.filter((id) => !found.includes(id))).to.deep.equal([]);
    await db.destroy();
    remove();
  });

  it('is brought back for a live feed by any call, and no change is missed', async () => {
    const { Potoroo, workers, remove } = await watchedFrame();
    const db = new Potoroo(fresh(), inWorker);
    await db.put({ _id: 'a' });
    const told = [];
    const feed = db.changes({ live: true });
    const heard = (id) => new Promise((resolve) => feed.on('change', (change) => change.id === id && resolve(told.push(id))));
    await heard('a');
    await db.info();
    kill(workers[0]);
    const onPage = new globalThis.Potoroo(db.name);
    await onPage.put({ _id: 'meanwhile' });
    const hearing = heard('meanwhile');
    await db.info();
    await hearing;
    expect(told).to.deep.equal(['a', 'meanwhile']);
    feed.cancel();
    await onPage.close();
    await db.destroy();
    remove();
  });

  it('does not keep a database from being closed', async () => {
    const { Potoroo, workers, remove } = await watchedFrame();
    const [first, second] = [fresh(), fresh()].map((name) => new Potoroo(name, inWorker));
    await first.info();
    await second.info();
    const closing = first.close();
    kill(workers[0]);
    await closing;
    await second.close();
    expect(workers.length).to.equal(1);
    remove();
  });

  it('is not taken for the database that another page has put in the place of this one', async () => {
    const { Potoroo, workers, remove } = await watchedFrame();
    const db = new Potoroo(fresh(), inWorker);
    await db.put({ _id: 'a' });
    kill(workers[0]);
    await new globalThis.Potoroo(db.name).destroy();
    const anew = new globalThis.Potoroo(db.name);
    await anew.put({ _id: 'b' });
    const told = wait(db, 'destroyed');
    expect((await attempt(db.get('a'))).error.message).to.equal('database is destroyed');
    await told;
    expect((await anew.get('b'))._id).to.equal('b');
    await anew.destroy();
    remove();
  });

  it('without a word is found out', async () => {
    const looks = [];
    const workers = [];
    const { Potoroo, remove } = await frame((window) => {
      watchWorkers(workers)(window);
      window.setInterval = (look) => looks.push(look);
    });
    const db = new Potoroo(fresh(), inWorker);
    await db.put({ _id: 'a' });
    workers[0].terminate();
    const lost = attempt(db.get('a'));
    while (looks.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let round = 0; round < 10; round += 1) for (const look of looks) look();
    expect((await lost).error.reason).to.equal('it no longer answers');
    expect((await db.get('a'))._id).to.equal('a');
    await db.destroy();
    remove();
  });
});

describe('where there can be no worker, the database', () => {
  const refusals = {
    'there are none': [(window) => Object.defineProperty(window, 'Worker', { value: undefined }), '/empty.html', 'there are no workers here'],
    'the page’s policy allows only those of files': [() => {}, '/no-blob-workers.html', 'its script was refused'],
    'the constructor throws': [
      (window) => {
        window.Worker = class {
          constructor() {
            throw new window.DOMException('not here', 'SecurityError');
          }
        };
      },
      '/empty.html',
      'not here',
    ],
    'the module does not arrive': [
      (window) => {
        const { postMessage } = window.Worker.prototype;
        window.Worker.prototype.postMessage = function (calls) {
          postMessage.call(this, calls.map((call) => call.map((part) => (part instanceof window.WebAssembly.Module ? {} : part))));
        };
      },
      '/empty.html',
      undefined,
    ],
  };
  for (const [what, [prepare, page, why]] of Object.entries(refusals)) {
    it(`is on the page because ${what}, which is said once`, async () => {
      // Firefox reports what a policy forbids as an error of the page.
      globalThis.expectUncaught('blocked a worker script');
      let warnings;
      const { Potoroo, remove } = await frame((window) => {
        warnings = listenToWarnings(window);
        prepare(window);
      }, page);
      for (const name of [fresh(), fresh()]) {
        const db = new Potoroo(name, inWorker);
        await db.put({ _id: 'a' });
        expect(await db.info()).to.include({ adapter: 'idb', doc_count: 1 }).and.not.have.property('worker');
        await db.destroy();
      }
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/^Potoroo does not run in a worker: ./).and.include(why ?? '');
      remove();
    });
  }
});

describe('what the worker can’t keep', () => {
  it('is on the page: localStorage and memory', async () => {
    for (const adapter of ['localstorage', 'memory']) {
      const db = new Potoroo(fresh(), { adapter, worker: true });
      await db.put({ _id: 'a' });
      expect(await db.info()).to.include({ adapter }).and.not.have.property('worker');
      await db.destroy();
    }
  });

  it('is on the page, where IndexedDB is refused, as it would be without', async () => {
    const element = document.createElement('iframe');
    element.sandbox = 'allow-scripts';
    element.srcdoc = `<script src="${location.origin}/pkg/dist/potoroo.iife.js"></script><script>
      const db = new Potoroo('denied', { worker: true });
      const told = new Promise((resolve) => db.once('adapter', resolve));
      const answer = async () => {
        await db.put({ _id: 'a' });
        const { adapter, worker } = await db.info();
        return { told: await told, adapter, worker, id: (await db.get('a'))._id };
      };
      answer().then((answer) => parent.postMessage(answer, '*'), (error) => parent.postMessage({ error: String(error) }, '*'));
    </script>`;
    const message = new Promise((resolve) => {
      addEventListener('message', ({ data }) => resolve(data), { once: true });
    });
    document.body.append(element);
    expect(await message).to.deep.equal({ told: 'memory', adapter: 'memory', worker: undefined, id: 'a' });
    element.remove();
  });

  it('is told with the errors that there are without a worker', async () => {
    const errors = [];
    for (const options of [{}, inWorker]) {
      const { error } = await attempt(new Potoroo(fresh(), { durability: 'eternal', ...options }).info());
      errors.push([error instanceof Error, error.status, error.name, error.message, error.reason]);
    }
    expect(errors[1]).to.deep.equal(errors[0]);
  });
});
