/**
 * From a command's options to a connection that runs remote commands.
 *
 * @module
 */

import { ExecClient } from "../exec.ts";
import { openShared } from "../share/open_shared.ts";
import { findExecConnection } from "./access.ts";
import type { ClientContext } from "./context.ts";

/** How {@linkcode openExec} connects. */
export interface OpenExecOptions {
  /** Whether a connection that another process shares will do. */
  readonly mayShare: boolean;
}

/**
 * Uses a connection that another process shares, or connects and logs in.
 *
 * @param context The command's.
 * @param options Whether a shared one will do.
 * @throws {TrivetError} What connecting throws.
 */
export async function openExec(
  context: ClientContext,
  { mayShare }: OpenExecOptions,
): Promise<ExecClient> {
  const connection = await findExecConnection(context);
  const rpc = mayShare ? await openShared(connection, context.env) : undefined;
  if (rpc === undefined) return await ExecClient.connect(connection);
  return ExecClient.over(connection.server, { rpc, user: context.globals.user ?? "" });
}
