/**
 * The notes a new demo board starts with. They carry no time: written again by the next demo they are the same revisions,
 * so a browser that already knows them (or has deleted them) is not asked about a conflict.
 */
export const welcomeCards = [
  {
    _id: 'card:welcome-edit',
    column: 'column:ideas',
    position: 'A',
    color: 'straw',
    text: 'Click a note to edit it\nEnter saves, Shift+Enter starts a new line, Escape leaves it as it was.',
  },
  {
    _id: 'card:welcome-drag',
    column: 'column:ideas',
    position: 'K',
    color: 'leaf',
    text: 'Drag notes where they belong\nOn a phone, hold one first. With the keyboard: Alt and an arrow key.',
  },
  {
    _id: 'card:welcome-two',
    column: 'column:doing',
    position: 'A',
    color: 'sky',
    text: 'Open this page in a second browser\nWhat you change here shows up there.',
  },
  {
    _id: 'card:welcome-offline',
    column: 'column:doing',
    position: 'K',
    color: 'clay',
    text: 'Switch on Work offline\nChange the same note in both browsers, switch it off again, and settle the conflict.',
  },
  {
    _id: 'card:welcome-reload',
    column: 'column:done',
    position: 'A',
    color: 'stone',
    text: 'Stop the server and reload\nEverything is still here.',
  },
];
