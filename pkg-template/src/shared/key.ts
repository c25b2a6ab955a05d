// Whether tabs have one of them replicate for all, and by what they know that they replicate the same.
import { isWhollyOwn } from '../peers';
import type { ReplicationSide } from '../peers';
import { remoteParts } from '../core';
import { Database } from '../database';
import type { Options } from '../database';
import { version } from '../version';

/** What these do can't be compared: another tab may have another one by the same text. */
const functions = ['filter', 'back_off_function'] as const;
const functionsOfRemote = ['fetch', 'reauthenticate'] as const;

/**
 * The name of what all tabs share that replicate the same between the same databases in the same way, with the same
 * credentials; nothing where this tab replicates for itself.
 *
 * A function for conflicts, which has to answer alike on every device, is equal if its text is. With `shared: true` all functions are taken for equal if their texts are; without a word, a replication with functions, or with
 * methods that somebody has replaced, is not shared.
 */
export async function sharedName(
  source: ReplicationSide,
  target: ReplicationSide,
  options: Options,
  encodedOptions: string,
): Promise<string | undefined> {
  const { shared, live, retry } = options;
  if (!live || shared === false || !(shared || retry) || !canShare()) return undefined;
  const [local, remote] = isRemote(source) ? [target, source] : [source, target];
  if (!isSharedStorage(local) || !isRemote(remote)) return undefined;
  const texts = [...functionTexts(options, functions), ...functionTexts(remote.__opts, functionsOfRemote)];
  if (!shared && (texts.some(Boolean) || !isWhollyOwn(local) || !isWhollyOwn(remote))) return undefined;
  const what = [version, await local._core!.id(), local === source, remoteParts(remote), encodedOptions, texts, functionTexts(options, ['conflicts'])];
  // A name can be seen by every script of the origin, and the parts have a password in them.
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(what)));
  return `potoroo-replication-${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Pages that are not served securely have none of the first and the last. */
function canShare(): boolean {
  const { navigator, BroadcastChannel, crypto } = globalThis as Partial<typeof globalThis>;
  return Boolean(navigator?.locks && BroadcastChannel && crypto?.subtle);
}

const isRemote = (side: ReplicationSide): side is ReplicationSide & Database => side instanceof Database && side._remote;

/** What is in memory or in localStorage is no other tab's, or of little use to it. */
const isSharedStorage = (side: ReplicationSide): side is ReplicationSide & Database =>
  side instanceof Database && (side.adapter === 'idb' || side.adapter === 'indexeddb') && side._core !== undefined;

function functionTexts(options: Options, names: readonly string[]): (string | false)[] {
  return names.map((name) => typeof options[name] === 'function' && String(options[name]));
}
