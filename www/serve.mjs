// The demo: serves the built app and the CouchDB-compatible server its board syncs with, until interrupted.
//   node www/serve.mjs [--port N] [--couch-port N] [--couch URL] [--open]
// --open shows the board in a browser where there is a display; --couch (or COUCHDB_URL in the environment) takes a real CouchDB instead of the one in tests/support.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCouch } from '../tests/support/couch.mjs';
import { serveStatic } from '../tests/support/static.mjs';
import { welcomeCards } from './welcome.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    'couch-port': { type: 'string', default: '0' },
    couch: { type: 'string' },
    open: { type: 'boolean', default: false },
  },
});

const dist = fileURLToPath(new URL('./dist', import.meta.url));
if (!existsSync(dist)) {
  console.error('www/dist is not there: build it first with `npx vite build www`');
  process.exit(1);
}
if (values.couch) process.env.COUCHDB_URL = values.couch;

const couch = await startCouch({ port: Number(values['couch-port']) });
await prepareBoard();
const offer = JSON.stringify({ remote: `${couch.url}/board` });
const app = await serve(Number(values.port)).catch((error) => {
  if (error.code !== 'EADDRINUSE') throw error;
  return serve(0);
});
console.log(`The board is at ${app.url}/ and stops with Ctrl+C`);
console.log(`The benchmark, for this browser, is at ${app.url}/bench/`);
if (values.open) openBrowser(app.url);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await app.stop();
    await couch.stop();
    process.exit(0);
  });
}

function serve(port) {
  return serveStatic(dist, { port, pages: { '/demo.json': { type: 'application/json', body: offer } } });
}

function openBrowser(url) {
  const display = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (!display) return;
  const [program, ...args] = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }[process.platform] ?? ['xdg-open'];
  // Without such a program the printed address is all there is, and enough.
  spawn(program, [...args, url], { stdio: 'ignore', detached: true }).on('error', () => {}).unref();
}

async function prepareBoard() {
  await couch.request('PUT', '/board').catch((error) => {
    // 412: it is there already.
    if (error.status !== 412) throw error;
  });
  const { doc_count: count } = await couch.request('GET', '/board');
  if (count === 0) await couch.request('POST', '/board/_bulk_docs', { docs: welcomeCards });
}
