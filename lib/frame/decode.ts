/**
 * Bytes to frames: a push decoder that owns its buffer, knows no socket and checks every length
 * before it allocates; and the two payload layouts, control and DATA.
 *
 * @module
 */

import {
  DATA_OFFSET_MAX,
  DATA_PREFIX_BYTES,
  type Frame,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_GUEST_MAX_BYTES,
  FRAME_TYPE_SKIPPABLE_MIN,
  FrameError,
  isKnownFrameType,
} from "./frame.ts";

/** Room that the decoder keeps for one read; larger reads were slower on loopback. */
const READ_SLICE_BYTES = 64 * 1024;

/** First size of the buffer: what an idle or unauthenticated connection costs. */
const BUFFER_FIRST_BYTES = FRAME_HEADER_BYTES + FRAME_PAYLOAD_GUEST_MAX_BYTES;

/** Options of {@linkcode FrameDecoder}. */
export interface FrameDecoderOptions {
  /** Largest payload to accept, in bytes; can be raised later. */
  readonly payloadMaxBytes?: number;
}

/**
 * Decodes frames from a byte stream, however it is cut.
 *
 * Either `push(bytes)`, or without a copy: read into `space()`, then `advance(count)`. After each,
 * call `next()` until it returns `null`, which means that more bytes are needed. A frame's payload is
 * a view that stays valid until the next `space()` or `push()`.
 */
export class FrameDecoder {
  /** Largest payload to accept, in bytes. */
  payloadMaxBytes: number;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_FIRST_BYTES);
  #start = 0;
  #end = 0;
  /** Bytes of a frame of an unknown, skippable type that have yet to pass. */
  #skipBytes = 0;

  /**
   * Holds no bytes yet.
   *
   * @param options The limits.
   */
  constructor(options: FrameDecoderOptions = {}) {
    this.payloadMaxBytes = options.payloadMaxBytes ?? FRAME_PAYLOAD_GUEST_MAX_BYTES;
  }

  /** Whether the stream may end here: no frame has begun. */
  get isBetweenFrames(): boolean {
    return this.#start === this.#end && this.#skipBytes === 0;
  }

  /**
   * Room for the next read. Never empty. A large frame's room ends with the frame, so that the next
   * one begins at the buffer's start and nothing has to be moved.
   */
  space(): Uint8Array<ArrayBuffer> {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    const missing = this.#missingBytes();
    if (missing > this.#buffer.length - this.#end) this.#makeRoom(missing);
    const slice = this.#sliceBytes(missing);
    return this.#buffer.subarray(this.#end, Math.min(this.#end + slice, this.#buffer.length));
  }

  /** Says that `count` bytes were read into what `space()` returned. */
  advance(count: number): void {
    if (count < 0 || this.#end + count > this.#buffer.length) {
      throw new RangeError(`Cannot advance by ${count} bytes: the space is smaller`);
    }
    this.#end += count;
    this.#skip();
  }

  /** Takes `bytes` as it is iterated, to its end, and yields the frames that they complete. */
  *push(bytes: Uint8Array): Generator<Frame> {
    let taken = 0;
    while (taken < bytes.length) {
      const space = this.space();
      const count = Math.min(space.length, bytes.length - taken);
      space.set(bytes.subarray(taken, taken + count));
      this.advance(count);
      taken += count;
      for (let frame = this.next(); frame !== null; frame = this.next()) yield frame;
    }
  }

  /**
   * The next frame.
   *
   * @returns The frame, or `null` when more bytes are needed.
   * @throws {FrameError} If the bytes are not a frame; the decoder cannot go on.
   */
  next(): Frame | null {
    while (this.#end - this.#start >= FRAME_HEADER_BYTES) {
      const length = this.#checkedLength();
      const type = this.#buffer[this.#start + 4] ?? 0;
      if (type >= FRAME_TYPE_SKIPPABLE_MIN) {
        this.#start += FRAME_HEADER_BYTES;
        this.#skipBytes = length;
        this.#skip();
        continue;
      }
      if (!isKnownFrameType(type)) {
        throw new FrameError(`Cannot read frame: type ${type} is unknown`);
      }
      if (this.#end - this.#start < FRAME_HEADER_BYTES + length) return null;
      const at = this.#start;
      this.#start += FRAME_HEADER_BYTES + length;
      return {
        type,
        flags: this.#buffer[at + 5] ?? 0,
        id: readUint32(this.#buffer, at + 8),
        payload: this.#buffer.subarray(at + FRAME_HEADER_BYTES, this.#start),
      };
    }
    return null;
  }

  /** Reads and checks the header at `#start`: bounds come before anything is allocated. */
  #checkedLength(): number {
    const length = readUint32(this.#buffer, this.#start);
    if (length > this.payloadMaxBytes) {
      throw new FrameError(
        `Cannot read frame: length is ${length}, the limit is ${this.payloadMaxBytes}`,
      );
    }
    if (this.#buffer[this.#start + 6] !== 0 || this.#buffer[this.#start + 7] !== 0) {
      throw new FrameError("Cannot read frame: the reserved field is not 0");
    }
    return length;
  }

  /** How many bytes are missing to the header or, once that is there, to the frame. */
  #missingBytes(): number {
    const held = this.#end - this.#start;
    if (held < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES - held;
    return FRAME_HEADER_BYTES + this.#checkedLength() - held;
  }

  /** Small frames arrive in crowds: read as many as fit, but leave a large frame its own start. */
  #sliceBytes(missing: number): number {
    if (missing <= BUFFER_FIRST_BYTES) return READ_SLICE_BYTES;
    // The few bytes by which a frame exceeds a power of two are not worth a read of their own.
    return missing <= READ_SLICE_BYTES + BUFFER_FIRST_BYTES ? missing : READ_SLICE_BYTES;
  }

  /** Moves what is held to the buffer's start, and grows the buffer when that is not enough. */
  #makeRoom(missing: number): void {
    const held = this.#end - this.#start;
    const needed = held + missing;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, READ_SLICE_BYTES));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = grown;
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = held;
  }

  #skip(): void {
    const count = Math.min(this.#skipBytes, this.#end - this.#start);
    this.#skipBytes -= count;
    this.#start += count;
  }
}

