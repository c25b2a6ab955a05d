// Who of those that ask under one name is elected: the one that has a Web Lock of it. The browser gives it to the next one
// when the page of the elected one has ended, however that came.

export interface Candidate {
  /** It is elected. */
  elected(): void;
  /** It was, and another one is, because nothing was heard of it. */
  deposed(): void;
  /** Nobody is elected here: the browser has no answer to that. */
  failed(): void;
}

export class Election {
  private _abort: AbortController | undefined;
  private _release: (() => void) | undefined;

  constructor(
    private readonly _name: string,
    private readonly _candidate: Candidate,
  ) {}

  get isElected(): boolean {
    return this._release !== undefined;
  }

  /** Asks to be elected when all who asked before are gone. */
  stand(): void {
    this._ask(false);
  }

  /** Asks to be elected at once, in the place of one that does not answer. */
  take(): void {
    this._abort?.abort();
    this._ask(true);
  }

  /** Asks no longer, and gives up what it was elected for. */
  withdraw(): void {
    this._abort?.abort();
    this._abort = undefined;
    this._release?.();
    this._release = undefined;
  }

  private _ask(steal: boolean): void {
    const abort = new AbortController();
    this._abort = abort;
    // A request that steals can't be given up.
    const options: LockOptions = steal ? { steal } : { signal: abort.signal };
    let hasBeen = false;
    const hold = () => {
      if (abort.signal.aborted) return undefined;
      return new Promise<void>((resolve) => {
        hasBeen = true;
        this._release = resolve;
        this._candidate.elected();
      });
    };
    navigator.locks.request(this._name, options, hold).catch(() => {
      if (abort.signal.aborted) return;
      this._release = undefined;
      if (hasBeen) this._candidate.deposed();
      else this._candidate.failed();
    });
  }
}
