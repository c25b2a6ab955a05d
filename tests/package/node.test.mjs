// Node: the package is importable for tests and server-side rendering, and keeps its data in memory there.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { assertUsed, createConsumer, execute } from './support.mjs';

const readModule = `await (await import('node:fs/promises')).readFile('node_modules/potoroo/dist/potoroo.wasm')`;

const programs = {
  'an ES module': ['program.mjs', `import Potoroo from 'potoroo'; import { use } from './use.mjs'; print(await use(Potoroo));`],
  'a CommonJS module': [
    'program.cjs',
    `const Potoroo = require('potoroo'); import('./use.mjs').then(({ use }) => use(Potoroo)).then(print);`,
  ],
  'the slim entry': [
    'slim.mjs',
    `import Potoroo, { initialize } from 'potoroo/slim'; import { use } from './use.mjs';
    await initialize(${readModule}); print(await use(Potoroo));`,
  ],
  'the slim entry, required': [
    'slim.cjs',
    `const Potoroo = require('potoroo/slim');
    (async () => {
      await Potoroo.initialize(${readModule});
      print(await (await import('./use.mjs')).use(Potoroo));
    })();`,
  ],
};

async function run(folder, name, source) {
  await writeFile(join(folder, name), `const print = (value) => console.log(JSON.stringify(value));\n${source}`);
  // A program that does not end by itself, because something still waits, is killed and fails.
  const { stdout, stderr } = await execute(process.execPath, [name], { cwd: folder, timeout: 60_000 });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('Node', async (t) => {
  const folder = await createConsumer(t);

  for (const [title, [name, source]] of Object.entries(programs)) {
    await t.test(`${title} puts and gets, and ends`, async () => {
      assertUsed(await run(folder, name, source), 'memory');
    });
  }

  await t.test('the memory adapter can also be asked for', async () => {
    const source = `import Potoroo from 'potoroo';
      const db = new Potoroo('x', { adapter: 'memory' });
      await db.put({ _id: 'a' });
      print({ adapter: db.adapter, info: (await db.info()).doc_count });`;
    assert.deepEqual(await run(folder, 'memory.mjs', source), { adapter: 'memory', info: 1 });
  });

  await t.test('attachments go in as Buffers or Blobs, and come back as Buffers', async () => {
    const source = `import Potoroo from 'potoroo';
      const db = new Potoroo('attachments');
      const large = 'y'.repeat(100_000);
      const { rev } = await db.putAttachment('a', 'x', Buffer.from('foo'), 'text/plain');
      await db.putAttachment('a', 'y', rev, new Blob([large]), 'text/plain');
      const x = await db.getAttachment('a', 'x');
      const { y } = (await db.get('a', { attachments: true, binary: true }))._attachments;
      const { ok, attachment_bytes } = await db.check();
      print([Buffer.isBuffer(x), String(x), Buffer.isBuffer(y.data), String(y.data) === large, ok, attachment_bytes]);`;
    assert.deepEqual(await run(folder, 'attachments.mjs', source), [true, 'foo', true, true, true, 100_003]);
  });

  await t.test('a worker can be asked for, and a warning says that there is none', async () => {
    const source = `import Potoroo from 'potoroo';
      const warnings = [];
      console.warn = (text) => warnings.push(text);
      const dbs = ['a', 'b'].map((name) => new Potoroo(name, { worker: true }));
      const infos = await Promise.all(dbs.map((db) => db.info()));
      print({ warnings, places: infos.map(({ adapter, worker }) => [adapter, worker ?? 'page']) });`;
    assert.deepEqual(await run(folder, 'worker.mjs', source), {
      warnings: ['Potoroo does not run in a worker: there are no workers here'],
      places: [['memory', 'page'], ['memory', 'page']],
    });
  });

  await t.test('a dump goes to a stream of Node, and comes from one', async () => {
    const source = `import Potoroo from 'potoroo';
      import { createReadStream, createWriteStream } from 'node:fs';
      const [db, other] = [new Potoroo('a'), new Potoroo('b')];
      await db.bulkDocs(Array.from({ length: 250 }, (_, n) => ({ _id: String(n), text: 'é🐾' })));
      await db.dump(createWriteStream('dump.ndjson'));
      const { docs_read } = await other.load(createReadStream('dump.ndjson', { highWaterMark: 1000 }));
      const ids = async (db) => (await db.allDocs({ include_docs: true })).rows.map(({ doc }) => doc._rev + doc.text);
      print([docs_read, JSON.stringify(await ids(db)) === JSON.stringify(await ids(other))]);`;
    assert.deepEqual(await run(folder, 'dump.mjs', source), [250, true]);
  });

  await t.test('required, the package is the class, with the named exports as properties', async () => {
    const source = `const Potoroo = require('potoroo');
      print([typeof Potoroo, Potoroo.default === Potoroo, Potoroo.Potoroo === Potoroo, typeof Potoroo.plugin]);`;
    assert.deepEqual(await run(folder, 'class.cjs', source), ['function', true, true, 'function']);
  });

  await t.test('importing it has no side effect', async () => {
    const source = `
      const touched = [];
      const spy = (target, name) => {
        target[name] = new Proxy(target[name], {
          apply: (...all) => (touched.push(name), Reflect.apply(...all)),
          construct: (...all) => (touched.push(name), Reflect.construct(...all)),
        });
      };
      const storage = () => ({ open() {}, getItem() {}, setItem() {}, query() {} });
      for (const name of ['indexedDB', 'localStorage']) {
        globalThis[name] = storage();
        for (const method of Object.keys(globalThis[name])) spy(globalThis[name], method);
      }
      globalThis.addEventListener = () => {};
      for (const name of ['compile', 'instantiate', 'Module', 'Instance', 'Memory']) spy(WebAssembly, name);
      for (const name of ['fetch', 'setTimeout', 'setInterval', 'queueMicrotask', 'atob', 'addEventListener',
        'BroadcastChannel', 'DecompressionStream']) spy(globalThis, name);
      const before = Reflect.ownKeys(globalThis);
      for (const entry of ['potoroo', 'potoroo/slim']) await import(entry);
      const added = Reflect.ownKeys(globalThis).filter((name) => !before.includes(name));
      print({ touched, added: added.map(String) });`;
    assert.deepEqual(await run(folder, 'effects.mjs', source), { touched: [], added: [] });
  });
});
