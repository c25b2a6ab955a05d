import address from 'potoroo/potoroo.wasm?url';
import Potoroo, { initialize } from 'potoroo/slim';
import { use } from './use.mjs';

globalThis.outcome = initialize(fetch(address)).then(() => use(Potoroo));
