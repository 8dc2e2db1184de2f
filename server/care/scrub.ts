/**
 * Reads stored files again and compares them with the SHA-256 that they had before: what a disk
 * damages changes neither size nor time. Only reads; runs beside a server as well as without one.
 *
 * A digest belongs to a file by device, inode and birth, so that it stays with the file when that is
 * moved, and no other file is measured by it. Each round notes what it has read, which is all that it
 * takes to go on after an interruption.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TrivetError } from "../../lib/errors.ts";
import { TokenBucket } from "../../lib/transfer/token_bucket.ts";
import { nextTurn, TURN_BYTES } from "../../lib/turn.ts";
import type { ReadHandle } from "../netdisk/depot.ts";
import { openForReading } from "../netdisk/depot_read.ts";
import { Walker } from "../netdisk/depot_walk.ts";
import type { CareCatalog, ScrubRound, StoredDigest } from "../store/catalog_care.ts";
import { type DataFolders, PAGE_MAX } from "./checked_data.ts";
import { isUsable } from "./home_check.ts";
import { lookAt, walkTree } from "./tree.ts";

/** Bytes that are read at once. */
const READ_BYTES = 1024 * 1024;

/** Reads a second at a slow rate, so that it goes evenly. */
const READS_PER_SECOND = 4;

/** Digests that are written to the database together, at the most. */
const UNWRITTEN_MAX = 256;

/** How long they wait at the most, in milliseconds. */
const WRITE_EVERY_MS = 1000;

/** A file that is not as it was. */
export interface Damage {
  /** `damaged` content, or `unreadable`. */
  readonly kind: "damaged" | "unreadable";
  /** Whose it is. */
  readonly user: string;
  /** Where it is, from the data folder. */
  readonly where: string;
  /** One sentence. */
  readonly detail: string;
}

/** What a run did. */
export interface ScrubSummary {
  /** Files whose digest was recorded, at first sight or after a change. */
  recorded: number;
  /** Files that are as they were. */
  verified: number;
  /** Files that an earlier run of the round had read. */
  skipped: number;
  /** Files that changed while they were read; the next round reads them again. */
  changed: number;
  /** Bytes that were read. */
  bytes: number;
}

/** Options of {@linkcode Scrub}. */
export interface ScrubOptions {
  /** Bytes per second to read at most. */
  readonly rate?: number;
  /** Begins a new round, also if the last one has not ended. */
  readonly restart?: boolean;
  /** Ends the run; the next one goes on. */
  readonly signal?: AbortSignal;
}

interface Found {
  readonly user: string;
  /** Names as the disk has them. */
  readonly path: readonly string[];
  readonly info: Deno.FileInfo;
}

/** One run. */
export class Scrub {
  /** What was done so far. */
  readonly summary: ScrubSummary = { recorded: 0, verified: 0, skipped: 0, changed: 0, bytes: 0 };
  /** The round of this run, once it has begun. */
  round: ScrubRound | undefined;
  readonly #folders: Pick<DataFolders, "homes">;
  readonly #care: CareCatalog;
  readonly #options: ScrubOptions;
  readonly #walker: Walker;
  readonly #bucket: TokenBucket | undefined;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  /** Digests that wait to be written together, by file. */
  readonly #unwritten = new Map<string, StoredDigest>();
  #writtenAtMs = performance.now();

  constructor(
    data: { readonly folders: Pick<DataFolders, "homes">; readonly care: CareCatalog },
    options: ScrubOptions = {},
  ) {
    this.#folders = data.folders;
    this.#care = data.care;
    this.#options = options;
    this.#walker = new Walker(data.folders.homes, { names: "native", foldsCase: false });
    const { rate } = options;
    this.#bucket = rate === undefined ? undefined : new TokenBucket(rate);
    const bytes = rate === undefined ? READ_BYTES : Math.ceil(rate / READS_PER_SECOND);
    this.#buffer = new Uint8Array(Math.min(READ_BYTES, bytes));
  }

  /** Runs to the end of the round; what is damaged, as it is found. */
  async *run(): AsyncGenerator<Damage, void> {
    const { restart = false } = this.#options;
    const round = await this.#care.beginScrub({ restart, nowMs: Date.now() });
    this.round = round;
    try {
      yield* this.#walk(round.number);
    } finally {
      await this.#write();
    }
    await this.#care.endScrub(round.number, Date.now());
  }

