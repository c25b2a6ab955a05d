// The class, its instances and its events.
import { same } from './support/parity.mjs';

const thrown = (action) => {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
};

describe('the class as PouchDB’s', () => {
  same('with and without new, by name and by options', async ({ Library }) => {
    const name = `api-${Math.random()}`;
    const dbs = [new Library(name), Library(name), new Library({ name }), Library({ name })];
    const put = await dbs[0].put({ _id: 'a' });
    const answers = [];
    for (const db of dbs) answers.push([db.name === name, db instanceof Library, db.constructor === Library, await db.get('a')]);
    await dbs[0].destroy();
    return [put, answers];
  });

  same('wrong names and adapters', async ({ Library }) => [
    thrown(() => new Library()),
    thrown(() => new Library(null)),
    thrown(() => new Library(1)),
    thrown(() => new Library({})),
    thrown(() => new Library('a', { adapter: 'nonsense' })),
    thrown(() => new Library('a', { view_adapter: 'nonsense' })),
    thrown(() => new Library('nonsense://a')),
    thrown(() => Library.plugin({})),
    thrown(() => Library.plugin('text')),
    thrown(() => Library.plugin()),
  ]);

  same('info, id and type', async ({ db }) => {
    const { db_name, doc_count, update_seq, auto_compaction, adapter, idb_attachment_format } = await db.info();
    const id = await db.id();
    return [db_name === db.name, doc_count, update_seq, auto_compaction, adapter, idb_attachment_format, db.type(), db.adapter, typeof id, id === (await db.id())];
  });

  same('plugins as objects and as functions', async ({ Library, fresh }) => {
    const db = fresh();
    const result = Library.plugin({
      countDocs() {
        return this.info().then(({ doc_count }) => doc_count);
      },
    });
    Library.plugin((constructor) => {
      constructor.prototype.nameLength = function () {
        return this.name.length;
      };
    });
    await db.put({ _id: 'a' });
    return [result === Library, await db.countDocs(), db.nameLength() === db.name.length];
  });

  same('defaults are handed down', async ({ Library }) => {
    const Derived = Library.defaults({ revs_limit: 2 }).defaults({ auto_compaction: true });
    const db = Derived(`api-${Math.random()}`);
    const isInstance = [db instanceof Derived, db instanceof Library, db.constructor === Derived];
    const own = new Derived(`api-${Math.random()}`, { auto_compaction: false });
    const answer = [isInstance, db.__opts.revs_limit, (await db.info()).auto_compaction, (await own.info()).auto_compaction, Derived.__defaults];
    await db.destroy();
    await own.destroy();
    return answer;
  });

  same('prefixes separate databases of one name', async ({ Library }) => {
    const name = `api-${Math.random()}`;
    const [plain, prefixed] = [new Library(name), new Library(name, { prefix: 'x-' })];
    await plain.put({ _id: 'a' });
    const answer = [(await plain.info()).doc_count, (await prefixed.info()).doc_count, (await prefixed.info()).db_name === name];
    await plain.destroy();
    await prefixed.destroy();
    return answer;
  });

  same('subclasses and constructors of old', async ({ Library }) => {
    const name = () => `api-${Math.random()}`;
    class Notes extends Library {
      count() {
        return this.info().then(({ doc_count }) => doc_count);
      }
    }
    function Old(...args) {
      Library.apply(this, args);
    }
    Old.prototype = Object.create(Library.prototype, { constructor: { value: Old } });
    Object.assign(Old, Library);
    const [notes, old] = [new Notes(name()), new Old(name())];
    await notes.put({ _id: 'a' });
    const answer = [notes instanceof Notes, notes instanceof Library, await notes.count(), (await old.info()).doc_count];
    await notes.destroy();
    await old.destroy();
    return answer;
  });

  same('methods can be taken off their database', async ({ db }) => {
    const { put, get, allDocs, info, bulkDocs, remove } = db;
    const { rev } = await put({ _id: 'a' });
    return [await get('a'), await allDocs(), (await info()).doc_count, await bulkDocs([{ _id: 'b' }]), await remove('a', rev)];
  });

  same('what the class has', async ({ Library, db }) => [
    typeof Library.version,
    Object.keys(Library.adapters).filter((name) => ['idb', 'http', 'https'].includes(name)).sort(),
    Library.preferredAdapters,
    ['plugin', 'defaults', 'adapter', 'fetch', 'replicate', 'sync', 'on', 'once', 'removeListener', 'emit', 'listeners'].map(
      (name) => typeof Library[name],
    ),
    typeof Library.prefix,
    Library.activeTasks.list(),
    db.activeTasks === Library.activeTasks,
    typeof db.__opts,
    db._remote,
    db.taskqueue.isReady,
  ]);

  same('active tasks', async ({ Library }) => {
    const tasks = Library.activeTasks;
    const id = tasks.add({ name: 'a', total_items: 5 });
    const [added] = [{ ...tasks.get(id) }];
    tasks.update(id, { completed_items: 2 });
    const updated = { ...tasks.get(id) };
    tasks.update('none', { completed_items: 2 });
    const listed = tasks.list().length;
    tasks.remove(id);
    const texts = ({ name, total_items, completed_items, created_at, updated_at }) => [name, total_items, completed_items, typeof created_at, typeof updated_at];
    return [texts(added), texts(updated), listed, tasks.list()];
  });
});

