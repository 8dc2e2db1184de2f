/**
 * What a datagram is: a header that everybody can read, and behind it, encrypted, frames.
 *
 * ```text
 *  0      1               9               17
 *  | type | connection id | packet number | frames, encrypted | tag (16 bytes) |
 *    0xd1       u64              u64
 *
 *  0      1               9
 *  | type | connection id | reset token (16 bytes) |
 *    0xd2       u64
 * ```
 *
 * @module
 */

import { type ByteReader, type ByteWriter, PacketError, varintBytes } from "./bytes.ts";
import { CLOSE_REASON_MAX_BYTES, RESET_TOKEN_BYTES, STREAM_MAX } from "./types.ts";

/** First byte of a datagram with frames. Neither it nor the next one begins a text in UTF-8. */
export const PACKET_DATA = 0xd1;
/** First byte of a reset. */
export const PACKET_RESET = 0xd2;
/** Bytes of a connection id; elsewhere it is 16 hex digits. */
export const CONNECTION_ID_BYTES = 8;
/** Bytes in front of the frames. */
export const PACKET_HEADER_BYTES: number = 1 + CONNECTION_ID_BYTES + 8;
/** Bytes behind the frames. */
export const PACKET_TAG_BYTES = 16;
/** Bytes of a datagram around its frames. */
export const PACKET_AROUND_BYTES: number = PACKET_HEADER_BYTES + PACKET_TAG_BYTES;
/** Bytes of a reset; less than any datagram that it answers. */
export const RESET_BYTES: number = 1 + CONNECTION_ID_BYTES + RESET_TOKEN_BYTES;
/** Highest packet number: 2^53 − 1. At a million a second that is 285 years. */
export const PACKET_NUMBER_MAX: number = Number.MAX_SAFE_INTEGER;
/** Bytes of a path challenge. */
export const CHALLENGE_BYTES = 8;
/** Most ranges of one acknowledgement, the newest ones. */
export const ACK_RANGES_MAX = 32;

/** The first byte of each frame. */
export const PacketFrame = {
  PING: 1,
  ACK: 2,
  STREAM: 3,
  WINDOW: 4,
  CHALLENGE: 5,
  RESPONSE: 6,
  CLOSE: 7,
} as const;

/** Integers from `start` up to and without `end`. */
export interface Range {
  /** The first one. */
  readonly start: number;
  /** The one behind the last. */
  readonly end: number;
}

/** Which packets arrived. */
export interface AckFrame {
  /** The newest first; none touches the next. */
  readonly ranges: readonly Range[];
  /** How long the newest waited, in microseconds. */
  readonly delayUs: number;
}

/** A piece of a stream. */
export interface StreamFrame {
  /** Its stream. */
  readonly stream: number;
  /** Where the piece begins in the stream. */
  readonly offset: number;
  /** A view of the packet. */
  readonly bytes: Uint8Array;
}

/** One frame as it was read. */
export type ReadFrame =
  | { readonly type: typeof PacketFrame.PING }
  | { readonly type: typeof PacketFrame.ACK } & AckFrame
  | { readonly type: typeof PacketFrame.STREAM } & StreamFrame
  | { readonly type: typeof PacketFrame.WINDOW; readonly total: number }
  | { readonly type: typeof PacketFrame.CHALLENGE; readonly data: Uint8Array }
  | { readonly type: typeof PacketFrame.RESPONSE; readonly data: Uint8Array }
  | { readonly type: typeof PacketFrame.CLOSE; readonly code: number; readonly reason: string };

/** The connection id of a datagram, whatever it is otherwise; `undefined` when it cannot be one of ours. */
export function connectionIdOf(datagram: Uint8Array): string | undefined {
  const needed = datagram[0] === PACKET_DATA
    ? PACKET_AROUND_BYTES
    : datagram[0] === PACKET_RESET
    ? RESET_BYTES
    : Infinity;
  if (datagram.length < needed) return undefined;
  return datagram.subarray(1, 1 + CONNECTION_ID_BYTES).toHex();
}

