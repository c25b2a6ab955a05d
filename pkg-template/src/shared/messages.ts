// What tabs that share a replication say to each other on its channel.

export type Message =
  /** Of one that wants to know how it stands, and what it listens to; also whether anybody replicates at all. */
  | { type: 'ask'; from: string; wants: string[] }
  /** Of one that has just been elected. */
  | { type: 'elected' }
  /** Of the elected one, which is asked: so it stands, if it knows that yet. */
  | { type: 'state'; status: string | undefined }
  /** Of the elected one: an event of the replication, as from the core. */
  | { type: 'event'; event: string; payload: string | undefined; wanted: boolean }
  /** Of a page that is looked at, or that has noticed the network: trying again makes sense. */
  | { type: 'wake' }
  /** Of one that listens no longer. */
  | { type: 'bye'; from: string };

/** Ends are each tab's own. */
const passed = new Set(['active', 'paused', 'change', 'checkpoint', 'denied', 'requestError', 'status']);
const ends = /^\{"state":"(complete|cancelled|stopped)"/;

/** Whether others are told of an event. */
export function isPassed(event: string, payload: string | undefined): boolean {
  return passed.has(event) && !(event === 'status' && ends.test(payload ?? ''));
}

/** The events that somebody who comes later has missed, for what the status says. */
export function eventsOf(status: string): [event: string, payload?: string][] {
  const { state, last_error } = JSON.parse(status) as { state: string; last_error?: object };
  switch (state) {
    case 'catching up':
      return [['active']];
    case 'up to date':
      return [['paused']];
    case 'offline':
    case 'waiting to retry':
      return [['paused', JSON.stringify(last_error)]];
    default:
      return [];
  }
}
