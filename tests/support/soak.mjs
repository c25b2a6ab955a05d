// Two clients in a browser and a server, all edited at random, with a network between them that does everything a network
// does: nothing may be lost, and nobody may stop.
import assert from 'node:assert/strict';
import { randomFrom } from '../../www/bench/page/documents.mjs';
import { startProxy } from './proxy.mjs';
import { until, withLimit } from './tabs.mjs';

/** Edits of each side in a second, about. */
const RATE = 4;
/** Documents that are edited at a time; others after so many edits, so that the histories stay within `revs_limit`. */
const [COHORT, EDITS_OF_COHORT] = [60, 600];
/** How long everybody may need to come back once the network is well again. */
const RECOVERY_MS = 3 * 60_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs for so many seconds. `open()` gives a page of an origin that serves the project's files; `couch` is that of startCouch();
 * `log` gets a line now and then. Throws if anything was lost, differs or has stopped; answers what was done.
 */
export async function soak({ open, couch, seconds, seed, log, name = `soak-${seed}` }) {
  const random = randomFrom(seed);
  const proxy = await startProxy({ target: couch.url });
  const path = new URL(await couch.freshDatabase(name)).pathname;
  const server = makeServer(couch, path);
  const clients = [];
  for (const side of ['a', 'b']) clients.push(await makeClient(open, `${name}-${side}`, `${proxy.url}${path}`));
  const sides = [server, ...clients];
  const written = new Map();
  const faults = makeFaults(proxy, clients, random, seconds > 300);
  const counts = { edits: 0, faults: 0, slowest: 0 };
  const memory = [];
  const end = Date.now() + seconds * 1000;
  let isOver = false;

  async function keepEditing(side, ownRandom) {
    for (let edits = 0; !isOver; edits += 1) {
      const id = `note-${Math.floor((3 * edits) / EDITS_OF_COHORT)}-${ownRandom(COHORT)}`;
      const acknowledged = await side.edit(id, { removes: ownRandom(10) === 0, length: 20 + ownRandom(ownRandom(10) === 0 ? 20_000 : 1000) });
      if (acknowledged) {
        counts.edits += 1;
        if (!written.has(id)) written.set(id, new Set());
        written.get(id).add(acknowledged);
      }
      await sleep(ownRandom(2000 / RATE));
    }
  }

  try {
    const editing = sides.map((side, index) => keepEditing(side, randomFrom(seed * 10 + index)));
    const editors = Promise.all(editing);
    editors.catch(() => {});
    for (let look = Date.now() + 60_000; Date.now() < end; ) {
      const fault = faults[random(faults.length)];
      counts.faults += 1;
      await Promise.race([fault(), editors]);
      if (Date.now() < look) continue;
      // Nothing tells the pages that the network is well again.
      heal(proxy);
      const took = await timeToReach(sides, `look-${counts.faults}`);
      counts.slowest = Math.max(counts.slowest, took);
      memory.push(await Promise.all(clients.map((client) => client.memory())));
      log(describe(counts, took, memory.at(-1)));
      look = Date.now() + 60_000;
    }
    isOver = true;
    await editors;
    heal(proxy);
    // Requests on connections that were frozen are given up at once when they are ten seconds old, and else after a minute.
    const tell = () => Promise.all(clients.map((client) => client.online())).catch(() => {});
    const telling = setInterval(tell, 11_000);
    await tell();
    await checkEqual(sides).finally(() => clearInterval(telling));
    await checkWritten(server, written);
    counts.alive = await timeToReach(sides, 'last');
    await checkEqual(sides);
    for (const client of clients) assert.deepEqual(client.page.errors, [], 'uncaught errors');
    memory.push(await Promise.all(clients.map((client) => client.memory())));
    log(describe(counts, counts.alive, memory.at(-1)));
    return { ...counts, documents: written.size, memory };
  } finally {
    isOver = true;
    for (const client of clients) await client.page.close().catch(() => {});
    await proxy.stop();
  }
}

