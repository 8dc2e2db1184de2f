/**
 * The little that is done with a datagram before anybody reads it as text.
 *
 * @module
 */

const CR = 0x0d;
const LF = 0x0a;

/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/**
 * A text without the ends of lines behind it, which tools such as `nc` send along.
 *
 * @param bytes The text; a view of it is returned.
 */
export function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let { length } = bytes;
  while (length > 0 && (bytes[length - 1] === LF || bytes[length - 1] === CR)) length--;
  return length === bytes.length ? bytes : bytes.subarray(0, length);
}
