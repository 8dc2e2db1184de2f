/**
 * One upload in use: writes chunks to its part, notes them in the journal, and meanwhile reads again
 * what an earlier session left, since a disk may have lost or damaged it.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { ServerCall } from "../../lib/rpc/server.ts";
import { chunkCount } from "../../lib/transfer/chunks.ts";
import { createDigester, toHex } from "../../lib/transfer/digest.ts";
import type { ChunkJournal } from "../../lib/transfer/journal.ts";
import { readChunks } from "../../lib/transfer/chunk_digests.ts";
import { ChunkReceiver } from "../../lib/transfer/receiver.ts";
import { verifyAllChunks } from "../../lib/transfer/verify.ts";
import type { Catalog, ChunkRecord, OverwriteMode } from "../store/catalog.ts";
import type { ActiveUpload } from "./active_uploads.ts";
import type { HomePath, PartHandle, ReadHandle } from "./depot.ts";

/** Chunks that wait for one transaction; what a crash costs is this many chunks sent twice. */
const JOURNAL_BATCH_CHUNKS = 8;

/** A stream of unknown size reserves this much of the quota at a time. */
const STREAM_RESERVE_BYTES = 64 * 1024 * 1024;

/** What it needs of a call. */
export type Receiving = Pick<ServerCall, "receive" | "isCrowded">;

/** What an {@linkcode UploadSession} works with. */
export interface UploadSessionOptions {
  readonly id: string;
  readonly at: HomePath;
  readonly chunkBytes: number;
  /** Bytes of the file; unknown for a stream. */
  readonly size: number | undefined;
  readonly overwrite: OverwriteMode;
  readonly part: PartHandle;
  readonly journal: ChunkJournal;
  readonly catalog: Pick<Catalog, "addChunks" | "removeChunks" | "reserve">;
}

/** See the module. */
export class UploadSession implements ActiveUpload {
  readonly id: string;
  readonly user: string;
  readonly at: HomePath;
  readonly overwrite: OverwriteMode;
  /** The chunks that the part holds, as far as is known. */
  readonly journal: ChunkJournal;
  readonly #options: UploadSessionOptions;
  readonly #ended = new AbortController();
  /** Rejects when the session ends, for those that wait for a peer who may never speak again. */
  readonly #end = Promise.withResolvers<never>();
  #waiting: ChunkRecord[] = [];
  #reservedBytes: number;
  #isReceiving = false;
  /** Chunks that an earlier session wrote and that are not as they were written. */
  #damaged: Promise<number[]> = Promise.resolve([]);
  #working: Promise<unknown> = Promise.resolve();
  /** The write under way, where a thread does it. */
  #writing: Promise<unknown> | undefined;

  constructor(options: UploadSessionOptions) {
    this.#options = options;
    this.id = options.id;
    this.user = options.at.user;
    this.at = options.at;
    this.overwrite = options.overwrite;
    this.journal = options.journal;
    this.#reservedBytes = options.size ?? 0;
    this.#end.promise.catch(() => {});
  }

  /** Bytes of the file; unknown for a stream. */
  get size(): number | undefined {
    return this.#options.size;
  }

  /** Throws the reason if this session was ended. */
  throwIfEnded(): void {
    this.#ended.signal.throwIfAborted();
  }

  /** Begins to read again, in the background, the chunks that the journal claims. */
  verifyHeldChunks(): void {
    const { size } = this.#options;
    if (this.journal.count === 0 || size === undefined) return;
    this.#damaged = this.#verify(size);
    this.#damaged.catch(() => {});
  }

