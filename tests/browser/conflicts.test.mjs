// Conflicts: their list, and settling them with a function as they arrive.
import { expect } from '/node_modules/chai/index.js';
import { wait } from './support/parity.mjs';

const { couch } = globalThis.testSettings;
const name = () => `conflicts-${Math.random().toString(36).slice(2)}`;
const fresh = (options) => new Potoroo(name(), options);

/** Two revisions that do not know of each other; the greater hash wins. */
const branch = (_id, hash, members) => ({ ...members, _id, _rev: `2-${hash}`, _revisions: { start: 2, ids: [hash, '1'] } });
const conflict = (_id) => [branch(_id, 'a', { tags: ['a'] }), branch(_id, 'b', { tags: ['b'] })];
const store = (db, docs) => db.bulkDocs(docs, { new_edits: false });
const leavesOf = async (db, id) => {
  const found = await db.get(id, { open_revs: 'all' });
  return found.map(({ ok }) => ok).filter(({ _deleted }) => !_deleted);
};
const union = (leaves) => ({ ...leaves[0], tags: [...new Set(leaves.flatMap(({ tags }) => tags))].sort() });

async function until(question) {
  while (!(await question())) await new Promise((resolve) => setTimeout(resolve, 20));
}

for (const worker of [false, true]) {
  describe(`the list of conflicts ${worker ? 'in the worker' : 'on the page'}`, () => {
    it('has documents with more than one leaf that is not deleted', async () => {
      const db = fresh({ worker });
      await db.put({ _id: 'none' });
      await store(db, [...conflict('one'), ...conflict('settled')]);
      await db.remove('settled', '2-a');
      expect(await db.conflicts()).to.deep.equal({ results: [{ id: 'one', seq: 3, rev: '2-b', conflicts: ['2-a'] }], last_seq: 6 });
      const { results } = await db.conflicts({ include_docs: true });
      expect(results[0].doc).to.deep.equal({ _id: 'one', _rev: '2-b', tags: ['b'], _conflicts: ['2-a'] });
      await db.destroy();
    });

    it('is kept up to date while it is live', async () => {
      const db = fresh({ worker });
      await store(db, conflict('one'));
      const list = db.conflicts({ live: true });
      const [rows] = await wait(list, 'ready');
      expect(rows.map(({ id }) => id)).to.deep.equal(['one']);
      let changed = wait(list, 'change');
      await store(db, conflict('two'));
      expect((await changed)[0]).to.include({ id: 'two', rev: '2-b' });
      expect(list.rows.map(({ id }) => id)).to.deep.equal(['one', 'two']);
      changed = wait(list, 'change');
      await db.remove('one', '2-b');
      expect((await changed)[0]).to.include({ id: 'one', rev: '2-a' });
      expect((await changed)[0].conflicts).to.deep.equal([]);
      expect(list.rows.map(({ id }) => id)).to.deep.equal(['two']);
      list.cancel();
      expect((await list).status).to.equal('cancelled');
      await db.destroy();
    });

    it('is settled by the function of a replication, before that is complete', async () => {
      const [source, target] = [fresh({ worker }), fresh({ worker })];
      await store(source, [...conflict('one'), ...conflict('two'), ...conflict('left')]);
      const seen = [];
      const replication = source.replicate.to(target, {
        conflicts: async (leaves) => {
          seen.push(leaves.map(({ _rev }) => _rev).join());
          if (leaves[0]._id === 'two') return leaves[1];
          if (leaves[0]._id === 'left') return undefined;
          return union(leaves);
        },
      });
      const told = [];
      replication.on('conflict', ({ id, leaves, rev }) => told.push([id, leaves.length, rev.split('-')[0]]));
      await replication;
      expect(seen).to.deep.equal(['2-b,2-a', '2-b,2-a', '2-b,2-a']);
      expect(told.sort()).to.deep.equal([['one', 2, '3'], ['two', 2, '3']]);
      expect((await leavesOf(target, 'one')).map(({ tags }) => tags)).to.deep.equal([['a', 'b']]);
      expect((await leavesOf(target, 'two')).map(({ tags }) => tags)).to.deep.equal([['a']]);
      expect((await target.conflicts()).results.map(({ id }) => id)).to.deep.equal(['left']);
      // It is not the source's.
      expect((await source.conflicts()).results).to.have.length(3);
      await source.destroy();
      await target.destroy();
    });
  });
}

