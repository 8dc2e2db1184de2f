/**
 * Measures how fast something goes, smoothed so that a number can be read.
 *
 * @module
 */

/** Time after which an old speed weighs 1/e. */
const SMOOTHING_MS = 3000;

/** An exponentially weighted mean of the speed between samples, without a bias at its start. */
export class RateMeter {
  #at_ms: number;
  #amount: number;
  #sum = 0;
  #weight = 0;

  /**
   * Begins to measure.
   *
   * @param now_ms The clock's time.
   * @param amount What is done already and must not count as speed, such as a resumed part.
   */
  constructor(now_ms: number, amount: number) {
    this.#at_ms = now_ms;
    this.#amount = amount;
  }

  /** Amount per second; undefined until two samples lie apart. */
  get rate(): number | undefined {
    return this.#weight === 0 ? undefined : this.#sum / this.#weight;
  }

  /** Takes a sample of the amount that is done. */
  sample(now_ms: number, amount: number): void {
    const elapsed_ms = now_ms - this.#at_ms;
    if (elapsed_ms <= 0) return;
    const fresh = 1 - Math.exp(-elapsed_ms / SMOOTHING_MS);
    const perSecond = Math.max(0, amount - this.#amount) * 1000 / elapsed_ms;
    this.#sum += (perSecond - this.#sum) * fresh;
    this.#weight += (1 - this.#weight) * fresh;
    this.#at_ms = now_ms;
    this.#amount = amount;
  }
}
