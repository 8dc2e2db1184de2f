/**
 * Answers `get.files`: the content of many small files in one body.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { giveBackMemory, takeMemory } from "../../lib/frame/memory.ts";
import {
  BATCH_BYTES_MAX,
  type NetdiskRequest,
  type NetdiskResponse,
  SMALL_FILE_MAX_BYTES,
} from "../../lib/netdisk/messages.ts";
import type { Reply } from "../../lib/rpc/server.ts";
import { digestOfWhole, toHex } from "../../lib/transfer/digest.ts";
import { homePath, type NetdiskContext } from "./context.ts";
import type { SmallFile } from "./depot.ts";

type FileAnswer = NetdiskResponse<"get.files">["files"][number];

/** Answers `get.files`. */
export async function readFiles(
  context: NetdiskContext,
  request: NetdiskRequest<"get.files">,
): Promise<Reply> {
  const files: FileAnswer[] = [];
  const allowed: (readonly string[])[] = [];
  const indices: number[] = [];
  for (const [index, path] of request.paths.entries()) {
    try {
      allowed.push(homePath(context, path).path);
      indices.push(index);
    } catch (error) {
      if (!(error instanceof TrivetError)) throw error;
      files[index] = { error: error.toMessage() };
    }
  }
  const buffer = takeMemory(BATCH_BYTES_MAX);
  const read = await context.depot.readBatch({
    user: context.session.user,
    paths: allowed,
    buffer,
    fileMaxBytes: SMALL_FILE_MAX_BYTES,
  });
  let used = 0;
  for (const [at, file] of read.entries()) {
    files[indices[at] ?? 0] = answerFor(file);
    if (!(file instanceof TrivetError)) used += file.bytes?.length ?? 0;
  }
  // The answer ends in front of the first that did not fit.
  const end = read.length < allowed.length ? indices[read.length] : request.paths.length;
  return {
    head: { files: files.slice(0, end) },
    body: buffer.subarray(0, used),
    release: () => giveBackMemory(buffer),
  };
}

function answerFor(file: SmallFile | TrivetError): FileAnswer {
  if (file instanceof TrivetError) return { error: file.toMessage() };
  const { bytes, mtimeMs, mode } = file;
  if (bytes === null) return { large: true };
  return { size: bytes.length, mtimeMs, mode, digest: toHex(digestOfWhole(bytes)) };
}
