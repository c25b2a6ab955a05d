// The one worker of this page, which all databases with the option `worker` share.
import { loadModule } from '../wasm';
import { openConnection } from './connection';
import type { Connection } from './connection';

/** Resolves when the worker answers. One that has ended is replaced at the next call. */
let current: Promise<Connection> | undefined;
/** Whether this page has ever had one. */
let hasStarted = false;
/** Why it may have none. Pages are not allowed later what they were refused at first. */
let refusal: { reason: unknown } | undefined;

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
  if (refusal) throw refusal.reason;
  try {
    const connection = await openConnection(module, onEnd);
    hasStarted = true;
    return connection;
  } catch (reason) {
    if (!hasStarted) refusal = { reason };
    throw reason;
  }
}
