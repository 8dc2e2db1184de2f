/**
 * A limited number of places that are taken in turn. A place is handed from who leaves to who has
 * waited longest, so that nobody overtakes and no wake-up is lost when a waiter gives up.
 *
 * @module
 */

/** Places for requests in flight. */
export class Places {
  #free: number;
  readonly #turns = new Set<PromiseWithResolvers<void>>();

  /** @param count How many places there are. */
  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Takes a place, waiting for one if need be. Each place taken is to be released once.
   *
   * @param signal Gives up waiting; a place that is already given is not taken back.
   * @throws The signal's reason.
   */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const onAbort = () => {
      this.#turns.delete(turn);
      turn.reject(signal.reason);
    };
    this.#turns.add(turn);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Gives a place to the next in turn. */
  release(): void {
    const [turn] = this.#turns;
    if (turn === undefined) {
      this.#free += 1;
      return;
    }
    this.#turns.delete(turn);
    turn.resolve();
  }
}
