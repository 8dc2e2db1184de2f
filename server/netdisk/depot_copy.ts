/**
 * Copying a file of a home into a part. The system does it where it can (`copy_file_range`, `clonefile`),
 * without the bytes coming through this process, and on file systems whose files may share blocks in no
 * time at all. Nobody can end such a copy in the middle, so that elsewhere large files go in slices.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { TrivetError } from "../../lib/errors.ts";
import type { NetdiskEntry } from "../../lib/netdisk/messages.ts";
import { formatPath, quoteName } from "../../lib/netdisk/path.ts";
import type { HomePath } from "./depot.ts";
import { etagOf } from "./depot_entry.ts";
import { openForReading, statEntry } from "./depot_read.ts";
import type { Walker } from "./depot_walk.ts";

/** Largest file that the system copies at once where that takes time: well below a second of it. */
const AT_ONCE_MAX_BYTES = 64 * 1024 * 1024;

/** Bytes between two looks at whether anybody still wants the copy. */
const SLICE_BYTES = 1024 * 1024;

/** A part is written by its owner, whatever the file allows that it is a copy of. */
const PART_MODE = 0o600;

/** File systems whose files may share blocks, by the `f_type` of statfs(2). */
const SHARING_TYPES: ReadonlySet<number> = Deno.build.os === "darwin"
  // APFS.
  ? new Set([0x1a])
  // Btrfs, XFS, bcachefs and ZFS.
  : new Set([0x9123683e, 0x58465342, 0xca451a4e, 0x2fc12fc1]);

/** Options of {@linkcode copyToFile}. */
export interface CopyOptions {
  /** Path on the disk of the file to fill, which is there and empty. */
  readonly target: string;
  /** Whether copies of any size are made at once. */
  readonly sharesBlocks: boolean;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /** Only tests pass it. */
  readonly atOnceMaxBytes?: number | undefined;
}

/** Whether files of a folder's file system may share blocks; false where that cannot be told. */
export function canShareBlocks(folder: string): boolean {
  if (Deno.build.os === "windows") return false;
  try {
    return SHARING_TYPES.has(Number(statfsSync(folder).type));
  } catch {
    return false;
  }
}

/**
 * Copies the file at a checked path.
 *
 * @param walker The homes.
 * @param from The file.
 * @param options Where to.
 * @returns The file as it was copied, with its entity tag.
 * @throws {TrivetError} `CHANGED` if another program wrote to it meanwhile; the signal's reason.
 */
export async function copyToFile(
  walker: Walker,
  from: HomePath,
  options: CopyOptions,
): Promise<NetdiskEntry> {
  const { target, sharesBlocks, signal, atOnceMaxBytes = AT_ONCE_MAX_BYTES } = options;
  signal?.throwIfAborted();
  using source = openForReading(walker, from);
  const { entry, etag } = source;
  const { diskPath } = walker.spot(from);
  if (sharesBlocks || entry.size <= atOnceMaxBytes) {
    await Deno.copyFile(diskPath, target);
    if (Deno.build.os !== "windows") await Deno.chmod(target, PART_MODE);
  } else {
    await copySlices(diskPath, options, (info) => {
      if (etagOf(info) !== etag) throw changed(from);
    });
  }
  signal?.throwIfAborted();
  // The path that was copied from leads to the very file that was opened, before and after.
  if (!source.isUnchanged() || statEntry(walker, from).etag !== etag) throw changed(from);
  return entry;
}

async function copySlices(
  diskPath: string,
  { target, signal }: CopyOptions,
  check: (opened: Deno.FileInfo) => void,
): Promise<void> {
  using reader = await Deno.open(diskPath, { read: true });
  check(await reader.stat());
  // Not cut first, which is the caller's business: ext4 would hold the close of a file that was.
  using writer = await Deno.open(target, { write: true });
  const slice = new Uint8Array(SLICE_BYTES);
  for (;;) {
    signal?.throwIfAborted();
    const count = await reader.read(slice);
    if (count === null) return;
    for (let at = 0; at < count;) at += await writer.write(slice.subarray(at, count));
  }
}

function changed({ path }: HomePath): TrivetError {
  const shown = quoteName(formatPath(path));
  return new TrivetError("CHANGED", `Cannot copy ${shown}: another program changed it`);
}
