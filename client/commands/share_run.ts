/**
 * The work behind `trivet share`.
 *
 * @module
 */

import { after } from "../../lib/after.ts";
import { TrivetError } from "../../lib/errors.ts";
import { listenUnix, type UnixListener } from "../../lib/link/listen_unix.ts";
import { EXEC_SERVICE } from "../../lib/rpc/services.ts";
import { connectorFor } from "../connect_options.ts";
import { localError } from "../local_error.ts";
import { inFolder } from "../local_path.ts";
import { openLoggedIn } from "../session.ts";
import { requireOwnFolder, shareFolder, shareName } from "../share/meeting_place.ts";
import { Sharing } from "../share/sharing.ts";
import { findExecConnection } from "./access.ts";
import type { ClientContext } from "./context.ts";

/** What {@linkcode shareConnection} is called with. */
export interface ShareCall {
  /** When to end. */
  readonly forMs: number | undefined;
}

/** Shares a connection until it is told to end, or its time is over. */
export async function shareConnection(context: ClientContext, { forMs }: ShareCall): Promise<void> {
  const { output, signal, env } = context;
  const folder = shareFolder(env);
  if (folder === undefined) {
    throw new TrivetError("USAGE", "A connection is shared over a socket in your home: set HOME");
  }
  const connection = await findExecConnection(context);
  const name = await shareName(connection);
  if (name === undefined) {
    throw new TrivetError("USAGE", "A login with a password is not shared: run trivet login first");
  }
  const connector = await connectorFor(connection, EXEC_SERVICE);
  await using sharing = new Sharing(async () => {
    return (await openLoggedIn(connector, connection.credentials, signal)).link;
  });
  await sharing.prepare();
  const listener = await listenIn(folder, name);
  const stop = stopOnce(listener);
  try {
    using _time = forMs === undefined ? undefined : after(forMs, stop);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    output.note(`Sharing connections to ${connector.name}`);
    await lendAll(listener, sharing);
    // Its time is over, but not that of the commands that run.
    if (!signal.aborted) await Promise.race([sharing.idle(), aborted(signal)]);
  } finally {
    stop();
    signal.removeEventListener("abort", stop);
  }
  output.json({ server: connector.name, commands: sharing.count });
}

/** Lends to everybody who comes, until the listener is closed. */
async function lendAll(listener: UnixListener, sharing: Sharing): Promise<void> {
  for (;;) {
    try {
      sharing.lend(await listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return;
      }
      throw error;
    }
  }
}

/** Listens in a folder of the user's own. */
async function listenIn(folder: string, name: string): Promise<UnixListener> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await requireOwnFolder(folder);
    return await listenUnix(inFolder(folder, name));
  } catch (error) {
    if (error instanceof TrivetError && error.code === "ADDRESS_IN_USE") {
      throw new TrivetError("LOCAL_IN_USE", "This connection is shared already", { cause: error });
    }
    throw localError(error, "make a socket in", folder);
  }
}

function stopOnce(listener: UnixListener): () => void {
  let isOpen = true;
  return () => {
    if (isOpen) listener.close();
    isOpen = false;
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
