// The slim entry, with named and default imports.
import Potoroo, { initialize } from 'potoroo/slim';
import { Potoroo as Named } from 'potoroo';

await initialize(fetch('/potoroo.wasm'));
export const db = new Potoroo('notes', { adapter: 'memory' });
export const other = new Named('other');
