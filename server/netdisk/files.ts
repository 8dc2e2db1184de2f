/**
 * The netdisk's short requests: who am I, listing, one entry, a new folder, the end of a session.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  LIST_PAGE_MAX,
  type NetdiskRequest,
  type NetdiskResponse,
} from "../../lib/netdisk/messages.ts";
import type { Usage } from "../store/catalog.ts";
import { homePath, type NetdiskContext, writablePath } from "./context.ts";
import { readablePath, readError, requireSent } from "./message_file.ts";

/** Answers `whoami`. */
export async function whoami(context: NetdiskContext): Promise<NetdiskResponse<"whoami">> {
  const { user: name, scope } = context.session;
  const user = await context.catalog.findUser(name);
  if (user === null) throw new TrivetError("AUTH_REQUIRED", "The account does not exist any more");
  const { usedBytes, quotaBytes } = user;
  return { user: name, usedBytes, quotaBytes, ...fileQuota(user), scope };
}

/** The quota in files, for an answer; nothing where there is no limit. */
export function fileQuota(
  { quotaFiles, usedFiles }: Pick<Usage, "quotaFiles" | "usedFiles">,
): { quotaFiles?: number; usedFiles?: number } {
  return quotaFiles === null ? {} : { quotaFiles, usedFiles };
}

/** Answers `logout`: the token of this connection ends. */
export async function logout(context: NetdiskContext): Promise<NetdiskResponse<"logout">> {
  const { tokenHash } = context.session;
  return { revoked: tokenHash !== null && await context.catalog.revokeToken(tokenHash) };
}

/** Answers `ls`. */
export async function ls(
  context: NetdiskContext,
  request: NetdiskRequest<"ls">,
): Promise<NetdiskResponse<"ls">> {
  const at = homePath(context, request.path);
  const entry = await context.depot.stat(at);
  if (entry.type !== "folder") return { entry, entries: [entry], more: false };
  const limit = request.limit ?? LIST_PAGE_MAX;
  const after = request.after === undefined ? {} : { after: request.after };
  return { entry, ...await context.depot.list(at, { ...after, limit }) };
}

/** Answers `stat`. */
export async function stat(
  context: NetdiskContext,
  request: NetdiskRequest<"stat">,
): Promise<NetdiskResponse<"stat">> {
  const readable = await readablePath(context, request);
  const entry = await context.depot.stat(readable.at).catch((error) => {
    throw readError(error, readable);
  });
  requireSent(entry.etag, readable);
  return { entry };
}

/** Answers `mkdir`. */
export async function mkdir(
  context: NetdiskContext,
  request: NetdiskRequest<"mkdir">,
): Promise<NetdiskResponse<"mkdir">> {
  const at = writablePath(context, request.path);
  return { created: await context.depot.mkdir(at, { parents: request.parents ?? false }) };
}
