/**
 * A download in the classic netdisk protocol: the bytes of a file from some place on, with no digest.
 *
 * @module
 */

import { CLASSIC_FILE_MAX_BYTES } from "../../lib/classic/decode.ts";
import { encodeClassicLength } from "../../lib/classic/encode.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatPath, parsePath, quoteName } from "../../lib/netdisk/path.ts";
import { homePath, type NetdiskContext } from "../netdisk/context.ts";
import type { ReadHandle } from "../netdisk/depot.ts";
import type { ClassicWire } from "./wire.ts";

/** Bytes to read and send at once. */
const SEND_BYTES = 256 * 1024;

/** A file that can be sent. */
export interface ClassicDownload extends Disposable {
  /** How many bytes are going to be sent. */
  readonly restBytes: number;
  /**
   * Sends them behind their number.
   *
   * @throws {TrivetError} `CHANGED`, or what `wire` throws. The client then has fewer bytes than it was
   * told, and the connection is closed: there is no other way to say so.
   */
  send(wire: ClassicWire): Promise<void>;
}

/**
 * Opens a file for sending.
 *
 * @param context Whose file it is.
 * @param path As it was typed.
 * @param seek Where to begin, in bytes.
 * @returns What is going to be sent.
 * @throws {TrivetError} A path error, what opening throws, `INVALID_REQUEST` for a place behind the end,
 * `FILE_TOO_LARGE` when a C `int` cannot hold the rest.
 */
export async function openClassicDownload(
  context: NetdiskContext,
  path: string,
  { seek }: { readonly seek: number },
): Promise<ClassicDownload> {
  const at = homePath(context, parsePath(path, { names: context.names }));
  const file = await context.depot.openRead(at);
  const { size } = file.entry;
  const restBytes = size - seek;
  if (restBytes >= 0 && restBytes <= CLASSIC_FILE_MAX_BYTES) {
    return {
      restBytes,
      send: (wire) => sendRest(file, seek, wire),
      [Symbol.dispose]: () => file.close(),
    };
  }
  file.close();
  const shown = quoteName(formatPath(at.path));
  if (restBytes < 0) {
    const reason = `${shown} has ${size} bytes`;
    throw new TrivetError("INVALID_REQUEST", `Cannot begin at byte ${seek}: ${reason}`);
  }
  throw new TrivetError(
    "FILE_TOO_LARGE",
    `Cannot send ${restBytes} bytes of ${shown}: the limit is ${CLASSIC_FILE_MAX_BYTES}, ` +
      `so begin at byte ${size - CLASSIC_FILE_MAX_BYTES} or behind it`,
  );
}

async function sendRest(file: ReadHandle, seek: number, wire: ClassicWire): Promise<void> {
  const { size } = file.entry;
  try {
    await wire.send(encodeClassicLength(size - seek));
    const buffer = new Uint8Array(Math.min(SEND_BYTES, size - seek));
    for (let offset = seek; offset < size;) {
      const count = file.read(buffer.subarray(0, size - offset), offset);
      offset += count;
      // The last bytes only if all of it is one state of the file.
      if (count === 0 || (offset === size && !file.isUnchanged())) {
        throw new TrivetError("CHANGED", "The file has changed on the server while it was read");
      }
      await wire.send(buffer.subarray(0, count));
    }
  } catch (error) {
    wire.close(error instanceof TrivetError ? error : undefined);
    throw error;
  }
}
