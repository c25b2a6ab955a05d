// Calls are done in the order in which they are made, also when nobody waits for the answers: a read comes after the writes
// before it. The core reads at once what is committed, so reads wait here while there are writes under way.

export class Writes {
  readonly #pending = new Set<Promise<unknown>>();
  /** Settles when all writes that are pending now are answered; made for the first read that has to wait. */
  #barrier: Promise<unknown> | undefined;

  /** Answers the write itself. */
  add<Result>(write: Promise<Result>): Promise<Result> {
    this.#pending.add(write);
    this.#barrier = undefined;
    const done = () => this.#pending.delete(write);
    write.then(done, done);
    return write;
  }

  /** Reads at once where nothing is being written. */
  before<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#pending.size === 0) return read();
    this.#barrier ??= Promise.allSettled(this.#pending);
    return this.#barrier.then(read);
  }
}
