/**
 * Unix sockets for a server: private from their first moment, never in another server's way,
 * removed at the end.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { UNIX_PATH_MAX_BYTES } from "./address.ts";

/** A listening Unix socket that removes its file when it is closed. */
export interface UnixListener {
  /** Waits for the next connection. */
  accept(): Promise<Deno.Conn>;
  /** Ends listening and removes the file. */
  close(): void;
}

/** The private folder and the socket in it add at most 8 bytes to a path: `/.123456/s` for `/s`. */
const FOLDER_NAME_BYTES_RANDOM = 3;
const SOCKET_NAME = "s";

/**
 * Listens on a Unix socket with mode 0600. A file that a dead server left is replaced.
 *
 * @param path Where
 * @throws TrivetError `ADDRESS_IN_USE` when somebody answers there, `USAGE` when the path holds
 * something that is not a socket or cannot be used
 */
export async function listenUnix(path: string): Promise<UnixListener> {
  await refuseUnlessFree(path);
  const slash = path.lastIndexOf("/");
  const parent = slash === -1 ? "." : path.slice(0, slash) || "/";
  // Made in a folder nobody else can enter, then moved: so nobody can connect before it is private.
  const folder = await makeFolder(path, parent);
  try {
    const made = `${folder}/${SOCKET_NAME}`;
    const listener = listenAt(path, made);
    try {
      await Deno.chmod(made, 0o600);
      const { ino } = await Deno.lstat(made);
      await Deno.rename(made, path);
      return removingAtClose(listener, path, ino);
    } catch (error) {
      listener.close();
      throw error;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function refuseUnlessFree(path: string): Promise<void> {
  if (new TextEncoder().encode(path).length > UNIX_PATH_MAX_BYTES) {
    throw cannotListen(path, `its path is longer than ${UNIX_PATH_MAX_BYTES} bytes`);
  }
  let found: Deno.FileInfo;
  try {
    found = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (found.isSocket !== true) throw cannotListen(path, "something that is not a socket is there");
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
  } catch (error) {
    // Only this says that nobody listens; any other failure leaves the socket where it is.
    if (error instanceof Deno.errors.ConnectionRefused) return;
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new TrivetError(
    "ADDRESS_IN_USE",
    `Cannot listen on "unix:${path}": a server answers there`,
  );
}

async function makeFolder(path: string, parent: string): Promise<string> {
  try {
    const name = crypto.getRandomValues(new Uint8Array(FOLDER_NAME_BYTES_RANDOM)).toHex();
    const folder = `${parent === "/" ? "" : parent}/.${name}`;
    await Deno.mkdir(folder, { mode: 0o700 });
    return folder;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw cannotListen(path, `there is no folder "${parent}"`);
    }
    throw error;
  }
}

function listenAt(path: string, made: string): Deno.UnixListener {
  try {
    return Deno.listen({ transport: "unix", path: made });
  } catch (error) {
    throw cannotListen(path, error instanceof Error ? error.message : String(error));
  }
}

function removingAtClose(listener: Deno.UnixListener, path: string, ino: number | null) {
  return {
    accept: () => listener.accept(),
    close: () => {
      // Removed while still listening: so it cannot be a newer server's that found this one dead.
      try {
        if (Deno.lstatSync(path).ino === ino) Deno.removeSync(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      } finally {
        listener.close();
      }
    },
  };
}

function cannotListen(path: string, reason: string): TrivetError {
  return new TrivetError("USAGE", `Cannot listen on "unix:${path}": ${reason}`);
}
