/**
 * Where the bytes of a transfer come from: a file or a stream.
 *
 * @module
 */

import { asStorageError } from "./storage_error.ts";

/** Most bytes of one read or write: a synchronous call holds up the event loop. */
export const FILE_SLICE_BYTES = 1024 * 1024;

/** Bytes by offset. */
export interface Source {
  /**
   * Reads some bytes.
   *
   * @param buffer Takes them; not empty.
   * @param offset Where in the file they begin.
   * @returns How many, which may be fewer than the buffer has room for; 0 at the end.
   */
  read(buffer: Uint8Array, offset: number): number | Promise<number>;
}

/** A source that never waits for anything but a disk. */
export interface SyncSource extends Source {
  /** See {@linkcode Source.read}. */
  read(buffer: Uint8Array, offset: number): number;
}

/** What a {@linkcode FileSource} needs of a `Deno.FsFile`. */
export type ReadableFile = Pick<Deno.FsFile, "readSync" | "seekSync">;

/** An open file, read with synchronous calls: they cost far less each than asynchronous ones. */
export class FileSource implements SyncSource {
  readonly #file: ReadableFile;
  #position = -1;

  /** Over a file that stays the caller's to close; nobody else moves its position meanwhile. */
  constructor(file: ReadableFile) {
    this.#file = file;
  }

  /** See {@linkcode Source.read}. */
  read(buffer: Uint8Array, offset: number): number {
    const slice = buffer.length > FILE_SLICE_BYTES ? buffer.subarray(0, FILE_SLICE_BYTES) : buffer;
    try {
      if (offset !== this.#position) this.#file.seekSync(offset, Deno.SeekMode.Start);
      // Until the call has succeeded, nobody knows where the position is.
      this.#position = -1;
      const count = this.#file.readSync(slice) ?? 0;
      this.#position = offset + count;
      return count;
    } catch (error) {
      throw asStorageError(error, "read the file");
    }
  }
}

/** What a {@linkcode StreamSource} reads from, such as `Deno.stdin`. */
export interface ByteReader {
  /** Reads some bytes; `null` or 0 at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** A stream, read once from its start to its end. */
export class StreamSource implements Source {
  readonly #reader: ByteReader;
  #position = 0;
  #ended = false;

  /** Over a reader that stands at the file's start. */
  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /**
   * See {@linkcode Source.read}.
   *
   * @throws {RangeError} If `offset` is not where the last read ended: a stream cannot go back.
   */
  async read(buffer: Uint8Array, offset: number): Promise<number> {
    if (offset !== this.#position) {
      throw new RangeError(`Cannot read at ${offset}: the stream stands at ${this.#position}`);
    }
    if (this.#ended) return 0;
    const count = await this.#reader.read(buffer) ?? 0;
    this.#ended = count === 0;
    this.#position += count;
    return count;
  }
}