/** Head and body of a control payload. */
export interface ControlPayload {
  /** The JSON value; whoever uses it validates it. */
  readonly head: unknown;
  /** A view of the payload. */
  readonly body: Uint8Array;
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Splits a control payload: `u32 headLength | head (UTF-8 JSON) | body`.
 *
 * @throws {FrameError} If the head is missing, too long, not UTF-8 or not JSON.
 */
export function decodeControl(payload: Uint8Array): ControlPayload {
  if (payload.length < 4) throw new FrameError("Cannot read head: the payload is too short");
  const headLength = readUint32(payload, 0);
  if (headLength > payload.length - 4) {
    throw new FrameError(
      `Cannot read head: its length is ${headLength}, the payload holds ${payload.length - 4}`,
    );
  }
  try {
    const head: unknown = JSON.parse(strictDecoder.decode(payload.subarray(4, 4 + headLength)));
    return { head, body: payload.subarray(4 + headLength) };
  } catch (cause) {
    throw new FrameError("Cannot read head: it is not JSON in UTF-8", { cause });
  }
}

/** A DATA payload. */
export interface DataPayload {
  /** Where the bytes stand in the file. */
  readonly offset: number;
  /** CRC-32 that the sender computed over the bytes. */
  readonly crc: number;
  /** A view of the payload. */
  readonly bytes: Uint8Array;
}

/**
 * Splits a DATA payload: `u64 offset | u32 crc32 | bytes`. The CRC-32 is not checked here.
 *
 * @throws {FrameError} If it is too short or the offset is beyond 2^53 − 1.
 */
export function decodeData(payload: Uint8Array): DataPayload {
  if (payload.length < DATA_PREFIX_BYTES) {
    throw new FrameError("Cannot read DATA: the payload is too short");
  }
  const offset = readUint32(payload, 0) * 2 ** 32 + readUint32(payload, 4);
  if (offset > DATA_OFFSET_MAX) throw new FrameError("Cannot read DATA: the offset is too large");
  return { offset, crc: readUint32(payload, 8), bytes: payload.subarray(DATA_PREFIX_BYTES) };
}

function readUint32(source: Uint8Array, at: number): number {
  return (((source[at] ?? 0) << 24) | ((source[at + 1] ?? 0) << 16) | ((source[at + 2] ?? 0) << 8) |
    (source[at + 3] ?? 0)) >>> 0;
}
