// Databases with `worker: true`: where they run, when the worker begins and ends, and how they get on with those on the page.
// That they do what databases on the page do is for the parity suites to show, which run.mjs runs this way with --worker.
import { expect } from '/node_modules/chai/index.js';
import { reactive } from '/node_modules/vue/dist/vue.esm-browser.prod.js';
import { basicScript } from './support/basic_script.mjs';
import { frame } from './support/frame.mjs';
import { attempt, wait } from './support/parity.mjs';
import { watchWorkers } from './support/workers.mjs';

let databases = 0;
const fresh = () => `in-worker-${(databases += 1)}-${Math.random()}`;
const inWorker = { worker: true };

/** A frame whose workers are known. */
async function watchedFrame() {
  const workers = [];
  return { workers, ...(await frame(watchWorkers(workers))) };
}

describe('a database in the worker', () => {
  it('does what one on the page does, and says where it is', async () => {
    const onPage = await basicScript(Potoroo, fresh());
    expect(await basicScript(Potoroo.defaults(inWorker), fresh())).to.deep.equal(onPage);
    const db = new Potoroo(fresh(), inWorker);
    const { db_name, ...info } = await db.info();
    expect(db_name).to.equal(db.name);
    expect(info).to.deep.equal({ doc_count: 0, update_seq: 0, adapter: 'idb', auto_compaction: false, idb_attachment_format: 'binary', worker: true });
    await db.destroy();
    const other = new Potoroo(fresh());
    expect(await other.info()).to.not.have.property('worker');
    await other.destroy();
  });

  it('shares the worker with others, and the page makes no instance of the module', async () => {
    const { Potoroo, workers, window, remove } = await watchedFrame();
    const instances = [];
    window.WebAssembly.instantiate = (...args) => {
      instances.push(args);
      return WebAssembly.instantiate(...args);
    };
    const dbs = [fresh(), fresh(), fresh()].map((name) => new Potoroo(name, inWorker));
    for (const db of dbs) expect((await db.info()).worker).to.equal(true);
    expect([workers.length, instances.length]).to.deep.equal([1, 0]);
    for (const db of dbs) await db.destroy();
    remove();
  });

  it('ends the worker when the last one is closed, and a later one has another', async () => {
    const { Potoroo, workers, remove } = await watchedFrame();
    const [first, second] = [fresh(), fresh()].map((name) => new Potoroo(name, inWorker));
    await first.put({ _id: 'a' });
    await second.destroy();
    await first.close();
    await workers[0].terminated;
    const again = new Potoroo(first.name, inWorker);
    expect((await again.get('a'))._id).to.equal('a');
    expect(workers.length).to.equal(2);
    await again.destroy();
    await workers[1].terminated;
    remove();
  });

  it('can be wrapped in proxies, as Vue does with what its components keep', async () => {
    const { db, other } = reactive({ db: new Potoroo(fresh(), inWorker), other: new Potoroo(fresh(), inWorker) });
    const told = [];
    const feed = db.changes({ live: true }).on('change', ({ id }) => told.push(id));
    await db.bulkDocs([{ _id: 'a' }, { _id: 'b' }]);
    expect((await db.replicate.to(other)).docs_written).to.equal(2);
    expect((await other.allDocs()).total_rows).to.equal(2);
    while (told.length < 2) await wait(feed, 'change');
    feed.cancel();
    const name = db.name;
    await db.close();
    await new Potoroo(name, inWorker).destroy();
    await other.destroy();
  });

  it('is checked there', async () => {
    const db = new Potoroo(fresh(), inWorker);
    await db.put({ _id: 'a' });
    const { ok, documents, problems } = await db.check();
    expect({ ok, documents, problems }).to.deep.equal({ ok: true, documents: 1, problems: [] });
    await db.destroy();
  });

  it('takes documents of megabytes', async () => {
    const db = new Potoroo(fresh(), inWorker);
    const text = 'ä€😀x'.repeat(1_000_000);
    await db.put({ _id: 'large', text });
    expect((await db.get('large')).text === text).to.equal(true);
    await db.destroy();
  });

  it('answers a thousand calls made at once', async () => {
    const db = new Potoroo(fresh(), inWorker);
    const ids = Array.from({ length: 1000 }, (_, index) => `doc-${index}`);
    const written = await Promise.all(ids.map((_id) => db.put({ _id })));
    const read = await Promise.all(ids.map((id) => db.get(id)));
    expect(read.map(({ _id, _rev }) => [_id, _rev])).to.deep.equal(written.map(({ id, rev }) => [id, rev]));
    await db.destroy();
  });

  it('reads what was written before, also where nobody waits for the writes', async () => {
    const db = new Potoroo(fresh(), inWorker);
    await db.info();
    const answers = [db.put({ _id: 'a', n: 1 }), db.get('a'), db.put({ _id: 'b' }), db.allDocs(), db.info()];
    const [{ rev }, doc, , { total_rows }, { update_seq }] = await Promise.all(answers);
    expect([doc, total_rows, update_seq]).to.deep.equal([{ _id: 'a', _rev: rev, n: 1 }, 2, 2]);
    await db.destroy();
  });

  it('closes after the writes that were called for', async () => {
    const db = new Potoroo(fresh(), inWorker);
    await db.info();
    const writing = db.put({ _id: 'a' });
    await db.close();
    await writing;
    const again = new Potoroo(db.name, inWorker);
    expect((await again.get('a'))._id).to.equal('a');
    await again.destroy();
  });
});

