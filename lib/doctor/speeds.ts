/**
 * How fast one machine is at the parts of a transfer: digests, TLS and its disk, each alone. Both sides
 * measure themselves with this, so that their figures compare.
 *
 * @module
 */

import { crc32, createDigester } from "../transfer/digest.ts";
import { asStorageError } from "../transfer/storage_error.ts";
import { nextTurn } from "../turn.ts";
import { measureTls } from "./tls_speed.ts";

/** What a part of a transfer moves, in bytes per second. */
export interface MachineSpeeds {
  /** CRC-32 and XXH3-128 of the same bytes, as for each byte of a transfer. */
  readonly digest: number;
  /** One end of a TLS connection, without the network. */
  readonly tls: number;
  /** Writing a new file until the disk holds it. */
  readonly diskWrite: number;
  /** Reading it back; the system still has it in memory. */
  readonly diskRead: number;
}

/** Bytes that the disk is given. */
export const DISK_BYTES: number = 64 * 1024 * 1024;

/** Whatever takes longer is stopped then, and its rate is that of what was done. */
const PART_MS = 1_000;
const DIGEST_MS = 100;
const WARM_UP_TURNS = 50;

const BLOCK_BYTES = 1024 * 1024;
/** As much as `crypto.getRandomValues` gives at once. */
const RANDOM_BYTES = 65_536;

/** Options of {@linkcode measureMachine}. */
export interface MeasureOptions {
  /** A file that does not exist; it is removed again. */
  readonly path: string;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Measures this machine; takes up to four seconds.
 *
 * @param options Where the disk is tried.
 * @throws {TrivetError} `DISK_FULL`.
 * @throws What the file system throws, or the signal's reason.
 */
export async function measureMachine(
  { path, signal }: MeasureOptions,
): Promise<MachineSpeeds> {
  const digest = await measureDigest();
  signal?.throwIfAborted();
  const tls = await measureTls();
  signal?.throwIfAborted();
  return { digest, tls, ...await measureDisk({ path, signal }) };
}

/** Bytes that no disk, file system or network makes smaller. */
export function noise(bytes: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += RANDOM_BYTES) {
    crypto.getRandomValues(block.subarray(at, at + RANDOM_BYTES));
  }
  return block;
}

/** CRC-32 and XXH3-128 over a block in memory, bytes per second. */
async function measureDigest(): Promise<number> {
  const digester = await createDigester();
  const block = noise(BLOCK_BYTES);
  const digestFor = (ms: number) => {
    const startMs = performance.now();
    let bytes = 0;
    let passedMs = 0;
    for (; passedMs < ms; passedMs = performance.now() - startMs) {
      crc32(block);
      digester.update(block);
      bytes += block.length;
    }
    return perSecond(bytes, passedMs);
  };
  // The runtime compiles and loads meanwhile what then runs, and needs turns for it.
  for (let i = 0; i < WARM_UP_TURNS; i++) {
    digestFor(1);
    await nextTurn();
  }
  return digestFor(DIGEST_MS);
}

async function measureDisk(
  { path, signal }: MeasureOptions,
): Promise<Pick<MachineSpeeds, "diskWrite" | "diskRead">> {
  const file = await Deno.open(path, { createNew: true, read: true, write: true, mode: 0o600 });
  try {
    const block = noise(BLOCK_BYTES);
    const startMs = performance.now();
    let bytes = 0;
    while (bytes < DISK_BYTES && performance.now() - startMs < PART_MS) {
      signal?.throwIfAborted();
      for (let at = 0; at < block.length;) at += await file.write(block.subarray(at));
      bytes += block.length;
    }
    await file.syncData();
    const diskWrite = perSecond(bytes, performance.now() - startMs);
    signal?.throwIfAborted();
    await file.seek(0, Deno.SeekMode.Start);
    const readStartMs = performance.now();
    let read = 0;
    for (let got = await file.read(block); got !== null; got = await file.read(block)) read += got;
    return { diskWrite, diskRead: perSecond(read, performance.now() - readStartMs) };
  } catch (error) {
    throw asStorageError(error, "write the file that measures the disk");
  } finally {
    file.close();
    await Deno.remove(path);
  }
}

/**
 * A rate.
 *
 * @param bytes What was moved.
 * @param passedMs In how many milliseconds.
 * @returns Whole bytes per second.
 */
export function perSecond(bytes: number, passedMs: number): number {
  return Math.round(bytes / Math.max(passedMs, 0.001) * 1000);
}
