// A server in front of a CouchDB that counts the changes feeds that wait there at the same time.
import http from 'node:http';
import { once } from 'node:events';

/**
 * Hands requests on to `target`. What is answered: `url`; `open()`, the feeds that wait now, by database; `most()`, the most
 * that ever waited together since the last call; `refuse(on)` ends all connections and takes no others; `stop()`.
 */
export async function startFeedCounter(target) {
  const { hostname, port } = new URL(target);
  const feeds = new Map();
  let most = 0;
  let refuses = false;

  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://any');
    const isFeed = pathname.endsWith('/_changes') && ['longpoll', 'continuous'].includes(searchParams.get('feed'));
    if (isFeed) {
      feeds.set(request, pathname.split('/')[1]);
      most = Math.max(most, feeds.size);
    }
    const onward = http.request({ hostname, port, path: request.url, method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      // Else what a feed says first, which may be nothing but its headers, would wait for more.
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => {
      feeds.delete(request);
      onward.destroy();
    });
    request.pipe(onward);
  });
  server.on('connection', (socket) => refuses && socket.resetAndDestroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    open: () => [...feeds.values()].sort(),
    most() {
      const before = most;
      most = feeds.size;
      return before;
    },
    refuse(on) {
      refuses = on;
      if (on) server.closeAllConnections();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
