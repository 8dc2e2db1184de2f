/**
 * Where the client keeps what may be lost: lines that were typed, and sockets.
 *
 * @module
 */

import type { Environment } from "./config.ts";
import { inFolder } from "./local_path.ts";

/**
 * `$XDG_STATE_HOME/trivet`, else `~/.local/state/trivet`, and `%APPDATA%\trivet` on Windows.
 *
 * @param env The environment.
 * @param os The system, such as `linux`.
 * @returns Undefined where the environment names no home.
 */
export function stateFolder(env: Environment, os: string = Deno.build.os): string | undefined {
  const home = env("HOME") || env("USERPROFILE");
  const state = env("XDG_STATE_HOME") || (os === "windows" ? env("APPDATA") : undefined) ||
    (home ? inFolder(inFolder(home, ".local"), "state") : undefined);
  return state ? inFolder(state, "trivet") : undefined;
}
