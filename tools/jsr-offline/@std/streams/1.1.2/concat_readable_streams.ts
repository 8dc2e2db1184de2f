/**
 * Puts streams one after another. Written for this project from the documented behaviour of
 * `@std/streams/concat-readable-streams`.
 *
 * @module
 */

/**
 * Puts streams one after another, each read only when the one before it has ended.
 *
 * @param streams The streams, in order.
 * @returns One stream with all chunks; cancelling it cancels every source.
 */
export function concatReadableStreams<T>(...streams: ReadableStream<T>[]): ReadableStream<T> {
  let at = 0;
  let reader: ReadableStreamDefaultReader<T> | undefined;
  return new ReadableStream<T>({
    async pull(controller) {
      while (at < streams.length) {
        reader ??= streams[at]?.getReader();
        const result = await reader?.read();
        if (result !== undefined && !result.done) return controller.enqueue(result.value);
        reader?.releaseLock();
        reader = undefined;
        at += 1;
      }
      controller.close();
    },
    async cancel(reason) {
      await reader?.cancel(reason);
      const waiting = streams.slice(reader === undefined ? at : at + 1);
      await Promise.all(waiting.map((stream) => stream.cancel(reason)));
    },
  });
}
