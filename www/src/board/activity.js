// Recent changes in words: what and when. Who is not known; a revision carries no name.
import { shallowReactive } from 'vue';
import { headline } from './documents.js';

const keep = 40;

/** The sentence for one change, from how a note was and how it is now; either may be undefined. */
export function activityOf({ id, before, after, columnTitle }) {
  const when = after?.changedAt ?? new Date().toISOString();
  // A conflict coming or going leaves the winning revision as it is.
  const key = [id, after?._rev ?? before?._rev, after ? '' : 'deleted', ...(after?._conflicts ?? [])].join();
  const entry = (what, detail = '') => ({ key, id, when, what, title: headline(after ?? before), detail });
  if (!after) return before && entry('Deleted');
  if (after._conflicts?.length && !before?._conflicts?.length) return entry('Two versions of', 'to choose from');
  if (before?._conflicts?.length && !after._conflicts?.length) return entry('Settled');
  if (!before) return entry('Added', `to ${columnTitle(after.column)}`);
  if (before.text !== after.text) return entry('Edited');
  if (before.column !== after.column) return entry('Moved', `to ${columnTitle(after.column)}`);
  if (before.position !== after.position) return entry('Moved', `within ${columnTitle(after.column)}`);
  if (before.color !== after.color) return entry('Coloured');
  return undefined;
}

export function useActivity() {
  const entries = shallowReactive([]);

  /** After a reload only the documents are left: their last change is known, but not what it was. */
  function start(cards) {
    const newest = cards.filter((card) => card.changedAt).sort((a, b) => (a.changedAt < b.changedAt ? 1 : -1));
    for (const card of newest.slice(0, keep)) {
      const what = card._rev.startsWith('1-') ? 'Added' : 'Changed';
      entries.push({ key: [card._id, card._rev, '', ...(card._conflicts ?? [])].join(), id: card._id, when: card.changedAt, what, title: headline(card), detail: '' });
    }
  }

  function add(entry) {
    if (!entry || entries.some((known) => known.key === entry.key)) return;
    entries.unshift(entry);
    entries.splice(keep);
  }

  return { entries, start, add };
}
