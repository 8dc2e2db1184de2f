/** Frames by hand, and decoders fed in every way, for tests. */

import type { FrameDecoder } from "../../lib/frame/decode.ts";
import { type Frame, FRAME_HEADER_BYTES, FrameType } from "../../lib/frame/frame.ts";

/** Every known type. */
export const FRAME_TYPES: readonly FrameType[] = Object.values(FrameType);

/** The fields of a frame, right or wrong. */
export interface RawFrame {
  readonly type?: number;
  readonly flags?: number;
  readonly reserved?: number;
  readonly id?: number;
  readonly payload?: Uint8Array;
  /** What the header claims instead of the payload's length. */
  readonly length?: number;
}

/** Lays a frame out byte by byte, without the encoder and without its checks. */
export function rawFrame(fields: RawFrame = {}): Uint8Array<ArrayBuffer> {
  const payload = fields.payload ?? new Uint8Array(0);
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fields.length ?? payload.length);
  view.setUint8(4, fields.type ?? FrameType.REQUEST);
  view.setUint8(5, fields.flags ?? 0);
  view.setUint16(6, fields.reserved ?? 0);
  view.setUint32(8, fields.id ?? 0);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** Bytes that differ from each other and from run to run of `seed`. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + seed * 17 + (at >> 8)) & 0xff;
  return bytes;
}

/** Joins byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A frame that outlives the decoder's buffer. */
export function keep(frame: Frame): Frame {
  return { ...frame, payload: frame.payload.slice() };
}

/** Everything that `decoder` makes of `parts`, through `push()`. */
export function pushAll(decoder: FrameDecoder, parts: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = [];
  for (const part of parts) for (const frame of decoder.push(part)) frames.push(keep(frame));
  return frames;
}

/** The same through `space()` and `advance()`, with reads of at most `readMaxBytes`. */
export function readAll(
  decoder: FrameDecoder,
  bytes: Uint8Array,
  readMaxBytes = Infinity,
): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = decoder.space();
    const count = Math.min(space.length, readMaxBytes, bytes.length - at);
    space.set(bytes.subarray(at, at + count));
    decoder.advance(count);
    at += count;
    for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
      frames.push(keep(frame));
    }
  }
  return frames;
}
