// Random programs of API calls, as data: made from a seed, run on PouchDB and on Potoroo, and made shorter where they fail.
import { attempt, differences, plain } from './parity.mjs';

/** mulberry32: small, and the same in every browser. */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const ids = ['a', 'b', 'c', 'ä', '𝄞', '\ufffd', '_design/d'];
const localIds = ['_local/a', '_local/b'];

/** Stands for a text that is not kept with its document. */
const LONG = 'a long text';

/** A program: options of its two databases, and calls. A revision in a call is a choice among those that are known by then. */
export function programFrom(seed, length = 30) {
  const random = randomFrom(seed);
  const options = [0, 1].map(() => (random() < 0.3 ? { auto_compaction: true } : {}));
  const calls = Array.from({ length }, () => nextCall(random));
  if (random() < 0.7) return { options, calls };
  // With 1, PouchDB takes a first edit that is made upon an unknown revision; and what of branches is forgotten differs, as
  // src/tree/stem.rs says.
  for (const own of options) own.revs_limit = 2 + Math.floor(random() * 4);
  return { options, calls: calls.filter(({ kind }) => kind !== 'revision' && kind !== 'replicate') };
}

function nextCall(random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const chance = (probability) => random() < probability;
  const some = (list, probability) => list.filter(() => chance(probability));
  /** An option by chance. */
  const maybe = (name, probability, value = () => true) => chance(probability) && { [name]: value() };
  // Mostly one that was made lately, sometimes any, or one that nobody knows.
  const rev = () => pick([{ last: 1 }, { last: 1 }, { last: 2 }, { any: random() }, { any: random() }, { text: pick(['1-none', '7-none', '3-0123456789abcdef0123456789abcdef']) }]);
  const content = () => ({ n: Math.floor(random() * 1000), text: pick(['', 'x', 'ü\u2028', '\ud83d\ude00', LONG]), list: [chance(0.5), null, random()] });
  const db = chance(0.7) ? 0 : 1;
  const id = pick(ids);
  const edit = () => ({ ...content(), ...maybe('_deleted', 0.15) });
  const kinds = {
    put: [14, () => ({ id, doc: edit(), ...maybe('rev', 0.75, rev) })],
    remove: [4, () => ({ id, rev: rev() })],
    post: [1, () => ({ id, doc: content() })],
    // Each id once: in which order PouchDB stores several edits of one document in one call depends on IndexedDB's timing.
    bulk: [5, () => ({ edits: some(ids, 0.4).map((one) => ({ id: one, doc: edit(), ...maybe('rev', 0.7, rev) })) })],
    revision: [14, () => ({
      id,
      doc: { ...content(), ...maybe('_deleted', 0.25) },
      ...maybe('parent', 0.75, rev),
      start: Math.floor(random() * 3),
      made: Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * 0xffffffff).toString(16).padStart(32, '0')),
    })],
    local: [3, () => ({ id: pick(localIds), doc: content(), ...maybe('rev', 0.5, rev), remove: chance(0.3) })],
    get: [10, () => ({
      id: chance(0.1) ? pick([...localIds, 'none', '']) : id,
      options: { ...maybe('revs', 0.4), ...maybe('revs_info', 0.4), ...maybe('conflicts', 0.5), ...maybe('latest', 0.2) },
      ...maybe('rev', 0.4, rev),
      ...maybe('open_revs', 0.3, () => (chance(0.5) ? 'all' : [rev(), rev()])),
    })],
    bulkGet: [3, () => ({ docs: [pick(ids), ...some(ids, 0.3)].map((one) => ({ id: one, ...maybe('rev', 0.6, rev) })), options: { ...maybe('revs', 0.5), ...maybe('latest', 0.3) } })],
    revsDiff: [2, () => ({ asked: some(ids, 0.4).map((one) => [one, [rev(), rev()]]) })],
    allDocs: [6, () => ({
      options: {
        ...maybe('include_docs', 0.5),
        ...maybe('conflicts', 0.3),
        ...maybe('descending', 0.3),
        ...(chance(0.25)
          ? { keys: some([...ids, 'none'], 0.5) }
          : { ...maybe('startkey', 0.3, () => pick(ids)), ...maybe('endkey', 0.3, () => pick(ids)), ...maybe('inclusive_end', 0.2, () => false), ...maybe('key', 0.1, () => id) }),
        ...maybe('limit', 0.3, () => Math.floor(random() * 4)),
        ...maybe('skip', 0.2, () => Math.floor(random() * 3)),
      },
    })],
    changes: [6, () => ({
      options: {
        ...maybe('include_docs', 0.5),
        ...maybe('conflicts', 0.3),
        ...maybe('style', 0.4, () => 'all_docs'),
        ...maybe('doc_ids', 0.2, () => some(ids, 0.5)),
      },
      ...maybe('even', 0.2),
      // Of use only where both count alike, see below.
      counted: { ...maybe('since', 0.4, () => Math.floor(random() * 12)), ...maybe('limit', 0.3, () => Math.floor(random() * 4)), ...maybe('descending', 0.2) },
    })],
    info: [1, () => ({})],
    compact: [3, () => ({})],
    compactDocument: [2, () => ({ id, height: Math.floor(random() * 3) })],
    replicate: [5, () => ({ options: { ...maybe('doc_ids', 0.2, () => some(ids, 0.5)), ...maybe('batch_size', 0.3, () => 1 + Math.floor(random() * 3)) }, ...maybe('even', 0.15) })],
  };
  const total = Object.values(kinds).reduce((sum, [weight]) => sum + weight, 0);
  let left = random() * total;
  for (const [kind, [weight, make]] of Object.entries(kinds)) {
    left -= weight;
    if (left < 0) return { kind, db, ...make() };
  }
  throw new Error('a call of no kind');
}

