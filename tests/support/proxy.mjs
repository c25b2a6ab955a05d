// A TCP proxy that delays, cuts, refuses and stalls: latency and network failure as ordinary inputs of a test.
import { once } from 'node:events';
import net from 'node:net';

/** Hands chunks on in order, each `delay()` milliseconds after it came; end of stream is delayed likewise. */
class DelayLine {
  constructor(delay, deliver) {
    this.delay = delay;
    this.deliver = deliver;
    this.queue = [];
    this.timer = undefined;
  }

  push(item) {
    const previous = this.queue.at(-1)?.due ?? 0;
    // A shortened delay must not let a later chunk overtake an earlier one.
    const due = Math.max(previous, performance.now() + this.delay());
    this.queue.push({ item, due });
    if (this.queue.length === 1) this.schedule();
  }

  schedule() {
    const wait = this.queue[0].due - performance.now();
    if (wait <= 0) return this.flush();
    this.timer = setTimeout(() => this.flush(), wait);
  }

  flush() {
    while (this.queue.length > 0 && this.queue[0].due <= performance.now() + 0.5) this.deliver(this.queue.shift().item);
    if (this.queue.length > 0) this.schedule();
  }

  drop() {
    clearTimeout(this.timer);
    this.queue = [];
  }
}

/**
 * Starts a proxy to `target` (a URL or `{host, port}`).
 *
 * `delayMs` is added in each direction, so a round trip takes twice that. What is answered:
 * `url` and `port` of the proxy; `setDelay(ms)`; `cut()` resets every live connection; `refuse(true)` resets every new one;
 * `stall(true)` keeps accepting and forwards nothing until `stall(false)`, as a connection whose other end has vanished;
 * `stallAfter(bytes)` does the same once so many more bytes have come from the target, and resolves at that moment;
 * `cutAfter(bytes)` resets the connection on which the last of so many more bytes comes, right after it, and resolves then;
 * `freeze()` leaves all live connections open and forwards nothing on them any more, while new ones work;
 * `stats()` counts connections and bytes; `stop()`.
 */
export async function startProxy({ target, delayMs = 0, port = 0 }) {
  const { host, port: targetPort, prefix, suffix } = parseTarget(target);
  const pairs = new Set();
  const counts = { connections: 0, refused: 0, bytesUp: 0, bytesDown: 0 };
  let delay = delayMs;
  let refusing = false;
  let stalled = false;
  let wakeUps = [];
  let onBytes = () => {};
  let cutting;

  const server = net.createServer((client) => {
    if (refusing) {
      counts.refused += 1;
      client.resetAndDestroy();
      return;
    }
    counts.connections += 1;
    const upstream = net.connect({ host, port: targetPort });
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    const pair = { client, upstream, frozen: false };
    pairs.add(pair);
    const lines = [connect(pair, client, upstream, 'bytesUp'), connect(pair, upstream, client, 'bytesDown')];
    const reset = () => {
      if (!pairs.delete(pair)) return;
      for (const line of lines) line.drop();
      abort(client);
      abort(upstream);
    };
    pair.reset = reset;
    for (const socket of [client, upstream]) {
      socket.on('error', reset);
      socket.on('close', () => client.destroyed && upstream.destroyed && reset());
    }
  });

  function connect(pair, from, to, counter) {
    const line = new DelayLine(
      () => delay,
      (chunk) => {
        if (stalled) return void wakeUps.push(() => deliver(chunk));
        deliver(chunk);
      },
    );
    const deliver = (chunk) => {
      if (to.destroyed || pair.frozen) return;
      if (chunk === null) return void to.end();
      if (typeof chunk === 'function') return void setTimeout(chunk, 5);
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    from.on('data', (chunk) => {
      counts[counter] += chunk.length;
      if (counter === 'bytesDown') onBytes();
      if (counter === 'bytesDown' && cutting && counts.bytesDown >= cutting.limit) {
        const { limit, resolve } = cutting;
        cutting = undefined;
        // What came before is handed on; a reset might overtake it.
        line.push(chunk.subarray(0, chunk.length - (counts.bytesDown - limit)));
        line.push(() => pair.reset());
        resolve();
        return;
      }
      line.push(chunk);
    });
    from.on('end', () => line.push(null));
    return line;
  }

  function stall(on) {
    stalled = on;
    if (on) return;
    const waiting = wakeUps;
    wakeUps = [];
    for (const wakeUp of waiting) wakeUp();
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const listening = server.address().port;

  return {
    port: listening,
    url: `${prefix}127.0.0.1:${listening}${suffix}`,
    setDelay(ms) {
      delay = ms;
    },
    cut() {
      for (const pair of [...pairs]) pair.reset();
    },
    cutAfter(bytes) {
      return new Promise((resolve) => (cutting = { limit: counts.bytesDown + bytes, resolve }));
    },
    freeze() {
      for (const pair of pairs) pair.frozen = true;
    },
    refuse(on) {
      refusing = on;
    },
    stall,
    stallAfter(bytes) {
      const limit = counts.bytesDown + bytes;
      return new Promise((resolve) => {
        onBytes = () => {
          if (counts.bytesDown < limit) return;
          onBytes = () => {};
          stall(true);
          resolve();
        };
      });
    },
    stats: () => ({ ...counts, open: pairs.size }),
    async stop() {
      for (const pair of [...pairs]) pair.reset();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A socket that is already shutting down can't be reset: Node would keep its handle and never end (seen in 20.20). */
function abort(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** The proxy's own URL keeps credentials and path of the target's, so that it can stand in for it. */
function parseTarget(target) {
  if (typeof target !== 'string') return { ...target, host: target.host ?? '127.0.0.1', prefix: 'http://', suffix: '' };
  const url = new URL(target);
  const credentials = url.username ? `${url.username}:${url.password}@` : '';
  return {
    host: url.hostname,
    port: Number(url.port || 80),
    prefix: `http://${credentials}`,
    suffix: url.pathname.replace(/\/$/, ''),
  };
}
