/**
 * Where a connection that is shared is met: one Unix socket for each login, in a folder that only its
 * user can enter.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { VERSION } from "../../lib/version.ts";
import type { Environment } from "../config.ts";
import type { ExecClientOptions } from "../exec.ts";
import { quoteLocal } from "../local_error.ts";
import { inFolder } from "../local_path.ts";
import { stateFolder } from "../state_folder.ts";

/** Digits of a socket's name: few, since the path of a socket may have about a hundred bytes. */
const NAME_CHARS = 16;

const OTHERS = 0o077;

/**
 * The folder of the sockets.
 *
 * @param env The environment.
 * @returns Undefined where the environment names no home, and on Windows.
 */
export function shareFolder(env: Environment): string | undefined {
  const state = Deno.build.os === "windows" ? undefined : stateFolder(env);
  return state === undefined ? undefined : inFolder(state, "shared");
}

/**
 * Whether anything lies in the folder of the sockets; a guess, which costs next to nothing.
 *
 * @param env The environment.
 */
export function mayBeShared(env: Environment): boolean {
  const folder = shareFolder(env);
  try {
    return folder !== undefined && !Deno.readDirSync(folder)[Symbol.iterator]().next().done;
  } catch {
    return false;
  }
}

/**
 * The socket's name: the same for the same program, server, trust and login alone, and it tells none
 * of them.
 *
 * @param connection How a connection would be made.
 * @returns Undefined where a password logs in: nothing may be kept of it, not even this.
 */
export async function shareName(connection: ExecClientOptions): Promise<string | undefined> {
  const { server, plain = false, fingerprint = null, machineKey = null, credentials } = connection;
  if ("password" in credentials) return undefined;
  const token = "token" in credentials ? credentials.token : null;
  const parts = [VERSION, server, plain, fingerprint, machineKey, token];
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.toHex().slice(0, NAME_CHARS);
}

/**
 * Makes sure that nobody else can put a socket into the folder.
 *
 * @param folder The folder.
 * @throws {TrivetError} `LOCAL_DENIED` where somebody else can.
 */
export async function requireOwnFolder(folder: string): Promise<void> {
  const { isDirectory, mode, uid } = await Deno.lstat(folder);
  const isOwn = isDirectory && uid === Deno.uid() && ((mode ?? OTHERS) & OTHERS) === 0;
  if (isOwn) return;
  const text = `Cannot use the folder ${quoteLocal(folder)}: it is not yours alone`;
  throw new TrivetError("LOCAL_DENIED", text);
}
