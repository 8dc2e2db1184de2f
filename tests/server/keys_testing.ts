/**
 * Machine keys of a running server, for tests.
 *
 * @module
 */

import { join } from "node:path";
import { deriveAuthKey, newMachineKey, parseMachineKey } from "../../lib/auth/machine_key.ts";
import { KeySeal } from "../../server/key_seal.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import type { TestServer } from "./testing.ts";

/** Options of {@linkcode addKey}. */
export interface KeyLimits {
  readonly expiresAtMs?: number;
  readonly services?: string[];
}

/** Adds a machine key beside the running server. */
export async function addKey(
  server: TestServer,
  name: string,
  { expiresAtMs, services }: KeyLimits = {},
): Promise<string> {
  const catalog = SqliteCatalog.open(join(server.data, "trivet.db"));
  try {
    const seal = await KeySeal.open(join(server.data, "keys"));
    const text = newMachineKey();
    const key = parseMachineKey(text);
    await catalog.addKey({
      ...{ id: key.id, name, services: services ?? null, expiresAtMs: expiresAtMs ?? null },
      sealed: await seal.seal(key.id, await deriveAuthKey(key)),
    });
    return text;
  } finally {
    await catalog.close();
  }
}

/** Revokes a machine key beside the running server. */
export async function revokeKey(server: TestServer, name: string): Promise<void> {
  const catalog = SqliteCatalog.open(join(server.data, "trivet.db"));
  await catalog.revokeKey(name);
  await catalog.close();
}
