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

const fileNames = ['x', 'dir/ü +'];

/** Contents, each with a type of its own: of the same content PouchDB gives a Blob the type with which it came first. */
const contents = [
  ['', 'text/plain'],
  ['foo', 'text/html'],
  ['\x00\xff\r\n--', 'application/octet-stream'],
  ['large '.repeat(12_000), 'image/png'],
].map(([text, type]) => ({ text, type, blob: new Blob([Uint8Array.from(text, (char) => char.charCodeAt(0))], { type }) }));

/** A program: options of its two databases, and calls. A revision in a call is a choice among those that are known by then. */
export function programFrom(seed, length = 30) {
  const random = randomFrom(seed);
  const options = [0, 1].map(() => (random() < 0.3 ? { auto_compaction: true } : {}));
  const hasFiles = random() < 0.5;
  const calls = Array.from({ length }, () => nextCall(random, hasFiles));
  if (random() < 0.7) return { options, calls, hasFiles };
  // With 1, PouchDB takes a first edit that is made upon an unknown revision; and what of branches is forgotten differs, as
  // src/tree/stem.rs says.
  for (const own of options) own.revs_limit = 2 + Math.floor(random() * 4);
  return { options, calls: calls.filter(({ kind }) => kind !== 'revision' && kind !== 'replicate'), hasFiles };
}

