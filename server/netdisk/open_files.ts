/**
 * Keeps many requests at once below the system's limit of open files: whoever needs many waits until
 * others have closed theirs.
 *
 * @module
 */

/** A number of files that may be open at the same time, given out in order of arrival. */
export class OpenFiles {
  readonly #max: number;
  #free: number;
  readonly #waiting: { readonly count: number; enter(): void }[] = [];

  /** @param max How many may be open. */
  constructor(max: number) {
    this.#max = max;
    this.#free = max;
  }

  /**
   * Waits until so many may be opened.
   *
   * @param count How many; more than there may be at all count as all.
   * @returns Dispose of it when they are closed.
   */
  async take(count: number): Promise<Disposable> {
    const taken = Math.min(count, this.#max);
    if (this.#waiting.length > 0 || taken > this.#free) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push({ count: taken, enter: resolve });
      await promise;
    } else this.#free -= taken;
    let isOpen = true;
    return {
      [Symbol.dispose]: () => {
        if (isOpen) this.#give(taken);
        isOpen = false;
      },
    };
  }

  #give(count: number): void {
    this.#free += count;
    // The place is taken for those who enter, so that nobody comes before them.
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.count > this.#free) return;
      this.#waiting.shift();
      this.#free -= next.count;
      next.enter();
    }
  }
}
