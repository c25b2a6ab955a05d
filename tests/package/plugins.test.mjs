// Plugins written for PouchDB, as they come from npm, on the package.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { createConsumer, execute, root } from './support.mjs';

const prelude = `
import { createRequire } from 'node:module';
import Potoroo from 'potoroo';
const require = createRequire(${JSON.stringify(join(root, 'package.json'))});
const print = (value) => console.log(JSON.stringify(value));
`;

/** What a program prints that has Potoroo and `require` for the plugins. */
async function run(folder, source) {
  await writeFile(join(folder, 'program.mjs'), prelude + source);
  const { stdout, stderr } = await execute(process.execPath, ['program.mjs'], { cwd: folder, timeout: 60_000 });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('plugins from npm', async (t) => {
  const folder = await createConsumer(t);

  await t.test('pouchdb-upsert', async () => {
    const source = `
      Potoroo.plugin(require('pouchdb-upsert'));
      const db = new Potoroo('a');
      const count = (doc) => ({ ...doc, n: (doc.n ?? 0) + 1 });
      const results = await Promise.all([1, 2, 3, 4, 5].map(() => db.upsert('a', count)));
      const kept = await db.putIfNotExists('a', { n: 0 });
      print([results.map(({ updated }) => updated), kept.updated, (await db.get('a')).n]);`;
    assert.deepEqual(await run(folder, source), [[true, true, true, true, true], false, 5]);
  });

  await t.test('transform-pouch sees every document that is written and read, replications included', async () => {
    const source = `
      Potoroo.plugin(require('transform-pouch'));
      const db = new Potoroo('a');
      const plain = new Potoroo('a');
      db.transform({
        incoming: (doc) => ({ ...doc, text: [...doc.text].reverse().join('') }),
        outgoing: (doc) => ({ ...doc, text: [...doc.text].reverse().join('') }),
      });
      await db.put({ _id: 'a', text: 'put' });
      await db.post({ _id: 'b', text: 'post' });
      await db.bulkDocs([{ _id: 'c', text: 'bulk' }]);
      const source = new Potoroo('source');
      await source.put({ _id: 'd', text: 'pulled' });
      await db.replicate.from(source);
      const target = new Potoroo('target');
      await db.replicate.to(target);
      const texts = async (db) => (await db.allDocs({ include_docs: true })).rows.map(({ doc }) => doc.text).join(' ');
      const changes = (await db.changes({ include_docs: true })).results.map(({ doc }) => doc.text).join(' ');
      print([await texts(plain), await texts(db), await texts(target), changes, (await db.get('a')).text]);`;
    const plain = 'put post bulk pulled';
    assert.deepEqual(await run(folder, source), ['tup tsop klub dellup', plain, plain, plain, 'put']);
  });

  await t.test('pouchdb-find loads, and its methods take the place of what is there', async () => {
    const source = `
      const find = require('pouchdb-find');
      Potoroo.plugin(find);
      const db = new Potoroo('a');
      await db.bulkDocs([{ _id: 'a', n: 1 }, { _id: 'b', n: 2 }, { _id: 'c', n: 3 }]);
      const { result } = await db.createIndex({ index: { fields: ['n'] } });
      const { docs } = await db.find({ selector: { n: { $gt: 1 } }, fields: ['_id'] });
      print([result, docs, (await db.getIndexes()).indexes.length]);`;
    assert.deepEqual(await run(folder, source), ['created', [{ _id: 'b' }, { _id: 'c' }], 2]);
  });

  await t.test('relational-pouch', async () => {
    const source = `
      Potoroo.plugin(require('pouchdb-find'));
      Potoroo.plugin(require('relational-pouch').default ?? require('relational-pouch'));
      const db = new Potoroo('a');
      db.setSchema([
        { singular: 'post', plural: 'posts', relations: { author: { belongsTo: 'author' } } },
        { singular: 'author', plural: 'authors', relations: { posts: { hasMany: 'post' } } },
      ]);
      await db.rel.save('author', { id: 1, name: 'Ada', posts: [7, 8] });
      await db.rel.save('post', { id: 7, title: 'One', author: 1 });
      const saved = await db.rel.save('post', { id: 8, title: 'Two', author: 1 });
      const found = await db.rel.find('author', 1);
      await db.rel.del('post', saved);
      print([found.authors[0].name, found.posts.map(({ title }) => title), (await db.rel.find('post')).posts.length]);`;
    assert.deepEqual(await run(folder, source), ['Ada', ['One', 'Two'], 1]);
  });
});
