/**
 * Answers `rmdir`, `mv` and `df`.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { NetdiskRequest, NetdiskResponse } from "../../lib/netdisk/messages.ts";
import type { MoveIntent } from "../store/catalog.ts";
import { endMove } from "../store/recovery_moves.ts";
import { entryPath, type NetdiskContext } from "./context.ts";
import { fileQuota } from "./files.ts";
import { newUploadId } from "./upload_id.ts";

/** Answers `rmdir`. */
export async function rmdir(
  context: NetdiskContext,
  request: NetdiskRequest<"rmdir">,
): Promise<NetdiskResponse<"rmdir">> {
  await context.depot.removeFolder(entryPath(context, request.path));
  return {};
}

/** Answers `mv`. */
export async function mv(
  context: NetdiskContext,
  request: NetdiskRequest<"mv">,
): Promise<NetdiskResponse<"mv">> {
  const from = entryPath(context, request.from);
  const to = entryPath(context, request.to);
  const { catalog, depot } = context;
  const intents: MoveIntent[] = [];
  try {
    const entry = await depot.move(from, to, {
      overwrite: request.overwrite ?? "fail",
      intent: async ({ replacedBytes }) => {
        const ends = { from: from.path, to: to.path };
        const intent = { id: newUploadId(), user: from.user, ...ends, replacedBytes };
        await catalog.beginMove(intent);
        intents.push(intent);
      },
    });
    for (const { id } of intents) await catalog.endMove(id, true);
    return { entry };
  } catch (error) {
    for (const intent of intents) await endMove(context, intent);
    throw error;
  }
}

/** Answers `df`. */
export async function df(context: NetdiskContext): Promise<NetdiskResponse<"df">> {
  const usage = await context.catalog.usage(context.session.user);
  if (usage === null) throw new TrivetError("AUTH_REQUIRED", "The account does not exist any more");
  const { quotaBytes, usedBytes, partialBytes, trashBytes } = usage;
  return { quotaBytes, usedBytes, partialBytes, trashBytes, ...fileQuota(usage) };
}
