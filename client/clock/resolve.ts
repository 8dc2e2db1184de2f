/**
 * From the name of a host to its addresses, as the system resolves it: its hosts file too.
 *
 * @module
 */

import type { TcpAddress } from "../../lib/link/address.ts";
import { connectError } from "../../lib/link/connect.ts";
import { abortable } from "../abortable.ts";

/** Addresses that are tried; a name with more of them has enough in these. */
const ADDRESSES_MAX = 8;

/**
 * Finds the addresses of a name, IPv4 and IPv6, in the system's order.
 *
 * @param target The name; the port is for messages.
 * @param signal Gives up.
 * @returns At least one address.
 * @throws {TrivetError} `UNREACHABLE` when the name cannot be resolved.
 */
export async function resolveHost(
  target: TcpAddress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  // Loaded for names alone: most clocks are asked by their address.
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await abortable(lookup(target.host, { all: true }), signal);
    const addresses = new Set(found.map(({ address }) => canonicalAddress(address)));
    return [...addresses].slice(0, ADDRESSES_MAX);
  } catch (error) {
    throw signal.aborted ? signal.reason : connectError(target, error);
  }
}

/**
 * Writes an address in the one form that can be compared: IPv6 as RFC 5952 has it.
 *
 * @param address An IPv4 or IPv6 address.
 */
export function canonicalAddress(address: string): string {
  if (!address.includes(":")) return address;
  // A link-local address may name an interface behind "%", which the reply's address does not.
  const [bare = ""] = address.split("%");
  return new URL(`http://[${bare}]/`).hostname.slice(1, -1);
}
