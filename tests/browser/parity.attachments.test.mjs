// Attachments: what is given in which form, and what is told of it.
import { expect } from '/node_modules/chai/index.js';
import { same } from './support/parity.mjs';

const Potoroo = globalThis.Potoroo;
const base64 = (text) => btoa(text);
const blob = (text, type = 'text/plain') => new Blob([text], { type });
const attachment = (data, content_type = 'text/plain') => ({ content_type, data });

/** Blobs as their texts and types; revisions left out where a Blob was hashed. */
async function told(value, withRevs = true) {
  if (value instanceof Blob) return { type: value.type, text: await value.text() };
  if (Array.isArray(value)) return Promise.all(value.map((member) => told(member, withRevs)));
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  const members = Object.entries(value).filter(([name]) => withRevs || !['rev', '_rev', 'seq'].includes(name));
  return Object.fromEntries(await Promise.all(members.map(async ([name, member]) => [name, await told(member, withRevs)])));
}

const everything = async (db, id) => ({
  stubs: await db.get(id, { revs: true }),
  base64: await db.get(id, { attachments: true }),
  binary: await told(await db.get(id, { attachments: true, binary: true })),
  leaves: await told(await db.get(id, { open_revs: 'all', attachments: true, binary: true })),
  bulk: await told(await db.bulkGet({ docs: [{ id }], attachments: true, binary: true })),
  bulkBase64: await db.bulkGet({ docs: [{ id }], attachments: true }),
});

