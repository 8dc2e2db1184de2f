/**
 * When the last small pieces go out once more although nothing comes behind them: what gets lost at the
 * end of a burst is found missing by nobody, and would wait for a probe.
 *
 * @module
 */

/** Silence after which to repeat. Where there and back takes less, the acknowledgement comes before. */
const REPEAT_AFTER_MS = 25;
/** How often. */
const REPEATS = 2;

/** See the module. */
export class TailRepeats {
  #left = 0;
  #dueMs = Infinity;

  /** When to repeat; infinite when not. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Notes that something was sent that was not before, or that was lost. */
  sent(now: number): void {
    this.#left = REPEATS;
    this.#dueMs = now + REPEAT_AFTER_MS;
  }

  /** Notes that it was due. */
  repeated(now: number): void {
    this.#left -= 1;
    this.#dueMs = this.#left > 0 ? now + REPEAT_AFTER_MS : Infinity;
  }
}
