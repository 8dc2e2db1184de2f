/**
 * Answers `get.open`: the head of a file, its chunks as DATA, their digests in END.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  type NetdiskRequest,
  type NetdiskResponse,
  STREAM_CHUNKS_MAX,
} from "../../lib/netdisk/messages.ts";
import type { ServerCall } from "../../lib/rpc/server.ts";
import {
  checkRanges,
  chunkBytesFor,
  chunkCount,
  type ChunkRange,
} from "../../lib/transfer/chunks.ts";
import { createDigester, DIGEST_ALGORITHM } from "../../lib/transfer/digest.ts";
import { ChunkSender } from "../../lib/transfer/sender.ts";
import type { NetdiskContext } from "./context.ts";
import { readablePath, readError, requireSent } from "./message_file.ts";

/** Sends a file, or some chunks of it. */
export async function sendFile(
  context: NetdiskContext,
  request: NetdiskRequest<"get.open">,
  call: ServerCall,
): Promise<void> {
  const readable = await readablePath(context, request);
  using file = await context.depot.openRead(readable.at).catch((error) => {
    throw readError(error, readable);
  });
  requireSent(file.etag, readable);
  if (request.ifMatch !== undefined && request.ifMatch !== file.etag) {
    throw new TrivetError("CHANGED", "The file has changed on the server");
  }
  const { size } = file.entry;
  const chunkBytes = chunkBytesFor(size);
  const chunks = chunkCount(size, chunkBytes);
  const all: ChunkRange[] = chunks === 0 ? [] : [[0, chunks]];
  const only = request.ranges ?? all;
  checkRanges(only, chunks);
  const head: NetdiskResponse<"get.open"> = {
    entry: file.entry,
    etag: file.etag,
    chunkBytes,
    algorithm: DIGEST_ALGORITHM,
  };
  await call.respond(head);
  const sender = new ChunkSender({
    source: file,
    size,
    chunkBytes,
    requestId: call.id,
    only,
    streamChunksMax: STREAM_CHUNKS_MAX,
    digester: await createDigester(),
  });
  for (let frame = await sender.next(); frame !== null; frame = await sender.next()) {
    await call.send(frame);
  }
  if (!file.isUnchanged()) {
    throw new TrivetError("CHANGED", "The file has changed on the server while it was read");
  }
  await call.end({}, sender.streamDigests);
}
