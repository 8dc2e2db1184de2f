/**
 * Answers `put.files` and `put.folders`: the small files and the folders of a tree, many at once.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  BATCH_BYTES_MAX,
  type FailedItem,
  type NetdiskRequest,
  type NetdiskResponse,
} from "../../lib/netdisk/messages.ts";
import { digestOfWhole, toHex } from "../../lib/transfer/digest.ts";
import type { BatchRecord } from "../store/catalog_batches.ts";
import { endBatch } from "../store/recovery_batches.ts";
import { type NetdiskContext, requireWriter, writablePath } from "./context.ts";
import type { Batch, BatchResult, Durability, NewFile, NewFolder, OverwriteMode } from "./depot.ts";
import { newUploadId } from "./upload_id.ts";

/** Answers `put.files`. */
export async function storeFiles(
  context: NetdiskContext,
  request: NetdiskRequest<"put.files">,
  body: Uint8Array,
): Promise<NetdiskResponse<"put.files">> {
  requireWriter(context);
  if (body.length > BATCH_BYTES_MAX) {
    throw new TrivetError(
      "INVALID_REQUEST",
      `Cannot read files: they have ${body.length} bytes, the limit is ${BATCH_BYTES_MAX}`,
    );
  }
  const { overwrite, durability = "commit" } = request;
  const { failed, items, indices } = readFiles(context, request, body);
  const { user } = context.session;
  const folders = (request.folders ?? []).flatMap((path) => checkedFolder(context, path));
  const batch = { user, folders, files: items };
  const { outcomes, foldersMade } = await publishBatch(context, batch, { overwrite, durability });
  const renamed: { index: number; path: string[] }[] = [];
  const skipped: number[] = [];
  for (const [at, outcome] of outcomes.entries()) {
    const index = indices[at] ?? 0;
    if (outcome.state === "failed") failed.push(failedItem(index, outcome.error));
    else if (outcome.state === "skipped") skipped.push(index);
    else if (overwrite === "rename") renamed.push({ index, path: [...outcome.path] });
  }
  return { failed, skipped, renamed, created: foldersMade };
}

/** Answers `put.folders`. */
export async function storeFolders(
  context: NetdiskContext,
  request: NetdiskRequest<"put.folders">,
): Promise<NetdiskResponse<"put.folders">> {
  requireWriter(context);
  const failed: FailedItem[] = [];
  const items: NewFolder[] = [];
  const indices: number[] = [];
  for (const [index, { path, mtimeMs }] of request.folders.entries()) {
    try {
      items.push({ path: writablePath(context, path).path, mtimeMs });
      indices.push(index);
    } catch (error) {
      failed.push(failedItem(index, error));
    }
  }
  const { durability = "commit" } = request;
  const results = await context.depot.writeFolders(context.session.user, items, { durability });
  let created = 0;
  for (const [at, result] of results.entries()) {
    if (result === true) created += 1;
    else if (result !== false) failed.push(failedItem(indices[at] ?? 0, result));
  }
  return { created, failed };
}

/** A folder that may be made; of one that may not, every file in it says so for itself. */
function checkedFolder(context: NetdiskContext, path: readonly string[]): string[][] {
  try {
    return [[...writablePath(context, path).path]];
  } catch (error) {
    if (error instanceof TrivetError) return [];
    throw error;
  }
}

/** Checks paths and digests; a file that fails here hinders no other. */
function readFiles(
  context: NetdiskContext,
  request: NetdiskRequest<"put.files">,
  body: Uint8Array,
): { failed: FailedItem[]; items: NewFile[]; indices: number[] } {
  const failed: FailedItem[] = [];
  const items: NewFile[] = [];
  const indices: number[] = [];
  let at = 0;
  for (const [index, { path, size, digest, mtimeMs, mode }] of request.files.entries()) {
    const bytes = body.subarray(at, at += size);
    if (bytes.length !== size) throw wrongLength(request, body);
    try {
      const checked = writablePath(context, path).path;
      if (checked.length === 0) {
        throw new TrivetError("IS_FOLDER", 'Cannot replace "/": it is a folder');
      }
      if (toHex(digestOfWhole(bytes)) !== digest) {
        throw new TrivetError("DIGEST_MISMATCH", "The file did not arrive as it was sent");
      }
      items.push({ path: checked, bytes, mtimeMs, mode });
      indices.push(index);
    } catch (error) {
      failed.push(failedItem(index, error));
    }
  }
  if (at !== body.length) throw wrongLength(request, body);
  return { failed, items, indices };
}

async function publishBatch(
  context: NetdiskContext,
  batch: Batch,
  { overwrite, durability }: { readonly overwrite: OverwriteMode; readonly durability: Durability },
): Promise<BatchResult> {
  const { catalog, depot } = context;
  const { user } = batch;
  const id = newUploadId();
  using held = new DisposableStack();
  let intended: BatchRecord | undefined;
  try {
    const result = await depot.writeBatch(id, batch, {
      overwrite,
      durability,
      intent: async (files) => {
        held.use(await depot.holdHome(user));
        await catalog.beginBatch({ id, user, files, durability });
        intended = { id, user, files };
      },
    });
    const published = new Set<number>();
    for (const [index, { state }] of result.outcomes.entries()) {
      if (state === "published") published.add(index);
    }
    if (intended !== undefined) await catalog.finishBatch(id, published);
    return result;
  } catch (error) {
    if (intended !== undefined) await endBatch(context, intended);
    throw error;
  }
}

function failedItem(index: number, error: unknown): FailedItem {
  if (!(error instanceof TrivetError)) throw error;
  return { index, error: error.toMessage() };
}

function wrongLength(request: NetdiskRequest<"put.files">, body: Uint8Array): TrivetError {
  const sum = request.files.reduce((bytes, { size }) => bytes + size, 0);
  return new TrivetError(
    "INVALID_REQUEST",
    `Cannot read files: their sizes add up to ${sum} bytes, the body has ${body.length}`,
  );
}
