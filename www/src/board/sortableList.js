import Sortable from 'sortablejs';

/**
 * Makes the notes in `element` (a list with `data-column`) draggable within it and to other such lists.
 * `onMove({id, columnId, index})` tells where a note was dropped: `index` counts the column's other notes before it.
 */
export function sortableList(element, onMove) {
  let origin;
  return Sortable.create(element, {
    group: 'notes',
    draggable: '.card',
    // Text being edited and buttons keep their own mouse.
    filter: 'textarea, button, .note-editor',
    preventOnFilter: false,
    animation: 160,
    // On a touch screen a short hold picks a note up; a swipe scrolls.
    delay: 220,
    delayOnTouchOnly: true,
    touchStartThreshold: 6,
    forceFallback: true,
    fallbackOnBody: true,
    fallbackTolerance: 5,
    ghostClass: 'card-gap',
    dragClass: 'card-carried',
    onStart({ item }) {
      origin = item.nextSibling;
      document.documentElement.classList.add('dragging');
    },
    onEnd({ item, from, to, oldDraggableIndex, newDraggableIndex }) {
      document.documentElement.classList.remove('dragging');
      if (from === to && oldDraggableIndex === newDraggableIndex) return;
      // Vue owns this list: the element goes back where Vue put it, and moves when the data does.
      from.insertBefore(item, origin);
      onMove({ id: item.dataset.id, columnId: to.dataset.column, index: newDraggableIndex });
    },
  });
}
