/**
 * Tells the server what has been read, not oftener than needed: of several places in a room the last
 * one counts.
 *
 * @module
 */

/** Places within this time are told together. */
const TELL_AFTER_MS = 200;

/** See the module. */
export class Receipts {
  readonly #tell: (room: string, read: number) => Promise<void>;
  readonly #waiting = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Tells nothing yet.
   *
   * @param tell Tells the server; a failure is passed over, since the next place says more.
   */
  constructor(tell: (room: string, read: number) => Promise<void>) {
    this.#tell = tell;
  }

  /** Takes the last message of a room that was shown. */
  note(room: string, read: number): void {
    this.#waiting.set(room, read);
    this.#timer ??= setTimeout(() => this.#flush(), TELL_AFTER_MS);
  }

  /** Tells no more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#timer = undefined;
    for (const [room, read] of this.#waiting) this.#tell(room, read).catch(() => {});
    this.#waiting.clear();
  }
}
