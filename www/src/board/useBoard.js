// The board as the page shows it: documents kept in memory, followed by a live changes feed, and every way to edit them.
import { computed, ref, shallowReactive } from 'vue';
import { activityOf, useActivity } from './activity.js';
import { firstColumns, isCard, isColumn, newCardId, newColumnId } from './documents.js';
import { byPosition, positionBetween } from './positions.js';
import { createWriter } from './writer.js';

const flashMilliseconds = 1600;

export function useBoard(db) {
  const docs = shallowReactive(new Map());
  /** As the changes feed last reported it, without edits that are still being written: what recent changes are told from. */
  const reported = new Map();
  const ready = ref(false);
  const failure = ref('');
  /** Notes that somebody else has just changed: they light up for a moment. */
  const flashing = shallowReactive(new Set());
  const activity = useActivity();
  const writer = createWriter(db, docs);

  const columns = computed(() => {
    const sorted = [...docs.values()].filter((doc) => isColumn(doc._id)).sort(byPosition);
    const cardsOf = new Map(sorted.map((column) => [column._id, []]));
    for (const doc of docs.values()) {
      if (!isCard(doc._id)) continue;
      // A note whose column somebody else has deleted must not vanish with it.
      (cardsOf.get(doc.column) ?? cardsOf.get(sorted[0]?._id))?.push(doc);
    }
    return sorted.map((column) => ({ ...column, cards: cardsOf.get(column._id).sort(byPosition) }));
  });

  const conflicted = computed(() => [...docs.values()].filter((doc) => doc._conflicts?.length));
  const columnTitle = (id) => docs.get(id)?.title ?? 'another column';

  async function open() {
    try {
      const all = await db.allDocs({ include_docs: true, conflicts: true, update_seq: true });
      for (const row of all.rows) {
        docs.set(row.id, row.doc);
        reported.set(row.id, row.doc);
      }
      activity.start([...docs.values()].filter((doc) => isCard(doc._id)));
      // The feed goes on exactly where the listing ended, so nothing written in between is missed.
      db.changes({ since: all.update_seq, live: true, include_docs: true, conflicts: true })
        .on('change', receive)
        .on('error', fail);
      if (columns.value.length === 0) await db.bulkDocs(firstColumns);
      ready.value = true;
    } catch (error) {
      fail(error);
    }
  }

  function fail(error) {
    failure.value = error.message || String(error);
  }

  function receive({ id, doc, deleted }) {
    const before = reported.get(id);
    const after = deleted ? undefined : doc;
    if (deleted) reported.delete(id);
    else reported.set(id, doc);
    if (isCard(id)) activity.add(activityOf({ id, before, after, columnTitle }));

    // While own edits of this document are being written, the page is ahead of the feed.
    if (writer.isWriting(id)) return;
    const unseen = docs.get(id)?._rev !== doc._rev;
    if (deleted) docs.delete(id);
    else docs.set(id, doc);
    if (isCard(id) && unseen && !deleted) flash(id);
  }

  function flash(id) {
    flashing.add(id);
    setTimeout(() => flashing.delete(id), flashMilliseconds);
  }

  /** The position for a note that shall stand at `index` among the column's other notes. */
  function positionAt(columnId, index, movingId) {
    const others = columns.value.find((column) => column._id === columnId)?.cards.filter((card) => card._id !== movingId) ?? [];
    return positionBetween(others[index - 1]?.position, others[index]?.position);
  }

  function addCard(columnId, { text, color }) {
    const count = columns.value.find((column) => column._id === columnId)?.cards.length ?? 0;
    return writer.create({
      _id: newCardId(),
      column: columnId,
      position: positionAt(columnId, count),
      text,
      color,
      changedAt: new Date().toISOString(),
    });
  }

  function moveCard(id, columnId, index) {
    const position = positionAt(columnId, index, id);
    return writer.change(id, () => ({ column: columnId, position }));
  }

  /** Left, right, up or down by one; answers where the note went, in words, or undefined at the edge. */
  function nudgeCard(id, direction) {
    const from = columns.value.findIndex((column) => column.cards.some((card) => card._id === id));
    const column = columns.value[from];
    const index = column.cards.findIndex((card) => card._id === id);
    const sideways = { left: -1, right: 1 }[direction];
    if (sideways) {
      const target = columns.value[from + sideways];
      if (!target) return undefined;
      const place = Math.min(index, target.cards.length);
      moveCard(id, target._id, place);
      return `Moved to ${target.title}, place ${place + 1}`;
    }
    const place = index + (direction === 'up' ? -1 : 1);
    if (place < 0 || place >= column.cards.length) return undefined;
    moveCard(id, column._id, place);
    return `Place ${place + 1} of ${column.cards.length} in ${column.title}`;
  }

  const editCard = (base, fields) => writer.edit(base, fields);
  const removeCard = (card) => writer.remove(card);
  const restoreCard = (card) => writer.create(card);

  function addColumn(title) {
    const last = columns.value.at(-1);
    return writer.create({ _id: newColumnId(), title, position: positionBetween(last?.position, undefined) });
  }

  return {
    columns,
    conflicted,
    ready,
    failure,
    flashing,
    activity: activity.entries,
    columnTitle,
    open,
    addCard,
    editCard,
    moveCard,
    nudgeCard,
    removeCard,
    restoreCard,
    addColumn,
    renameColumn: (column, title) => writer.edit(column, { title }),
    removeColumn: (column) => writer.remove(column),
  };
}
