// Attachments of the workloads that have some, and the memory that a page takes for them.
import { check } from './check.mjs';
import { measureMemory } from './memory.mjs';
import { sleep } from './timing.mjs';

export const NAME = 'photo.bin';
export const TYPE = 'application/octet-stream';
const BETWEEN_LOOKS_MS = 100;

export const idOf = (index) => `photo-${index}`;

/** The bytes of one of them, which don't compress. */
export function makeBytes(index, length) {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = index + 1;
  for (let place = 0; place < words.length; place += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[place] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

export function checkBytes(bytes, index, length, where) {
  const expected = makeBytes(index, length);
  const isSame = bytes.length === length && expected.every((byte, place) => byte === bytes[place]);
  check(isSame, `${where}: ${idOf(index)} has other bytes`);
}

/** The greater of two measurements of memory, of each kind. */
export function greater(one, other) {
  const kind = (name) => (other[name] === null ? one[name] : Math.max(one[name] ?? 0, other[name]));
  return { page: kind('page'), wasm: kind('wasm') };
}

/** The most memory that the page has while the work is done. */
export async function mostMemory(work) {
  let isDone = false;
  const done = (async () => {
    try {
      await work();
    } finally {
      isDone = true;
    }
  })();
  // Heard of below, also where it comes while memory is looked at.
  done.catch(() => {});
  let most = await measureMemory();
  while (!isDone) {
    await sleep(BETWEEN_LOOKS_MS);
    most = greater(most, await measureMemory());
  }
  await done;
  return most;
}
