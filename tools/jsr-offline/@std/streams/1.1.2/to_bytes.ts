/**
 * Reads a stream of bytes to its end. Written for this project from the documented behaviour of
 * `@std/streams/to-bytes`.
 *
 * @module
 */

/**
 * Reads a stream of bytes to its end.
 *
 * @param stream The stream; it is locked and consumed.
 * @returns All its bytes in one array.
 */
export async function toBytes(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
