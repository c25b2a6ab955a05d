// Replications and feeds when the network is away: what is told, and when it is tried again.
import { expect } from '/node_modules/chai/index.js';
import { wait } from './support/parity.mjs';

const { couch } = globalThis.testSettings;
const longer = 10 * 60_000;

/** A remote whose network can be taken away. */
async function breakableRemote({ online = true } = {}) {
  const cuts = new AbortController();
  const state = { online, breaks: () => false, cut: () => cuts.abort(new TypeError('network error')) };
  const remote = new Potoroo(`${couch}/resilience-${Math.random().toString(36).slice(2)}`, {
    fetch: (url, init) => {
      if (!state.online || state.breaks(String(url))) return Promise.reject(new TypeError('Failed to fetch'));
      const isFeed = String(url).includes('/_changes');
      return fetch(url, isFeed ? { ...init, signal: AbortSignal.any([cuts.signal, ...(init.signal ? [init.signal] : [])]) } : init);
    },
  });
  if (online) await remote.info();
  return { remote, state };
}

const fresh = () => new Potoroo(`resilience-${Math.random()}`, { adapter: 'memory' });

describe('a replication that is tried again', () => {
  for (const event of ['online', 'pageshow', 'visibilitychange']) {
    it(`goes on at once when ${event} says that it makes sense`, async () => {
      const { remote, state } = await breakableRemote();
      const db = fresh();
      await db.put({ _id: 'a' });
      state.online = false;
      const pauses = [];
      const replication = db.replicate.to(remote, {
        live: true,
        retry: true,
        back_off_function: (previous) => {
          pauses.push(previous);
          return longer;
        },
      });
      const states = [];
      replication.on('requestError', () => states.push(['requestError', replication.state]));
      const [error] = await wait(replication, 'paused');
      expect(error).to.be.instanceOf(Error);
      expect(pauses).to.deep.equal([0]);
      state.online = true;
      const changed = wait(replication, 'change');
      (event === 'visibilitychange' ? document : globalThis).dispatchEvent(new Event(event));
      expect((await changed)[0].docs.map(({ _id }) => _id)).to.deep.equal(['a']);
      expect(states).to.have.length(1);
      replication.cancel();
      expect((await replication).status).to.equal('cancelled');
      await remote.destroy();
    });
  }

  it('sends what was written meanwhile, also with since: now', async () => {
    const { remote, state } = await breakableRemote();
    const db = fresh();
    await db.put({ _id: 'before' });
    const sync = db.sync(remote, { live: true, retry: true, since: 'now', back_off_function: () => longer });
    await wait(sync, 'paused');
    state.online = false;
    const failed = wait(sync.push, 'requestError');
    await db.put({ _id: 'meanwhile' });
    await failed;
    state.online = true;
    const changed = wait(sync.push, 'change');
    globalThis.dispatchEvent(new Event('online'));
    expect((await changed)[0].docs.map(({ _id }) => _id)).to.deep.equal(['meanwhile']);
    sync.cancel();
    await sync;
    await remote.destroy();
  });

  it('of a sync tells with what error both sides wait', async () => {
    const { remote, state } = await breakableRemote();
    const db = fresh();
    state.online = false;
    const sync = db.sync(remote, { live: true, retry: true, back_off_function: () => longer });
    const [error] = await wait(sync, 'paused');
    expect(error).to.be.instanceOf(Error);
    sync.cancel();
    const { push, pull } = await sync;
    expect([push.status, pull.status]).to.deep.equal(['cancelled', 'cancelled']);
    state.online = true;
    await remote.destroy();
  });

  it('can be cancelled while it waits, and before it has begun', async () => {
    const { remote, state } = await breakableRemote();
    state.online = false;
    const waiting = fresh().replicate.from(remote, { live: true, retry: true, back_off_function: () => longer });
    await wait(waiting, 'paused');
    const told = [];
    waiting.on('cancel', () => told.push('cancel')).on('complete', ({ status }) => told.push(status));
    waiting.cancel();
    waiting.cancel();
    expect((await waiting).status).to.equal('cancelled');
    expect(told).to.deep.equal(['cancel', 'cancelled']);
    const early = fresh().replicate.from(remote);
    early.cancel();
    expect((await early).status).to.equal('cancelled');
    expect(Potoroo.activeTasks.list()).to.deep.equal([]);
    state.online = true;
    await remote.destroy();
  });
});

