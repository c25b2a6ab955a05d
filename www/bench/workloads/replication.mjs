// One-shot replication between a new local database and a server, near and far away.
import { check, checkDocument, checkStored, sampleOf } from '../page/check.mjs';
import { makeDocuments } from '../page/documents.mjs';
import { remote } from '../page/remote.mjs';
import { time } from '../page/timing.mjs';

const roundTrips = [0, 50];
const variants = [
  { suffix: '', note: '', options: {} },
  // The first advice given to whoever finds PouchDB's replication slow.
  { suffix: '/batch-1000', note: ', batch_size 1000', options: { batch_size: 1000 } },
];

function makePull(row, roundTripMs, count, options) {
  async function run({ contestant, name, url }) {
    const documents = makeDocuments(count);
    const store = contestant.open(name);
    await store.ready();
    const { ms } = await time(() => store.pull(url, options));
    await checkStored(store, documents, row.title);
    await store.destroy();
    return { measured: { [row.id]: ms } };
  }
  return { id: row.id, group: 'calls', rows: [row], remote: 'source', remoteSize: count, roundTripMs, steps: [run] };
}

function makePush(row, roundTripMs, count, options) {
  async function run({ contestant, name, url }) {
    const documents = makeDocuments(count);
    const store = contestant.open(name);
    await store.fill(documents);
    const { ms } = await time(() => store.push(url, options));
    const target = remote(url);
    const { doc_count: stored } = await (await target.get('')).json();
    check(stored === count, `${row.title}: ${stored} documents on the server`);
    for (const document of sampleOf(documents)) {
      checkDocument(document, await (await target.get(`/${document._id}`)).json(), row.title);
    }
    await store.destroy();
    return { measured: { [row.id]: ms } };
  }
  return { id: row.id, group: 'calls', rows: [row], remote: 'target', roundTripMs, steps: [run] };
}

export function makeReplicationWorkloads({ replicated: count }) {
  const directions = [
    { verb: 'pull', make: makePull },
    { verb: 'push', make: makePush },
  ];
  return directions.flatMap(({ verb, make }) =>
    roundTrips.flatMap((roundTripMs) =>
      variants.map(({ suffix, note, options }) => {
        const row = { id: `${verb}-${roundTripMs}ms${suffix}`, title: `${verb} ${count}, ${roundTripMs} ms round trip${note}` };
        return make(row, roundTripMs, count, options);
      }),
    ),
  );
}
