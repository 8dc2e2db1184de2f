/**
 * A timer for what ends in time nearly always: `setTimeout` loads 21 modules of the runtime when it is
 * first called, which takes 9 ms, and that is a tenth of a short command. A leaf that everything else
 * may import.
 *
 * @module
 */

/**
 * Does something after a while, unless it is disposed of before. What is left then is a number in the
 * runtime until the while is over: so not for long whiles that a server begins often.
 *
 * @param waitMs How long, in milliseconds.
 * @param run What to do.
 */
export function after(waitMs: number, run: () => void): Disposable {
  const signal = AbortSignal.timeout(Math.max(0, waitMs));
  signal.addEventListener("abort", run, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", run) };
}