describe('documents that the server refuses', () => {
  const rules = { _id: '_design/rules', validate_doc_update: 'function (doc) { if (doc.draft) throw { forbidden: "no drafts" }; }' };
  const ids = ({ docs }) => docs.map(({ _id }) => _id);

  it('are set aside, and brought by the next replication once they are allowed', async () => {
    const { remote } = await breakableRemote();
    const { rev } = await remote.put(rules);
    const db = fresh();
    await db.bulkDocs([{ _id: 'a' }, { _id: 'b', draft: true }, { _id: 'c' }]);
    for (const written of [2, 0]) {
      const denied = [];
      const replication = db.replicate.to(remote).on('denied', ({ docId, name, reason }) => denied.push([docId, name, reason]));
      const { docs_written, doc_write_failures, ok } = await replication;
      expect([docs_written, doc_write_failures, ok]).to.deep.equal([written, 1, true]);
      expect(denied).to.deep.equal([['b', 'forbidden', 'no drafts']]);
      expect(replication.status().set_aside).to.equal(1);
    }
    await remote.remove(rules._id, rev);
    const told = [];
    const live = db.sync(remote, { live: true, retry: true });
    live.push.on('paused', () => told.push('paused')).on('active', () => told.push('active'));
    const [change] = await wait(live.push, 'change');
    expect(ids(change)).to.deep.equal(['b']);
    // It was up to date before, and does not wait for what is tried again.
    expect(told).to.deep.equal(['paused', 'active']);
    while (live.status().set_aside || live.status().state !== 'up to date') await wait(live, 'status');
    expect((await remote.get('b')).draft).to.equal(true);
    live.cancel();
    await live;
    expect((await db.replicate.to(remote)).docs_read).to.equal(0);
    await db.destroy();
    await remote.destroy();
  });
});

describe('a listener that throws', () => {
  it('does not stop a replication, and is heard of', async () => {
    const heard = globalThis.expectUncaught('thrown by a listener');
    const source = fresh();
    await source.bulkDocs([{ _id: 'a' }, { _id: 'b' }]);
    const replication = source.replicate.to(fresh());
    replication.on('change', () => {
      throw new Error('thrown by a listener');
    });
    expect((await replication).docs_written).to.equal(2);
    await heard;
  });
});

describe('a remote database', () => {
  it('is looked for again after that has failed', async () => {
    const { remote, state } = await breakableRemote({ online: false });
    const error = await remote.put({ _id: 'a' }).catch((error) => error);
    expect(error).to.be.instanceOf(Error);
    state.online = true;
    expect((await remote.put({ _id: 'a' })).ok).to.equal(true);
    await remote.destroy();
  });

  it('gets credentials and headers with every request, and none in the address', async () => {
    const seen = [];
    const remote = new Potoroo('http://user:p%20w@127.0.0.1:1/db', {
      headers: { 'x-tenant': 'a' },
      skip_setup: true,
      fetch: (url, init) => {
        seen.push([url, init.headers.get('authorization'), init.headers.get('x-tenant'), init.credentials]);
        return Promise.resolve(new Response('{"error":"not_found","reason":"missing"}', { status: 404 }));
      },
    });
    expect(await remote.get('a/b').catch(({ status, name, reason }) => [status, name, reason])).to.deep.equal([404, 'not_found', 'missing']);
    await remote.fetch('_changes');
    await remote.fetch('/_session');
    await remote.remove('c', '1-x').catch(() => {});
    const authorization = `Basic ${btoa('user:p w')}`;
    expect(seen).to.deep.equal(
      ['db/a%2Fb', 'db/_changes', '_session', 'db/c?rev=1-x'].map((path) => [`http://127.0.0.1:1/${path}`, authorization, 'a', 'include']),
    );
  });

  it('ends a live feed with the error of the server', async () => {
    const { remote, state } = await breakableRemote();
    const feed = remote.changes({ live: true, since: 'now' });
    const heard = wait(feed, 'error');
    await remote.info();
    // Only the feed, whether it is on a connection that stays open or asks again.
    state.breaks = (url) => url.includes('/_changes');
    state.cut();
    await remote.put({ _id: 'b' });
    const error = await feed.catch((error) => error);
    expect(error).to.be.instanceOf(Error);
    expect((await heard)[0]).to.equal(error);
    state.breaks = () => false;
    await remote.destroy();
  });
});

describe('an address as prefix', () => {
  it('makes one path segment of any name', async () => {
    const urls = [];
    const db = new Potoroo('a/b c', {
      prefix: 'http://127.0.0.1:1/couch',
      skip_setup: true,
      fetch: (url) => {
        urls.push(url);
        return Promise.resolve(new Response('{"_id":"x"}', { headers: { 'content-type': 'application/json' } }));
      },
    });
    await db.get('x');
    expect(urls).to.deep.equal(['http://127.0.0.1:1/couch/a%2Fb%20c/x']);
    expect(db.name).to.equal('a/b c');
  });
});
