/**
 * The machine key of `--key-file`.
 *
 * @module
 */

import type { MachineKey } from "../../lib/auth/machine_key.ts";
import { TrivetError } from "../../lib/errors.ts";
import { quoteLocal } from "../local_error.ts";
import { readPrivateFile } from "../private_file.ts";
import type { ClientContext } from "./context.ts";

/**
 * Reads the file that the options or the environment name.
 *
 * @returns The key as a text and taken apart; undefined when no file is named.
 * @throws {TrivetError} `LOCAL_NOT_FOUND`, `LOCAL_DENIED` when others can read it, `KEY_INVALID`.
 */
export async function readKeyFile(
  { globals }: Pick<ClientContext, "globals">,
): Promise<{ readonly text: string; readonly key: MachineKey } | undefined> {
  const path = globals["key-file"];
  return path === undefined ? undefined : await readMachineKeyFile(path);
}

/**
 * Reads a file that holds a machine key.
 *
 * @param path The file.
 * @returns The key as a text and taken apart.
 * @throws {TrivetError} `LOCAL_NOT_FOUND`, `LOCAL_DENIED` when others can read it, `KEY_INVALID`.
 */
export async function readMachineKeyFile(
  path: string,
): Promise<{ readonly text: string; readonly key: MachineKey }> {
  const content = await readPrivateFile(path, { secret: true });
  if (content === undefined) {
    throw new TrivetError("LOCAL_NOT_FOUND", `${quoteLocal(path)} does not exist`);
  }
  const text = content.trim();
  // Imported here: most people have no machine key.
  const { parseMachineKey } = await import("../../lib/auth/machine_key.ts");
  try {
    return { text, key: parseMachineKey(text) };
  } catch (error) {
    if (!(error instanceof TrivetError)) throw error;
    const message = `${quoteLocal(path)} holds no machine key: ${error.message}`;
    throw new TrivetError(error.code, message, { cause: error });
  }
}