  async *#walk(round: number): AsyncGenerator<Damage, void> {
    const { signal } = this.#options;
    for (let after = "";;) {
      const page = await this.#care.accounts({ after, limit: PAGE_MAX });
      for (const { name: user } of page) {
        for await (const item of walkTree(join(this.#folders.homes, user), signal)) {
          const { path, kind, info } = item;
          if (kind === "unreadable") {
            yield damage("unreadable", { user, path }, "The folder cannot be read");
          }
          if (kind !== "file" || info === undefined || !path.every(isUsable)) continue;
          const found = await this.#scrubFile({ user, path, info }, round);
          if (found !== null) yield found;
        }
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_MAX) return;
      after = last.name;
    }
  }

  /** Notes what is known of a file; a kill loses what was noted last, which is read again then. */
  async #note(file: string, digest: StoredDigest): Promise<void> {
    this.#unwritten.set(file, digest);
    const isOld = performance.now() - this.#writtenAtMs >= WRITE_EVERY_MS;
    if (isOld || this.#unwritten.size === UNWRITTEN_MAX) await this.#write();
  }

  async #write(): Promise<void> {
    if (this.#unwritten.size > 0) await this.#care.setDigests(this.#unwritten);
    this.#unwritten.clear();
    this.#writtenAtMs = performance.now();
  }

  async #scrubFile(found: Found, round: number): Promise<Damage | null> {
    const { info } = found;
    const file = identityOf(info);
    const mtimeMs = info.mtime?.getTime() ?? 0;
    const known = this.#unwritten.get(file) ?? await this.#care.digest(file);
    const isSame = known !== null && known.size === info.size && known.mtimeMs === mtimeMs;
    if (isSame && known.round === round) {
      this.summary.skipped++;
      return null;
    }
    let sha256: Uint8Array | null;
    try {
      sha256 = await this.#read(found);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      if (known !== null) await this.#note(file, { ...known, seen: round });
      return damage("unreadable", found, error.message);
    }
    if (sha256 === null) {
      this.summary.changed++;
      if (known !== null) await this.#note(file, { ...known, seen: round });
      return null;
    }
    if (!isSame || equal(known.sha256, sha256)) {
      const size = info.size;
      await this.#note(file, { size, mtimeMs, sha256, round, seen: round });
      if (isSame) this.summary.verified++;
      else this.summary.recorded++;
      return null;
    }
    // What is known stays known: the next run finds the damage again.
    await this.#note(file, { ...known, seen: round });
    const detail = `SHA-256 was ${hex(known.sha256)} and is ${hex(sha256)}`;
    return damage("damaged", found, detail);
  }

  /** The SHA-256 of a file; null when it is gone or another one by the end. */
  async #read({ user, path, info }: Found): Promise<Uint8Array | null> {
    const normal = path.map((name) => name.normalize("NFC"));
    let handle: ReadHandle;
    try {
      handle = openForReading(this.#walker, { user, path: this.#walker.check(normal) });
    } catch (error) {
      if (error instanceof TrivetError && error.code === "NOT_FOUND") return null;
      throw error;
    }
    using file = handle;
    const hash = createHash("sha256");
    let turnBytes = 0;
    for (let at = 0;;) {
      const room = this.#buffer;
      const count = file.read(room, at);
      if (count === 0) break;
      hash.update(room.subarray(0, count));
      at += count;
      turnBytes += count;
      this.summary.bytes += count;
      await this.#pace(count);
      if (turnBytes < TURN_BYTES) continue;
      turnBytes = 0;
      await nextTurn();
      this.#options.signal?.throwIfAborted();
    }
    // A file that was replaced meanwhile, even by one of the same size and time, is another one.
    const now = lookAt(join(this.#folders.homes, user, ...path));
    const isStill = now !== null && identityOf(now) === identityOf(info) &&
      now.size === info.size && now.mtime?.getTime() === info.mtime?.getTime();
    return isStill && file.isUnchanged() ? hash.digest() : null;
  }

  async #pace(bytes: number): Promise<void> {
    const waitMs = this.#bucket?.take(bytes, performance.now()) ?? 0;
    if (waitMs < 1) return;
    const { signal } = this.#options;
    await delay(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** What makes a file the same one, whatever its name. */
function identityOf({ dev, ino, birthtime }: Deno.FileInfo): string {
  return [dev, ino ?? "", birthtime?.getTime() ?? ""].join(" ");
}

function damage(
  kind: Damage["kind"],
  { user, path }: Pick<Found, "user" | "path">,
  detail: string,
): Damage {
  return { kind, user, where: ["homes", user, ...path].join("/"), detail };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function hex(bytes: Uint8Array): string {
  return new Uint8Array(bytes).toHex();
}
