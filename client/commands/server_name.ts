/**
 * Which server a command is for.
 *
 * @module
 */

import { DEFAULT_PORT } from "../../lib/link/address.ts";
import type { ClientContext } from "./context.ts";

/** The server when nobody names one. */
export const DEFAULT_SERVER = `127.0.0.1:${DEFAULT_PORT}`;

/** The server of the options or the environment, else that of the last login, else this machine. */
export async function findServerName({ env, globals }: ClientContext): Promise<string> {
  if (globals.server !== undefined) return globals.server;
  // Loaded only here: a command that is told its server starts sooner.
  const { configFiles, readConfig } = await import("../config.ts");
  const { server } = await readConfig(configFiles(env).config);
  return server ?? DEFAULT_SERVER;
}
