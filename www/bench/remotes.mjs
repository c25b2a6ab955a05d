// The CouchDB of the replication rows: databases to pull from, databases to push into, and the way to them.
import { startCouch } from '../../tests/support/couch.mjs';
import { startProxy } from '../../tests/support/proxy.mjs';
import { makeReplicated, slices } from './page/documents.mjs';

export async function startRemotes(couchUrl) {
  // startCouch() looks there; an address from the command line is worth as much as one from the environment.
  if (couchUrl) process.env.COUCHDB_URL = couchUrl;
  else delete process.env.COUCHDB_URL;
  const couch = await startCouch();
  // Without a delay to add, a proxy would only take processor time from the contestants.
  const direct = (couchUrl ?? couch.url).replace(/\/$/, '');
  const welcome = await couch.request('GET', '/');
  const proxies = new Set();
  const sources = new Map();

  async function newDatabase(prefix) {
    return new URL(await couch.freshDatabase(prefix)).pathname.split('/').pop();
  }

  async function makeSource({ count, revisions }) {
    const name = await newDatabase('bench-source');
    for (const docs of slices(makeReplicated(count, revisions), 1000)) {
      await couch.request('POST', `/${name}/_bulk_docs`, { docs, new_edits: revisions === 1 });
    }
    const { doc_count: stored } = await couch.request('GET', `/${name}`);
    if (stored !== count) throw new Error(`the server has ${stored} documents to pull instead of ${count}`);
    return name;
  }

  /**
   * The address of a database from far away, how many bytes have come and gone there, and how to leave it; `checkUrl` is for
   * what is asked to check the result, which does not count.
   */
  async function approach(name, roundTripMs) {
    const checkUrl = `${direct}/${name}`;
    if (roundTripMs === 0) return { url: checkUrl, checkUrl, bytes: () => undefined, leave: async () => {} };
    // A new port each time: the browser must not know connections and preflight answers from the round before.
    const proxy = await startProxy({ target: direct, delayMs: roundTripMs / 2 });
    proxies.add(proxy);
    return {
      url: `${proxy.url}/${name}`,
      checkUrl,
      bytes() {
        const { bytesUp, bytesDown } = proxy.stats();
        return bytesUp + bytesDown;
      },
      async leave() {
        proxies.delete(proxy);
        await proxy.stop();
      },
    };
  }

  return {
    description: couchUrl ? `CouchDB ${welcome.version}` : `express-pouchdb (${welcome.version ?? 'no version'})`,
    isReal: Boolean(couchUrl),

    /** A database with `count` documents of `revisions` to pull; the same one in all rounds, since nobody changes it. */
    async source(contents, roundTripMs) {
      const key = `${contents.count} of ${contents.revisions}`;
      if (!sources.has(key)) sources.set(key, await makeSource(contents));
      return approach(sources.get(key), roundTripMs);
    },

    /** A new empty database to push into; gone after `leave`. */
    async target(roundTripMs) {
      const name = await newDatabase('bench-target');
      const approached = await approach(name, roundTripMs);
      return { ...approached, leave: () => approached.leave().then(() => couch.request('DELETE', `/${name}`)) };
    },

    async stop() {
      for (const proxy of proxies) await proxy.stop();
      await couch.stop();
    },
  };
}
