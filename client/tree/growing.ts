/**
 * A list that is worked on while it still grows: what a walk has found already is transferred while it
 * goes on walking.
 *
 * @module
 */

/** What is to be done: all of it, or page by page as it is found. */
export type Plan<T> = readonly T[] | AsyncIterable<readonly T[]>;

/** The pages of a plan; one that is there as a whole is one page. */
export function pagesOfPlan<T>(
  plan: Plan<T>,
): AsyncIterable<readonly T[]> | Iterable<readonly T[]> {
  return Symbol.asyncIterator in plan ? plan : [plan];
}

/** A list to which one adds, while others wait for what comes. */
export class GrowingList<T> {
  readonly #items: T[] = [];
  readonly #waiting: { readonly count: number; readonly enter: PromiseWithResolvers<void> }[] = [];
  #isComplete = false;
  #failure: { readonly reason: unknown } | undefined;

  /** A list that is complete. */
  static of<T>(items: Iterable<T>): GrowingList<T> {
    const list = new GrowingList<T>();
    for (const item of items) list.add(item);
    list.end();
    return list;
  }

  /** What was added so far. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** Adds an item. */
  add(item: T): void {
    this.#items.push(item);
    this.#tell();
  }

  /** Nothing will be added any more. */
  end(): void {
    this.#isComplete = true;
    this.#tell();
  }

  /** Nothing will be added any more, and whoever waits fails. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#tell();
  }

  /**
   * Waits until so many items are there, or all.
   *
   * @throws What the list failed with.
   */
  async reach(count: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.reason;
    if (this.#isComplete || this.#items.length >= count) return;
    const enter = Promise.withResolvers<void>();
    this.#waiting.push({ count, enter });
    await enter.promise;
  }

  #tell(): void {
    for (let at = this.#waiting.length - 1; at >= 0; at--) {
      const waiting = this.#waiting[at];
      if (waiting === undefined) continue;
      if (this.#failure !== undefined) waiting.enter.reject(this.#failure.reason);
      else if (this.#isComplete || this.#items.length >= waiting.count) waiting.enter.resolve();
      else continue;
      this.#waiting.splice(at, 1);
    }
  }
}
