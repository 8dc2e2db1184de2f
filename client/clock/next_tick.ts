/**
 * When something that happens at regular times is due next.
 *
 * @module
 */

/**
 * The next of the regular times 0, `everyMs`, 2 × `everyMs` and so on. Being late moves none of them, and
 * those that have passed are left out; so nothing drifts and nothing comes in a burst.
 *
 * @param last Number of the last one, beginning with 0.
 * @param everyMs Time between two, in milliseconds.
 * @param elapsedMs Time since number 0, in milliseconds.
 * @returns Its number, above `last`.
 */
export function nextTick(last: number, everyMs: number, elapsedMs: number): number {
  return Math.max(last + 1, Math.ceil(elapsedMs / everyMs));
}
