/**
 * Ids of uploads, which also name their parts on the disk.
 *
 * @module
 */

/** Random bytes in an id. */
const UPLOAD_ID_BYTES = 12;

/** A new id: 16 characters of base64url, random. */
export function newUploadId(): string {
  return crypto.getRandomValues(new Uint8Array(UPLOAD_ID_BYTES)).toBase64({
    alphabet: "base64url",
  });
}
