/**
 * DATA frames that carry noise, for measuring a link.
 *
 * @module
 */

import { DATA_FRAME_BYTES_AT, sealDataFrame } from "../frame/encode.ts";
import { crc32 } from "../transfer/digest.ts";
import { noise } from "./speeds.ts";

/** As much as a transfer puts into a frame. */
const NOISE_BYTES = 256 * 1024;

/**
 * Frames of one call, for as long as the time lasts; one at least. All are the same buffer: who asks for
 * the next one is done with the last.
 *
 * @param id Number of the call.
 * @param ms For how long.
 */
export function* noiseFrames(id: number, ms: number): Generator<Uint8Array> {
  const frame = noise(DATA_FRAME_BYTES_AT + NOISE_BYTES);
  const crc = crc32(frame.subarray(DATA_FRAME_BYTES_AT));
  const endMs = performance.now() + ms;
  let offset = 0;
  do {
    sealDataFrame(frame, id, offset, crc);
    yield frame;
    offset += NOISE_BYTES;
  } while (performance.now() < endMs);
}