/** What runs a program on one library: its databases, and the revisions that are known. */
class Run {
  constructor(Library, options) {
    this.databases = options.map((own) => new Library(`program-${Math.random().toString(36).slice(2)}`, own));
    this.known = new Map();
  }

  note(id, rev) {
    if (!this.known.has(id)) this.known.set(id, []);
    this.known.get(id).push(rev);
  }

  rev(id, { last, any, text }) {
    const known = this.known.get(id) ?? [];
    return text ?? (last ? known.at(-last) : known[Math.floor(any * known.length)]) ?? '1-none';
  }

  doc({ id, doc, rev }) {
    return { _id: id, ...doc, ...(doc.text === LONG && { text: LONG.repeat(1000) }), ...(rev && { _rev: this.rev(id, rev) }) };
  }

  /** PouchDB looks for the latest of a revision that a database does not have until it throws, where nobody can catch it. */
  async latest(db, { latest }, wanted) {
    if (!latest) return {};
    const asked = {};
    for (const { id, rev } of wanted) if (rev) asked[id] = [...(asked[id] ?? []), rev];
    return Object.keys(await db.revsDiff(asked)).length === 0 && { latest };
  }

  async perform(call) {
    const db = this.databases[call.db];
    const { value, error } = await attempt(() => performers[call.kind].call(this, db, call));
    for (const result of [value].flat()) if (result?.ok && result.rev) this.note(result.id, result.rev);
    return error ? { error } : value;
  }

  async end() {
    for (const db of this.databases) await db.destroy();
  }
}

const isEven = ({ n }) => n % 2 === 0;

