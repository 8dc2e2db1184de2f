/**
 * EVENT frames that go out together, joined to as few buffers as make one write each.
 *
 * @module
 */

import type { Notice } from "./broker.ts";

/** Frames are joined up to this size. */
export const WRITE_MAX_BYTES = 64 * 1024;

/** Frames, and the newest change that they tell. */
export type EventNotice = Extract<Notice, { readonly kind: "event" }>;

/** See the module. */
export class EventBatch {
  #waiting: EventNotice[] = [];

  /** Adds events behind the others; how many wait. */
  add(notice: EventNotice): number {
    return this.#waiting.push(notice);
  }

  /** Takes all that wait. */
  take(): EventNotice[] {
    const waiting = this.#waiting;
    if (waiting.length < 2) {
      if (waiting.length > 0) this.#waiting = [];
      return waiting;
    }
    this.#waiting = [];
    const taken: EventNotice[] = [];
    for (let at = 0; at < waiting.length;) {
      const count = countOfWrite(waiting, at);
      taken.push(joinEvents(waiting.slice(at, at + count)));
      at += count;
    }
    return taken;
  }
}

/** How many events from one on make one write. */
export function countOfWrite(events: readonly EventNotice[], from: number): number {
  let [count, size] = [0, 0];
  for (let at = from; at < events.length; at++) {
    size += events[at]?.frame.length ?? 0;
    if (count > 0 && size > WRITE_MAX_BYTES) break;
    count += 1;
  }
  return count;
}

/** Some events as one. */
export function joinEvents(events: readonly EventNotice[]): EventNotice {
  const [first] = events;
  if (events.length === 1 && first !== undefined) return first;
  const frame = new Uint8Array(events.reduce((sum, event) => sum + event.frame.length, 0));
  let [at, seq] = [0, 0];
  for (const event of events) {
    frame.set(event.frame, at);
    at += event.frame.length;
    seq = Math.max(seq, event.seq);
  }
  return { kind: "event", frame, seq };
}