  async #verify(size: number): Promise<number[]> {
    const { part, chunkBytes } = this.#options;
    const digester = await createDigester();
    return await verifyAllChunks({
      source: part,
      journal: this.journal,
      chunkBytes,
      size,
      digester,
    });
  }

  /**
   * Takes the chunks of a file over.
   *
   * @param file Of the home.
   * @param signal Gives up; what was taken over stays.
   */
  async seed(file: ReadHandle, signal: AbortSignal): Promise<void> {
    await this.#alone(async () => {
      const { part, chunkBytes, size = 0 } = this.#options;
      const { size: fileBytes } = file.entry;
      // The last chunk counts only where both files end in it together.
      const count = fileBytes >= size
        ? chunkCount(size, chunkBytes)
        : Math.floor(fileBytes / chunkBytes);
      await readChunks({
        source: file,
        size,
        chunkBytes,
        from: 0,
        count,
        digester: await createDigester(),
        sink: part,
        onChunk: (index, digest) => this.#waiting.push({ index, digest: digest.slice() }),
        onTurn: async () => {
          signal.throwIfAborted();
          this.throwIfEnded();
          // What somebody writes to it meanwhile must not be noted under the digest of what was read.
          if (!file.isUnchanged()) {
            throw new TrivetError("CHANGED", "The file changed while it was read");
          }
          for (const { index, digest } of this.#waiting) this.journal.set(index, digest);
          await this.#flush();
          this.throwIfEnded();
        },
      });
    });
  }

  /**
   * Takes one stream of chunks.
   *
   * @returns The chunks that must be sent again, ascending.
   */
  async receive(call: Receiving): Promise<number[]> {
    return await this.#alone(() => this.#receive(call));
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isReceiving) {
      throw new TrivetError("INVALID_REQUEST", "The upload takes one stream at a time");
    }
    this.#isReceiving = true;
    try {
      return await work();
    } finally {
      this.#isReceiving = false;
    }
  }

  async #receive(call: Receiving): Promise<number[]> {
    const { part, chunkBytes, size } = this.#options;
    const receiver = new ChunkReceiver({
      // In the event loop is quicker, but a disk with more to take than it can holds writes up.
      sink: {
        write: (bytes, offset) =>
          call.isCrowded ? part.writeInThread(bytes, offset) : part.write(bytes, offset),
      },
      chunkBytes,
      journal: this.journal,
      digester: await createDigester(),
      onChunk: (index, digest) => this.#waiting.push({ index, digest: digest.slice() }),
      ...(size === undefined ? {} : { size }),
    });
    try {
      const ended = call.receive(async ({ offset, crc, bytes }) => {
        this.throwIfEnded();
        if (size === undefined) {
          await this.#reserve(offset + bytes.length);
          this.throwIfEnded();
        }
        const writing = receiver.accept(offset, crc, bytes);
        if (writing !== undefined) await this.#untilWritten(writing);
        if (this.#waiting.length >= JOURNAL_BATCH_CHUNKS) await this.#flush();
      });
      const end = await Promise.race([ended, this.#end.promise]);
      const bad = new Set(receiver.finish(end.body));
      for (const index of await this.#damaged) if (!this.journal.has(index)) bad.add(index);
      const badChunks = [...bad].sort((a, b) => a - b);
      await this.#forget(badChunks);
      return badChunks;
    } finally {
      await this.#flush();
    }
  }

  async #untilWritten(writing: Promise<void>): Promise<void> {
    this.#writing = writing.catch(() => {});
    try {
      await writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /**
   * Checks that the whole file is there, then publishes it; nobody takes the upload over meanwhile.
   *
   * @throws {TrivetError} `DIGEST_MISMATCH`, or what `publish` throws.
   */
  async commit<T>(size: number, digest: string, publish: () => Promise<T>): Promise<T> {
    this.throwIfEnded();
    const working = this.#check(size, digest).then(publish);
    this.#working = working.catch(() => {});
    return await working;
  }

  /** The part's bytes are what was sent, and all of them are there. */
  async #check(size: number, digest: string): Promise<void> {
    const { chunkBytes, part } = this.#options;
    await this.#damaged;
    const chunks = chunkCount(size, chunkBytes);
    try {
      await part.settle();
    } catch (error) {
      // Nobody knows which of them the disk has lost; all of them are to be sent again.
      await this.#forget(Array.from({ length: chunks }, (_, index) => index));
      throw error;
    }
    if (!this.journal.isComplete(chunks)) {
      throw new TrivetError("DIGEST_MISMATCH", "The upload is not complete");
    }
    const ours = this.journal.digestAll(await createDigester(), chunks);
    if (toHex(ours) !== digest) {
      throw new TrivetError("DIGEST_MISMATCH", "The upload differs from what was sent");
    }
  }

  /** Ends this session; its part and journal stay. */
  async end(reason: TrivetError): Promise<void> {
    this.#ended.abort(reason);
    this.#end.reject(reason);
    await this.#working;
    // Whoever goes on with this part must not have it written over.
    await this.#writing;
    await this.#flush().catch(() => {});
    this.#options.part.close();
    await this.#damaged.catch(() => {});
  }

  async #reserve(bytes: number): Promise<void> {
    if (bytes <= this.#reservedBytes) return;
    const { catalog } = this.#options;
    const generous = Math.max(bytes, this.#reservedBytes + STREAM_RESERVE_BYTES);
    try {
      await catalog.reserve(this.id, generous);
      this.#reservedBytes = generous;
    } catch (error) {
      if (!(error instanceof TrivetError) || error.code !== "QUOTA_EXCEEDED") throw error;
      await catalog.reserve(this.id, bytes);
      this.#reservedBytes = bytes;
    }
  }

  async #flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const chunks = this.#waiting;
    this.#waiting = [];
    await this.#options.catalog.addChunks(this.id, chunks);
  }

  /** A bad chunk must not be claimed by the next session. */
  async #forget(badChunks: readonly number[]): Promise<void> {
    if (badChunks.length === 0) return;
    for (const index of badChunks) this.journal.delete(index);
    await this.#flush();
    await this.#options.catalog.removeChunks(this.id, badChunks);
  }
}