describe('attachments as in PouchDB', () => {
  same('base64: revisions, stubs, contents', async ({ db }) => {
    const _attachments = { 'a.txt': attachment(base64('foo')), 'ä/b "c"': attachment(base64('é\x00\xff'), 'x/y'), empty: attachment('') };
    const put = await db.put({ _id: 'a', before: 1, _attachments, after: { _attachments } });
    return [put, await everything(db, 'a')];
  });

  same('members in another order, and ones that nobody knows', async ({ db }) => [
    await db.put({ _id: 'a', _attachments: { x: { zzz: 1, revpos: 17, content_type: 'text/plain', digest: 'nonsense', data: base64('foo') } } }),
    await db.put({ _id: 'b', _attachments: { x: { data: base64('foo') } } }),
    await db.put({ _id: 'c', _attachments: {} }),
    await db.get('a'),
    await db.get('b', { attachments: true }),
    await db.get('c'),
  ]);

  same('stubs that are carried over, in an edit that has PouchDB\'s revision', async ({ db }) => {
    await db.put({ _id: 'a', n: 1, _attachments: { x: attachment(base64('foo')) } });
    const first = await db.get('a');
    const second = await db.put({ ...first, n: 2 });
    const third = await db.put({ ...(await db.get('a')), _attachments: { ...first._attachments, y: attachment(base64('bar')) } });
    const old = await told(await db.getAttachment('a', 'x', { rev: first._rev }));
    return [second, third, old, await everything(db, 'a')];
  });

  same('a document written again upon its deletion', async ({ db, attempt }) => {
    const { rev } = await db.put({ _id: 'a', _attachments: { x: attachment(base64('foo')) } });
    await db.remove('a', rev);
    const gone = await attempt(db.getAttachment('a', 'x'));
    const again = await db.put({ _id: 'a', n: 1, _attachments: { x: attachment(base64('foo')), y: attachment(base64('bar')) } });
    return [gone, again, await everything(db, 'a')];
  });

  same('deletions lose their attachments', async ({ db }) => {
    const first = await db.put({ _id: 'a', _attachments: { x: attachment(base64('foo')) } });
    const second = await db.put({ _id: 'a', _rev: first.rev, _deleted: true, _attachments: { x: attachment(base64('foo')) }, why: 'so' });
    return [first, second, await db.get('a', { rev: second.rev, attachments: true })];
  });

  same('Blobs and files', async ({ db }) => {
    const _attachments = {
      blob: attachment(blob('blob')),
      file: attachment(new File(['file'], 'name.txt', { type: 'text/plain' })),
      large: attachment(blob('large'.repeat(30_000))),
      empty: attachment(blob('')),
    };
    await db.put({ _id: 'a', _attachments });
    return [await told(await db.get('a'), false), await told(await db.get('a', { attachments: true, binary: true }), false)];
  });

  same('of the same content, each has its own type', async ({ db }) => {
    await db.put({ _id: 'a', _attachments: { x: attachment(base64('foo'), 'text/plain') } });
    await db.put({ _id: 'b', _attachments: { x: attachment(base64('foo'), 'text/plain'), y: attachment(base64('bar'), '') } });
    return [await told(await db.getAttachment('a', 'x')), await told(await db.getAttachment('b', 'x')), await told(await db.getAttachment('b', 'y'))];
  });

  same('putAttachment, getAttachment, removeAttachment', async ({ db, attempt }) => {
    const steps = [];
    const step = async (promise) => {
      const { value = 'nothing', error } = await attempt(promise);
      steps.push(error ?? (await told(value)));
    };
    const first = await db.putAttachment('a', 'x', base64('foo'), 'text/plain');
    const second = await db.putAttachment('a', 'y/z', first.rev, base64('bar'), 'text/plain');
    await step(db.putAttachment('a', 'x', first.rev, base64('foo'), 'text/plain'));
    await step(db.putAttachment('a', 'x', base64('foo'), 'text/plain'));
    await step(db.getAttachment('a', 'y/z'));
    await step(db.getAttachment('a', 'y/z', { rev: first.rev }));
    await step(db.getAttachment('a', 'nothing'));
    await step(db.getAttachment('nobody', 'x'));
    await step(db.removeAttachment('a', 'x', first.rev));
    const third = await db.removeAttachment('a', 'x', second.rev);
    await step(db.getAttachment('a', 'x'));
    await step(db.getAttachment('a', 'x', { rev: second.rev }));
    const fourth = await db.removeAttachment('a', 'y/z', third.rev);
    await step(db.removeAttachment('a', 'y/z', fourth.rev));
    return [first, second, third, fourth, steps, await db.get('a')];
  });

  same('allDocs and changes', async ({ db }) => {
    await db.put({ _id: 'a', _attachments: { x: attachment(base64('foo')) } });
    await db.put({ _id: 'b' });
    await db.put({ _id: 'c', _attachments: { x: attachment(base64('foo')), y: attachment(base64('bar')) } });
    // PouchDB does not count documents with attachments, and tells no revpos with contents.
    const isWrong = (name) => name === 'revpos' || name === 'total_rows';
    const withoutWrong = (value) => JSON.parse(JSON.stringify(value, (name, member) => (isWrong(name) ? undefined : member)));
    const answers = [];
    for (const options of [{}, { attachments: true }, { attachments: true, binary: true }]) {
      answers.push(await told(await db.allDocs({ include_docs: true, ...options })));
      answers.push(await told(await db.allDocs({ include_docs: true, keys: ['c', 'a', 'x'], ...options })));
      if (!options.binary) answers.push(await told((await db.changes({ include_docs: true, ...options })).results));
    }
    answers.push(await db.changes({ attachments: true }), await db.allDocs({ attachments: true }));
    return withoutWrong(answers);
  });

  same('what is wrong', async ({ db, attempt }) => {
    await db.put({ _id: 'there' });
    const errors = [];
    for (const _attachments of [
      { _x: attachment('') },
      { x: attachment('%') },
      { x: attachment('Zm9vZ') },
      { x: { stub: true, digest: 'md5-rL0Y20zC+Fzt72VPzMSk2A==', content_type: 'text/plain', length: 3, revpos: 1 } },
    ]) {
      errors.push((await attempt(db.put({ _id: 'a', _attachments }))).error ?? 'written');
      errors.push((await attempt(db.bulkDocs([{ _id: 'b' }, { _id: 'c', _attachments }]))).error ?? 'written');
      errors.push((await attempt(db.get('b'))).error ?? 'there');
    }
    errors.push((await attempt(db.put({ _id: 'there', _attachments: { x: attachment(base64('foo')) } }))).error);
    return errors;
  });

  same('revisions from elsewhere', async ({ db }) => {
    const write = (_rev, ids, _attachments) =>
      db.bulkDocs([{ _id: 'a', _rev, _revisions: { start: ids.length, ids }, _attachments }], { new_edits: false });
    await write('1-a', ['a'], { x: attachment(base64('foo')) });
    await write('2-b', ['b', 'a'], { x: attachment(base64('bar')) });
    await write('2-c', ['c', 'a'], { y: attachment(base64('baz')) });
    return [await db.get('a', { attachments: true, conflicts: true }), await told(await db.get('a', { open_revs: 'all', attachments: true, binary: true }))];
  });
});