function describe({ edits, faults }, took, memory) {
  const megabytes = memory.map(({ heap, wasm }) => `${mega(heap)} MB and ${mega(wasm)} MB of wasm`).join(', ');
  return `${edits} edits, ${faults} faults; everybody heard of everybody within ${(took / 1000).toFixed(1)} s; memory: ${megabytes}`;
}

const mega = (bytes) => (bytes === undefined ? '?' : (bytes / 1e6).toFixed(1));

function heal(proxy) {
  proxy.setDelay(0);
  proxy.stall(false);
  proxy.refuse(false);
}

/** What happens to the network, each until it is over. With `patient`, some last longer than any timeout. */
function makeFaults(proxy, clients, random, patient) {
  const between = (least, most) => least + random(most - least);
  const span = (least, most) => sleep(between(least, patient && random(20) === 0 ? most * 20 : most));
  const atMost = (promise) => Promise.race([promise, sleep(3000)]);
  return [
    () => span(500, 3000),
    async () => {
      proxy.setDelay(between(1, 200));
      await span(500, 4000);
      proxy.setDelay(0);
    },
    async () => {
      proxy.cut();
      await span(100, 1000);
    },
    // Somewhere in the headers of an answer, and in a body.
    () => atMost(proxy.cutAfter(between(1, 300))),
    () => atMost(proxy.cutAfter(between(300, 60_000))),
    async () => {
      proxy.stall(true);
      await span(200, 4000);
      proxy.stall(false);
    },
    async () => {
      proxy.freeze();
      await span(500, 3000);
    },
    async () => {
      proxy.refuse(true);
      proxy.cut();
      await span(200, 3000);
      proxy.refuse(false);
    },
    () => clients[random(clients.length)].reload(),
  ];
}

/** Writes a document on each side and waits for all of them everywhere; how long that took. */
async function timeToReach(sides, prefix) {
  const started = Date.now();
  const ids = sides.map((_, index) => `${prefix}-${index}`);
  for (const [index, side] of sides.entries()) await side.edit(ids[index], { length: 10 });
  for (const side of sides) {
    const reached = until(async () => (await side.has(ids)) === true);
    await soon(reached, async () => `${side.title} has not heard of the others: ${JSON.stringify(await side.status())}`);
  }
  return Date.now() - started;
}

/** All have the same leaves of the same documents. */
async function checkEqual(sides) {
  let different;
  const areEqual = until(async () => {
    const [first, ...others] = await Promise.all(sides.map((side) => side.leaves()));
    different = others.flatMap((leaves, index) => differences(first, leaves).map((id) => `${sides[index + 1].title}: ${id}`));
    return different.length === 0;
  });
  await soon(areEqual, async () => {
    const states = await Promise.all(sides.map((side) => side.status()));
    return `${different.length} documents differ: ${different.slice(0, 5).join(', ')}; ${JSON.stringify(states)}`;
  });
}

/** Waits as long as coming back may take; says how things stand where it takes longer. */
async function soon(promise, describe) {
  await withLimit(promise, RECOVERY_MS).catch(async (error) => {
    throw new Error(`${error.message}: ${await describe().catch(() => 'nobody can be asked')}`, { cause: error });
  });
}

function differences(left, right) {
  const ids = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...ids].filter((id) => left[id] !== right[id]);
}

/** Every revision whose write was acknowledged is in its document's history. */
async function checkWritten(server, written) {
  const known = await server.histories();
  for (const [id, revs] of written) {
    const lost = [...revs].filter((rev) => !known.get(id)?.has(rev));
    assert.deepEqual(lost, [], `revisions of ${id} are lost`);
  }
}

const leavesOf = (results) => Object.fromEntries(results.map(({ id, changes }) => [id, changes.map(({ rev }) => rev).sort().join()]));

