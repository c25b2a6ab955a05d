import { fromBase64 } from '../binary';

/** The content of an attachment as PouchDB keeps it: a Blob, or in browsers that can't store these base64. */
export function contentOf(stored: unknown): Blob {
  if (stored instanceof Blob) return stored;
  return typeof stored === 'string' ? fromBase64(stored, '') : new Blob([]);
}