const performers = {
  put(db, call) {
    return db.put(this.doc(call));
  },
  remove(db, { id, rev }) {
    return db.remove(id, this.rev(id, rev));
  },
  post(db, call) {
    return db.post(this.doc(call));
  },
  bulk(db, { edits }) {
    return db.bulkDocs(edits.map((edit) => this.doc(edit)));
  },
  async revision(db, { id, doc, parent, start, made }) {
    const [generation, hash] = parent ? this.rev(id, parent).split('-') : [start];
    const leaf = Number(generation) + made.length;
    const _revisions = { start: leaf, ids: [...made, ...(hash ? [hash] : [])] };
    const results = await db.bulkDocs([{ ...this.doc({ id, doc }), _rev: `${leaf}-${made[0]}`, _revisions }], { new_edits: false });
    this.note(id, `${leaf}-${made[0]}`);
    return results;
  },
  local(db, call) {
    const doc = this.doc(call);
    return call.remove ? db.remove(doc) : db.put(doc);
  },
  async get(db, { id, options: { latest, ...options }, rev, open_revs }) {
    const wanted = { ...options, ...(rev && { rev: this.rev(id, rev) }) };
    if (open_revs) wanted.open_revs = open_revs === 'all' ? open_revs : open_revs.map((one) => this.rev(id, one));
    const revs = [wanted.rev, wanted.open_revs].flat().filter((one) => one && one !== 'all');
    return db.get(id, { ...wanted, ...(await this.latest(db, { latest }, revs.map((one) => ({ id, rev: one })))) });
  },
  async bulkGet(db, { docs, options: { latest, ...options } }) {
    const wanted = docs.map(({ id, rev }) => ({ id, ...(rev && { rev: this.rev(id, rev) }) }));
    return db.bulkGet({ docs: wanted, ...options, ...(await this.latest(db, { latest }, wanted)) });
  },
  revsDiff(db, { asked }) {
    // PouchDB misses one that is asked for twice.
    return db.revsDiff(Object.fromEntries(asked.map(([id, revs]) => [id, [...new Set(revs.map((rev) => this.rev(id, rev)))]])));
  },
  allDocs(db, { options }) {
    return db.allDocs({ ...options });
  },
  changes(db, { options, counted, even }) {
    const all = { ...options, ...(!db.isUncounted && counted), ...(even && { filter: isEven }) };
    return db.changes(all);
  },
  info(db) {
    return db.info().then(({ doc_count, update_seq, auto_compaction }) => ({ doc_count, update_seq, auto_compaction }));
  },
  compact(db) {
    return db.compact();
  },
  compactDocument(db, { id, height }) {
    return db.compactDocument(id, height);
  },
  async replicate(db, { options, even }) {
    const target = this.databases.find((other) => other !== db);
    // A document's conflicts come in one batch, and PouchDB gives their writes numbers as IndexedDB's timing has it.
    target.isUncounted = true;
    const { ok, docs_read, docs_written, doc_write_failures, errors, status } = await db.replicate.to(target, { ...options, ...(even && { filter: isEven }) });
    return { ok, docs_read, docs_written, doc_write_failures, errors, status };
  },
};

/** Leaves have no order that anybody promises; where numbers of changes don't count, neither has a feed. */
function comparable(outcome, call, isUncounted) {
  const value = plain(outcome ?? null);
  const byText = (one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
  if (call.kind === 'get' && Array.isArray(value)) value.sort(byText);
  if (call.kind === 'bulkGet') value.results?.sort(byText);
  if (call.kind === 'revsDiff') for (const { missing } of Object.values(value)) missing?.sort();
  // Of no keys at all PouchDB gives no offset.
  if (call.kind === 'allDocs' && value.rows?.length === 0) value.offset ??= 0;
  // PouchDB has a feed of chosen documents end at the last one of them, not at the last change looked at.
  if (call.kind === 'changes' && call.options.doc_ids) delete value.last_seq;
  if (isUncounted && call.kind === 'info') delete value.update_seq;
  if (isUncounted && call.kind === 'changes' && value.results) {
    delete value.last_seq;
    for (const change of value.results) delete change.seq;
    value.results.sort(byText);
  }
  return value;
}

/** Everything that there is in the end. */
const finalCalls = [0, 1].flatMap((db) => [
  { kind: 'changes', db, options: { style: 'all_docs', include_docs: true, conflicts: true }, counted: {} },
  { kind: 'changes', db, options: {}, counted: { descending: true } },
  { kind: 'allDocs', db, options: { include_docs: true, conflicts: true } },
  { kind: 'allDocs', db, options: { keys: ids } },
  { kind: 'info', db },
  ...[...ids, ...localIds].flatMap((id) => [
    { kind: 'get', db, id, options: { conflicts: true, revs_info: true } },
    { kind: 'get', db, id, options: { revs: true }, open_revs: 'all' },
  ]),
]);

/** Runs a program on both libraries: the first call whose outcomes differ, or nothing. */
export async function firstDifference(program) {
  const [theirs, ours] = [PouchDB, Potoroo].map((Library) => new Run(Library, program.options));
  try {
    for (const call of [...program.calls, ...finalCalls]) {
      const { isUncounted } = theirs.databases[call.db];
      const [expected, actual] = [await theirs.perform(call), await ours.perform(call)];
      const found = differences(comparable(expected, call, isUncounted), comparable(actual, call, isUncounted));
      if (found.length > 0) return { call, found };
    }
    return undefined;
  } finally {
    await theirs.end();
    await ours.end();
  }
}

/** A short program that still fails: calls are left out, ever fewer at once, while that changes nothing. */
export async function shrink(program) {
  let { calls } = program;
  for (let size = Math.ceil(calls.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < calls.length; ) {
      const fewer = [...calls.slice(0, start), ...calls.slice(start + size)];
      if (await firstDifference({ ...program, calls: fewer })) calls = fewer;
      else start += size;
    }
  }
  return { ...program, calls };
}
