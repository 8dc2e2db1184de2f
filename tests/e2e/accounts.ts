/**
 * Accounts without passwords, for tests that log in often: beside the running server, by token.
 *
 * @module
 */

import { join } from "node:path";
import { hashToken, newToken } from "../../lib/auth/token.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import type { World } from "./testing.ts";

const QUOTA_BYTES = 1024 ** 3;

/** Options of {@linkcode addUser}. */
export interface AddUserOptions {
  /** Files that it may have; any number by default. */
  readonly quotaFiles?: number | undefined;
}

/** Adds an account unless it is there; a token of it. */
export async function addUser(
  world: World,
  name: string,
  { quotaFiles }: AddUserOptions = {},
): Promise<string> {
  const catalog = SqliteCatalog.open(join(world.data, "trivet.db"));
  try {
    if (await catalog.findUser(name) === null) {
      const key = new Uint8Array(32);
      const verifier = { salt: key, iterations: 600_000, storedKey: key, serverKey: key };
      const quota = { quotaBytes: QUOTA_BYTES, quotaFiles: quotaFiles ?? null };
      await catalog.createUser({ name, verifier, ...quota });
      await Deno.mkdir(join(world.data, "homes", name), { mode: 0o700 });
    }
    const token = newToken();
    const hash = Uint8Array.fromHex(await hashToken(token));
    const rights = { kind: "api", scope: "full", pathPrefix: [], expiresAtMs: null } as const;
    await catalog.addToken({ hash, user: name, label: "test", ...rights });
    return token;
  } finally {
    await catalog.close();
  }
}
