/**
 * What a frame is: its layout, its types and its limits.
 *
 * ```text
 *  0        4      5      6          8          12
 *  | length | type | flags | reserved |   id     | payload (length bytes)
 *    u32      u8     u8      u16 = 0    u32
 * ```
 *
 * All integers are big-endian. `length` counts the payload only.
 *
 * @module
 */

/** Size of the header before each payload. */
export const FRAME_HEADER_BYTES = 12;

/** Largest payload before the peer is authenticated. */
export const FRAME_PAYLOAD_GUEST_MAX_BYTES = 4096;

/** Bytes in front of the data of a DATA payload: `u64 offset | u32 crc32`. */
export const DATA_PREFIX_BYTES = 12;

/** Most bytes that one DATA frame or one control body carries. */
export const FRAME_DATA_MAX_BYTES = 1024 * 1024;

/** Largest payload after the peer is authenticated. */
export const FRAME_PAYLOAD_MAX_BYTES: number = FRAME_DATA_MAX_BYTES + 64;

/** Highest offset that a DATA frame may name (2^53 − 1, the largest integer JavaScript counts exactly). */
export const DATA_OFFSET_MAX: number = Number.MAX_SAFE_INTEGER;

/** Types below this number must be known; from it on, unknown types are skipped. */
export const FRAME_TYPE_SKIPPABLE_MIN = 128;

/** The frame types. */
export const FrameType = {
  HELLO: 1,
  WELCOME: 2,
  AUTH: 3,
  REQUEST: 16,
  RESPONSE: 17,
  ERROR: 18,
  CANCEL: 19,
  DATA: 32,
  END: 33,
  EVENT: 48,
  PING: 64,
  PONG: 65,
  BYE: 127,
} as const;

/** One of the known frame types. */
export type FrameType = typeof FrameType[keyof typeof FrameType];

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(FrameType));

/** Whether `type` is one of {@linkcode FrameType}. */
export function isKnownFrameType(type: number): type is FrameType {
  return KNOWN_TYPES.has(type);
}

/** One frame as the decoder returns it. */
export interface Frame {
  /** What the frame is. */
  readonly type: FrameType;
  /** Bits whose meaning depends on the type; 0 today. */
  readonly flags: number;
  /** Number of the request; 0 is the connection itself. */
  readonly id: number;
  /** A view of the decoder's buffer, valid until the decoder takes more bytes: copy what must live. */
  readonly payload: Uint8Array;
}

/** Bytes that are not a frame; the connection they came from cannot go on. */
export class FrameError extends Error {
  /** The name of this class. */
  override readonly name = "FrameError";
  /** A broken peer stays broken. */
  readonly retry = false;
}
