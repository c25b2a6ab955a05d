// Writes to the board. The page shows an edit at once; the database gets it right after, one write per document at a time.
import { contentOf } from './documents.js';

const isMissing = (error) => error.status === 404;
const isConflict = (error) => error.status === 409;

export function createWriter(db, docs) {
  /** For each document being written: the end of its queue and how many writes are in it. */
  const queues = new Map();

  function enqueue(id, work) {
    const queue = queues.get(id) ?? { tail: Promise.resolve(), length: 0 };
    queues.set(id, queue);
    queue.length += 1;
    const result = queue.tail.then(work);
    queue.tail = result.then(settle, settle);
    /** After the last write, what the page shows becomes what the database holds; also when a write failed. */
    async function settle() {
      queue.length -= 1;
      if (queue.length > 0) return;
      const stored = await read(id);
      if (queue.length > 0) return;
      if (stored) docs.set(id, stored);
      else docs.delete(id);
      queues.delete(id);
    }
    return result;
  }

  /** The document, or undefined if there is none (any more). */
  async function read(id) {
    try {
      return await db.get(id, { conflicts: true });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  const stamp = () => new Date().toISOString();

  function create(doc) {
    const { _rev, _conflicts, ...fresh } = doc;
    docs.set(doc._id, fresh);
    return enqueue(doc._id, () => db.put(fresh));
  }

  /** Applies `fieldsOf(current document)` to whatever the newest revision is: for moves, where the last one wins. */
  function change(id, fieldsOf) {
    const shown = docs.get(id);
    if (shown) docs.set(id, { ...shown, ...fieldsOf(shown) });
    return enqueue(id, async () => {
      for (;;) {
        const doc = await db.get(id);
        try {
          return await db.put({ ...doc, ...fieldsOf(doc), changedAt: stamp() });
        } catch (error) {
          // Replication wrote between the get and the put: read again.
          if (!isConflict(error)) throw error;
        }
      }
    });
  }

  /**
   * Writes `fields` that a person chose while looking at `base`. If somebody else changed the same fields meanwhile, both
   * versions are kept: the edit becomes a revision next to theirs, and the board shows the conflict.
   */
  function edit(base, fields) {
    const shown = docs.get(base._id);
    if (shown) docs.set(base._id, { ...shown, ...fields });
    return enqueue(base._id, async () => {
      for (;;) {
        const found = await read(base._id);
        const { _conflicts, ...current } = found ?? {};
        const changedAt = stamp();
        if (!found) {
          // Deleted elsewhere while it was being edited: words that somebody has just typed weigh more.
          return db.put({ ...contentOf(base), ...fields, changedAt });
        }
        const untouched = Object.keys(fields).every((name) => current[name] === base[name]);
        try {
          if (untouched) return await db.put({ ...current, ...fields, changedAt });
          return await db.put({ ...contentOf(base), _rev: base._rev, ...fields, changedAt }, { force: true });
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    });
  }

  function remove(doc) {
    docs.delete(doc._id);
    return enqueue(doc._id, async () => {
      for (;;) {
        const current = await read(doc._id);
        if (!current) return undefined;
        try {
          return await db.remove(doc._id, current._rev);
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    });
  }

  return {
    create,
    change,
    edit,
    remove,
    isWriting: (id) => queues.has(id),
  };
}