describe('handles in the worker and on the page', () => {
  it('are as two tabs: each hears of the other’s writes, and neither overwrites what it has not seen', async () => {
    const name = fresh();
    const [here, there] = [new Potoroo(name), new Potoroo(name, inWorker)];
    const told = [];
    const bothTold = (id) => {
      const feeds = [here, there].map((db) => {
        const feed = db.changes({ live: true, include_docs: true });
        return new Promise((resolve) => {
          feed.on('change', (change) => {
            if (change.id !== id) return;
            told.push(change.doc.by);
            feed.cancel();
            resolve();
          });
        });
      });
      return Promise.all(feeds);
    };
    for (const [id, db] of [['a', here], ['b', there]]) {
      const telling = bothTold(id);
      await db.put({ _id: id, by: id });
      await telling;
    }
    expect(told).to.deep.equal(['a', 'a', 'b', 'b']);
    const { _rev } = await there.get('a');
    const edits = [here, there].map((db, n) => db.put({ _id: 'a', _rev, n }));
    const outcomes = (await Promise.allSettled(edits)).map(({ status, reason }) => reason?.status ?? status);
    expect(outcomes.sort()).to.deep.equal([409, 'fulfilled']);
    await here.destroy();
  });

  for (const [destroyer, hearers] of [[{}, [inWorker, inWorker]], [inWorker, [{}, inWorker]]]) {
    it(`all end when one ${destroyer.worker ? 'in the worker' : 'on the page'} is destroyed`, async () => {
      const name = fresh();
      const db = new Potoroo(name, destroyer);
      const others = hearers.map((options) => new Potoroo(name, options));
      for (const other of others) await other.info();
      const told = others.map((other) => wait(other, 'destroyed'));
      await db.destroy();
      await Promise.all(told);
      for (const other of others) {
        expect((await attempt(other.get('a'))).error.message).to.equal('database is destroyed');
      }
      const anew = new Potoroo(name, inWorker);
      expect((await anew.info()).doc_count).to.equal(0);
      await anew.destroy();
    });
  }

  it('hears of the end that another page has made', async () => {
    const { Potoroo: Other, remove } = await frame();
    const db = new Potoroo(fresh(), inWorker);
    await db.put({ _id: 'a' });
    const told = wait(db, 'destroyed');
    await new Other(db.name, inWorker).destroy();
    await told;
    expect((await attempt(db.get('a'))).error.message).to.equal('database is destroyed');
    remove();
  });
});