function nextCall(random, hasFiles) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const chance = (probability) => random() < probability;
  const some = (list, probability) => list.filter(() => chance(probability));
  /** An option by chance. */
  const maybe = (name, probability, value = () => true) => chance(probability) && { [name]: value() };
  // Mostly one that was made lately, sometimes any, or one that nobody knows.
  const rev = () => pick([{ last: 1 }, { last: 1 }, { last: 2 }, { any: random() }, { any: random() }, { text: pick(['1-none', '7-none', '3-0123456789abcdef0123456789abcdef']) }]);
  const body = () => ({ n: Math.floor(random() * 1000), text: pick(['', 'x', 'ü\u2028', '\ud83d\ude00', LONG]), list: [chance(0.5), null, random()] });
  const content = () => Math.floor(random() * contents.length);
  // New ones, those that the document has, and any that were ever seen; as base64, or as Blobs where no revision is made of them.
  const file = (mayBlob) => pick([{ content: content(), ...(mayBlob && maybe('blob', 0.5)) }, { kept: true }, { kept: true }, { seen: random() }]);
  const files = (mayBlob = false) =>
    hasFiles && chance(0.7) && { files: some(fileNames, 0.7).map((name) => ({ name, ...(chance(0.9) ? file(mayBlob) : { content: content() }) })) };
  const withContents = () => (hasFiles ? { ...maybe('attachments', 0.4), ...maybe('binary', 0.5) } : {});
  const db = chance(0.7) ? 0 : 1;
  // Where there are few, more of them have attachments when one is asked for.
  const id = pick(hasFiles ? ids.slice(0, 4) : ids);
  const edit = () => ({ ...body(), ...maybe('_deleted', 0.15) });
  const kinds = {
    put: [14, () => ({ id, doc: edit(), ...maybe('rev', 0.75, rev), ...files() })],
    remove: [4, () => ({ id, rev: rev() })],
    post: [1, () => ({ id, doc: body(), ...files() })],
    // Each id once: in which order PouchDB stores several edits of one document in one call depends on IndexedDB's timing.
    bulk: [5, () => ({ edits: some(ids, 0.4).map((one) => ({ id: one, doc: edit(), ...maybe('rev', 0.7, rev), ...files() })) })],
    revision: [14, () => ({
      id,
      doc: { ...body(), ...maybe('_deleted', 0.25) },
      ...files(true),
      ...maybe('parent', 0.75, rev),
      start: Math.floor(random() * 3),
      made: Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * 0xffffffff).toString(16).padStart(32, '0')),
    })],
    local: [3, () => ({ id: pick(localIds), doc: body(), ...maybe('rev', 0.5, rev), remove: chance(0.3) })],
    get: [10, () => ({
      id: chance(0.1) ? pick([...localIds, 'none', '']) : id,
      options: { ...maybe('revs', 0.4), ...maybe('revs_info', 0.4), ...maybe('conflicts', 0.5), ...maybe('latest', 0.2), ...withContents() },
      ...maybe('rev', 0.4, rev),
      ...maybe('open_revs', 0.3, () => (chance(0.5) ? 'all' : [rev(), rev()])),
    })],
    bulkGet: [3, () => ({ docs: [pick(ids), ...some(ids, 0.3)].map((one) => ({ id: one, ...maybe('rev', 0.6, rev) })), options: { ...maybe('revs', 0.5), ...maybe('latest', 0.3), ...withContents() } })],
    revsDiff: [2, () => ({ asked: some(ids, 0.4).map((one) => [one, [rev(), rev()]]) })],
    allDocs: [6, () => ({
      options: {
        ...maybe('include_docs', 0.5),
        ...maybe('conflicts', 0.3),
        ...withContents(),
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
        ...withContents(),
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
    ...(hasFiles && {
      putAttachment: [5, () => ({ id, name: pick(fileNames), content: content(), ...maybe('rev', 0.75, rev) })],
      getAttachment: [5, () => ({ id, name: pick(fileNames), ...maybe('rev', 0.4, rev) })],
      removeAttachment: [3, () => ({ id, name: pick(fileNames), rev: rev() })],
    }),
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
    this.isLimited = options.some(({ revs_limit }) => revs_limit);
    this.known = new Map();
    this.stubs = [];
  }

  note(id, rev) {
    if (!this.known.has(id)) this.known.set(id, []);
    this.known.get(id).push(rev);
  }

  rev(id, { last, any, text }) {
    const known = this.known.get(id) ?? [];
    return text ?? (last ? known.at(-last) : known[Math.floor(any * known.length)]) ?? '1-none';
  }

  async doc(db, { id, doc, rev, files }, parent = rev) {
    const _attachments = files && (await this.attachments(db, files, id, parent && { rev: this.rev(id, parent) }));
    return {
      _id: id,
      ...doc,
      ...(doc.text === LONG && { text: LONG.repeat(1000) }),
      ...(rev && { _rev: this.rev(id, rev) }),
      ...(files && { _attachments }),
    };
  }

  async attachments(db, files, id, options) {
    const { value } = await attempt(db.get(id, { ...options }));
    const attachments = {};
    for (const { name, content, blob, kept, seen } of files) {
      const stub = kept ? value?._attachments?.[name] : this.stubs[Math.floor(seen * this.stubs.length)];
      if (stub) this.stubs.push(stub);
      // In PouchDB an attachment has the winner's generation, and the revision is a hash of that too.
      if (stub) attachments[name] = { ...stub, revpos: 1 };
      if (content !== undefined) attachments[name] = { content_type: contents[content].type, data: blob ? contents[content].blob : btoa(contents[content].text) };
    }
    return attachments;
  }

  /** What has the attachments of that document alone. For the same reason: others would be stubs with what each tells of them. */
  async isAlone(db, id, name) {
    const { value } = await attempt(db.get(id));
    return Object.keys(value?._attachments ?? {}).every((other) => other === name);
  }

  /** PouchDB looks for the latest of a revision that a database does not have until it throws, where nobody can catch it. */
  async latest(db, { latest }, wanted) {
    if (!latest) return {};
    const asked = {};
    // Each once: PouchDB misses one that is asked for twice.
    for (const { id, rev } of wanted) if (rev && !asked[id]?.includes(rev)) asked[id] = [...(asked[id] ?? []), rev];
    return Object.keys(await db.revsDiff(asked)).length === 0 && { latest };
  }

  async perform(call) {
    const db = this.databases[call.db];
    const { value, error } = await attempt(() => performers[call.kind].call(this, db, call));
    for (const result of [value].flat()) if (result?.ok && result.rev) this.note(result.id, result.rev);
    return error ? { error } : told(value);
  }

  async end() {
    for (const db of this.databases) await db.destroy();
  }
}

/** Contents in short, and when they came: PouchDB has other generations, see above. */
async function told(value) {
  if (value instanceof Blob) return `${value.type} ${value.size} ${checksum(new Uint8Array(await value.arrayBuffer()))}`;
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (Array.isArray(value)) return Promise.all(value.map(told));
  const members = Object.entries(value).filter(([name]) => name !== 'revpos');
  const short = async (name, member) => (name === 'data' && member.length > 100 ? `${member.length} ${checksum(member)}` : told(member));
  return Object.fromEntries(await Promise.all(members.map(async ([name, member]) => [name, await short(name, member)])));
}

function checksum(units) {
  let sum = 0;
  for (const unit of units) sum = (Math.imul(sum, 31) + (typeof unit === 'string' ? unit.charCodeAt(0) : unit)) | 0;
  return sum;
}

const isEven = ({ n }) => n % 2 === 0;

const performers = {
  async put(db, call) {
    return db.put(await this.doc(db, call));
  },
  async remove(db, { id, rev }) {
    const given = this.rev(id, rev);
    // PouchDB takes a deletion again that was made already, upon a revision that the limit has made it forget since.
    if (this.isLimited && Object.keys(await db.revsDiff({ [id]: [given] })).length > 0) return null;
    return db.remove(id, given);
  },
  async post(db, call) {
    return db.post(await this.doc(db, call));
  },
  async bulk(db, { edits }) {
    // PouchDB stores documents with attachments after the others.
    if (edits.some(({ files }) => files)) db.isUncounted = true;
    const docs = [];
    for (const edit of edits) docs.push(await this.doc(db, edit));
    return db.bulkDocs(docs);
  },
  async revision(db, { id, doc, parent, start, made, files }) {
    const [generation, hash] = parent ? this.rev(id, parent).split('-') : [start];
    const leaf = Number(generation) + made.length;
    const _revisions = { start: leaf, ids: [...made, ...(hash ? [hash] : [])] };
    const results = await db.bulkDocs([{ ...(await this.doc(db, { id, doc, files }, parent)), _rev: `${leaf}-${made[0]}`, _revisions }], { new_edits: false });
    this.note(id, `${leaf}-${made[0]}`);
    return results;
  },
  async local(db, call) {
    const doc = await this.doc(db, call);
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
  async putAttachment(db, { id, name, content, rev }) {
    if (!(await this.isAlone(db, id, name))) return null;
    const { text, type } = contents[content];
    return db.putAttachment(id, name, ...(rev ? [this.rev(id, rev)] : []), btoa(text), type);
  },
  getAttachment(db, { id, name, rev }) {
    return db.getAttachment(id, name, rev ? { rev: this.rev(id, rev) } : {});
  },
  async removeAttachment(db, { id, name, rev }) {
    return (await this.isAlone(db, id, name)) ? db.removeAttachment(id, name, this.rev(id, rev)) : null;
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

/** The same for equal values, in whatever order their members stand. */
function sortedText(value) {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return JSON.stringify(Object.keys(value).sort().map((name) => [name, sortedText(value[name])]));
}

/** Leaves have no order that anybody promises; where numbers of changes don't count, neither has a feed. */
function comparable(outcome, call, isUncounted, hasFiles) {
  const value = plain(outcome ?? null);
  // PouchDB does not count documents with attachments.
  if (hasFiles && value !== null) for (const name of ['doc_count', 'total_rows']) delete value[name];
  const byText = (one, other) => (sortedText(one) < sortedText(other) ? -1 : 1);
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
  { kind: 'allDocs', db, options: { include_docs: true, conflicts: true, attachments: true } },
  { kind: 'allDocs', db, options: { keys: ids } },
  { kind: 'info', db },
  ...[...ids, ...localIds].flatMap((id) => [
    { kind: 'get', db, id, options: { conflicts: true, revs_info: true } },
    { kind: 'get', db, id, options: { revs: true, attachments: true, binary: true }, open_revs: 'all' },
  ]),
]);

/** Runs a program on both libraries: the first call whose outcomes differ, or nothing. */
export async function firstDifference(program) {
  const [theirs, ours] = [PouchDB, Potoroo].map((Library) => new Run(Library, program.options));
  try {
    for (const call of [...program.calls, ...finalCalls]) {
      const { isUncounted } = theirs.databases[call.db];
      const [expected, actual] = [await theirs.perform(call), await ours.perform(call)];
      const found = differences(...[expected, actual].map((outcome) => comparable(outcome, call, isUncounted, program.hasFiles)));
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