/** The server, past the proxy. */
function makeServer(couch, path) {
  const request = (method, rest, body) => couch.request(method, `${path}${rest}`, body);
  const orUndefined = (promise) => promise.catch((error) => (error.status === 404 ? undefined : Promise.reject(error)));
  return {
    title: 'the server',
    async edit(id, { removes = false, length }) {
      const known = await orUndefined(request('GET', `/${id}`));
      const doc = { _id: id, _rev: known?._rev, _deleted: removes || undefined, text: 's'.repeat(length) };
      // Somebody's push may come between.
      const answer = await request('PUT', `/${id}`, doc).catch((error) => (error.status === 409 ? {} : Promise.reject(error)));
      return answer.rev;
    },
    async has(ids) {
      return (await Promise.all(ids.map((id) => orUndefined(request('GET', `/${id}`))))).every(Boolean);
    },
    leaves: async () => leavesOf((await request('GET', '/_changes?style=all_docs')).results),
    async histories() {
      const { results } = await request('GET', '/_changes?style=all_docs');
      const leaves = results.flatMap(({ id, changes }) => changes.map(({ rev }) => ({ id, rev })));
      const histories = new Map();
      for (let start = 0; start < leaves.length; start += 500) {
        const { results: found } = await request('POST', '/_bulk_get?revs=true', { docs: leaves.slice(start, start + 500) });
        for (const { _id, _revisions } of found.flatMap(({ docs }) => docs.flatMap(({ ok }) => ok ?? []))) {
          if (!histories.has(_id)) histories.set(_id, new Set());
          for (const [back, hash] of _revisions.ids.entries()) histories.get(_id).add(`${_revisions.start - back}-${hash}`);
        }
      }
      return histories;
    },
    status: async () => 'server',
  };
}

/** A page that syncs. While it is loaded anew, whoever asks it waits. */
async function makeClient(open, name, remote) {
  const page = await open();
  let ready = page.evaluate(begin, name, remote);
  await ready;
  const ask = async (action, ...args) => {
    for (;;) {
      const before = ready;
      await before;
      try {
        return await page.evaluate(action, ...args);
      } catch (error) {
        // The page has gone while it was asked: an edit was not acknowledged then.
        if (before === ready) throw error;
      }
    }
  };
  return {
    title: name,
    page,
    edit: (id, how) => ask((...given) => globalThis.client.edit(...given), id, how),
    has: (ids) => ask((wanted) => globalThis.client.has(wanted), ids),
    leaves: async () => leavesOf(await ask(() => globalThis.client.changes())),
    status: () => ask(() => globalThis.client.sync.status()),
    online: () => ask(() => void dispatchEvent(new Event('online'))),
    async reload() {
      ready = page.reload().then(() => page.evaluate(begin, name, remote));
      ready.catch(() => {});
      await ready;
    },
    async memory() {
      const wasm = await ask(() => globalThis.client.wasmBytes());
      const context = page.native.context?.();
      if (!context?.newCDPSession) return { wasm };
      const devtools = await context.newCDPSession(page.native);
      await devtools.send('HeapProfiler.collectGarbage');
      const { usedSize, embedderHeapUsedSize = 0 } = await devtools.send('Runtime.getHeapUsage');
      await devtools.detach();
      return { wasm, heap: usedSize + embedderHeapUsedSize };
    },
  };
}

/** In the page. */
async function begin(name, remote) {
  const memories = new Set();
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    const result = await instantiate.apply(WebAssembly, given);
    for (const exported of Object.values((result.instance ?? result).exports)) {
      if (exported instanceof WebAssembly.Memory) memories.add(exported);
    }
    return result;
  };
  await new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: '/pkg/dist/potoroo.iife.js', onload: resolve, onerror: reject });
    document.head.append(script);
  });
  const db = new globalThis.Potoroo(name);
  const sync = db.sync(remote, { live: true, retry: true });
  sync.catch(() => {});
  globalThis.client = {
    sync,
    async edit(id, { removes = false, length }) {
      const known = await db.get(id).catch((error) => (error.status === 404 ? undefined : Promise.reject(error)));
      if (removes && !known) return undefined;
      const doc = { _id: id, _rev: known?._rev, _deleted: removes || undefined, text: name.at(-1).repeat(length) };
      // A pull may come between.
      return db.put(doc).then(({ rev }) => rev, (error) => (error.status === 409 ? undefined : Promise.reject(error)));
    },
    has: async (ids) => (await db.allDocs({ keys: ids })).rows.every(({ value }) => value && !value.deleted),
    changes: async () => (await db.changes({ style: 'all_docs' })).results,
    wasmBytes: () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0),
  };
}
