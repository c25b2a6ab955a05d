// Moments at which trying or looking again makes sense: the network is back, or the page is looked at; and those at which a
// page goes to sleep: into the back/forward cache, or frozen in the background.

export interface Sleeper {
  /** `slept`: nothing of the page has run for a while. */
  wake(slept: boolean): void;
  /**
   * Lets go of what would keep the page from sleeping, or hold up other pages while it does. `still`: nothing of the page
   * runs from now on, not even what applications do when their page is left.
   */
  sleep?(still: boolean): void;
}

const sleepers = new Set<Sleeper>();

const page = () => globalThis as unknown as EventTarget;
const document = () => globalThis.document;

const signals: [target: () => EventTarget | undefined, event: string, listener: (event: Event) => unknown][] = [
  [page, 'online', wakeIfSeen],
  [page, 'pageshow', (event) => (isKept(event) ? wakeAll(true) : wakeIfSeen())],
  [document, 'visibilitychange', wakeIfSeen],
  [page, 'pagehide', (event) => isKept(event) && sleepAll(false)],
  // Chromium, whenever a page sleeps. Other browsers keep pages with connections, and end those that are in the way.
  [document, 'freeze', () => sleepAll(true)],
  [document, 'resume', () => wakeAll(true)],
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

/** Whether the page goes into the back/forward cache, or comes from there. */
const isKept = (event: Event) => (event as PageTransitionEvent).persisted;

function wakeIfSeen(): void {
  if (globalThis.document?.visibilityState !== 'hidden') wakeAll(false);
}

function wakeAll(slept: boolean): void {
  for (const sleeper of [...sleepers]) sleeper.wake(slept);
}

function sleepAll(still: boolean): void {
  for (const sleeper of [...sleepers]) sleeper.sleep?.(still);
}
