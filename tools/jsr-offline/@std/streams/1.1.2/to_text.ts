/**
 * Reads a stream of text or UTF-8 to its end. Written for this project from the documented behaviour
 * of `@std/streams/to-text`.
 *
 * @module
 */

/**
 * Reads a stream to its end as text.
 *
 * @param stream Strings or UTF-8 bytes; code points may be split across chunks.
 * @returns All its text in one string.
 */
export async function toText(stream: ReadableStream): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
