// What replications and syncs say of how they stand, on the page and in the worker.
import { expect } from '/node_modules/chai/index.js';
import { wait } from './support/parity.mjs';

const { couch } = globalThis.testSettings;
const name = () => `status-${Math.random().toString(36).slice(2)}`;
const documents = (count) => Array.from({ length: count }, (_, n) => ({ _id: `doc-${String(n).padStart(4, '0')}`, n }));
const later = () => 10 * 60_000;

/** A server that can be away, or answer with an error. */
async function remoteWith() {
  const state = { answer: undefined };
  const remote = new Potoroo(`${couch}/${name()}`, { fetch: (...args) => state.answer?.() ?? fetch(...args) });
  await remote.info();
  return { remote, state };
}

/** A sync's own event comes with the first of them, as in PouchDB. */
const bothPaused = ({ push, pull }) => Promise.all([wait(push, 'paused'), wait(pull, 'paused')]);

/** What is pushed comes back as a change that the pull looks at: it may be up to date before and after. */
async function settled(sync) {
  await bothPaused(sync);
  while (sync.status().state !== 'up to date') await wait(sync, 'status');
}

/** Each state once in a row. */
function statesOf(replication) {
  const states = [replication.status().state];
  replication.on('status', ({ state }) => state !== states.at(-1) && states.push(state));
  return states;
}

for (const worker of [false, true]) {
  describe(`how a replication stands ${worker ? 'in the worker' : 'on the page'}`, () => {
    it('is told in words, with counts, from the beginning to the end', async () => {
      const [source, target] = [new Potoroo(name(), { worker }), new Potoroo(name(), { worker })];
      await source.bulkDocs(documents(40));
      const replication = source.replicate.to(target, { batch_size: 10 });
      const first = replication.status();
      expect([first.state, first.direction, first.pending, first.done]).to.deep.equal(['connecting', 'push', undefined, 0]);
      const states = statesOf(replication);
      const bars = [];
      replication.on('status', ({ state, done, pending }) => state === 'catching up' && bars.push([done, pending]));
      await replication;
      expect(states).to.deep.equal(['connecting', 'catching up', 'complete']);
      // It never goes back, and what is done and what is to come make the whole.
      for (const [done, pending] of bars) if (pending !== undefined) expect(done + pending).to.equal(40);
      expect(bars.map(([done]) => done)).to.deep.equal(bars.map(([done]) => done).sort((a, b) => a - b));
      const { done, pending, docs_read, docs_written, doc_write_failures, last_seq, last_success, rate } = replication.status();
      expect([done, pending, docs_read, docs_written, doc_write_failures, last_seq]).to.deep.equal([40, 0, 40, 40, 0, 40]);
      expect([new Date(last_success).toISOString(), rate]).to.deep.equal([last_success, 0]);
      await source.destroy();
      await target.destroy();
    });

    it('is up to date while it waits, and cancelled when it was', async () => {
      const db = new Potoroo(name(), { worker });
      const remote = new Potoroo(`${couch}/${name()}`);
      await db.bulkDocs(documents(3));
      const sync = db.sync(remote, { live: true, retry: true });
      const states = statesOf(sync);
      await settled(sync);
      const { state, push, pull, docs_written, pending } = sync.status();
      expect([state, push.direction, pull.direction, pending]).to.deep.equal(['up to date', 'push', 'pull', 0]);
      expect([push.docs_written, pull.docs_written, docs_written]).to.deep.equal([3, 0, 3]);
      sync.cancel();
      await sync;
      expect(states.at(-1)).to.equal('cancelled');
      expect(states).to.include('up to date');
      await db.destroy();
      await remote.destroy();
    });
  });
}

describe('how a replication stands', () => {
  it('is offline without an answer, and waits after an error; who listens to paused finds it so', async () => {
    const { remote, state } = await remoteWith();
    const db = new Potoroo(name(), { adapter: 'memory' });
    const sync = db.sync(remote, { live: true, retry: true, back_off_function: later });
    await settled(sync);
    const seen = [];
    sync.push.on('paused', (error) => seen.push([error?.name, sync.push.status().state]));
    for (const [answer, expected] of [
      [() => Promise.reject(new TypeError('Failed to fetch')), ['TypeError', 'offline']],
      [async () => new Response('{"error":"busy","reason":"later"}', { status: 503 }), ['busy', 'waiting to retry']],
    ]) {
      state.answer = answer;
      const failed = wait(sync.push, 'paused');
      await db.post({});
      await failed;
      expect(seen.at(-1)).to.deep.equal(expected);
      const status = sync.push.status();
      expect([status.last_error.name, Date.parse(status.last_error_time) <= Date.now()]).to.deep.equal([expected[0], true]);
      if (!status.next_retry) await wait(sync.push, 'status');
      expect(Date.parse(sync.status().next_retry)).to.be.greaterThan(Date.now() + later() / 2);
      state.answer = undefined;
      const back = wait(sync.push, 'paused');
      globalThis.dispatchEvent(new Event('online'));
      await back;
      expect(seen.at(-1)).to.deep.equal([undefined, 'up to date']);
      expect(sync.push.status().last_error.name).to.equal(expected[0]);
      expect(sync.push.status().next_retry).to.equal(undefined);
    }
    sync.cancel();
    await sync;
    await remote.destroy();
  });

  it('is stopped by an error that ends it', async () => {
    const { remote, state } = await remoteWith();
    const db = new Potoroo(name(), { adapter: 'memory' });
    state.answer = async () => new Response('{"error":"unauthorized","reason":"who are you?"}', { status: 401 });
    const sync = db.sync(remote, { live: true, retry: true });
    const states = statesOf(sync);
    const [error] = await wait(sync, 'error');
    expect(error.status).to.equal(401);
    expect(states.at(-1)).to.equal('stopped');
    expect(sync.status().last_error.reason).to.equal('who are you?');
  });

  it('of a sync that waits for the network on one side comes with the error, whichever side rests last', async () => {
    const [db, other] = [new Potoroo(name(), { adapter: 'memory' }), new Potoroo(name(), { adapter: 'memory' })];
    const sync = db.sync(other, { live: true });
    await bothPaused(sync);
    // As it comes from the two ways.
    const heard = [];
    sync.on('paused', (failure) => heard.push(failure?.message));
    const failure = new Error('away');
    sync.push.emit('active');
    sync.pull.emit('active');
    sync.push.emit('paused', failure);
    sync.pull.emit('paused');
    sync.push.emit('paused');
    expect(heard).to.deep.equal(['away', undefined]);
    sync.cancel();
    await sync;
  });
});
