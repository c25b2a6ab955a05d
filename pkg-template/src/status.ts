// How a replication stands, in words: what an application shows as a sentence and a progress bar.
import { toError } from './errors';
import type { ReplicationSide } from './peers';
import type { ReplicationState, ReplicationStatus, SyncStatus } from '../types/replication';

export type { ReplicationStatus, SyncStatus };

export type Direction = ReplicationStatus['direction'];

/** Before anything is known. */
export const unknownStatus = (direction: Direction): ReplicationStatus => ({
  state: 'connecting',
  direction,
  done: 0,
  rate: 0,
  docs_read: 0,
  docs_written: 0,
  doc_write_failures: 0,
  set_aside: 0,
});

/** The core's text, read. */
export function parseStatus(payload: string, direction: Direction): ReplicationStatus {
  const { last_error, ...rest } = JSON.parse(payload) as ReplicationStatus;
  return { ...rest, direction, ...(last_error ? { last_error: toError(last_error) } : undefined) };
}

/** From a remote database to one that is not is a pull, everything else a push, unless who called knows better. */
export function directionOf(source: ReplicationSide, target: ReplicationSide): Direction {
  const isRemote = (side: ReplicationSide) => Boolean((side as { _remote?: boolean })._remote);
  return isRemote(source) && !isRemote(target) ? 'pull' : 'push';
}

/** Of two states, which a person should know first. */
const order: ReplicationState[] = ['stopped', 'offline', 'waiting to retry', 'connecting', 'catching up', 'up to date', 'cancelled', 'complete'];

/** Both ways as one. */
export function syncStatus(push: ReplicationStatus, pull: ReplicationStatus): SyncStatus {
  const sum = (of: (status: ReplicationStatus) => number) => of(push) + of(pull);
  const newest = (of: (status: ReplicationStatus) => string | undefined) => [of(push) ?? '', of(pull) ?? ''].sort()[1];
  const pending = push.pending === undefined || pull.pending === undefined ? undefined : push.pending + pull.pending;
  const errorTime = newest((status) => status.last_error_time);
  const failed = push.last_error_time === errorTime ? push : pull;
  const success = newest((status) => status.last_success);
  const retries = [push.next_retry, pull.next_retry].filter((time) => time !== undefined).sort();
  return {
    state: order.find((state) => state === push.state || state === pull.state)!,
    push,
    pull,
    ...(pending === undefined ? undefined : { pending }),
    done: sum(({ done }) => done),
    rate: sum(({ rate }) => rate),
    docs_read: sum(({ docs_read }) => docs_read),
    docs_written: sum(({ docs_written }) => docs_written),
    doc_write_failures: sum(({ doc_write_failures }) => doc_write_failures),
    set_aside: sum(({ set_aside }) => set_aside),
    ...(errorTime ? { last_error: failed.last_error!, last_error_time: errorTime } : undefined),
    ...(success ? { last_success: success } : undefined),
    ...(retries[0] ? { next_retry: retries[0] } : undefined),
  };
}
