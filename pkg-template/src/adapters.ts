// Which storage a database gets, from its name and options; the registry that PouchDB's adapter plugins expect.
import type { Options } from './database';

/** What PouchDB calls an adapter, as far as anybody looks at it from outside. */
export interface Adapter {
  valid(): boolean;
  use_prefix?: boolean;
}

const hasIndexedDb = () => typeof indexedDB !== 'undefined';

/** Pages only; whether the page may use it is found out at opening. */
const hasLocalStorage = () => typeof document !== 'undefined' && 'localStorage' in globalThis;

/** The storages that the core has. */
const native: Record<string, Adapter> = {
  idb: { valid: hasIndexedDb },
  indexeddb: { valid: hasIndexedDb },
  localstorage: { valid: hasLocalStorage },
  memory: { valid: () => true },
  http: { valid: () => true },
  https: { valid: () => true },
};

export const adapters: Record<string, Adapter> = { ...native };

/** Without IndexedDB (Node, rendering on a server): memory. */
const usual = hasIndexedDb() ? 'idb' : 'memory';

/**
 * The first one is what databases get that don't name theirs. As long as it is the usual one, the core takes another one
 * where the browser refuses it; what an application prefers is taken as asked for.
 */
export const preferredAdapters: string[] = [usual];

/**
 * Takes part in `Potoroo.plugin(require('pouchdb-adapter-memory'))` and the like: the storage of that name is the core's
 * own, and the plugin's wish to be preferred is granted. Adapters of other names are written for PouchDB's inner parts.
 */
export function addAdapter(id: string, adapter: Adapter, addToPreferred?: boolean): void {
  if (!adapter.valid()) return;
  if (!(id in adapters)) adapters[id] = adapter;
  if (addToPreferred && !preferredAdapters.includes(id)) preferredAdapters.push(id);
}

export interface Place {
  adapter: string;
  /** Whether it was asked for, so that no other one will do. */
  chosen: boolean;
  /** The name under which the data is stored, or the address. */
  name: string;
  remote: boolean;
}

/** Finds the adapter by the name's scheme, the option, or preference, and the name under which the data is stored. */
export function placeOf(name: string, options: Options, preferred: string[], prefix: string): Place {
  const prefixed = String(options.prefix ?? '') + name;
  const [, scheme, rest] = /([a-z-]*):\/\/(.*)/.exec(prefixed) ?? [];
  const wanted = options.adapter || scheme;
  const adapter = String(wanted || preferred[0]);
  const chosen = Boolean(wanted) || adapter !== usual;
  if (!isUsable(adapter)) throw new Error(`Invalid Adapter: ${adapter}`);
  if (options.view_adapter && !isUsable(String(options.view_adapter))) {
    throw new Error(`Invalid View Adapter: ${String(options.view_adapter)}`);
  }
  if (adapter === 'http' || adapter === 'https') return { adapter, chosen, name: addressOf(name, options), remote: true };
  return { adapter, chosen, name: scheme === undefined ? prefix + prefixed : rest!, remote: false };
}

function isUsable(adapter: string): boolean {
  return Boolean(native[adapter]?.valid());
}

/** Behind a prefix that is an address the name is one segment of the path, whatever characters are in it. */
function addressOf(name: string, options: Options): string {
  const prefix = String(options.prefix ?? '');
  if (/^https?:\/\//.test(prefix)) return prefix.replace(/\/?$/, '/') + encodeURIComponent(name);
  const address = prefix + name;
  return address.slice(address.search(/https?:\/\//));
}
