// Large attachments: each put into a document of its own, and read in a new page to the last byte. Beside the time, the most
// memory that the page had.
import { NAME, TYPE, checkBytes, greater, idOf, makeBytes } from '../page/attachments.mjs';
import { measureMemory } from '../page/memory.mjs';
import { time } from '../page/timing.mjs';

/** Memory is measured after every so many of them, which takes a while. */
const BETWEEN_LOOKS = 4;

export function makeAttachmentsWorkload({ attachments: count, attachmentBytes: length }) {
  const what = `${count} Blobs of ${(length / 1e6).toLocaleString('en-US')} MB`;
  const rows = {
    put: { title: `putAttachment, ${what}` },
    get: { title: `getAttachment and all bytes of ${what}, in a new page` },
    putPage: { title: 'most memory of the page while they are put', unit: 'bytes' },
    getPage: { title: 'most memory of the page while they are read', unit: 'bytes' },
    putWasm: { title: 'of it WebAssembly memory, while they are put', unit: 'bytes' },
    getWasm: { title: 'of it WebAssembly memory, while they are read', unit: 'bytes' },
  };
  for (const [name, row] of Object.entries(rows)) row.id = `attachments/${name}`;

  /** Does all of it one after another; the time of the work, and the most memory between. */
  async function forEach(work) {
    let ms = 0;
    let most = { page: null, wasm: null };
    for (let index = 0; index < count; index += 1) {
      ms += await work(index);
      if (index % BETWEEN_LOOKS !== 0 && index < count - 1) continue;
      most = greater(most, await measureMemory());
    }
    return { ms, most };
  }

  async function put({ contestant, name }) {
    const store = contestant.open(name);
    await store.ready();
    const { ms, most } = await forEach(async (index) => {
      const blob = new Blob([makeBytes(index, length)], { type: TYPE });
      return (await time(() => store.putAttachment(idOf(index), NAME, blob, TYPE))).ms;
    });
    await store.close();
    return { measured: { [rows.put.id]: ms, [rows.putPage.id]: most.page, [rows.putWasm.id]: most.wasm }, state: null };
  }

  async function get({ contestant, name }) {
    const store = contestant.open(name);
    await store.ready();
    const { ms, most } = await forEach(async (index) => {
      const read = async () => new Uint8Array(await (await store.getAttachment(idOf(index), NAME)).arrayBuffer());
      const { ms: spent, result } = await time(read);
      checkBytes(result, index, length, rows.get.title);
      return spent;
    });
    await store.destroy();
    return { measured: { [rows.get.id]: ms, [rows.getPage.id]: most.page, [rows.getWasm.id]: most.wasm } };
  }

  return { id: 'attachments', group: 'size', rows: Object.values(rows), steps: [put, get], attachments: true, ownOrigin: true };
}
