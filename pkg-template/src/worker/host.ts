// The one worker of this page, which all databases with the option `worker` share.
import { loadModule } from '../wasm';
import { Connection } from './connection';

/** Resolves when the worker answers. A worker that has ended is replaced by the next call. */
let current: Promise<Connection> | undefined;

export function connect(): Promise<Connection> {
  if (current) return current;
  const forget = () => {
    if (current === starting) current = undefined;
  };
  const starting = start(forget);
  starting.catch(forget);
  current = starting;
  return starting;
}

async function start(onEnd: () => void): Promise<Connection> {
  const module = await loadModule();
  const connection = new Connection(onEnd);
  await connection.start(module);
  return connection;
}
