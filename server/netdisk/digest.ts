/**
 * Answers `digest`: the digests of a file's chunks, read in slices so that others are served.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  DIGEST_PAGE_MAX_BYTES,
  type NetdiskRequest,
  type NetdiskResponse,
} from "../../lib/netdisk/messages.ts";
import type { Reply, ServerCall } from "../../lib/rpc/server.ts";
import { digestChunks } from "../../lib/transfer/chunk_digests.ts";
import { chunkBytesFor, chunkCount } from "../../lib/transfer/chunks.ts";
import { createDigester, DIGEST_ALGORITHM } from "../../lib/transfer/digest.ts";
import { homePath, type NetdiskContext } from "./context.ts";

/** Reads some chunks of a file and answers their digests. */
export async function digestFile(
  context: NetdiskContext,
  request: NetdiskRequest<"digest">,
  call: Pick<ServerCall, "signal">,
): Promise<Reply> {
  using file = await context.depot.openRead(homePath(context, request.path));
  const { entry, etag } = file;
  if (request.ifMatch !== undefined && request.ifMatch !== etag) {
    throw new TrivetError("CHANGED", "The file has changed on the server");
  }
  const { size } = entry;
  const { from = 0 } = request;
  const chunkBytes = chunkBytesFor(size);
  const chunks = chunkCount(size, chunkBytes);
  if (from > chunks) {
    throw new TrivetError("INVALID_REQUEST", `The file has ${chunks} chunks, not ${from}`);
  }
  const body = await digestChunks({
    source: file,
    size,
    chunkBytes,
    from,
    count: Math.min(chunks - from, Math.floor(DIGEST_PAGE_MAX_BYTES / chunkBytes)),
    digester: await createDigester(),
    signal: call.signal,
  });
  if (!file.isUnchanged()) {
    throw new TrivetError("CHANGED", "The file has changed on the server while it was read");
  }
  const head: NetdiskResponse<"digest"> = {
    entry,
    etag,
    chunkBytes,
    algorithm: DIGEST_ALGORITHM,
    from,
  };
  return { head, body };
}
