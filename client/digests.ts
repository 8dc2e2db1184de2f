/**
 * Asks for the digests of a file's chunks, page by page.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import { checkNetdiskResponse } from "../lib/netdisk/messages.ts";
import { chunkCount } from "../lib/transfer/chunks.ts";
import { DIGEST_ALGORITHM, DIGEST_BYTES } from "../lib/transfer/digest.ts";
import type { Connections } from "./connections.ts";
import type { DigestPage } from "./netdisk_types.ts";

/**
 * The pages of a file.
 *
 * @param connections Of the client.
 * @param path The file on the server.
 * @param signal Gives up.
 * @throws {TrivetError} `PROTOCOL_ERROR` if the server answers something else, and its own errors.
 */
export async function* digestPages(
  connections: Pick<Connections, "use">,
  path: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<DigestPage, void> {
  let ifMatch: string | undefined;
  for (let from = 0;;) {
    const request = { path, from, ...(ifMatch === undefined ? {} : { ifMatch }) };
    const { head, body } = await connections.use(
      (rpc) => rpc.call("digest", request, { signal }),
      signal,
    );
    const { entry, etag, chunkBytes, algorithm, ...page } = checkNetdiskResponse("digest", head);
    const count = body.length / DIGEST_BYTES;
    const left = chunkCount(entry.size, chunkBytes) - from - count;
    const isWhole = Number.isInteger(count) && page.from === from && left >= 0;
    // A page without digests would be asked for again and again.
    if (!isWhole || algorithm !== DIGEST_ALGORITHM || (count === 0 && left > 0)) {
      throw new TrivetError("PROTOCOL_ERROR", 'Cannot read answer to "digest": it does not fit');
    }
    yield { entry, chunkBytes, from, digests: body.slice() };
    if (left === 0) return;
    from += count;
    ifMatch = etag;
  }
}
