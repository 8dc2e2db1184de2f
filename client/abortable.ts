/**
 * Waiting that its caller can end, for work that knows no signal.
 *
 * @module
 */

/**
 * Waits for work that may take for ever, such as reading a terminal; it ends for its caller with the
 * signal, though it may go on by itself.
 *
 * @param work The work.
 * @param signal Ends the wait.
 * @returns What the work returns.
 * @throws What the work throws, or the signal's reason.
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
