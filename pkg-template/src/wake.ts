// Moments at which trying or looking again makes sense: the network is back, or the page is looked at; and those at which a
// page goes to sleep: into the back/forward cache, or frozen in the background.

export interface Sleeper {
  wake(): void;
  /** Lets go of what would keep the page from sleeping, or hold up other pages while it does. */
  sleep?(): void;
}

const sleepers = new Set<Sleeper>();

const page = () => globalThis as unknown as EventTarget;
const document = () => globalThis.document;

const signals: [target: () => EventTarget | undefined, event: string, listener: (event: Event) => void][] = [
  [page, 'online', wakeIfSeen],
  [page, 'pageshow', wakeIfSeen],
  [document, 'visibilitychange', wakeIfSeen],
  [document, 'resume', wakeAll],
  [page, 'pagehide', sleepIfKept],
  // Chromium; also after pagehide, so that what was begun in between is let go of too.
  [document, 'freeze', sleepAll],
];

/** Wakes it at every such moment, until the function answered is called. */
export function wakeWhenUseful(sleeper: Sleeper): () => void {
  if (sleepers.size === 0) listen('addEventListener');
  sleepers.add(sleeper);
  return () => {
    if (sleepers.delete(sleeper) && sleepers.size === 0) listen('removeEventListener');
  };
}

function listen(method: 'addEventListener' | 'removeEventListener'): void {
  // Node has no such events, workers have no document.
  for (const [target, event, listener] of signals) target()?.[method]?.(event, listener);
}

function wakeIfSeen(): void {
  if (globalThis.document?.visibilityState !== 'hidden') wakeAll();
}

function wakeAll(): void {
  for (const sleeper of [...sleepers]) sleeper.wake();
}

function sleepIfKept(event: Event): void {
  if ((event as PageTransitionEvent).persisted) sleepAll();
}

function sleepAll(): void {
  for (const sleeper of [...sleepers]) sleeper.sleep?.();
}
