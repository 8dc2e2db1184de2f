/**
 * Several records of a stream in one buffer: what one read brought goes out in one write, since the
 * calls of the system cost more than the bytes.
 *
 * @module
 */

import {
  sealStreamFrame,
  STREAM_DATA_MAX_BYTES,
  STREAM_FRAME_BYTES_AT,
  type StreamName,
} from "./stream.ts";

/**
 * Room to read into, with as much in front of it as the frames of these bytes need.
 *
 * @param bytes Its length, 1 or more.
 */
export function recordsRoom(bytes: number): Uint8Array<ArrayBuffer> {
  const before = Math.ceil(bytes / STREAM_DATA_MAX_BYTES) * STREAM_FRAME_BYTES_AT;
  return new Uint8Array(before + bytes).subarray(before);
}

/**
 * Makes frames of what was read into {@linkcode recordsRoom}, in the same buffer.
 *
 * @param read The bytes, at the room's beginning; none make the record that ends a stream.
 * @param place The request's number, the stream, and where in the stream the bytes stand.
 * @returns The frames, one behind the other.
 */
export function sealRecords(
  read: Uint8Array<ArrayBuffer>,
  { id, stream, offset }: {
    readonly id: number;
    readonly stream: StreamName;
    readonly offset: number;
  },
): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = read;
  const all = new Uint8Array(buffer);
  const count = Math.max(1, Math.ceil(length / STREAM_DATA_MAX_BYTES));
  const first = byteOffset - count * STREAM_FRAME_BYTES_AT;
  let at = first;
  for (let taken = 0, record = 0; record < count; record++) {
    const part = Math.min(length - taken, STREAM_DATA_MAX_BYTES);
    // Moved to the front by the headers that are still to come; the last one stays where it is.
    all.copyWithin(at + STREAM_FRAME_BYTES_AT, byteOffset + taken, byteOffset + taken + part);
    const end = at + STREAM_FRAME_BYTES_AT + part;
    sealStreamFrame(all.subarray(at, end), { id, stream, offset: offset + taken });
    at = end;
    taken += part;
  }
  return all.subarray(first, at);
}
