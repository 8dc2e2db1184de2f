/**
 * Which packets arrived: none is taken twice, and all are acknowledged, at once when something seems to
 * be missing, else soon.
 *
 * @module
 */

import { ACK_RANGES_MAX, type AckFrame } from "./packet.ts";
import { RangeSet } from "./range_set.ts";
import { ACK_DELAY_MAX_MS } from "./rtt.ts";

/** Most ranges to remember; what is older than the oldest of them counts as seen. */
export const REPLAY_RANGES_MAX = 256;
/** As many packets are acknowledged at once (RFC 9000 §13.2.2). */
const PACKETS_PER_ACK = 2;

/** See the module. */
export class ReceivedPackets {
  readonly #numbers = new RangeSet();
  /** Packets below it are not taken, seen or not. */
  #floor = 0;
  #largestAtMs = 0;
  /** Packets that ask for an acknowledgement and have none. */
  #unacknowledged = 0;
  #dueMs = Infinity;

  /** The highest number that arrived; −1 before the first. */
  get largest(): number {
    return (this.#numbers.last?.end ?? 0) - 1;
  }

  /** When the next acknowledgement must be sent. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Whether an acknowledgement would say something new that the peer waits for. */
  get isPending(): boolean {
    return this.#unacknowledged > 0;
  }

  /** Whether a packet is to be dropped: it came before, or is too old to tell. */
  isDuplicate(number: number): boolean {
    return number < this.#floor || this.#numbers.has(number);
  }

  /**
   * Notes a packet that was taken.
   *
   * @param number Its number.
   * @param now The time.
   * @param asks Whether it asks for an acknowledgement.
   */
  add(number: number, now: number, asks: boolean): void {
    const isNext = number === this.largest + 1;
    if (number > this.largest) this.#largestAtMs = now;
    this.#numbers.add(number, number + 1);
    const oldest = this.#numbers.first;
    if (this.#numbers.size > REPLAY_RANGES_MAX && oldest !== undefined) {
      this.#floor = oldest.end;
      this.#numbers.remove(oldest.start, oldest.end);
    }
    if (!asks) return;
    this.#unacknowledged += 1;
    // A gap, or what fills one: the sender must know at once.
    const isUrgent = !isNext || this.#unacknowledged >= PACKETS_PER_ACK;
    this.#dueMs = Math.min(this.#dueMs, isUrgent ? now : now + ACK_DELAY_MAX_MS);
  }

  /** Makes the acknowledgement; call it only to send it. */
  take(now: number): AckFrame {
    this.#unacknowledged = 0;
    this.#dueMs = Infinity;
    const delayUs = Math.max(0, Math.round((now - this.#largestAtMs) * 1000));
    return { ranges: this.#numbers.newest(ACK_RANGES_MAX), delayUs };
  }
}
