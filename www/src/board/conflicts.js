// Two people changed one note while apart. CouchDB keeps both revisions and every browser shows the same one of them as
// the winner; here a person sees all of them and decides.
import { contentOf } from './documents.js';
import { positionBetween } from './positions.js';

/** All versions of a note, the one shown on the board first. */
export async function versionsOf(db, id) {
  const winner = await db.get(id, { conflicts: true });
  const others = await Promise.all((winner._conflicts ?? []).map((rev) => db.get(id, { rev })));
  return [winner, ...others];
}

const tombstone = ({ _id, _rev }) => ({ _id, _rev, _deleted: true });
const stamp = () => new Date().toISOString();

/** Keeps the chosen version and removes the others. The chosen text may have lost: it is then written on the winner. */
export async function keepOne(db, versions, chosen) {
  const [winner, ...others] = versions;
  const writes = others.map(tombstone);
  if (chosen !== winner) writes.push({ ...contentOf(chosen), _rev: winner._rev, changedAt: stamp() });
  await write(db, writes);
}

/**
 * Keeps every version: the others become notes of their own, right after the winner. Their ids and positions
 * are made from what everybody has, so two people who both choose this write the same documents, and get one copy.
 */
export async function keepAll(db, versions, nextPosition) {
  const [winner, ...others] = versions;
  const writes = others.map(tombstone);
  let before = winner.position;
  for (const other of others) {
    const { _id, ...content } = contentOf(other);
    before = positionBetween(before, nextPosition, () => 0.5);
    writes.push({ ...content, _id: `${_id}~${other._rev}`, column: winner.column, position: before });
  }
  await write(db, writes);
}

async function write(db, docs) {
  const results = await db.bulkDocs(docs);
  // A copy that is already there was made by somebody else's "keep both"; the conflict itself is settled either way.
  const failed = results.find((result) => result.error && result.status !== 409);
  if (failed) throw failed;
}
