/**
 * Strict base64 (RFC 4648 §4) for SCRAM attributes: the native decoder also takes white space and missing
 * padding, so two texts could mean the same bytes; here there is exactly one text for each value.
 *
 * @module
 */

const BASE64_TEXT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Decodes canonical base64: padded, without white space, with zero bits at the end.
 *
 * @param text What a peer or the database sent.
 * @returns The bytes, or `undefined` if `text` is not canonical base64.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!BASE64_TEXT.test(text)) return undefined;
  const bytes = Uint8Array.fromBase64(text);
  // "AR==" decodes like "AQ==": only the second is what an encoder writes.
  return bytes.toBase64() === text ? bytes : undefined;
}
