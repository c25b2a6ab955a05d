// The worker's side: the core, called by messages. The build makes a script of this file, see build/plugins.mjs.
import { Local, Remote, Replication, initSync } from 'virtual:wasm-bindgen';
import type { Peer } from 'virtual:wasm-glue';
import { originOf } from '../pouchdb/origin';
import { SERVER } from './protocol';
import type { Answer, Call, Event, Opened, Side } from './protocol';

type Callable = Record<string, (...args: any[]) => unknown>;

const scope = globalThis as unknown as {
  postMessage(message: (Answer | Event)[]): void;
  onmessage: (message: { data: Call[] }) => void;
};

const server = {
  start(module: WebAssembly.Module): void {
    initSync({ module });
  },

  /** Says that the worker lives. */
  ping(): void {},

  /** `before`: the name of PouchDB's database that a new one takes the place of. */
  async open(number: number, name: string, options: string, before?: string): Promise<Opened> {
    const local = await Local.open(name, options, before === undefined ? undefined : () => originOf(before));
    objects.set(number, local as unknown as Callable);
    local.on_event((event, payload) => send({ object: number, event, payload }));
    return { adapter: local.adapter, id: await local.id() };
  },

  /** `wanted` are the events that somebody listens to. */
  replicate(number: number, source: Side, target: Side, options: string, wanted: string[]): void {
    let wants = new Set(wanted);
    const replication = new Replication(
      peerOf(source),
      peerOf(target),
      options,
      { wants: (event) => wants.has(event) },
      (event, payload) => {
        if (event === 'complete' || event === 'error') objects.delete(number);
        send({ object: number, event, payload, wanted: wants.has(event) });
      },
    );
    objects.set(number, {
      cancel: () => replication.cancel(),
      wake: () => replication.wake(),
      halt: () => {
        objects.delete(number);
        replication.halt();
      },
      listen: (events: string[]) => {
        wants = new Set(events);
      },
    });
  },
};

const objects = new Map<number, Callable>([[SERVER, server as Callable]]);

scope.onmessage = ({ data }) => {
  // All of them begin in this turn: what was said together happens together.
  for (const call of data) void perform(call);
};

async function perform([call, number, method, ...args]: Call): Promise<void> {
  try {
    const object = objects.get(number);
    if (!object) throw new Error('database is closed');
    if (method === 'close' || method === 'destroy') objects.delete(number);
    send({ call, value: await object[method]!(...args) });
  } catch (error) {
    send({ call, error: error instanceof Error ? { name: error.name, message: error.message } : error });
  }
}

function peerOf(side: Side): Peer {
  if (typeof side === 'object') return new Remote(side.url, side.options).peer();
  const local = objects.get(side) as unknown as Local | undefined;
  if (!local) throw new Error('database is closed');
  return local.peer();
}

let outbox: (Answer | Event)[] = [];

/** A group commit answers many calls at once. */
function send(message: Answer | Event): void {
  if (outbox.push(message) === 1) queueMicrotask(flush);
}

function flush(): void {
  scope.postMessage(outbox);
  outbox = [];
}
