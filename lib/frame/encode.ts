/**
 * Frames to bytes: each function computes the length, allocates once and fills.
 *
 * @module
 */

import {
  DATA_PREFIX_BYTES,
  FRAME_DATA_MAX_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_MAX_BYTES,
  FrameType,
} from "./frame.ts";
import { takeMemory } from "./memory.ts";

const UINT32_MAX = 0xffff_ffff;
const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();

/** Where the bytes of a DATA frame begin: behind the header, the offset and the CRC-32. */
export const DATA_FRAME_BYTES_AT: number = FRAME_HEADER_BYTES + DATA_PREFIX_BYTES;

/**
 * Encodes one frame.
 *
 * @param type The frame's type.
 * @param id Number of the request, 0 for the connection itself.
 * @param payload The payload, at most {@linkcode FRAME_PAYLOAD_MAX_BYTES}.
 * @returns Header and payload in one buffer.
 * @throws {RangeError} If the payload is too large or the id is not a u32.
 */
export function encodeFrame(type: FrameType, id: number, payload: Uint8Array = EMPTY): Uint8Array {
  const frame = allocateFrame(type, id, payload.length);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/**
 * Encodes a control frame: `u32 headLength | head (UTF-8 JSON) | body`.
 *
 * @param type The frame's type.
 * @param id Number of the request, 0 for the connection itself.
 * @param head A JSON value.
 * @param body Raw bytes behind the head, may be empty.
 * @returns Header and payload in one buffer, which may be given back (see `giveBackMemory`).
 * @throws {RangeError} If head and body together are too large or the id is not a u32.
 * @throws {TypeError} If the head is no JSON value, such as `undefined`.
 */
export function encodeControl(
  type: FrameType,
  id: number,
  head: unknown,
  body: Uint8Array = EMPTY,
): Uint8Array<ArrayBuffer> {
  const text: string | undefined = JSON.stringify(head);
  if (text === undefined) throw new TypeError(`Cannot encode head: ${typeof head} is not JSON`);
  const headBytes = encoder.encode(text);
  const frame = allocateFrame(type, id, 4 + headBytes.length + body.length);
  writeUint32(frame, FRAME_HEADER_BYTES, headBytes.length);
  frame.set(headBytes, FRAME_HEADER_BYTES + 4);
  frame.set(body, FRAME_HEADER_BYTES + 4 + headBytes.length);
  return frame;
}

/**
 * Fills header, offset and CRC-32 of a DATA frame whose bytes already stand in `frame` from
 * {@linkcode DATA_FRAME_BYTES_AT} on, so that the hot path neither allocates nor copies.
 *
 * @param frame The frame's buffer; its length is that of the frame.
 * @param id Number of the request.
 * @param offset Where the bytes stand in the file.
 * @param crc CRC-32 of the bytes.
 * @throws {RangeError} If a value does not fit its field.
 */
export function sealDataFrame(frame: Uint8Array, id: number, offset: number, crc: number): void {
  const dataLength = frame.length - DATA_FRAME_BYTES_AT;
  if (dataLength < 0 || dataLength > FRAME_DATA_MAX_BYTES) {
    throw new RangeError(
      `Cannot encode DATA: ${dataLength} bytes, the limit is ${FRAME_DATA_MAX_BYTES}`,
    );
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new RangeError(`Cannot encode DATA: offset ${offset} is not a safe integer from 0`);
  }
  if (!isUint32(crc)) throw new RangeError(`Cannot encode DATA: CRC-32 ${crc} is not a u32`);
  writeHeader(frame, FrameType.DATA, id, dataLength + DATA_PREFIX_BYTES);
  writeUint32(frame, FRAME_HEADER_BYTES, Math.floor(offset / 2 ** 32));
  writeUint32(frame, FRAME_HEADER_BYTES + 4, offset >>> 0);
  writeUint32(frame, FRAME_HEADER_BYTES + 8, crc);
}

function allocateFrame(
  type: FrameType,
  id: number,
  payloadLength: number,
): Uint8Array<ArrayBuffer> {
  if (payloadLength > FRAME_PAYLOAD_MAX_BYTES) {
    throw new RangeError(
      `Cannot encode frame: length is ${payloadLength}, the limit is ${FRAME_PAYLOAD_MAX_BYTES}`,
    );
  }
  const frame = takeMemory(FRAME_HEADER_BYTES + payloadLength);
  writeHeader(frame, type, id, payloadLength);
  return frame;
}

function writeHeader(frame: Uint8Array, type: FrameType, id: number, length: number): void {
  if (!isUint32(id)) throw new RangeError(`Cannot encode frame: id ${id} is not a u32`);
  writeUint32(frame, 0, length);
  frame[4] = type;
  frame[5] = 0;
  frame[6] = 0;
  frame[7] = 0;
  writeUint32(frame, 8, id);
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= UINT32_MAX;
}

function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}
