/**
 * Compares files of this machine with those on the server: names first, then contents by the digests
 * of their chunks. Nothing is moved and nothing is changed.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { compareNames, formatPath } from "../lib/netdisk/path.ts";
import { digestChunks } from "../lib/transfer/chunk_digests.ts";
import { chunkCount } from "../lib/transfer/chunks.ts";
import { createDigester, DIGEST_BYTES, digestsEqual } from "../lib/transfer/digest.ts";
import { localError, quoteLocal } from "./local_error.ts";
import { inFolder } from "./local_path.ts";
import { LocalSource } from "./local_source.ts";
import type { NetdiskClient } from "./netdisk.ts";
import type { NetdiskEntry } from "./netdisk_types.ts";

/** Files that are compared at the same time. */
const FILES_AT_ONCE = 8;

/** Bytes from `start` to before `end`. */
export type ByteRange = readonly [start: number, end: number];

/** One thing in which the two sides differ. */
export interface Difference {
  /**
   * `missing` on the server, `extra` there, `different` content, `type`: a file here and a folder
   * there or the other way round, or something here that is neither.
   */
  readonly kind: "missing" | "extra" | "different" | "type";
  /** The path on the server. */
  readonly path: string;
  /** Where the contents differ, by whole chunks; what one side has more counts too. */
  readonly ranges: readonly ByteRange[];
}

/** What was compared. */
export interface VerifySummary {
  /** Files that stand on both sides. */
  files: number;
  /** Bytes of these on this machine. */
  bytes: number;
  /** Links and the like on this machine that `put` leaves out and the server does not have. */
  leftOut: number;
}

/** Options of {@linkcode TreeVerifier}. */
export interface VerifyOptions {
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** Two files to compare. */
export interface FilePair {
  /** Path of the one on this machine. */
  readonly local: string;
  /** Components of the one on the server. */
  readonly path: readonly string[];
}

/** Tells the digests of a file's chunks; `NetdiskClient` is such. */
export type DigestReader = Pick<NetdiskClient, "digests">;

/** Compares trees. */
export class TreeVerifier {
  /** What was compared so far. */
  readonly summary: VerifySummary = { files: 0, bytes: 0, leftOut: 0 };
  readonly #client: NetdiskClient;
  readonly #signal: AbortSignal | undefined;

  constructor(client: NetdiskClient, { signal }: VerifyOptions = {}) {
    this.#client = client;
    this.#signal = signal;
  }

  /**
   * Compares two folders or two files.
   *
   * @param local Here.
   * @param path On the server.
   * @param isFolder Which of the two they are.
   * @returns The differences in the order of the names, folder by folder.
   * @throws {TrivetError} `CHANGED` if a file changes meanwhile, and whatever reading fails with.
   */
  async *differences(
    local: string,
    path: readonly string[],
    isFolder: boolean,
  ): AsyncGenerator<Difference, void> {
    const waiting: Promise<Difference | null>[] = [];
    const start = (found: Difference | FilePair) => {
      const work = "kind" in found ? Promise.resolve(found) : this.#compareFiles(found);
      // Whoever waits for it gets the error; until then nobody must stumble over it.
      work.catch(() => {});
      waiting.push(work);
    };
    const walk = isFolder ? this.#compareFolders(local, path) : [{ local, path }];
    for await (const found of walk) {
      start(found);
      if (waiting.length < FILES_AT_ONCE) continue;
      const difference = await waiting.shift();
      if (difference) yield difference;
    }
    for (const work of waiting) {
      const difference = await work;
      if (difference) yield difference;
    }
  }

