/**
 * The parts of uploads in progress: one file each in a folder that only the server enters.
 *
 * @module
 */

import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { FileSink } from "../../lib/transfer/sink.ts";
import { FileSource } from "../../lib/transfer/source.ts";
import type { PartHandle, PartOptions } from "./depot.ts";
import { sameFile } from "./depot_entry.ts";
import { asDepotError } from "./depot_errors.ts";
import { look } from "./depot_walk.ts";

/** An id is a file name: nothing in it may mean anything to a file system. */
export const PART_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Bytes of a part that are written before the disk is asked to take them. */
const EARLY_SYNC_BYTES = 64 * 1024 * 1024;

/** Parts are nobody else's until they are published. */
const PART_MODE = 0o600;

/** The folder of parts. */
export class PartStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The path of a part on the disk. */
  path(id: string): string {
    if (!PART_ID.test(id)) {
      throw new TrivetError(
        "UPLOAD_NOT_FOUND",
        `Cannot use upload ${quoteName(id)}: it is not an id`,
      );
    }
    return join(this.#folder, id);
  }

  /** What lstat says of a part; null when it is not there. */
  look(id: string): Deno.FileInfo | null {
    return look(this.path(id));
  }

  /** Makes a part for writing only. */
  createFile(id: string, mode: number = PART_MODE): Deno.FsFile {
    try {
      return Deno.openSync(this.path(id), { createNew: true, write: true, mode });
    } catch (error) {
      throw asDepotError(error, `create the part of upload ${quoteName(id)}`);
    }
  }

  /** Opens a part; `UPLOAD_NOT_FOUND` when it is not there. */
  openFile(id: string): Deno.FsFile {
    const path = this.path(id);
    const info = this.look(id);
    if (info === null) throw missing(id);
    if (!info.isFile) {
      throw new TrivetError("NOT_REGULAR", `Cannot open the part of upload ${quoteName(id)}`);
    }
    const file = Deno.openSync(path, { read: true, write: true });
    if (sameFile(info, file.statSync())) return file;
    file.close();
    throw missing(id);
  }

  /** Opens a part for reading and writing by offset. */
  open(id: string, { durability }: PartOptions = {}): PartHandle {
    const writer = this.openFile(id);
    try {
      // Two descriptors: a source and a sink each keep a position of their own.
      return new Part(writer, this.openFile(id), durability !== "os");
    } catch (error) {
      writer.close();
      throw error;
    }
  }

  /** Removes a part, or a new folder that a batch builds there; whether it existed. */
  remove(id: string): boolean {
    const info = this.look(id);
    if (info === null) return false;
    Deno.removeSync(this.path(id), { recursive: info.isDirectory });
    return true;
  }

  /** Ids of all parts. */
  list(): string[] {
    const ids: string[] = [];
    for (const { name } of Deno.readDirSync(this.#folder)) if (PART_ID.test(name)) ids.push(name);
    return ids.sort();
  }
}

/** What a caller gets for a part that is not there. */
function missing(id: string): TrivetError {
  return new TrivetError(
    "UPLOAD_NOT_FOUND",
    `Cannot use upload ${quoteName(id)}: its part is not on the disk`,
  );
}

class Part implements PartHandle {
  readonly #writer: Deno.FsFile;
  readonly #reader: Deno.FsFile;
  readonly #sink: FileSink;
  readonly #source: FileSource;
  readonly #syncsEarly: boolean;
  #unsyncedBytes = 0;
  /** The early sync under way. */
  #syncing: Promise<void> | undefined;
  #syncFailure: { readonly reason: unknown } | undefined;
  #closed = false;

  constructor(writer: Deno.FsFile, reader: Deno.FsFile, syncsEarly: boolean) {
    this.#writer = writer;
    this.#reader = reader;
    this.#sink = new FileSink(writer);
    this.#source = new FileSource(reader);
    this.#syncsEarly = syncsEarly;
  }

  read(buffer: Uint8Array, offset: number): number {
    return this.#source.read(buffer, offset);
  }

  write(bytes: Uint8Array, offset: number): void {
    this.#sink.write(bytes, offset);
    this.#written(bytes.length);
  }

  async writeInThread(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#sink.writeInThread(bytes, offset);
    this.#written(bytes.length);
  }

  /** The disk works while more arrives, and the commit's sync has little left to wait for. */
  #written(bytes: number): void {
    if (!this.#syncsEarly) return;
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes < EARLY_SYNC_BYTES || this.#syncing !== undefined) return;
    this.#unsyncedBytes = 0;
    // By the other descriptor: one of them has one thread at a time, and the next write wants it.
    this.#syncing = this.#reader.syncData().catch((reason) => {
      // Kept for the commit: Linux tells such a failure once, and not to who opens the file later.
      this.#syncFailure ??= { reason };
    }).finally(() => {
      this.#syncing = undefined;
    });
  }

  async settle(): Promise<void> {
    await this.#syncing;
    if (this.#syncFailure !== undefined) throw this.#syncFailure.reason;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#writer.close();
    this.#reader.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
