/**
 * A file's entry and entity tag, from what the file system says of it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { NetdiskEntry } from "../../lib/netdisk/messages.ts";

/** Length of an entity tag in hexadecimal digits: 64 bits. */
const ETAG_DIGITS = 16;

const DATE_MAX_MS = 8_640_000_000_000_000;

/** The permission bits that an entry shows. */
const PERMISSION_BITS = 0o777;

/**
 * The entity tag of a file: other content has another tag. Every publication makes a new inode, whose
 * birth is known to the millisecond, so that the tag changes even when size and time stay and the
 * inode's number is used again: a file never has the inode of the one that it replaces, but it may
 * have that of the one before. (Two that are born in one millisecond, of the same size, with another
 * in between, can share a tag.) What is changed in place by other programs shows in the time of the
 * change, which Deno gives in whole seconds, and in the time of the content, in milliseconds.
 */
export function etagOf(info: Deno.FileInfo): string {
  const { dev, ino, size, mtime, ctime, birthtime } = info;
  const times = [mtime, ctime, birthtime].map((time) => time?.getTime() ?? "");
  const facts = [dev, ino ?? "", size, ...times].join(" ");
  return createHash("sha256").update(facts).digest("hex").slice(0, ETAG_DIGITS);
}

/** The entry of a file or folder; a symbolic link is `other`. */
export function entryOf(name: string, info: Deno.FileInfo): NetdiskEntry {
  const mtimeMs = info.mtime?.getTime() ?? 0;
  const mode = (info.mode ?? 0) & PERMISSION_BITS;
  if (info.isFile) {
    return { name, type: "file", size: info.size, mtimeMs, mode, etag: etagOf(info) };
  }
  return { name, type: info.isDirectory ? "folder" : "other", size: 0, mtimeMs, mode };
}

/** A time for the file system; beyond what a `Date` holds it is cut to that. */
export function toTime(mtimeMs: number): Date {
  return new Date(Math.min(DATE_MAX_MS, Math.max(-DATE_MAX_MS, mtimeMs)));
}

/** Whether two infos are of one file. */
export function sameFile(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
