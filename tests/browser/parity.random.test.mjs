// The same random edits on both: the same trees, winners, revisions and feeds.
import { expect } from '/node_modules/chai/index.js';
import { attempt, differences, plain } from './support/parity.mjs';

/** mulberry32: small, and the same in every browser. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const ids = ['a', 'b', 'c', 'ä', '𝄞', '\ufffd', '_design/d'];

/** An edit as data: it is made from what one library answered so far, and both perform it. */
function nextEdit(random, known) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const _id = pick(ids);
  const revs = known.get(_id) ?? [];
  const content = { n: Math.floor(random() * 1000), text: pick(['', 'x', 'ü\u2028', '\ud83d\ude00']), list: [random() < 0.5, null, random()] };
  const kind = random();
  if (kind < 0.3) return { kind: 'put', doc: { _id, ...content, ...(revs.length > 0 && random() < 0.9 && { _rev: pick(revs) }) } };
  if (kind < 0.4) return { kind: 'remove', id: _id, rev: pick(revs) ?? '1-none' };
  if (kind < 0.5) return { kind: 'put', doc: { ...content, _id, _deleted: true, ...(revs.length > 0 && { _rev: pick(revs) }) } };
  if (kind < 0.65) {
    // Each id once: in which order PouchDB stores several edits of one document in one call depends on IndexedDB's timing.
    const chosen = ids.filter(() => random() < 0.4);
    const docs = chosen.map((id) => {
      const own = known.get(id) ?? [];
      return { _id: id, ...content, ...(own.length > 0 && random() < 0.8 && { _rev: pick(own) }) };
    });
    return { kind: 'bulk', docs };
  }
  return { kind: 'replicated', docs: [replicatedDoc(random, pick, _id, revs, content)] };
}

/** A revision made elsewhere: on top of a known one, or of nothing that is known here. */
function replicatedDoc(random, pick, _id, revs, content) {
  const parent = random() < 0.7 ? pick(revs) : undefined;
  const [start, hash] = parent ? [Number(parent.split('-')[0]), [parent.split('-')[1]]] : [Math.floor(random() * 3), []];
  const length = 1 + Math.floor(random() * 3);
  const made = Array.from({ length }, () => Math.floor(random() * 0xffffffff).toString(16).padStart(32, '0'));
  const generation = start + length;
  const doc = { _id, ...content, _rev: `${generation}-${made[0]}`, _revisions: { start: generation, ids: [...made, ...hash] } };
  return random() < 0.25 ? { ...doc, _deleted: true } : doc;
}

function perform(db, edit) {
  if (edit.kind === 'put') return db.put(edit.doc);
  if (edit.kind === 'remove') return db.remove(edit.id, edit.rev);
  if (edit.kind === 'bulk') return db.bulkDocs(edit.docs);
  return db.bulkDocs(edit.docs, { new_edits: false });
}

async function stateOf(db) {
  const trees = {};
  for (const id of ids) {
    const leaves = (await attempt(db.get(id, { open_revs: 'all', revs: true }))).value ?? [];
    trees[id] = {
      leaves: leaves.map(({ ok }) => ok).sort((one, other) => (one._rev < other._rev ? -1 : 1)),
      winner: summary(await attempt(db.get(id, { conflicts: true, revs_info: true }))),
    };
  }
  const changes = await db.changes({ style: 'all_docs', include_docs: true, conflicts: true });
  const { doc_count, update_seq } = await db.info();
  return plain({
    trees,
    changes,
    backwards: (await db.changes({ descending: true })).results.map(({ id }) => id),
    listed: await db.allDocs({ include_docs: true, conflicts: true }),
    byKey: (await db.allDocs({ keys: ids })).rows,
    doc_count,
    update_seq,
  });
}

const summary = ({ value, error }) => value ?? { status: error.status, message: error.message };

/** Errors by what decides; how much they tell besides is looked at elsewhere. */
function outcome({ value, error }) {
  if (error) return { status: error.status, name: error.name };
  const list = Array.isArray(value) ? value : [value];
  return list.map((result) => (result.error ? { status: result.status, name: result.name, id: result.id } : result));
}

async function rememberRevisions(db, known) {
  for (const id of ids) {
    const { value = [] } = await attempt(db.get(id, { open_revs: 'all' }));
    known.set(id, value.map(({ ok }) => ok._rev).sort());
  }
}

const { seed: firstSeed = Math.floor(Math.random() * 1e9), rounds = 12 } = globalThis.testSettings;
const editsPerRound = 40;

describe(`random edits as in PouchDB, seeds from ${firstSeed}`, () => {
  for (let round = 0; round < rounds; round += 1) {
    const seed = firstSeed + round;
    it(`seed ${seed}`, async () => {
      const random = randomFrom(seed);
      const options = random() < 0.3 ? { revs_limit: 4 } : {};
      const theirs = new PouchDB(`theirs-${seed}`, options);
      const ours = new Potoroo(`ours-${seed}`, options);
      try {
        const known = new Map();
        for (let count = 0; count < editsPerRound; count += 1) {
          const edit = nextEdit(random, known);
          const expected = plain(outcome(await attempt(perform(theirs, edit))));
          const actual = plain(outcome(await attempt(perform(ours, edit))));
          expect(actual, `seed ${seed}, edit ${count}: ${JSON.stringify(edit)}`).to.deep.equal(expected);
          await rememberRevisions(theirs, known);
        }
        const found = differences(await stateOf(theirs), await stateOf(ours));
        expect(found, `seed ${seed}, ${JSON.stringify(options)}`).to.deep.equal([]);
      } finally {
        await theirs.destroy();
        await ours.destroy();
      }
    });
  }
});
