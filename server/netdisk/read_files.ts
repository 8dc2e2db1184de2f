/**
 * Answers `get.files`: the content of many small files in one body.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  BATCH_BYTES_MAX,
  type NetdiskRequest,
  type NetdiskResponse,
  SMALL_FILE_MAX_BYTES,
} from "../../lib/netdisk/messages.ts";
import type { Reply } from "../../lib/rpc/server.ts";
import { createDigester, type Digester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { homePath, type NetdiskContext } from "./context.ts";

type FileAnswer = NetdiskResponse<"get.files">["files"][number];

/** Answers `get.files`. */
export async function readFiles(
  context: NetdiskContext,
  { paths }: NetdiskRequest<"get.files">,
): Promise<Reply> {
  const digester = await createDigester();
  const body = new Uint8Array(BATCH_BYTES_MAX);
  const files: FileAnswer[] = [];
  let used = 0;
  for (const path of paths) {
    if (body.length - used < SMALL_FILE_MAX_BYTES) break;
    const room = body.subarray(used, used + SMALL_FILE_MAX_BYTES);
    const answer = await readOne(context, path, { room, digester });
    if ("size" in answer) used += answer.size;
    files.push(answer);
  }
  return { head: { files }, body: body.subarray(0, used) };
}

async function readOne(
  context: NetdiskContext,
  path: readonly string[],
  { room, digester }: { readonly room: Uint8Array; readonly digester: Digester },
): Promise<FileAnswer> {
  try {
    using file = await context.depot.openRead(homePath(context, path));
    const { size, mtimeMs, mode } = file.entry;
    if (size > room.length) return { large: true };
    let done = 0;
    while (done < size) {
      const count = file.read(room.subarray(done, size), done);
      if (count === 0) break;
      done += count;
    }
    if (done !== size || !file.isUnchanged()) {
      throw new TrivetError("CHANGED", "The file changed while it was read");
    }
    return { size, mtimeMs, mode, digest: toHex(digestOf(digester, room.subarray(0, size))) };
  } catch (error) {
    if (!(error instanceof TrivetError)) throw error;
    return { error: error.toMessage() };
  }
}
