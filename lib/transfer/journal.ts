/**
 * Which chunks of a file are held, with the digest of each: a table of 16 bytes and one bit a chunk.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { chunkLength, CHUNKS_MAX } from "./chunks.ts";
import { DIGEST_BYTES, type Digester, digestsEqual } from "./digest.ts";

/** Size of one record of a journal page: `u32 chunk index | 16 bytes digest`. */
export const JOURNAL_RECORD_BYTES: number = 4 + DIGEST_BYTES;

/** Chunks that a journal has room for at first. */
const FIRST_CHUNKS = 64;

/** Options of {@linkcode ChunkJournal}. */
export interface ChunkJournalOptions {
  /** Chunk numbers from this one on are refused; {@linkcode CHUNKS_MAX} at most and by default. */
  readonly chunksMax?: number;
}

/** A growing table from chunk number to digest. */
export class ChunkJournal {
  readonly #chunksMax: number;
  #digests = new Uint8Array(FIRST_CHUNKS * DIGEST_BYTES);
  #present = new Uint8Array(FIRST_CHUNKS / 8);
  #count = 0;
  #end = 0;

  /** Holds nothing yet. */
  constructor(options: ChunkJournalOptions = {}) {
    this.#chunksMax = Math.min(options.chunksMax ?? CHUNKS_MAX, CHUNKS_MAX);
  }

  /** How many chunks are held. */
  get count(): number {
    return this.#count;
  }

  /** The chunk number behind the highest that was ever set; none is held from here on. */
  get end(): number {
    return this.#end;
  }