  /** Walks two folders side by side: yields what differs by name or type, and pairs of files. */
  async *#compareFolders(
    local: string,
    path: readonly string[],
  ): AsyncGenerator<Difference | FilePair, void> {
    const here = await listLocal(local);
    const there = new Map<string, NetdiskEntry>();
    for await (const entry of this.#client.list(formatPath(path), this.#signal)) {
      there.set(entry.name, entry);
    }
    const names = [...new Set([...here.keys(), ...there.keys()])].sort(compareNames);
    for (const name of names) {
      const ours = here.get(name);
      const theirs = there.get(name);
      const below = [...path, name];
      const say = (kind: Difference["kind"]) => ({ kind, path: formatPath(below), ranges: [] });
      if (theirs === undefined && ours?.type === "other") this.summary.leftOut++;
      else if (theirs === undefined) yield say("missing");
      else if (ours === undefined) yield say("extra");
      else if (ours.type !== theirs.type || ours.type === "other") yield say("type");
      else if (ours.type === "file") yield { local: ours.path, path: below };
      else yield* this.#compareFolders(ours.path, below);
    }
  }

  /** Compares the contents of two files. */
  async #compareFiles(files: FilePair): Promise<Difference | null> {
    const { ranges, bytes } = await differingRanges(this.#client, files, this.#signal);
    this.summary.files++;
    this.summary.bytes += bytes;
    return ranges.length === 0 ? null : { kind: "different", path: formatPath(files.path), ranges };
  }
}

/**
 * Where the contents of two files differ, by whole chunks.
 *
 * @param reader Tells the digests of the server's file.
 * @param files Both files.
 * @param signal Gives up.
 * @returns The ranges, and the bytes of the local file.
 * @throws {TrivetError} `CHANGED` if a file changes meanwhile, and whatever reading fails with.
 */
export async function differingRanges(
  reader: DigestReader,
  { local, path }: FilePair,
  signal: AbortSignal | undefined,
): Promise<{ ranges: ByteRange[]; bytes: number }> {
  using file = await LocalSource.open(local);
  const { source, size } = file;
  const digester = await createDigester();
  const ranges: [start: number, end: number][] = [];
  for await (const page of reader.digests(formatPath(path), signal)) {
    const { chunkBytes, from, digests } = page;
    const theirSize = page.entry.size;
    const theirs = digests.length / DIGEST_BYTES;
    const count = Math.max(0, Math.min(chunkCount(size, chunkBytes) - from, theirs));
    const ours = await digestChunks({ source, size, chunkBytes, from, count, digester, signal });
    const isLast = from + theirs === chunkCount(theirSize, chunkBytes);
    for (let index = 0; index < theirs; index++) {
      const at = index * DIGEST_BYTES;
      if (index < count && digestsEqual(ours, at, digests, at)) continue;
      const start = (from + index) * chunkBytes;
      addRange(ranges, start, Math.min(start + chunkBytes, Math.max(size, theirSize)));
    }
    if (isLast && size > theirSize) addRange(ranges, theirSize, size);
  }
  file.checkUnchanged();
  return { ranges, bytes: size };
}

/** Adds a range behind or over the last one. */
function addRange(ranges: [start: number, end: number][], start: number, end: number): void {
  const last = ranges.at(-1);
  if (last === undefined || start > last[1]) ranges.push([start, end]);
  else last[1] = Math.max(last[1], end);
}

/** An entry of a folder of this machine. */
interface LocalEntry {
  readonly path: string;
  readonly type: NetdiskEntry["type"];
}

/** What is in a folder, by names in NFC; links are not followed. */
async function listLocal(folder: string): Promise<Map<string, LocalEntry>> {
  const entries = new Map<string, LocalEntry>();
  try {
    for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
      const type = isFile ? "file" : isDirectory ? "folder" : "other";
      const path = inFolder(folder, name);
      const normal = name.normalize("NFC");
      if (entries.has(normal)) {
        throw new TrivetError(
          "NAME_CASE_CONFLICT",
          `Cannot compare ${quoteLocal(path)}: another name is the same after normalisation`,
        );
      }
      entries.set(normal, { path, type });
    }
  } catch (error) {
    throw localError(error, "read", folder);
  }
  return entries;
}
