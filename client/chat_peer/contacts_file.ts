/**
 * Reads the file of contacts, the keys that it names, and the addresses of its hosts.
 *
 * @module
 */

import type { MachineKey } from "../../lib/auth/machine_key.ts";
import { type Contact, readContacts } from "../../lib/chat/peer_contacts.ts";
import type { KnownPeer } from "../../lib/chat/peer_handshakes.ts";
import { formatRemote } from "../../lib/datagram/socket.ts";
import { TrivetError } from "../../lib/errors.ts";
import { isIpAddress } from "../../lib/link/address.ts";
import { parseToml } from "../../lib/term/config_file.ts";
import { canonicalAddress, resolveHost } from "../clock/resolve.ts";
import { quoteLocal } from "../local_error.ts";
import { readPrivateFile } from "../private_file.ts";

/**
 * Reads the contacts: JSON where the file's name ends so, else TOML.
 *
 * @param path The file.
 * @throws {TrivetError} `LOCAL_NOT_FOUND`, `LOCAL_DENIED`, or `USAGE` for what is wrong in it.
 */
export async function readContactsFile(path: string): Promise<Contact[]> {
  const text = await readPrivateFile(path);
  if (text === undefined) {
    throw new TrivetError("LOCAL_NOT_FOUND", `The contacts ${quoteLocal(path)} do not exist`);
  }
  if (!path.endsWith(".json")) {
    return readContacts(parseToml(text, { kind: "contacts", path }), path);
  }
  try {
    return readContacts(JSON.parse(text), path);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const problem = `Cannot read the contacts ${quoteLocal(path)}: ${cause.message}`;
    throw new TrivetError("USAGE", problem, { cause });
  }
}

/** What {@linkcode findPeers} needs besides the contacts. */
export interface FindPeersOptions {
  /** The file of the contacts: key files are named from its folder on. */
  readonly path: string;
  /** The key of those who name none. */
  readonly sharedKey: MachineKey | undefined;
  /** Reads a key file. */
  readonly readKey: (path: string) => Promise<MachineKey>;
  /** Whether the socket is one of IPv6. */
  readonly isIPv6: boolean;
  /** Told of a name that is not found; that contact can still begin. */
  readonly onProblem: (error: TrivetError) => void;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * Finds keys and addresses of contacts.
 *
 * @throws {TrivetError} `USAGE` where one has no key; what reading a key throws.
 */
export async function findPeers(
  contacts: readonly Contact[],
  options: FindPeersOptions,
): Promise<KnownPeer[]> {
  const { dirname, isAbsolute, join } = await import("node:path");
  const peers: KnownPeer[] = [];
  for (const contact of contacts) {
    const { name, keyFile } = contact;
    const key = keyFile === undefined
      ? options.sharedKey
      : await options.readKey(isAbsolute(keyFile) ? keyFile : join(dirname(options.path), keyFile));
    if (key === undefined) {
      const text = `The contact "${name}" has no key: write "key_file", or pass --key-file for all`;
      throw new TrivetError("USAGE", text);
    }
    peers.push({ name, key, addresses: await findAddresses(contact, options) });
  }
  return peers;
}

/**
 * Finds the addresses of a contact, as datagrams name their senders.
 *
 * @returns None where the contact has no address, or one that is not found.
 */
export async function findAddresses(
  { address }: Contact,
  { isIPv6, onProblem, signal }: Pick<FindPeersOptions, "isIPv6" | "onProblem" | "signal">,
): Promise<string[]> {
  if (address === undefined) return [];
  const { host, port } = address;
  try {
    return (await usableAddresses(host, { port, isIPv6, signal }))
      .map((hostname) => formatRemote({ hostname, port }));
  } catch (error) {
    if (!(error instanceof TrivetError) || signal.aborted) throw error;
    onProblem(error);
    return [];
  }
}

async function usableAddresses(
  host: string,
  { port, isIPv6, signal }: {
    readonly port: number;
    readonly isIPv6: boolean;
    readonly signal: AbortSignal;
  },
): Promise<string[]> {
  const found = isIpAddress(host)
    ? [canonicalAddress(host)]
    : await resolveHost({ transport: "tcp", host, port }, signal);
  const usable = isIPv6
    // A socket of IPv6 reaches the others under mapped addresses (RFC 4291 §2.5.5.2).
    ? found.map((each) => each.includes(":") ? each : `::ffff:${each}`)
    : found.filter((each) => !each.includes(":"));
  if (usable.length > 0) return usable;
  const text = `Cannot reach ${JSON.stringify(host)} over IPv4: listen with --listen "[::]:PORT"`;
  throw new TrivetError("UNREACHABLE", text);
}
