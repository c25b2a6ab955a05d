// Replication between a new local database and a server, near and far away: once in each direction, and live.
import { check, checkDocument, checkStored, sampleOf } from '../page/check.mjs';
import { editDocument, makeReplicated, plain, randomFrom } from '../page/documents.mjs';
import { remote } from '../page/remote.mjs';
import { settle, sleep, time } from '../page/timing.mjs';

const variants = [
  { suffix: '', note: '', optionsOf: () => ({}) },
  { suffix: '/tuned', note: ', PouchDB with batch_size 1000', optionsOf: ({ tuned = {} }) => tuned },
];

/** PouchDB with its defaults takes minutes for 50,000 documents far away. */
const PATIENCE_MS = 60 * 60_000;
/** No change takes so long unless it is lost. */
const LOST_MS = 30_000;

const withCommas = (count) => count.toLocaleString('en-US');

function makePull(workload, { count, revisions }, { row, optionsOf }) {
  async function run({ contestant, name, url }) {
    const store = contestant.open(name);
    await store.ready();
    const { ms } = await time(() => store.pull(url, optionsOf(contestant)));
    await checkStored(store, makeReplicated(count, revisions).map(plain), row.title);
    await store.destroy();
    return { measured: { [row.id]: ms } };
  }
  return { ...workload, remote: 'source', contents: { count, revisions }, steps: [run] };
}

function makePush(workload, { count, revisions }, { row, optionsOf }) {
  async function run({ contestant, name, url, checkUrl }) {
    const documents = makeReplicated(count, revisions);
    const store = contestant.open(name);
    await (revisions > 1 ? store.fillHistory(documents) : store.fill(documents));
    const { ms } = await time(() => store.push(url, optionsOf(contestant)));
    const target = remote(checkUrl);
    const { doc_count: stored } = await (await target.get('')).json();
    check(stored === count, `${row.title}: ${stored} documents on the server`);
    for (const document of sampleOf(documents)) {
      const found = await (await target.get(`/${document._id}?revs=true`)).json();
      checkDocument(plain(document), found, row.title);
      check(found._revisions.ids.length === revisions, `${row.title}: ${document._id} has other revisions`);
    }
    await store.destroy();
    return { measured: { [row.id]: ms } };
  }
  return { ...workload, remote: 'target', steps: [run] };
}

/** Two databases that sync with the same server: from an edit of one to the change of the other. */
function makeLive({ edits }, roundTripMs) {
  const title = `live edit to change event, ${roundTripMs} ms round trip`;
  const row = { id: `live-${roundTripMs}ms`, title: `${title}, median of ${edits}` };
  const worst = { id: `live-${roundTripMs}ms/p99`, title: `${title}, 99th percentile` };

  async function run({ contestant, name, url }) {
    const [here, there] = [contestant.open(name), contestant.open(`${name}-there`)];
    const documents = new Map(makeReplicated(20, 1).map((document) => [document._id, document]));
    const arrivals = new Map();
    const arrival = (id, rev) => {
      const key = `${id} ${rev}`;
      if (!arrivals.has(key)) arrivals.set(key, Promise.withResolvers());
      return arrivals.get(key);
    };
    await here.live(url, () => {});
    await there.live(url, (id, rev) => arrival(id, rev).resolve(performance.now()));
    await settle();
    const random = randomFrom(edits);
    const times = [];
    for (let edit = -documents.size; edit < edits; edit += 1) {
      const [id, document] = [...documents][(edit + documents.size) % documents.size];
      const started = performance.now();
      const rev = await here.edit(document);
      const lost = sleep(LOST_MS).then(() => check(arrivals.get(`${id} ${rev}`)?.isOver, `${title}: ${id} does not arrive`));
      const arrived = await Promise.race([arrival(id, rev).promise, lost]);
      arrivals.set(`${id} ${rev}`, { isOver: true });
      // The first of each document is to warm up.
      if (edit >= 0) times.push(arrived - started);
      documents.set(id, { ...editDocument(document), _rev: rev });
      // Whoever waits in a rhythm must not have the edits in the same one.
      await sleep(20 + random(60));
    }
    await here.endLive();
    await there.endLive();
    await here.destroy();
    await there.destroy();
    times.sort((left, right) => left - right);
    return { measured: { [row.id]: times, [worst.id]: times[Math.ceil(times.length * 0.99) - 1] } };
  }
  return {
    ...{ id: row.id, group: 'replication', rows: [row, worst], remote: 'target', roundTripMs },
    ...{ patienceMs: PATIENCE_MS, steps: [run] },
  };
}

export function makeReplicationWorkloads(sizes) {
  const shapes = [
    { id: '', count: sizes.replicated, revisions: 1 },
    { id: '-many', count: sizes.replicatedMany, revisions: 1 },
    { id: '-history', count: sizes.replicatedHistory, revisions: 50 },
  ];
  const directions = [
    { verb: 'pull', make: makePull },
    { verb: 'push', make: makePush },
  ];
  const once = shapes.flatMap((shape) =>
    directions.flatMap(({ verb, make }) =>
      [0, 50, 200].flatMap((roundTripMs) => variants.map((variant) => makeOnce(shape, { verb, make }, roundTripMs, variant))),
    ),
  );
  return [...once, makeLive(sizes, 0), makeLive(sizes, 50)];
}

function makeOnce(shape, { verb, make }, roundTripMs, { suffix, note, optionsOf }) {
  const what = shape.revisions > 1 ? ` of ${shape.revisions} revisions` : '';
  const title = `${verb} ${withCommas(shape.count)}${what}, ${roundTripMs} ms round trip${note}`;
  const row = { id: `${verb}${shape.id}-${roundTripMs}ms${suffix}`, title };
  const wire = { id: `${row.id}/wire`, title: `bytes on the wire, ${title}`, unit: 'bytes' };
  // Only the way from far away is through something that counts.
  const rows = roundTripMs > 0 ? [row, wire] : [row];
  const isQuick = shape.id === '' && roundTripMs < 200;
  const workload = {
    ...{ id: row.id, group: isQuick ? 'calls' : 'replication', rows, roundTripMs },
    ...{ wireRow: roundTripMs > 0 ? wire.id : undefined, patienceMs: isQuick ? undefined : PATIENCE_MS },
  };
  return make(workload, shape, { row, optionsOf });
}
