// The script-tag build in bare pages and workers, for tests that need no app around the database.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveStatic } from '../support/static.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const script = '/pkg/dist/potoroo.iife.js';

/** What page and worker share: `open(name)` keeps one handle, `call(name, argument)` is how a test reaches in. */
const actions = `
const handles = new Map();
function open(name) {
  if (!handles.has(name)) handles.set(name, new Potoroo(name));
  return handles.get(name);
}

/** Half of the writes one after the other, half all at once. Answers how many were acknowledged. */
async function write({ name, writer, count }) {
  const db = open(name);
  let acknowledged = 0;
  const put = async (index) => {
    const result = await db.put({ _id: writer + '-' + String(index).padStart(5, '0'), writer, index });
    if (result.ok) acknowledged += 1;
  };
  for (let index = 0; index < count / 2; index += 1) await put(index);
  await Promise.all(Array.from({ length: count / 2 }, (_, index) => put(count / 2 + index)));
  return acknowledged;
}

/** Adds one to the same document again and again, reading it again whenever somebody else was faster. */
async function increment({ name, count }) {
  const db = open(name);
  let refused = 0;
  for (let done = 0; done < count; ) {
    const doc = await db.get('counter');
    try {
      await db.put({ ...doc, value: doc.value + 1 });
      done += 1;
    } catch (error) {
      if (error.status !== 409) throw error;
      refused += 1;
    }
  }
  return refused;
}
`;

const page = `<!doctype html><meta charset="utf-8"><title>test</title><script src="${script}"></script><script>${actions}
function startWorker() {
  const worker = new Worker('/worker.js');
  self.inWorker = (action, argument) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.failure ? reject(new Error(data.failure)) : resolve(data.result));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ action, argument });
  });
}
</script>`;

const worker = `importScripts(${JSON.stringify(script)});
${actions}
const known = { write, increment };
onmessage = async ({ data: { action, argument } }) => {
  try {
    postMessage({ result: await known[action](argument) });
  } catch (error) {
    postMessage({ failure: String(error.message || error) });
  }
};`;

/** Serves an empty page that has the library, at /page.html. */
export const serveLibrary = () =>
  serveStatic(root, { pages: { '/page.html': page, '/worker.js': { type: 'text/javascript', body: worker } } });