/** Reads the next frame. @throws {PacketError} */
export function readFrame(reader: ByteReader): ReadFrame {
  const type = reader.byte();
  switch (type) {
    case PacketFrame.PING:
      return { type };
    case PacketFrame.ACK:
      return { type, ...readAck(reader) };
    case PacketFrame.STREAM: {
      const stream = reader.varint();
      const offset = reader.varint();
      const bytes = reader.bytes(reader.varint());
      if (stream <= STREAM_MAX && offset <= Number.MAX_SAFE_INTEGER - bytes.length) {
        return { type, stream, offset, bytes };
      }
      throw new PacketError("Cannot read packet: a stream's number or offset is too high");
    }
    case PacketFrame.WINDOW:
      return { type, total: reader.varint() };
    case PacketFrame.CHALLENGE:
    case PacketFrame.RESPONSE:
      return { type, data: reader.bytes(CHALLENGE_BYTES).slice() };
    case PacketFrame.CLOSE: {
      const code = reader.varint();
      const reason = new TextDecoder().decode(reader.bytes(reader.varint()));
      return { type, code, reason };
    }
    default:
      throw new PacketError(`Cannot read packet: frame type ${type} is unknown`);
  }
}

function readAck(reader: ByteReader): AckFrame {
  const largest = reader.varint();
  const delayUs = reader.varint();
  const count = reader.varint();
  if (count >= ACK_RANGES_MAX) throw new PacketError("Cannot read packet: too many ranges");
  const ranges: Range[] = [];
  let last = largest;
  for (let i = 0; i <= count; i++) {
    // Ranges that touched would be one: the gap between two is at least one packet.
    if (i > 0) last -= reader.varint() + 2;
    const start = last - reader.varint();
    if (start < 0) throw new PacketError("Cannot read packet: a range begins below 0");
    ranges.push({ start, end: last + 1 });
    last = start;
  }
  return { ranges, delayUs };
}

/**
 * Writes which packets arrived: at most {@linkcode ACK_RANGES_MAX} ranges, or as many as fit with one
 * byte to spare.
 */
export function writeAck(writer: ByteWriter, { ranges, delayUs }: AckFrame): void {
  const newest = ranges[0];
  if (newest === undefined) return;
  const parts: number[] = [newest.end - 1, delayUs, 0, newest.end - 1 - newest.start];
  let size = 1 + parts.reduce((sum, part) => sum + varintBytes(part), 0);
  let count = 0;
  let above = newest.start;
  for (const { start, end } of ranges.slice(1, ACK_RANGES_MAX)) {
    const gap = above - end - 1;
    const length = end - 1 - start;
    size += varintBytes(gap) + varintBytes(length);
    if (size >= writer.room) break;
    parts.push(gap, length);
    count += 1;
    above = start;
  }
  parts[2] = count;
  writer.byte(PacketFrame.ACK);
  for (const part of parts) writer.varint(part);
}

/** Bytes in front of a piece of a stream. */
export function streamFrameBytes(stream: number, offset: number): number {
  // Two bytes are enough for the length of whatever fits in a datagram.
  return 1 + varintBytes(stream) + varintBytes(offset) + 2;
}

/** Begins a piece of a stream; the caller fills in what is returned. */
export function writeStream(
  writer: ByteWriter,
  { stream, offset, length }: { stream: number; offset: number; length: number },
): Uint8Array<ArrayBuffer> {
  writer.byte(PacketFrame.STREAM);
  writer.varint(stream);
  writer.varint(offset);
  writer.varint(length);
  return writer.space(length);
}

/** Writes how many bytes of all streams together the peer may send. */
export function writeWindow(writer: ByteWriter, total: number): void {
  writer.byte(PacketFrame.WINDOW);
  writer.varint(total);
}

/** Writes a challenge, or the answer to one. */
export function writePath(
  writer: ByteWriter,
  type: typeof PacketFrame.CHALLENGE | typeof PacketFrame.RESPONSE,
  data: Uint8Array,
): void {
  writer.byte(type);
  writer.bytes(data);
}

/** Writes that the connection ends; a reason that is too long is cut. */
export function writeClose(writer: ByteWriter, code: number, reason: string): void {
  const bytes = new Uint8Array(CLOSE_REASON_MAX_BYTES);
  const { written } = new TextEncoder().encodeInto(reason, bytes);
  writer.byte(PacketFrame.CLOSE);
  writer.varint(code);
  writer.varint(written);
  writer.bytes(bytes.subarray(0, written));
}
