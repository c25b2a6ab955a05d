import Potoroo from 'potoroo';
import { use } from './use.mjs';

globalThis.outcome = use(Potoroo);
