/**
 * Who may change a home at the same time: any number of publications beside each other, but a removal
 * or a move of folders alone. A file that is being published thus keeps its place until the catalog
 * has counted it, and a folder does not go away between the look at it and its rename.
 *
 * @module
 */

interface Home {
  /** Publications under way; -1 while somebody is alone. */
  holders: number;
  readonly waiting: { readonly alone: boolean; enter(): void }[];
}

/** A lock for each home, shared or exclusive, in order of arrival. */
export class HomeGate {
  readonly #homes = new Map<string, Home>();

  /** Enters beside others; dispose of the answer to leave. */
  share(user: string): Promise<Disposable> {
    return this.#enter(user, false);
  }

  /** Runs `work` while nobody else is in. */
  async alone<T>(user: string, work: () => Promise<T>): Promise<T> {
    using _held = await this.#enter(user, true);
    return await work();
  }

  async #enter(user: string, alone: boolean): Promise<Disposable> {
    let home = this.#homes.get(user);
    if (home === undefined) this.#homes.set(user, home = { holders: 0, waiting: [] });
    const isFree = alone ? home.holders === 0 : home.holders >= 0 && home.waiting.length === 0;
    if (isFree) {
      home.holders = alone ? -1 : home.holders + 1;
    } else {
      const { promise, resolve } = Promise.withResolvers<void>();
      home.waiting.push({ alone, enter: resolve });
      await promise;
    }
    let isIn = true;
    return {
      [Symbol.dispose]: () => {
        if (isIn) this.#leave(user, home);
        isIn = false;
      },
    };
  }

  #leave(user: string, home: Home): void {
    home.holders = home.holders === -1 ? 0 : home.holders - 1;
    // The place is taken for those who enter, so that nobody comes before them.
    for (let next = home.waiting[0]; next !== undefined; next = home.waiting[0]) {
      if (next.alone ? home.holders !== 0 : home.holders < 0) break;
      home.waiting.shift();
      home.holders = next.alone ? -1 : home.holders + 1;
      next.enter();
    }
    if (home.holders === 0) this.#homes.delete(user);
  }
}
