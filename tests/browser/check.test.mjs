// What check() says of databases whose stored records have been changed, and what can still be done with those.
import Potoroo from '/pkg/dist/potoroo.mjs';
import { expect } from '/node_modules/chai/index.js';

let databases = 0;
const fresh = () => `check-${(databases += 1)}-${Math.random()}`;

/** Enough for some runs, of documents that don't compress well. */
async function filled(name) {
  const db = new Potoroo(name);
  for (let from = 0; from < 6000; from += 1000) {
    const docs = Array.from({ length: 1000 }, (_, index) => ({
      _id: `doc-${String(from + index).padStart(5, '0')}`,
      text: Array.from({ length: 40 }, () => Math.random().toString(36).slice(2)).join(' '),
    }));
    await db.bulkDocs(docs);
  }
  await db.put({ _id: '_local/a' });
  await db.remove(await db.get('doc-00000'));
  return db;
}

/** Changes one byte of a record, behind the library's back; `choose` takes one of the store's keys. */
async function damage(name, store, choose) {
  const request = indexedDB.open(`_potoroo_${name}`);
  await done(request);
  const records = request.result.transaction(store, 'readwrite').objectStore(store);
  const key = choose(await done(records.getAllKeys()));
  const content = await done(records.get(key));
  content[content.length - 1] ^= 1;
  await done(records.put(content, key));
  request.result.close();
  return `${store}/${key}`;
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('no error came');
}

describe('check()', () => {
  it('counts what is there, and finds nothing wrong', async () => {
    const db = await filled(fresh());
    let report = await db.check();
    // The log is flushed in the background.
    while (report.runs === 0) report = await db.check();
    const { ok, problems, documents, deleted_documents, revisions, local_documents, blocks, block_bytes } = report;
    expect({ ok, problems }).to.deep.equal({ ok: true, problems: [] });
    expect({ documents, deleted_documents, revisions, local_documents }).to.deep.equal({
      documents: 5999,
      deleted_documents: 1,
      revisions: 6001,
      local_documents: 1,
    });
    expect([blocks > 10, block_bytes > 1e6]).to.deep.equal([true, true]);
    await db.destroy();
  });

  it('works while documents are written, in a small database, in memory, and with a callback', async () => {
    const db = await filled(fresh());
    const writing = Array.from({ length: 300 }, (_, index) => db.put({ _id: `new-${index}`, text: 'x'.repeat(5000) }));
    const report = await db.check();
    expect(report.problems).to.deep.equal([]);
    await Promise.all(writing);
    await db.destroy();
    const memory = new Potoroo(fresh(), { adapter: 'memory' });
    await memory.put({ _id: 'a' });
    const { documents, log_records } = await new Promise((resolve) => memory.check((error, result) => resolve(result)));
    expect([documents, log_records]).to.deep.equal([1, 1]);
    await memory.destroy();
  });

  it('names a damaged block; what is elsewhere can still be read', async () => {
    const name = fresh();
    await (await filled(name)).close();
    const record = await damage(name, 'block', (keys) => keys.find((key) => key % 4096 === 2));
    const db = new Potoroo(name);
    const report = await db.check();
    expect(report.ok).to.equal(false);
    expect(report.problems).to.deep.equal([{ record, problem: 'its checksum does not match' }]);
    const error = await errorOf(db.allDocs({ include_docs: true }));
    expect([error.status, error.name, error.reason]).to.deep.equal([500, 'indexed_db_went_bad', 'DataError']);
    expect(error.message).to.contain(record);
    const ids = Array.from({ length: 5999 }, (_, index) => `doc-${String(index + 1).padStart(5, '0')}`);
    const outcomes = await Promise.allSettled(ids.map((id) => db.get(id)));
    const read = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(read).to.be.within(5000, 5998);
    await db.destroy();
  });

  it('names the record because of which a database cannot be opened, and lets it be destroyed', async () => {
    for (const [store, key] of [['log', (keys) => keys.at(-1)], ['meta', () => 'header'], ['meta', () => 'floor']]) {
      const name = fresh();
      const before = new Potoroo(name);
      await before.put({ _id: 'a' });
      await before.close();
      const record = await damage(name, store, key);
      const db = new Potoroo(name);
      const error = await errorOf(db.get('a'));
      expect([error.status, error.name, error.reason]).to.deep.equal([500, 'indexed_db_went_bad', 'DataError']);
      expect(error.message).to.contain(record);
      const { ok, problems } = await db.check();
      expect([ok, problems[0].record]).to.deep.equal([false, record]);
      expect(await db.destroy()).to.deep.equal({ ok: true });
      const anew = new Potoroo(name);
      expect((await anew.info()).doc_count).to.equal(0);
      await anew.destroy();
    }
  });
});
