/**
 * How many messages one user may send: so many a second, and some more after a pause.
 *
 * @module
 */

/** Messages that one user may send a second, unless something else is asked for. */
export const MESSAGES_PER_SECOND = 50;

/** Time at the full rate that may be saved up in a pause. */
const BURST_MS = 4000;

/** Users that are remembered; those who have paused long enough are forgotten first. */
const USERS_MAX = 10_000;

/** See the module. Told the time, so that tests have the clock. */
export class MessageRates {
  readonly #intervalMs: number;
  /** When each user's messages so far are paid for. */
  readonly #paidAtMs = new Map<string, number>();

  /** @param perSecond Messages a second, above 0. */
  constructor(perSecond: number = MESSAGES_PER_SECOND) {
    this.#intervalMs = 1000 / perSecond;
  }

  /**
   * Takes one message's place.
   *
   * @param user Who sends.
   * @param nowMs The time, on a clock that never goes back.
   * @returns How long to wait before trying again, in milliseconds; 0 when it may go.
   */
  take(user: string, nowMs: number): number {
    const paidAtMs = Math.max(this.#paidAtMs.get(user) ?? 0, nowMs) + this.#intervalMs;
    // A message a second and less may go after a pause, whatever the burst says.
    const waitMs = Math.ceil(paidAtMs - nowMs - Math.max(BURST_MS, this.#intervalMs));
    if (waitMs > 0) return waitMs;
    this.#paidAtMs.set(user, paidAtMs);
    if (this.#paidAtMs.size > USERS_MAX) this.#forget(nowMs);
    return 0;
  }

  #forget(nowMs: number): void {
    for (const [user, paidAtMs] of this.#paidAtMs) {
      if (paidAtMs <= nowMs) this.#paidAtMs.delete(user);
    }
  }
}
