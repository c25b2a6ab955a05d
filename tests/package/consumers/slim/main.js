import Potoroo, { initialize } from 'potoroo/slim';
import { use } from './use.mjs';

// The database is opened first: it waits for the module.
globalThis.outcome = use(Potoroo);
initialize(fetch('/node_modules/potoroo/dist/potoroo.wasm'));
