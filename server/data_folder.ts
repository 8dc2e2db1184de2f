/**
 * The data folder: where everything of a server lies, and the lock that lets one server use it.
 *
 * @module
 */

import { join } from "node:path";
import { TrivetError } from "../lib/errors.ts";
import { systemReason } from "../lib/system_error.ts";

/** Places in the data folder. */
export interface DataFolder extends Disposable {
  readonly path: string;
  readonly database: string;
  readonly keys: string;
}

/** Name of the folder of keys in it. */
export const KEYS_FOLDER = "keys";

const OWNER_ONLY = 0o700;

/**
 * Opens the data folder, making it at the first start, and holds its lock until disposed of.
 *
 * @param path The folder.
 * @throws {TrivetError} `FAILED` when another server uses it, `LOCAL_DENIED` or another code when it
 * cannot be made or written.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const keys = join(path, KEYS_FOLDER);
  let lock: Disposable | null;
  try {
    await Deno.mkdir(path, { recursive: true, mode: OWNER_ONLY });
    await Deno.mkdir(keys, { recursive: true, mode: OWNER_ONLY });
    lock = await lockDataFolder(path);
  } catch (cause) {
    throw cannotUse(path, cause);
  }
  if (lock === null) {
    throw new TrivetError("FAILED", `Another trivetd uses the data folder "${path}"`);
  }
  return {
    path,
    keys,
    database: join(path, "trivet.db"),
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}

/**
 * Says why a data folder cannot be used.
 *
 * @param path The folder.
 * @param cause What the system threw.
 */
export function cannotUse(path: string, cause: unknown): TrivetError {
  const { code, reason } = systemReason(cause) ??
    { code: "FAILED", reason: cause instanceof Error ? cause.message : String(cause) } as const;
  return new TrivetError(code, `Cannot use the data folder "${path}": ${reason}`, { cause });
}

/**
 * Takes the lock of a data folder that exists.
 *
 * @param path The folder.
 * @returns The lock, held until disposed of; null while a server or a repair holds it.
 */
export async function lockDataFolder(path: string): Promise<Disposable | null> {
  const lock = await Deno.open(join(path, "lock"), { create: true, write: true, mode: 0o600 });
  if (await lock.tryLock(true)) {
    return {
      [Symbol.dispose]: () => {
        // A process that was just forked has the file open, too, and would keep the lock.
        lock.unlockSync();
        lock.close();
      },
    };
  }
  lock.close();
  return null;
}

/**
 * Where data lies when nobody says: `$XDG_DATA_HOME/trivet`, else below the home folder.
 *
 * @param env The environment.
 * @throws {TrivetError} `USAGE` when the environment names no home.
 */
export function defaultDataFolder(env: (name: string) => string | undefined): string {
  const base = env("XDG_DATA_HOME");
  if (base) return join(base, "trivet");
  const home = env("HOME") || env("USERPROFILE");
  if (home) return join(home, ".local", "share", "trivet");
  throw new TrivetError("USAGE", "Cannot choose a data folder: HOME is not set; pass --data");
}
