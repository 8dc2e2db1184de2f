/**
 * The requests around an upload's data: open it, and find out how it ended when the connection was
 * lost while the server published it.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import {
  checkNetdiskResponse,
  type NetdiskResponse,
  SMALL_FILE_MAX_BYTES,
} from "../lib/netdisk/messages.ts";
import type { RpcClient } from "../lib/rpc/client.ts";
import { chunkCount } from "../lib/transfer/chunks.ts";
import { ChunkJournal } from "../lib/transfer/journal.ts";
import type {
  DurabilityMode,
  NetdiskEntry,
  OverwriteMode,
  ResumeMode,
  StoredFile,
} from "./netdisk_types.ts";

/** Where an upload goes, and how. */
export interface UploadTarget {
  /** Checked components. */
  readonly path: readonly string[];
  /** What happens when the name is taken. */
  readonly overwrite: OverwriteMode;
  /** When the server says that the file is stored. */
  readonly durability: DurabilityMode;
}

/** What is to be uploaded where. */
export interface UploadIntent {
  /** Where it goes. */
  readonly target: UploadTarget;
  /** Bytes of the file. */
  readonly size: number;
  /** The time that the stored file will have. */
  readonly mtimeMs: number | undefined;
  /** Gives up. */
  readonly signal: AbortSignal | undefined;
}

/** An upload that takes data. */
export interface OpenedUpload {
  /** What the server answered. */
  readonly open: NetdiskResponse<"put.open">;
  /** What it claims to hold. */
  readonly held: ChunkJournal;
}

/** Whether a file goes in one request. */
export function isSmall(size: number): boolean {
  return size <= SMALL_FILE_MAX_BYTES;
}

/**
 * Opens or continues an upload and reads the journal of what the server holds.
 *
 * @throws {TrivetError} What the server answers.
 */
export async function openUpload(
  rpc: RpcClient,
  intent: UploadIntent,
  resume: ResumeMode,
): Promise<OpenedUpload> {
  const { signal, size } = intent;
  const { path, overwrite, durability } = intent.target;
  const request = { path, size, overwrite, resume, durability };
  const { head, body } = await rpc.call("put.open", request, { signal });
  const open = checkNetdiskResponse("put.open", head);
  return { open, held: await readJournal(rpc, { open, body, size, signal }) };
}

/** Reads the journal of which the server has sent the first page. */
export async function readJournal(
  rpc: RpcClient,
  { open, body, size, signal }: {
    readonly open: NetdiskResponse<"put.open">;
    readonly body: Uint8Array;
    readonly size: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<ChunkJournal> {
  const held = new ChunkJournal({ chunksMax: chunkCount(size, open.chunkBytes) });
  held.addRecords(body);
  while (held.count < open.journalChunks) {
    const { uploadId } = open;
    const page = await rpc.call("put.journal", { uploadId, from: held.end }, { signal });
    // A journal that loses chunks while it is read was found damaged: they are sent again.
    if (page.body.length === 0) break;
    held.addRecords(page.body);
  }
  return held;
}

/** What stands under the name that `skip` leaves alone. */
export async function findSkipped(rpc: RpcClient, intent: UploadIntent): Promise<StoredFile> {
  const { size = 0, mtimeMs = 0, etag = "" } = await findEntry(rpc, intent) ?? {};
  return { path: [...intent.target.path], size, mtimeMs, etag, skipped: true };
}

/**
 * After a connection that was lost while the server published the file: whether it did. Then the
 * size and the time, to the millisecond, are those that the upload gave, and no partial is left.
 */
export async function findPublished(
  rpc: RpcClient,
  intent: UploadIntent,
): Promise<StoredFile | undefined> {
  const { size, mtimeMs, target } = intent;
  // Under which other name it would stand, nobody knows.
  if (target.overwrite === "rename") return undefined;
  const entry = await findEntry(rpc, intent);
  if (entry?.etag === undefined || entry.size !== size || entry.mtimeMs !== mtimeMs) {
    return undefined;
  }
  if (!isSmall(size) && await isPartialLeft(rpc, intent)) return undefined;
  return { path: [...target.path], size, mtimeMs, etag: entry.etag, skipped: false };
}

/** Whether the server still holds an unpublished part of this upload. */
async function isPartialLeft(rpc: RpcClient, intent: UploadIntent): Promise<boolean> {
  try {
    // Not the real mode: it would be refused, since the name is taken now.
    const target = { ...intent.target, overwrite: "replace" } as const;
    await openUpload(rpc, { ...intent, target }, "always");
    return true;
  } catch (error) {
    if (error instanceof TrivetError && error.code === "UPLOAD_NOT_FOUND") return false;
    throw error;
  }
}

async function findEntry(
  rpc: RpcClient,
  { target, signal }: UploadIntent,
): Promise<NetdiskEntry | undefined> {
  try {
    const { head } = await rpc.call("stat", { path: target.path }, { signal });
    return checkNetdiskResponse("stat", head).entry;
  } catch (error) {
    if (error instanceof TrivetError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}