describe('attachments better than in PouchDB', () => {
  let db;
  beforeEach(() => {
    db = new Potoroo(`attachments-${Math.random().toString(36).slice(2)}`);
  });
  afterEach(() => db.destroy());

  it('takes arrays of all kinds as they are at the call', async () => {
    const bytes = new TextEncoder().encode('..bytes..');
    const data = { array: bytes, view: new DataView(bytes.buffer, 2, 5), part: bytes.subarray(2, 7), buffer: bytes.buffer };
    const large = new Uint8Array(200_000).fill(7);
    const put = db.put({
      _id: 'a',
      _attachments: { ...Object.fromEntries(Object.entries(data).map(([name, one]) => [name, attachment(one)])), large: attachment(large) },
    });
    bytes.fill(0);
    large.fill(0);
    await put;
    const found = await told(await db.get('a', { attachments: true, binary: true }));
    const texts = Object.fromEntries(Object.entries(found._attachments).map(([name, { data: one }]) => [name, one.text]));
    expect(texts.large === '\x07'.repeat(200_000)).to.equal(true);
    delete texts.large;
    expect(texts).to.deep.equal({ array: '..bytes..', view: 'bytes', part: 'bytes', buffer: '..bytes..' });
  });

  it('gives different contents different revisions, and equal ones the same', async () => {
    const other = new Potoroo(`${db.name}-2`);
    try {
      const put = (into, text) => into.put({ _id: text[0], _attachments: { x: attachment(blob(text)) } });
      const [one, two, three, four] = [await put(db, 'a1'), await put(other, 'a2'), await put(db, 'b1'), await put(other, 'b1')];
      expect(one.rev).to.not.equal(two.rev);
      expect(three.rev).to.equal(four.rev);
    } finally {
      await other.destroy();
    }
  });

  it('gives a Blob the type that its document says', async () => {
    await db.put({ _id: 'a', _attachments: { x: attachment(blob('foo', 'a/a'), 'a/a') } });
    await db.put({ _id: 'b', _attachments: { x: attachment(blob('foo', 'b/b'), 'b/b') } });
    expect((await db.getAttachment('a', 'x')).type).to.equal('a/a');
    expect((await db.getAttachment('b', 'x')).type).to.equal('b/b');
  });

  it('refuses what is no content, and works afterwards', async () => {
    for (const data of [1, {}, true, [1, 2], () => 1, null, undefined]) {
      const error = await db.put({ _id: 'a', _attachments: { x: { content_type: 'text/plain', data } } }).catch((reason) => reason);
      expect([error.status, error.name], String(data)).to.deep.equal([500, 'badarg']);
    }
    await db.put({ _id: 'a', _attachments: { x: attachment(blob('foo')) } });
    expect((await db.check()).ok).to.equal(true);
  });

  it('refuses base64 that is none wherever it stands', async () => {
    const _attachments = { y: attachment('Zg=='), x: attachment('Zg==='), z: attachment('Zg') };
    const error = await db.put({ _id: 'a', _attachments }).catch((reason) => reason);
    expect([error.status, error.name, error.reason]).to.deep.equal([500, 'badarg', 'Attachment is not a valid base64 string']);
  });

  it('keeps what is large and what is small, here and for the next page', async () => {
    const sizes = [0, 1, 65_535, 65_536, 3_000_001];
    const contents = sizes.map((size) => new Uint8Array(size).map((_, index) => (index * 2_654_435_761) >>> 24));
    await db.put({ _id: 'a', _attachments: Object.fromEntries(contents.map((one, index) => [`x${index}`, attachment(new Blob([one]))])) });
    await db.close();
    db = new Potoroo(db.name);
    const report = await db.check();
    expect([report.ok, report.attachments, report.attachment_bytes]).to.deep.equal([true, 5, sizes.reduce((sum, size) => sum + size)]);
    for (const [index, one] of contents.entries()) {
      const found = new Uint8Array(await (await db.getAttachment('a', `x${index}`)).arrayBuffer());
      expect(found.length).to.equal(one.length);
      expect(found.every((byte, place) => byte === one[place])).to.equal(true);
    }
  });

  it('takes what nothing refers to from the disk', async () => {
    const small = new Potoroo(`${db.name}-compacting`, { auto_compaction: true });
    try {
      const { rev } = await small.put({ _id: 'a', _attachments: { x: attachment(blob('x'.repeat(100_000))), y: attachment(base64('foo')) } });
      expect((await small.check()).attachments).to.equal(2);
      const kept = (await small.get('a'))._attachments.y;
      const second = await small.put({ _id: 'a', _rev: rev, _attachments: { y: kept } });
      expect((await small.check()).attachment_bytes).to.equal(3);
      await small.remove('a', second.rev);
      expect(await small.check()).to.include({ ok: true, attachments: 0, attachment_bytes: 0 });
    } finally {
      await small.destroy();
    }
  });

  it('tells live feeds contents as Blobs', async () => {
    const feed = db.changes({ live: true, include_docs: true, attachments: true, binary: true });
    const change = new Promise((resolve) => feed.on('change', resolve));
    await db.put({ _id: 'a', _attachments: { x: attachment(base64('foo')) } });
    expect((await told((await change).doc))._attachments.x.data).to.deep.equal({ type: 'text/plain', text: 'foo' });
    feed.cancel();
  });
});
