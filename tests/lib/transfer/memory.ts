/** Sources and sinks in memory, for tests that may touch no file. */

import { decodeData } from "../../../lib/frame/decode.ts";
import { FRAME_HEADER_BYTES } from "../../../lib/frame/frame.ts";
import type { ChunkReceiver } from "../../../lib/transfer/receiver.ts";
import type { ChunkSender } from "../../../lib/transfer/sender.ts";
import type { Sink } from "../../../lib/transfer/sink.ts";
import type { SyncSource } from "../../../lib/transfer/source.ts";

/** Bytes that differ from chunk to chunk; the same for the same arguments. */
export function patternBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

/** A source over bytes that gives at most `readMax` of them at a time. */
export class MemorySource implements SyncSource {
  bytes: Uint8Array;
  readonly #readMax: number;
  reads = 0;

  constructor(bytes: Uint8Array, readMax: number = Number.POSITIVE_INFINITY) {
    this.bytes = bytes;
    this.#readMax = readMax;
  }

  read(buffer: Uint8Array, offset: number): number {
    this.reads += 1;
    const count = Math.min(buffer.length, this.#readMax, Math.max(0, this.bytes.length - offset));
    buffer.set(this.bytes.subarray(offset, offset + count));
    return count;
  }
}

/** A sink into bytes that grow as needed; `isAsync` makes each write a promise. */
export class MemorySink implements Sink {
  bytes = new Uint8Array(0);
  readonly isAsync: boolean;

  constructor(isAsync = false) {
    this.isAsync = isAsync;
  }

  write(bytes: Uint8Array, offset: number): void | Promise<void> {
    if (!this.isAsync) return this.#put(bytes, offset);
    return Promise.resolve().then(() => this.#put(bytes, offset));
  }

  #put(bytes: Uint8Array, offset: number): void {
    if (offset + bytes.length > this.bytes.length) {
      const grown = new Uint8Array(offset + bytes.length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(bytes, offset);
  }
}

/** One stream from sender to receiver; `harm` may change a frame's payload on the way. */
export async function pumpStream(
  sender: ChunkSender,
  receiver: ChunkReceiver,
  harm?: (frame: Uint8Array) => void,
): Promise<number[]> {
  for (let frame = await sender.next(); frame !== null; frame = await sender.next()) {
    harm?.(frame);
    const { offset, crc, bytes } = decodeData(frame.subarray(FRAME_HEADER_BYTES));
    await receiver.accept(offset, crc, bytes);
  }
  return receiver.finish(sender.streamDigests);
}
