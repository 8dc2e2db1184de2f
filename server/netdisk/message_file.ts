/**
 * Files that messages of the chat carry: each reading of one asks the chat whether the reader may read
 * the message now, so that who has left a room, or who knows only an id, gets nothing.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { checkPath, type NameRules, quoteName } from "../../lib/netdisk/path.ts";
import type { ChatFiles } from "../chat/context.ts";
import type { FileRecord } from "../store/catalog_chat.ts";
import { homePath, type NetdiskContext } from "./context.ts";
import type { Depot, HomePath } from "./depot.ts";

/** What a request wants to read. */
export interface Readable {
  readonly at: HomePath;
  /** What a message carries: fails unless it is still the file that was sent. */
  readonly sent?: FileRecord & { readonly owner: string };
}

/**
 * Finds what a request wants to read: a path of the home, or what a message carries.
 *
 * @throws {TrivetError} A path error, `PERMISSION_DENIED`, or what the chat says of the message.
 */
export async function readablePath(
  context: NetdiskContext,
  { path, message }: { readonly path: readonly string[]; readonly message?: number | undefined },
): Promise<Readable> {
  if (message === undefined) return { at: homePath(context, path) };
  const { chat, session: { user, pathPrefix } } = context;
  if (path.length > 0) {
    throw new TrivetError("INVALID_REQUEST", "A message and a path do not go together");
  }
  if (chat === undefined) {
    throw new TrivetError("UNKNOWN_SERVICE", "This server does not offer the chat");
  }
  if (pathPrefix.length > 0) {
    throw new TrivetError("PERMISSION_DENIED", "The login reaches a folder and not the chat");
  }
  const sent = await chat.fileOf(user, message);
  return { at: { user: sent.owner, path: [...sent.path] }, sent };
}

/**
 * Refuses what is not the file any more that was sent.
 *
 * @throws {TrivetError} `NOT_FOUND`.
 */
export function requireSent(etag: string | undefined, { sent }: Readable): void {
  if (sent === undefined || etag === sent.etag) return;
  const text = `${quoteName(sent.owner)} has changed ${quoteName(sent.name)} since it was sent`;
  throw new TrivetError("NOT_FOUND", text);
}

/** Why something could not be read; of what was sent, it does not tell where it was. */
export function readError(error: unknown, { sent }: Readable): unknown {
  if (sent === undefined) return error;
  if (!(error instanceof TrivetError) || error.code === "SERVER_BUSY") return error;
  const text = `${quoteName(sent.name)} is not in the netdisk of ${quoteName(sent.owner)} any more`;
  return new TrivetError("NOT_FOUND", text);
}

/** The files of a netdisk, for messages that carry one. */
export function chatFilesOf(depot: Pick<Depot, "stat">, names: NameRules): ChatFiles {
  return {
    describe: async (user, components) => {
      const path = checkPath(components, { names });
      const { name, type, size, etag } = await depot.stat({ user, path });
      if (type !== "file" || etag === undefined) {
        throw new TrivetError("IS_FOLDER", `Cannot send ${quoteName(name)}: it is a folder`);
      }
      return { path: [...path], name, size, etag };
    },
  };
}
