/**
 * Which of many is due first: a binary heap in which each key has one time.
 *
 * @module
 */

interface Entry<Key> {
  readonly key: Key;
  readonly atMs: number;
}

/** See the module. */
export class Deadlines<Key> {
  /** Also entries that were replaced; `#current` says which are meant. */
  readonly #heap: Entry<Key>[] = [];
  readonly #current = new Map<Key, Entry<Key>>();

  /** When the first is due. */
  get nextMs(): number | undefined {
    this.#dropReplaced();
    return this.#heap[0]?.atMs;
  }

  /** Sets a key's time, in place of what it had. */
  set(key: Key, atMs: number): void {
    if (this.#current.get(key)?.atMs === atMs) return;
    const entry = { key, atMs };
    this.#current.set(key, entry);
    this.#push(entry);
    // Replaced entries are mostly dropped when their time comes; not when it is far away.
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#current.size) this.#rebuild();
  }

  /** Takes a key out. */
  delete(key: Key): void {
    this.#current.delete(key);
  }

  /** Takes out and returns a key that is due; `undefined` when none is. */
  takeDue(now: number): Key | undefined {
    this.#dropReplaced();
    const first = this.#heap[0];
    if (first === undefined || first.atMs > now) return undefined;
    this.#pop();
    this.#current.delete(first.key);
    return first.key;
  }

  #dropReplaced(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#current.get(first.key) === first) return;
      this.#pop();
    }
  }

  #rebuild(): void {
    this.#heap.length = 0;
    for (const entry of this.#current.values()) this.#push(entry);
  }

  #push(entry: Entry<Key>): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.atMs <= entry.atMs) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && right.atMs < left.atMs;
      const child = isRight ? right : left;
      if (child.atMs >= last.atMs) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }
}
