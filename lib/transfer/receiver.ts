/**
 * The receiving half of a transfer: checks DATA frames, writes their bytes and notes which chunks
 * are held. Used by the server for uploads and by the client for downloads.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { chunkCount, chunkLength, CHUNKS_MAX } from "./chunks.ts";
import { crc32, DIGEST_BYTES, type Digester, digestsEqual } from "./digest.ts";
import type { ChunkJournal } from "./journal.ts";
import type { Sink } from "./sink.ts";

/** Options of {@linkcode ChunkReceiver}. */
export interface ChunkReceiverOptions {
  /** Takes the bytes. */
  readonly sink: Sink;
  /** Bytes of the file; without it the first chunk that is short is the last. */
  readonly size?: number;
  /** Bytes of each chunk but the last. */
  readonly chunkBytes: number;
  /** Takes the digest of each chunk that arrived; loses a chunk as soon as it is overwritten. */
  readonly journal: ChunkJournal;
  /** Computes the digests; nobody else uses it meanwhile. */
  readonly digester: Digester;
  /** Most chunks of one stream. */
  readonly streamChunksMax?: number;
  /**
   * A chunk has arrived and is written, and `journal` has it.
   *
   * @param index Number of the chunk.
   * @param digest Its digest, a view that is valid during the call.
   */
  onChunk?(index: number, digest: Uint8Array): void;
}

/**
 * Takes the DATA frames of a transfer, stream by stream.
 *
 * In a stream, chunks ascend and each is complete: anything else is a peer that does not keep to the
 * protocol. A frame whose checksum is wrong makes its chunk bad, and the stream goes on.
 */
export class ChunkReceiver {
  readonly #options: ChunkReceiverOptions;
  readonly #chunks: number;
  readonly #streamChunksMax: number;
  /** Number and digest of each chunk of this stream, in order; a bad one's bit is set in `#bad`. */
  #indices = new Uint32Array(64);
  #digests = new Uint8Array(64 * DIGEST_BYTES);
  #isBad: boolean[] = [];
  #streamChunks = 0;
  /** The last chunk that began in this stream. */
  #index = -1;
  /** Bytes of that chunk, and how many of them have arrived; the same between chunks. */
  #length = 0;
  #at = 0;
  #isChunkBad = false;
  #receivedBytes = 0;
  #end = 0;
  #lastChunk = CHUNKS_MAX;

  /** Writes nothing yet. */
  constructor(options: ChunkReceiverOptions) {
    this.#options = options;
    this.#chunks = options.size === undefined
      ? CHUNKS_MAX
      : chunkCount(options.size, options.chunkBytes);
    this.#streamChunksMax = options.streamChunksMax ?? CHUNKS_MAX;
  }

  /** Bytes that arrived, damaged ones too. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** The offset behind the last byte that arrived: the size, once a file of unknown size is whole. */
  get endOffset(): number {
    return this.#end;
  }

