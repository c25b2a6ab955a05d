import { use } from './use.mjs';

globalThis.outcome = use(globalThis.Potoroo);