describe('a function for conflicts', () => {
  it('that answers the winner deletes the other leaves alone', async () => {
    const [source, target] = [fresh(), fresh()];
    await store(source, conflict('one'));
    await source.replicate.to(target, { conflicts: ([winner]) => winner });
    expect((await leavesOf(target, 'one')).map(({ _rev }) => _rev)).to.deep.equal(['2-b']);
    expect((await target.info()).update_seq).to.equal(3);
    await source.destroy();
    await target.destroy();
  });

  it('that throws leaves the conflict, tells of it, and does not stop the replication', async () => {
    const [source, target] = [fresh(), fresh()];
    await store(source, conflict('one'));
    const replication = source.replicate.to(target, {
      conflicts: () => {
        throw new Error('no idea');
      },
    });
    const [{ id, error }] = await wait(replication, 'conflict');
    expect([id, error.message]).to.deep.equal(['one', 'no idea']);
    expect((await replication).ok).to.equal(true);
    expect((await target.conflicts()).results).to.have.length(1);
    await source.destroy();
    await target.destroy();
  });

  it('loses nothing to an edit that comes between', async () => {
    const [source, target] = [fresh(), fresh()];
    await store(source, conflict('one'));
    let round = 0;
    await source.replicate.to(target, {
      conflicts: async (leaves) => {
        round += 1;
        if (round === 1) await target.put({ ...leaves[0], tags: ['b', 'c'] });
        return union(leaves);
      },
    });
    // Not all could be done, so nothing was.
    expect((await leavesOf(target, 'one')).map(({ tags }) => tags)).to.deep.equal([['b', 'c'], ['a']]);
    await source.replicate.to(target, { conflicts: union });
    expect((await leavesOf(target, 'one')).map(({ tags }) => tags)).to.deep.equal([['a', 'b', 'c']]);
    await source.destroy();
    await target.destroy();
  });

  for (const [how, merge, rounds] of [
    ['the same way', () => union, 1],
    // As one with a time in it does.
    ['differently each time', (device) => (leaves) => ({ ...union(leaves), by: device + Math.random() }), undefined],
  ]) {
    it(`lets two devices that settle at once ${how} come to one leaf`, async () => {
      const remote = new Potoroo(`${couch}/${name()}`);
      const devices = [fresh(), fresh()];
      await devices[0].put({ _id: 'note', tags: [] });
      await devices[0].replicate.to(remote);
      await devices[1].replicate.from(remote);
      for (const [index, db] of devices.entries()) {
        const doc = await db.get('note');
        await db.put({ ...doc, tags: [`device-${index}`] });
      }
      let calls = 0;
      const syncs = devices.map((db, index) =>
        db.sync(remote, {
          live: true,
          retry: true,
          conflicts: (leaves) => {
            calls += 1;
            return merge(index)(leaves);
          },
        }),
      );
      const settled = async () => {
        const all = await Promise.all([...devices, remote].map((db) => leavesOf(db, 'note')));
        const revs = new Set(all.map((leaves) => leaves.map(({ _rev }) => _rev).join()));
        return all.every((leaves) => leaves.length === 1 && leaves[0].tags.length === 2) && revs.size === 1;
      };
      await until(settled);
      expect((await devices[0].get('note')).tags).to.deep.equal(['device-0', 'device-1']);
      // Each once: what the one makes is what the other makes.
      if (rounds) expect(calls).to.be.lessThan(2 * rounds + 1);
      for (const sync of syncs) sync.cancel();
      await Promise.all(syncs);
      for (const db of [...devices, remote]) await db.destroy();
    });
  }
});

describe('an atomic bulkDocs', () => {
  it('writes all documents or none', async () => {
    const db = fresh();
    const { rev } = await db.put({ _id: 'a' });
    await db.put({ _id: 'a', _rev: rev, n: 2 });
    const error = await db.bulkDocs([{ _id: 'b' }, { _id: 'a', _rev: rev }], { atomic: true }).catch((reason) => reason);
    expect([error.status, error.docId]).to.deep.equal([409, 'a']);
    expect((await db.allDocs()).rows.map(({ id }) => id)).to.deep.equal(['a']);
    await db.destroy();
  });
});
