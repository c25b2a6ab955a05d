// Moments at which trying or looking again makes sense: the network is back, or the page is looked at.

export interface Sleeper {
  wake(): void;
}

const sleepers = new Set<Sleeper>();

const signals: [target: () => EventTarget | undefined, event: string][] = [
  [() => globalThis as unknown as EventTarget, 'online'],
  [() => globalThis as unknown as EventTarget, 'pageshow'],
  [() => globalThis.document, 'visibilitychange'],
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
  for (const [target, event] of signals) target()?.[method]?.(event, wakeAll);
}

function wakeAll(): void {
  if (globalThis.document?.visibilityState === 'hidden') return;
  for (const sleeper of [...sleepers]) sleeper.wake();
}
