const Potoroo = require('potoroo');

globalThis.outcome = import('./use.mjs').then(({ use }) => use(Potoroo));
