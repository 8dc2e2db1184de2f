/**
 * Where the bytes of a transfer go: a file or a stream.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { FILE_SLICE_BYTES } from "./source.ts";
import { asStorageError } from "./storage_error.ts";

/** Takes bytes by offset. */
export interface Sink {
  /**
   * Writes all of `bytes`.
   *
   * @param bytes A view that is the sink's until the write has ended.
   * @param offset Where in the file they begin.
   * @throws {TrivetError} `DISK_FULL`, `FILE_TOO_LARGE`.
   */
  write(bytes: Uint8Array, offset: number): void | Promise<void>;
}

/** What a {@linkcode FileSink} needs of a `Deno.FsFile`. */
export type WritableFile = Pick<Deno.FsFile, "writeSync" | "write" | "seekSync">;

/** An open file, written with synchronous calls: they cost far less each than asynchronous ones. */
export class FileSink implements Sink {
  readonly #file: WritableFile;
  #position = -1;

  /** Over a file that stays the caller's to close; nobody else moves its position meanwhile. */
  constructor(file: WritableFile) {
    this.#file = file;
  }

  /** See {@linkcode Sink.write}. */
  write(bytes: Uint8Array, offset: number): void {
    try {
      this.#begin(offset);
      for (let done = 0; done < bytes.length;) {
        done += checkedCount(this.#file.writeSync(sliceOf(bytes, done)));
      }
      this.#position = offset + bytes.length;
    } catch (error) {
      throw asStorageError(error, "write the file");
    }
  }

  /**
   * Writes all of `bytes` in a thread: what a busy disk holds up is this write then, and not the event
   * loop. The sink and its file must be left alone until the promise has settled.
   *
   * @param bytes As of {@linkcode Sink.write}.
   * @param offset As of {@linkcode Sink.write}.
   * @throws {TrivetError} `DISK_FULL`, `FILE_TOO_LARGE`.
   */
  async writeInThread(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      this.#begin(offset);
      for (let done = 0; done < bytes.length;) {
        done += checkedCount(await this.#file.write(sliceOf(bytes, done)));
      }
      this.#position = offset + bytes.length;
    } catch (error) {
      throw asStorageError(error, "write the file");
    }
  }

  #begin(offset: number): void {
    if (offset !== this.#position) this.#file.seekSync(offset, Deno.SeekMode.Start);
    // Until all is written, nobody knows where the position is.
    this.#position = -1;
  }
}

/** What one call writes: most often all of it, without a view of its own. */
function sliceOf(bytes: Uint8Array, done: number): Uint8Array {
  const whole = done === 0 && bytes.length <= FILE_SLICE_BYTES;
  return whole ? bytes : bytes.subarray(done, done + FILE_SLICE_BYTES);
}

/** What a {@linkcode StreamSink} writes to, such as `Deno.stdout`. */
export interface ByteWriter {
  /** Writes some bytes and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * A stream, written once from its start to its end. A chunk that is sent again may begin in what was
 * written already: its frames had good checksums, so that part passes without a second write.
 */
export class StreamSink implements Sink {
  readonly #writer: ByteWriter;
  #position = 0;

  /** Over a writer that stands at the file's start. */
  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  /** How many bytes were written. */
  get position(): number {
    return this.#position;
  }

  /**
   * See {@linkcode Sink.write}.
   *
   * @throws {TrivetError} `DIGEST_MISMATCH` If bytes before `offset` are missing, because a damaged
   * frame was left out; ask again from the chunk that holds `position`.
   */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    if (offset > this.#position) {
      throw new TrivetError(
        "DIGEST_MISMATCH",
        `Cannot write at ${offset}: the bytes from ${this.#position} on arrived damaged`,
      );
    }
    let done = this.#position - offset;
    while (done < bytes.length) {
      try {
        const count = checkedCount(await this.#writer.write(bytes.subarray(done)));
        done += count;
        this.#position += count;
      } catch (error) {
        throw asStorageError(error, "write the output");
      }
    }
  }
}

/** A writer that takes nothing and says so would be asked for ever. */
function checkedCount(count: number): number {
  if (count <= 0) throw new Error("Cannot write: the system takes no bytes");
  return count;
}
