/**
 * What every client of the library needs to connect: the server, whom to trust, and who logs in.
 *
 * @module
 */

import { parseAddress } from "../lib/link/address.ts";
import type { UnknownServer } from "../lib/link/dial.ts";
import { parseFingerprint } from "../lib/link/fingerprint.ts";
import { Connector } from "./connector.ts";
import type { Credentials } from "./session.ts";
import { MemoryTrustStore, type TrustStore } from "./trust.ts";

/** See the module. */
export interface ConnectOptions {
  /** `host`, `host:port`, `[v6]:port` or `unix:/path`. */
  readonly server: string;
  /** A token, or a name and a password. */
  readonly credentials: Credentials;
  /** Fingerprint of the server's certificate, as `trivetd` prints it. */
  readonly fingerprint?: string;
  /** Which servers are known; nobody but public authorities is trusted without it. */
  readonly trust?: TrustStore;
  /** Decides about a server that is not known. */
  readonly confirm?: (server: UnknownServer) => Promise<boolean>;
  /** Without TLS; for loopback only. */
  readonly plain?: boolean;
  /** A machine key, as `trivetd key add` prints it, for a server that asks for one. */
  readonly machineKey?: string;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/**
 * Reads the options; connects to nothing yet.
 *
 * @param options Where to, and whom to trust.
 * @param service The service that is asked for.
 */
export async function connectorFor(
  options: Omit<ConnectOptions, "credentials" | "signal">,
  service?: string,
): Promise<Connector> {
  const { server, fingerprint, trust, confirm, plain } = options;
  // Imported here: few servers ask for a key.
  const machineKey = options.machineKey === undefined
    ? undefined
    : (await import("../lib/auth/machine_key.ts")).parseMachineKey(options.machineKey);
  return new Connector({
    address: parseAddress(server),
    trust: trust ?? new MemoryTrustStore(),
    ...(service === undefined ? {} : { service }),
    ...(fingerprint === undefined ? {} : { fingerprint: parseFingerprint(fingerprint) }),
    ...(confirm === undefined ? {} : { confirm }),
    ...(plain === undefined ? {} : { plain }),
    ...(machineKey === undefined ? {} : { machineKey }),
  });
}
