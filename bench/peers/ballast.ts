/**
 * Keeps the machine's memory in use, as it is on a machine that has run for a while. A virtual machine
 * gives memory that was freed back to its host, and gets it again page by page, up to twenty times
 * slower than memory it has: whoever writes a file into such pages loses, by luck alone. So before
 * each transfer the file cache is filled with a file of holes, which costs no disk, and everybody
 * recycles its pages.
 *
 * @module
 */

import { readProc } from "./processes.ts";

/** Memory that is left free: the kernel begins to recycle below about this. */
const FREE_BYTES = 384 * 1024 * 1024;

/** A piece to read between two looks at what is free. */
const PIECE_BYTES = 64 * 1024 * 1024;

const BUFFER_BYTES = 1024 * 1024;

/** A file of holes whose pages fill the cache; on Linux only, elsewhere it does nothing. */
export class Ballast {
  readonly #path: string;
  #at = 0;

  /**
   * Makes nothing yet.
   *
   * @param path Where the file will be, in a folder that is removed with the bench.
   */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Reads on until hardly any memory is free, and then what is about to be sent, so that nobody waits
   * for the disk to read it.
   */
  async fill(source: string): Promise<void> {
    await this.#fill();
    using file = await Deno.open(source);
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (file.readSync(buffer) !== null);
  }

  async #fill(): Promise<void> {
    const total = await memory("MemTotal");
    if (total === undefined) return;
    using file = await Deno.open(this.#path, { create: true, read: true, write: true });
    await file.truncate(total);
    const buffer = new Uint8Array(BUFFER_BYTES);
    // Bounded: one pass over a file as large as the memory is enough whatever else happens.
    for (let read = 0; read < total; read += PIECE_BYTES) {
      if ((await memory("MemFree") ?? 0) < FREE_BYTES) return;
      await file.seek(this.#at, Deno.SeekMode.Start);
      for (let piece = 0; piece < PIECE_BYTES; piece += BUFFER_BYTES) file.readSync(buffer);
      this.#at = (this.#at + PIECE_BYTES) % (total - PIECE_BYTES);
    }
  }
}

/** One line of `/proc/meminfo`, in bytes. */
async function memory(name: string): Promise<number | undefined> {
  const text = await readProc("/proc/meminfo");
  const kib = new RegExp(`^${name}: +([0-9]+) kB$`, "m").exec(text ?? "")?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}
