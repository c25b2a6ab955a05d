// Calls are done in the order in which they are made, also when nobody waits for the answers: a read comes after the writes
// before it. The core reads at once what is committed, so reads wait here while there are writes under way.

// No private names (#) in this package: Vue wraps what it is given in proxies, through which they can't be reached.
export class Writes {
  private readonly _pending = new Set<Promise<unknown>>();
  /** Settles when all writes that are pending now are answered; made for the first read that has to wait. */
  private _barrier: Promise<unknown> | undefined;

  /** Answers the write itself. */
  add<Result>(write: Promise<Result>): Promise<Result> {
    this._pending.add(write);
    this._barrier = undefined;
    const done = () => this._pending.delete(write);
    write.then(done, done);
    return write;
  }

  /** Reads at once where nothing is being written. */
  before<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this._pending.size === 0) return read();
    this._barrier ??= Promise.allSettled(this._pending);
    return this._barrier.then(read);
  }
}