  /**
   * Says that a chunk is held.
   *
   * @param index Number of the chunk.
   * @param source Where the digest stands.
   * @param at Where in `source` it begins.
   * @throws {RangeError} If the chunk number is none, or there are too few bytes.
   */
  set(index: number, source: Uint8Array, at = 0): void {
    if (!this.accepts(index)) {
      throw new RangeError(`Cannot note chunk ${index}: the limit is ${this.#chunksMax} chunks`);
    }
    if (at < 0 || at + DIGEST_BYTES > source.length) {
      throw new RangeError(`Cannot note chunk ${index}: the digest is not ${DIGEST_BYTES} bytes`);
    }
    if (index >= this.#present.length * 8) this.#grow(index + 1);
    for (let i = 0; i < DIGEST_BYTES; i++) {
      this.#digests[index * DIGEST_BYTES + i] = source[at + i] ?? 0;
    }
    if (this.has(index)) return;
    this.#present[index >>> 3] = (this.#present[index >>> 3] ?? 0) | (1 << (index & 7));
    this.#count += 1;
    this.#end = Math.max(this.#end, index + 1);
  }

  /** Whether a chunk number is one that `set` takes. */
  accepts(index: number): boolean {
    return Number.isInteger(index) && index >= 0 && index < this.#chunksMax;
  }

  /** Whether a chunk is held. */
  has(index: number): boolean {
    return index < this.#end && ((this.#present[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** A copy of a chunk's digest, `undefined` when the chunk is not held. */
  get(index: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.has(index)) return undefined;
    return this.#digests.slice(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  }

  /** Whether a chunk is held with this digest. */
  matches(index: number, digest: Uint8Array, at = 0): boolean {
    return this.has(index) && digestsEqual(this.#digests, index * DIGEST_BYTES, digest, at);
  }

  /** Says that a chunk is not held. */
  delete(index: number): void {
    if (!this.has(index)) return;
    this.#present[index >>> 3] = (this.#present[index >>> 3] ?? 0) & ~(1 << (index & 7));
    this.#count -= 1;
  }

  /** Drops the chunks from number `chunks` on, as when a file has shrunk. */
  truncate(chunks: number): void {
    for (let index = chunks; index < this.#end; index++) this.delete(index);
    this.#end = Math.min(this.#end, chunks);
  }

  /** The held chunks' numbers, ascending, from `from` on. */
  *indices(from = 0): Generator<number> {
    for (let index = from; index < this.#end; index++) {
      if (this.has(index)) yield index;
    }
  }

  /** The numbers below `chunks` that are not held, ascending. */
  *missing(chunks: number): Generator<number> {
    for (let index = 0; index < chunks; index++) {
      if (!this.has(index)) yield index;
    }
  }

  /** Whether every chunk below `chunks` is held. */
  isComplete(chunks: number): boolean {
    return this.missing(chunks).next().done === true;
  }

  /**
   * How many bytes the held chunks have.
   *
   * @param size Bytes of the file; without it every chunk counts as a whole one.
   * @param chunkBytes Bytes of each chunk but the last.
   */
  heldBytes(size: number | undefined, chunkBytes: number): number {
    if (size === undefined) return this.#count * chunkBytes;
    let held = 0;
    for (const index of this.indices()) held += chunkLength(index, size, chunkBytes);
    return held;
  }

  /**
   * One page of records, ascending by chunk number.
   *
   * @param from First chunk number of the page.
   * @param max Most records of the page.
   * @returns The page; the next begins behind the last chunk number of this one.
   */
  records(from: number, max: number): Uint8Array<ArrayBuffer> {
    const page = new Uint8Array(Math.min(max, this.#count) * JOURNAL_RECORD_BYTES);
    const view = new DataView(page.buffer);
    let at = 0;
    for (const index of this.indices(from)) {
      if (at === page.length) break;
      view.setUint32(at, index);
      page.set(this.#digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES), at + 4);
      at += JOURNAL_RECORD_BYTES;
    }
    return page.subarray(0, at);
  }

  /**
   * Takes one page of records that a peer sent. Pages come in order.
   *
   * @param page Records, ascending and behind every chunk that is held already.
   * @returns The chunk number from which the next page begins.
   * @throws {TrivetError} `PROTOCOL_ERROR` If the page is none.
   */
  addRecords(page: Uint8Array): number {
    if (page.length % JOURNAL_RECORD_BYTES !== 0) {
      throw new TrivetError(
        "PROTOCOL_ERROR",
        `Cannot read journal: ${page.length} bytes are not records of ${JOURNAL_RECORD_BYTES}`,
      );
    }
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    for (let at = 0; at < page.length; at += JOURNAL_RECORD_BYTES) {
      const index = view.getUint32(at);
      if (index < this.#end || index >= this.#chunksMax) {
        throw new TrivetError(
          "PROTOCOL_ERROR",
          `Cannot read journal: chunk ${index} is not from ${this.#end} to ${this.#chunksMax - 1}`,
        );
      }
      this.set(index, page, at + 4);
    }
    return this.#end;
  }

  /** A journal of one page of records; see {@linkcode ChunkJournal.addRecords}. */
  static fromRecords(page: Uint8Array, options: ChunkJournalOptions = {}): ChunkJournal {
    const journal = new ChunkJournal(options);
    journal.addRecords(page);
    return journal;
  }

  /**
   * The digest of a whole file: XXH3-128 over the digests of its chunks in order.
   *
   * @param digester Used for this digest; what it had begun is dropped.
   * @param chunks How many chunks the file has.
   * @returns {@linkcode DIGEST_BYTES} bytes.
   * @throws {RangeError} If a chunk is not held.
   */
  digestAll(digester: Digester, chunks: number): Uint8Array<ArrayBuffer> {
    for (const index of this.missing(chunks)) {
      throw new RangeError(`Cannot compute digest: chunk ${index} is not held`);
    }
    const digest = new Uint8Array(DIGEST_BYTES);
    digester.init();
    digester.update(this.#digests.subarray(0, chunks * DIGEST_BYTES));
    digester.digestInto(digest, 0);
    return digest;
  }

  #grow(chunks: number): void {
    let room = this.#present.length * 8;
    while (room < chunks) room *= 2;
    const digests = new Uint8Array(room * DIGEST_BYTES);
    digests.set(this.#digests);
    this.#digests = digests;
    const present = new Uint8Array(room / 8);
    present.set(this.#present);
    this.#present = present;
  }
}
