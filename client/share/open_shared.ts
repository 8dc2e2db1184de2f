/**
 * Finds the connection that another process shares.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { FRAME_PAYLOAD_MAX_BYTES } from "../../lib/frame/frame.ts";
import { Link, type Transport } from "../../lib/link/link.ts";
import { RpcClient } from "../../lib/rpc/client.ts";
import type { Environment } from "../config.ts";
import type { ExecClientOptions } from "../exec.ts";
import { inFolder } from "../local_path.ts";
import { mayBeShared, requireOwnFolder, shareFolder, shareName } from "./meeting_place.ts";

/**
 * Connects to whoever shares the connection that these options would make.
 *
 * @param connection The options.
 * @param env The environment.
 * @returns Undefined where nobody does.
 */
export async function openShared(
  connection: ExecClientOptions,
  env: Environment,
): Promise<RpcClient | undefined> {
  const folder = shareFolder(env);
  if (folder === undefined || !mayBeShared(env)) return undefined;
  const name = await shareName(connection);
  if (name === undefined) return undefined;
  try {
    await requireOwnFolder(folder);
    const conn = await Deno.connect({ transport: "unix", path: inFolder(folder, name) });
    return RpcClient.start(new Link(lent(conn), { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES }));
  } catch (error) {
    // Nobody is there, or nobody who is to be trusted: a connection of one's own does as well.
    const isAbsent = error instanceof TrivetError || error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.ConnectionRefused;
    if (isAbsent) return undefined;
    throw error;
  }
}

/** The same connection, whose end is told apart from that of a connection to the server. */
function lent(conn: Deno.UnixConn): Transport {
  return {
    read: async (target) => {
      // Whoever is killed while something is on its way to it resets the connection.
      const count = await conn.read(target).catch(() => null);
      if (count !== null) return count;
      throw new TrivetError("CONNECTION_LOST", "The connection that trivet share lent was closed");
    },
    write: (source) => conn.write(source),
    close: () => conn.close(),
  };
}
