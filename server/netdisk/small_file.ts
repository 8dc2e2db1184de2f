/**
 * Answers `put.file`: a small file in one request.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  type NetdiskRequest,
  SMALL_FILE_MAX_BYTES,
  type StoredFile,
} from "../../lib/netdisk/messages.ts";
import { digestOfWhole, toHex } from "../../lib/transfer/digest.ts";
import { type NetdiskContext, writablePath } from "./context.ts";
import { publishFile, storedFile } from "./publish.ts";
import { newUploadId } from "./upload_id.ts";

/** Checks, stores and accounts for a small file. */
export async function storeSmallFile(
  context: NetdiskContext,
  request: NetdiskRequest<"put.file">,
  bytes: Uint8Array,
): Promise<StoredFile> {
  if (bytes.length > SMALL_FILE_MAX_BYTES) {
    throw new TrivetError(
      "INVALID_REQUEST",
      `A file of ${bytes.length} bytes is too large for one request, the limit is ${SMALL_FILE_MAX_BYTES}`,
    );
  }
  const at = writablePath(context, request.path);
  if (toHex(digestOfWhole(bytes)) !== request.digest) {
    throw new TrivetError("DIGEST_MISMATCH", "The file did not arrive as it was sent");
  }
  const id = newUploadId();
  const durability = request.durability ?? "commit";
  const published = await publishFile(context, id, request, {
    user: at.user,
    begin: (intent) => context.catalog.beginWrite({ ...intent, id, user: at.user, durability }),
    publish: (options) => context.depot.writeSmall(id, at, { ...options, bytes }),
  });
  return storedFile(published);
}
