// Who of those that ask under one name is elected: the one that has a Web Lock of it. The browser gives it to the next one
// when the page of the elected one has ended, however that came.

/** Firefox 153 crashes, all of it, where a lock is stolen again within milliseconds: nobody steals one for so long after another. */
const BETWEEN_TAKES_MS = 1000;

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

  /** Asks to be elected at once, in the place of one that does not answer; not where another one is doing the same. */
  take(): void {
    const take = async (lock: Lock | null) => {
      // Elected or withdrawn meanwhile.
      if (!lock || !this._abort || this.isElected) return;
      this._abort.abort();
      this._ask(true);
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_TAKES_MS));
    };
    navigator.locks.request(`${this._name} taken`, { ifAvailable: true }, take).catch(() => {
      if (this._abort && !this.isElected) this._candidate.failed();
    });
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
      if (hasBeen || steal) this._candidate.deposed();
      else this._candidate.failed();
    });
  }
}
