/**
 * The exchange of a machine key on a fresh link, before any login.
 *
 * @module
 */

import type { MachineKey } from "../lib/auth/machine_key.ts";
import { MachineKeyClient } from "../lib/auth/machine_key_client.ts";
import type { MachineKeyLink } from "../lib/auth/machine_key_schedule.ts";
import type { Link } from "../lib/link/link.ts";
import { askStep } from "./auth_steps.ts";

/** The key, and what both sides know of the link. */
export interface ProveOptions extends MachineKeyLink {
  /** The key. */
  readonly key: MachineKey;
}

/**
 * Lets the server prove that it knows the key, then proves the same to it.
 *
 * @param link A link whose hello is done; nothing else may be said on it meanwhile.
 * @param options The key and the link.
 * @throws {TrivetError} `KEY_NOT_PROVEN`, `KEY_INVALID`, `PROTOCOL_ERROR`, or why the link failed.
 */
export async function proveMachineKey(link: Link, options: ProveOptions): Promise<void> {
  const exchange = new MachineKeyClient(options);
  const hello = { step: "machine-key", ...await exchange.first() } as const;
  const challenge = await askStep(link, hello, "machine-key-challenge");
  const proof = await exchange.prove(challenge);
  await askStep(link, { step: "machine-key-proof", proof }, "machine-key-accepted");
}
