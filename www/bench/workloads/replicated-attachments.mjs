// Large attachments on their way: to another database of the browser, to a server, and from there into a third one. Each way is
// gone twice, for the time and for the most memory that the page has meanwhile: to look takes time too.
import { NAME, TYPE, checkBytes, idOf, makeBytes, mostMemory } from '../page/attachments.mjs';
import { check } from '../page/check.mjs';
import { remote } from '../page/remote.mjs';
import { time } from '../page/timing.mjs';

/** PouchDB sends all contents of a batch as base64 in one request, and what drives the browser takes none of 512 MB. */
const PUSHED_AT_ONCE = { batch_size: 2 };

export function makeReplicatedAttachmentsWorkloads({ attachments: count, attachmentBytes: length }) {
  const what = `${count} Blobs of ${(length / 1e6).toLocaleString('en-US')} MB`;
  const ways = {
    local: `replicate ${what} to another database here`,
    push: `push ${what} to a server, batch_size ${PUSHED_AT_ONCE.batch_size}`,
    pull: `pull ${what} from a server`,
  };
  const rowsOf = (way) => [
    { id: `attachments/${way}`, title: ways[way] },
    { id: `attachments/${way}Page`, title: `most memory of the page meanwhile (${way})`, unit: 'bytes' },
    { id: `attachments/${way}Wasm`, title: `of it WebAssembly memory (${way})`, unit: 'bytes' },
  ];

  async function fill({ contestant, name }) {
    const store = contestant.open(name);
    for (let index = 0; index < count; index += 1) {
      await store.putAttachment(idOf(index), NAME, new Blob([makeBytes(index, length)], { type: TYPE }), TYPE);
    }
    await store.close();
  }

  /** Of a database of this browser: all there, and the last one byte by byte. */
  async function checkAll(store, where) {
    await store.reopen();
    const stored = await store.count();
    check(stored === count, `${where}: ${stored} documents instead of ${count}`);
    const last = await store.getAttachment(idOf(count - 1), NAME);
    checkBytes(new Uint8Array(await last.arrayBuffer()), count - 1, length, where);
  }

  const answer = (way, ms, most) => ({
    measured: { [`attachments/${way}`]: ms, [`attachments/${way}Page`]: most.page, [`attachments/${way}Wasm`]: most.wasm },
  });

  /** Twice from `from` to a new database of this browser. */
  async function intoNew(way, { contestant, name }, replicate) {
    const measure = async (suffix, run) => {
      const store = contestant.open(`${name}-${way}${suffix}`);
      await store.ready();
      const result = await run(() => replicate(store));
      await checkAll(store, ways[way]);
      await store.destroy();
      return result;
    };
    const { ms } = await measure('', time);
    return answer(way, ms, await measure('-again', mostMemory));
  }

  async function local({ contestant, name }) {
    const from = contestant.open(name);
    await from.ready();
    const measured = await intoNew('local', { contestant, name }, (store) => from.copyTo(store));
    await from.destroy();
    return measured;
  }

  async function push({ contestant, name, url }) {
    const from = contestant.open(name);
    await from.ready();
    const again = `${url}-again`;
    const { ms } = await time(() => from.push(url, PUSHED_AT_ONCE));
    const most = await mostMemory(() => from.push(again, PUSHED_AT_ONCE));
    for (const target of [url, again].map(remote)) {
      const { doc_count: stored } = await (await target.get('')).json();
      check(stored === count, `${ways.push}: ${stored} documents on the server`);
      const last = await target.get(`/${idOf(count - 1)}/${NAME}`);
      checkBytes(new Uint8Array(await last.arrayBuffer()), count - 1, length, ways.push);
    }
    await remote(again).delete('');
    await from.destroy();
    return answer('push', ms, most);
  }

  const pull = (context) => intoNew('pull', context, (store) => store.pull(context.url));

  const common = { group: 'size', attachments: true, ownOrigin: true };
  return [
    { id: 'attachments-local', ...common, rows: rowsOf('local'), steps: [fill, local] },
    {
      ...{ id: 'attachments-remote', ...common, rows: [...rowsOf('push'), ...rowsOf('pull')], steps: [fill, push, pull] },
      ...{ remote: 'target', roundTripMs: 0 },
    },
  ];
}
