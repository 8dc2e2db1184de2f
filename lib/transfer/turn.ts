/**
 * A turn of the event loop, for work that reads and computes without ever waiting.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Bytes that such work may read and digest before it lets others run. */
export const TURN_BYTES = 8 * 1024 * 1024;

/** Lets timers, signals and sockets run once; unlike a resolved promise, which lets nothing run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
