/**
 * Texts, replies and lengths of the classic netdisk protocol to bytes.
 *
 * @module
 */

import type { TrivetError } from "../errors.ts";
import { CLASSIC_FILE_MAX_BYTES, CLASSIC_LENGTH_BYTES } from "./decode.ts";

/** What a good reply carries: a sentence, or the names of a listing. */
export type ClassicData = string | readonly string[];

const encoder = new TextEncoder();

/**
 * Writes a length.
 *
 * @param bytes How many bytes follow, 0 to 2^31-1.
 * @returns Four bytes, little-endian.
 * @throws {RangeError} If a C `int` cannot hold it.
 */
export function encodeClassicLength(bytes: number): Uint8Array<ArrayBuffer> {
  return withLength(bytes, new Uint8Array(CLASSIC_LENGTH_BYTES));
}

/**
 * Writes a text behind its length.
 *
 * @param text Any text.
 * @returns The whole message.
 */
export function encodeClassicText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(text);
  const message = new Uint8Array(CLASSIC_LENGTH_BYTES + bytes.length);
  message.set(bytes, CLASSIC_LENGTH_BYTES);
  return withLength(bytes.length, message);
}

/**
 * Writes the reply `{"status": true, "data": …}`.
 *
 * @param data What was asked for.
 * @returns The whole message.
 */
export function encodeClassicReply(data: ClassicData): Uint8Array<ArrayBuffer> {
  return encodeClassicText(JSON.stringify({ status: true, data }));
}

/**
 * Writes the reply `{"status": false, "error": …}`; the error's code comes along for those who look.
 *
 * @param error Why not.
 * @returns The whole message.
 */
export function encodeClassicError(error: TrivetError): Uint8Array<ArrayBuffer> {
  const { code, message } = error;
  return encodeClassicText(JSON.stringify({ status: false, error: message, code }));
}

function withLength(bytes: number, message: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > CLASSIC_FILE_MAX_BYTES) {
    throw new RangeError(
      `Cannot write length ${bytes}: the limits are 0 and ${CLASSIC_FILE_MAX_BYTES}`,
    );
  }
  new DataView(message.buffer).setInt32(0, bytes, true);
  return message;
}
