// Bytes as users have them (Blobs, buffers, typed arrays) and as documents do: base64.

/** What may stand where an attachment's bytes are wanted, beside base64. */
export type Binary = Blob | ArrayBuffer | ArrayBufferView;

export function isBinary(value: unknown): value is Binary {
  return value instanceof Blob || ArrayBuffer.isView(value) || isBuffer(value);
}

/** Also one of another frame. */
function isBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]';
}

/** One whose bytes nobody changes any more. */
export function copyOf(binary: Binary): Blob | Uint8Array {
  if (binary instanceof Blob) return binary;
  if (!ArrayBuffer.isView(binary)) return new Uint8Array(binary.slice(0));
  return new Uint8Array(binary.buffer as ArrayBuffer, binary.byteOffset, binary.byteLength).slice();
}

/** A Blob of this type, which shares the bytes where that is possible. */
export function toBlob(binary: Binary, type: string): Blob {
  if (binary instanceof Blob) return binary.type === type ? binary : binary.slice(0, binary.size, type);
  return new Blob([binary as BlobPart], { type });
}

export async function toBase64(binary: Binary): Promise<string> {
  const buffer = binary instanceof Blob ? await binary.arrayBuffer() : binary;
  const bytes = ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : new Uint8Array(buffer);
  let text = '';
  // As many arguments as every engine takes.
  for (let start = 0; start < bytes.length; start += 0x8000) text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  return btoa(text);
}

/** Throws what atob throws where it is no base64. */
export function fromBase64(base64: string, type: string): Blob {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return new Blob([bytes], { type });
}
