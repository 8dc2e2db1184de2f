/**
 * Memory for large frames and bodies that is used again: the system hands out fresh memory page by
 * page, which costs more than to fill it.
 *
 * @module
 */

import { FRAME_HEADER_BYTES, FRAME_PAYLOAD_MAX_BYTES } from "./frame.ts";

/** Smaller ones are left to the garbage collector. */
export const MEMORY_MIN_BYTES: number = 64 * 1024;

/** What one piece holds: the largest frame. */
export const MEMORY_MAX_BYTES: number = FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX_BYTES;

/** Pieces that are kept for the next frames. */
export const MEMORY_SPARES_MAX = 4;

const spares: ArrayBuffer[] = [];

/**
 * Takes memory. What stood in it before may still stand there: whoever takes it fills it.
 *
 * @param length Bytes.
 */
export function takeMemory(length: number): Uint8Array<ArrayBuffer> {
  if (length < MEMORY_MIN_BYTES || length > MEMORY_MAX_BYTES) return new Uint8Array(length);
  return new Uint8Array(spares.pop() ?? new ArrayBuffer(MEMORY_MAX_BYTES), 0, length);
}

/**
 * Gives memory back that nobody looks at any more. Who does not, leaves it to the garbage collector.
 *
 * @param bytes What was taken, once.
 */
export function giveBackMemory({ buffer }: Uint8Array<ArrayBuffer>): void {
  if (buffer.byteLength === MEMORY_MAX_BYTES && spares.length < MEMORY_SPARES_MAX) {
    spares.push(buffer);
  }
}