describe('events as PouchDB’s', () => {
  same('created and destroyed, of instances and of the class', async ({ Library }) => {
    const name = `api-${Math.random()}`;
    const told = [];
    const onCreated = (created) => created === name && told.push('class created');
    const onDestroyed = (destroyed) => destroyed === name && told.push('class destroyed');
    Library.on('created', onCreated);
    Library.on('destroyed', onDestroyed);
    const first = new Library(name).on('created', (db) => told.push(['created', db === first]));
    await first.info();
    const second = new Library(name).on('created', () => told.push('second created'));
    await second.info();
    first.on('destroyed', () => told.push('destroyed'));
    second.on('destroyed', () => told.push('second destroyed'));
    await first.destroy();
    Library.removeListener('created', onCreated);
    Library.removeListener('destroyed', onDestroyed);
    // PouchDB tells the instance that was destroyed twice.
    return [...new Set(told.map((one) => JSON.stringify(one)))];
  });

  same('closing', async ({ Library, attempt }) => {
    const name = `api-${Math.random()}`;
    const told = [];
    const db = new Library(name).on('closed', () => told.push('closed'));
    await db.put({ _id: 'a' });
    const closed = await db.close();
    const answers = [closed ?? null, await attempt(db.get('a')), await attempt(db.put({ _id: 'b' })), await attempt(db.close()), await attempt(db.info())];
    const again = new Library(name);
    answers.push(await again.get('a'), await again.destroy(), await attempt(again.get('a')), await attempt(again.destroy()));
    return [told, answers];
  });

  same('an emitter’s methods', async ({ db }) => {
    const told = [];
    const listener = (...args) => told.push(args);
    db.on('x', listener).once('x', (value) => told.push(['once', value])).addListener('y', listener);
    const emitted = [db.emit('x', 1, 2), db.emit('x', 3), db.emit('none')];
    const listeners = [db.listeners('x').length, db.listenerCount('y'), db.listeners('none')];
    db.removeListener('x', listener);
    db.removeAllListeners('y');
    db.emit('x', 4);
    db.emit('y', 5);
    db.setMaxListeners(100);
    return [told, emitted, listeners, thrown(() => db.emit('error', new Error('unheard')))];
  });

  same('callbacks are called later, and promises are there too', async ({ db }) => {
    const order = [];
    const promise = db.put({ _id: 'a' }, (error, result) => order.push(['callback', error, result.ok]));
    order.push('returned');
    const result = await promise;
    order.push(['promise', result.ok]);
    await new Promise((resolve) => db.get('none', (error, found) => resolve(order.push([error.status, found]))));
    await new Promise((resolve) => db.get('a', {}, (error, found) => resolve(order.push([error, found._id]))));
    await new Promise((resolve) => db.info((error, info) => resolve(order.push([error, info.doc_count]))));
    await new Promise((resolve) => db.bulkDocs([{ _id: 'b' }], (error, results) => resolve(order.push([error, results.length]))));
    await new Promise((resolve) => db.destroy((error, answer) => resolve(order.push([error, answer]))));
    return order;
  });

  same('calls before the database is open', async ({ fresh }) => {
    const db = fresh();
    const ready = db.taskqueue.isReady;
    const answers = await Promise.all([db.put({ _id: 'a' }), db.get('a'), db.info().then(({ doc_count }) => doc_count), db.allDocs()]);
    return [ready, db.taskqueue.isReady, answers];
  });
});

describe('what a callback throws', () => {
  for (const [name, Library] of Object.entries({ PouchDB, Potoroo })) {
    it(`is not swallowed by ${name}`, async () => {
      const db = new Library(`callback-${name}`);
      const heard = globalThis.expectUncaught(`thrown by a callback of ${name}`);
      db.info(() => {
        throw new Error(`thrown by a callback of ${name}`);
      });
      await heard;
      await db.destroy();
    });
  }
});