  /**
   * Takes the content of a DATA frame.
   *
   * @param offset Where the bytes stand in the file.
   * @param crc CRC-32 that the peer computed.
   * @param bytes A view that must stay as it is until the returned promise, if any, resolves.
   * @returns Nothing, or a promise where the sink needs one: await it before the next call.
   * @throws {TrivetError} `PROTOCOL_ERROR` If the frame is not the next of its stream; `DISK_FULL`
   * and what else the sink throws. The stream cannot go on after either.
   */
  accept(offset: number, crc: number, bytes: Uint8Array): void | Promise<void> {
    if (this.#at === this.#length) this.#begin(offset);
    const expected = this.#index * this.#options.chunkBytes + this.#at;
    if (offset !== expected) throw refused(offset, `the next byte is ${expected}`);
    if (bytes.length === 0) throw refused(offset, "it is empty");
    if (bytes.length > this.#length - this.#at) {
      throw refused(offset, `its ${bytes.length} bytes go beyond the chunk`);
    }
    this.#receivedBytes += bytes.length;
    if (this.#isChunkBad || crc32(bytes) !== crc) {
      this.#isChunkBad = true;
      this.#advance(bytes.length);
      return;
    }
    this.#options.digester.update(bytes);
    // A write that fails leaves the chunk bad, whatever the caller does next.
    this.#isChunkBad = true;
    const written = this.#options.sink.write(bytes, offset);
    if (written === undefined) {
      this.#written(bytes.length);
      return;
    }
    return written.then(() => this.#written(bytes.length));
  }

  /**
   * Ends the stream: compares the digests of what arrived with the sender's. The next frame begins
   * another stream.
   *
   * @param digests The body of END: digests of all chunks of the stream, in order.
   * @returns Numbers of the chunks that must be sent again, ascending.
   * @throws {TrivetError} `PROTOCOL_ERROR` If the stream ends inside a chunk or the count is wrong.
   */
  finish(digests: Uint8Array): number[] {
    if (this.#at < this.#length) this.#endShortChunk();
    const count = this.#streamChunks;
    if (digests.length !== count * DIGEST_BYTES) {
      throw new TrivetError(
        "PROTOCOL_ERROR",
        `Cannot end the stream: ${digests.length} bytes of digests for ${count} chunks`,
      );
    }
    const badChunks: number[] = [];
    for (let i = 0; i < count; i++) {
      const at = i * DIGEST_BYTES;
      const index = this.#indices[i] ?? 0;
      if (this.#isBad[i] !== true && digestsEqual(this.#digests, at, digests, at)) continue;
      this.#options.journal.delete(index);
      badChunks.push(index);
    }
    this.#streamChunks = 0;
    this.#index = -1;
    this.#at = this.#length = 0;
    return badChunks;
  }

  #begin(offset: number): void {
    const { chunkBytes, digester, journal, size } = this.#options;
    const index = Math.floor(offset / chunkBytes);
    if (offset !== index * chunkBytes) throw refused(offset, "it does not begin a chunk");
    if (index <= this.#index) throw refused(offset, `chunk ${index} comes after ${this.#index}`);
    if (index >= this.#chunks && size !== undefined) {
      throw refused(offset, `the file has ${size} bytes`);
    }
    if (index >= this.#chunks) {
      throw new TrivetError(
        "FILE_TOO_LARGE",
        `Cannot receive the file: the limit is ${this.#chunks} chunks of ${chunkBytes} bytes`,
      );
    }
    if (index > this.#lastChunk) throw refused(offset, `chunk ${this.#lastChunk} was the last`);
    if (this.#streamChunks >= this.#streamChunksMax) {
      throw refused(offset, `the stream has its ${this.#streamChunksMax} chunks`);
    }
    this.#index = index;
    this.#at = 0;
    this.#length = size === undefined ? chunkBytes : chunkLength(index, size, chunkBytes);
    this.#isChunkBad = false;
    // Its bytes are about to change: what the journal says of it is over.
    journal.delete(index);
    digester.init();
  }

  #written(count: number): void {
    this.#isChunkBad = false;
    this.#advance(count);
  }

  #advance(count: number): void {
    this.#at += count;
    this.#end = Math.max(this.#end, this.#index * this.#options.chunkBytes + this.#at);
    if (this.#at === this.#length) this.#endChunk();
  }

  /** The last chunk of a file of unknown size is over when its stream is. */
  #endShortChunk(): void {
    const { chunkBytes, size } = this.#options;
    const end = this.#index * chunkBytes + this.#at;
    const isLast = this.#index <= this.#lastChunk && end >= this.#end;
    if (size !== undefined || !isLast) {
      throw new TrivetError(
        "PROTOCOL_ERROR",
        `Cannot end the stream: chunk ${this.#index} has ${this.#at} of ${this.#length} bytes`,
      );
    }
    this.#lastChunk = this.#index;
    this.#length = this.#at;
    this.#endChunk();
  }

  #endChunk(): void {
    const { digester, journal } = this.#options;
    const i = this.#streamChunks;
    if (i === this.#indices.length) this.#grow();
    const at = i * DIGEST_BYTES;
    this.#indices[i] = this.#index;
    this.#isBad[i] = this.#isChunkBad;
    this.#streamChunks += 1;
    if (this.#isChunkBad) return;
    digester.digestInto(this.#digests, at);
    journal.set(this.#index, this.#digests, at);
    this.#options.onChunk?.(this.#index, this.#digests.subarray(at, at + DIGEST_BYTES));
  }

  #grow(): void {
    const indices = new Uint32Array(2 * this.#indices.length);
    indices.set(this.#indices);
    this.#indices = indices;
    const digests = new Uint8Array(2 * this.#digests.length);
    digests.set(this.#digests);
    this.#digests = digests;
  }
}

function refused(offset: number, why: string): TrivetError {
  return new TrivetError("PROTOCOL_ERROR", `Cannot take DATA at ${offset}: ${why}`);
}
