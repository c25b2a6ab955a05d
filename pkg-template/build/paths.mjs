// The folders that the build reads and writes.
import { fileURLToPath } from 'node:url';

const folder = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export const root = folder('../..');
export const templateFolder = folder('..');
export const packageFolder = folder('../../pkg');
export const bindgenFolder = folder('../../target/bindgen');
