/**
 * Time that passes only when there is nothing left to do: a queue of events, run in their order, those of
 * one moment in the order in which they were planned. Between two of them everything that promises set in
 * motion comes to rest.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** An event that was planned. */
export interface Planned {
  /** Takes it back; nothing happens when it is over. */
  cancel(): void;
}

/** Events of one moment at most: time that stands still is a failure of its own. */
export const EVENTS_AT_ONCE_MAX = 1_000_000;

class Event implements Planned {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;

  constructor(atMs: number, order: number, run: () => void) {
    this.atMs = atMs;
    this.order = order;
    this.run = run;
  }

  cancel(): void {
    this.run = undefined;
  }
}

/** See the module. */
export class VirtualClock {
  /** A heap: no event is later than the two below it. */
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #planned = 0;
  #count = 0;
  /** Events of this moment. */
  #atOnce = 0;

  /** The time, in milliseconds from the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have happened. */
  get eventCount(): number {
    return this.#count;
  }

  /** Plans an event; one in the past happens next. */
  at(atMs: number, run: () => void): Planned {
    const event = new Event(Math.max(atMs, this.#nowMs), this.#planned++, run);
    this.#push(event);
    return event;
  }

  /** Plans an event so many milliseconds from now. */
  after(waitMs: number, run: () => void): Planned {
    return this.at(this.#nowMs + waitMs, run);
  }

  /** Waits so many milliseconds. */
  sleep(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(waitMs, resolve);
    });
  }

  /**
   * Lets events happen.
   *
   * @param isDone Asked before each event; ends it.
   * @param limitMs Ends it too, when the next event is later than this.
   * @returns Whether `isDone` said so; else there was nothing left to happen in time.
   */
  async run(isDone: () => boolean, limitMs = Infinity): Promise<boolean> {
    await rest();
    while (!isDone()) {
      const event = this.#pop();
      if (event === undefined) return false;
      if (event.run === undefined) continue;
      if (event.atMs > limitMs) {
        this.#push(event);
        return false;
      }
      this.#atOnce = event.atMs > this.#nowMs ? 0 : this.#atOnce + 1;
      if (this.#atOnce > EVENTS_AT_ONCE_MAX) throw new Error(`Time stands still at ${event.atMs}`);
      this.#count += 1;
      this.#nowMs = event.atMs;
      event.run();
      await rest();
    }
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above];
      if (other === undefined || isBefore(other, event)) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const next = isRight ? right : left;
      if (isBefore(last, next)) break;
      heap[at] = next;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A turn of the event loop: before it, every promise that can settle has settled. */
function rest(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
