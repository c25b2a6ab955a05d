// Serves a folder over HTTP: pages for tests and the benchmark, and the built app.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.cjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Serves `folder` on 127.0.0.1. `headers` are added to every answer; `pages` maps paths to HTML, or to
 * `{type, body, headers}`, that exists only in memory. Answers `{url, port, stop()}`; `url` has no slash at the end.
 */
export async function serveStatic(folder, { port = 0, headers = {}, pages = {} } = {}) {
  const root = resolve(folder);

  async function answer(request, response) {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const page = pages[path];
    if (page !== undefined) {
      const { type, body, headers: own } = typeof page === 'string' ? { type: types['.html'], body: page } : page;
      response.writeHead(200, { 'content-type': type, ...headers, ...own });
      return response.end(body);
    }
    const wanted = join(root, normalize(path));
    if (wanted !== root && !wanted.startsWith(root + sep)) return notFound(response);
    const file = path.endsWith('/') ? join(wanted, 'index.html') : wanted;
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) return notFound(response);
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-length': found.size,
      // Tests and the demo must see what was built last.
      'cache-control': 'no-cache',
      ...headers,
    });
    if (request.method === 'HEAD') return response.end();
    createReadStream(file).pipe(response);
  }

  const server = http.createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const listening = server.address().port;
  return {
    url: `http://127.0.0.1:${listening}`,
    port: listening,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function notFound(response) {
  response.writeHead(404, { 'content-type': 'text/plain' });
  response.end('not found');
}
