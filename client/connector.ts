/**
 * Opens links to one server: dials it, decides whom to trust, remembers that, and says hello.
 *
 * @module
 */

import type { MachineKey } from "../lib/auth/machine_key.ts";
import { after } from "../lib/after.ts";
import { TrivetError } from "../lib/errors.ts";
import { type Address, formatAddress } from "../lib/link/address.ts";
import { dial, type Dialed, type UnknownServer } from "../lib/link/dial.ts";
import { equalFingerprints } from "../lib/link/fingerprint.ts";
import type { KnownServer } from "../lib/link/known_servers.ts";
import { Link } from "../lib/link/link.ts";
import { probeCertificates } from "../lib/link/probe.ts";
import { greet } from "../lib/rpc/handshake.ts";
import type { Welcome } from "../lib/rpc/messages.ts";
import { NETDISK_SERVICE } from "../lib/rpc/services.ts";
import { CLIENT_NAME } from "../lib/version.ts";
import type { TrustStore } from "./trust.ts";

/** Time for hello, and for login, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 15_000;

/** Options of {@linkcode Connector}. */
export interface ConnectorOptions {
  /** The server. */
  readonly address: Address;
  /** The service that is asked for; the netdisk without it. */
  readonly service?: string;
  /** Services that are asked for where the first one is not offered: for a login, any will do. */
  readonly otherServices?: readonly string[];
  /** Without TLS; for loopback only. */
  readonly plain?: boolean;
  /** What the certificate's fingerprint must be. */
  readonly fingerprint?: Uint8Array;
  /** Proves this machine to the server, which must prove first that it knows the key. */
  readonly machineKey?: MachineKey;
  /** Which servers are known, and where new ones are remembered. */
  readonly trust: TrustStore;
  /** Decides about a server never seen; without it such a server is refused. */
  readonly confirm?: (server: UnknownServer) => Promise<boolean>;
  /** Whether a certificate that has the given fingerprint replaces the one that was known. */
  readonly replacesPin?: boolean;
  /**
   * Dials this port in place of the address's: one that the server has opened for us. The server is
   * known already, so nobody is asked and nothing is remembered.
   */
  readonly directPort?: number;
}

/** A link whose hello is done, and the exchange of the machine key, if there is one. */
export interface GreetedLink {
  /** The link. */
  readonly link: Link;
  /** What the server said. */
  readonly welcome: Welcome;
  /** The server's address without a port; none on a Unix socket. */
  readonly host: string | undefined;
  /** SHA-256 of the server's certificate, on a TLS link where it is known. */
  readonly certificateSha256: Uint8Array<ArrayBuffer> | undefined;
}

/** See the module. */
export class Connector {
  /** The server's address, as `formatAddress` writes it. */
  readonly name: string;
  /** Whether links are encrypted. */
  readonly isTls: boolean;
  readonly #options: ConnectorOptions;

  /** Connects to nothing yet. */
  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.name = formatAddress(options.address);
    this.isTls = options.plain !== true && options.address.transport === "tcp";
  }

  /** The same server by a port that it has opened for us alone. */
  direct(port: number): Connector {
    const { address, plain, trust, service, machineKey } = this.#options;
    return new Connector({
      address,
      trust,
      directPort: port,
      ...(service === undefined ? {} : { service }),
      ...(machineKey === undefined ? {} : { machineKey }),
      ...(plain === undefined ? {} : { plain }),
    });
  }

  /**
   * Opens a link, says hello, and runs the exchange of the machine key.
   *
   * @throws {TrivetError} As `dial`, `greet` and `proveMachineKey`; `KEY_REQUIRED` when the server asks
   * for a key and there is none.
   */
  async open(signal?: AbortSignal): Promise<GreetedLink> {
    const { service = NETDISK_SERVICE, otherServices = [] } = this.#options;
    const others = [...otherServices];
    for (let asked = service;;) {
      try {
        return await this.#open(asked, signal);
      } catch (error) {
        const isOther = error instanceof TrivetError && error.code === "UNKNOWN_SERVICE";
        const next = isOther ? others.shift() : undefined;
        if (next === undefined) throw error;
        asked = next;
      }
    }
  }

  async #open(service: string, signal: AbortSignal | undefined): Promise<GreetedLink> {
    const dialed = await this.#dial(signal);
    const link = new Link(dialed.conn);
    const { remoteAddr } = dialed.conn;
    const host = "hostname" in remoteAddr ? remoteAddr.hostname : undefined;
    try {
      const welcome = await underDeadline(
        link,
        () => greet(link, { service, client: CLIENT_NAME }),
        { signal },
      );
      const sha256 = dialed.certificateSha256;
      const certificateSha256 = sha256 === undefined ? undefined : Uint8Array.from(sha256);
      return await this.#prove({ link, welcome, host, certificateSha256 }, { service, signal });
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /**
   * SHA-256 of the certificate that the server shows now, where an issuer vouches for it and the link
   * itself tells none. If somebody showed a false one, the login it is for would fail.
   */
  async askCertificate(signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { address } = this.#options;
    if (!this.isTls || address.transport !== "tcp") return undefined;
    const timeout = AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS);
    const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const [leaf] = await probeCertificates(address, both);
    if (leaf === undefined) return undefined;
    return new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(leaf)));
  }

  async #prove(
    greeted: GreetedLink,
    { service, signal }: { readonly service: string; readonly signal: AbortSignal | undefined },
  ): Promise<GreetedLink> {
    const { link, welcome } = greeted;
    const key = this.#options.machineKey;
    if (key === undefined) {
      if (welcome.keyRequired !== true) return greeted;
      throw new TrivetError("KEY_REQUIRED", `${this.name} admits nobody without a machine key`);
    }
    const channelBinding = greeted.certificateSha256 ?? await this.askCertificate(signal);
    // Imported here: few servers ask for a key.
    const { proveMachineKey } = await import("./machine_key.ts");
    const { MACHINE_KEY_TIMEOUT_MS } = await import("../lib/auth/machine_key_schedule.ts");
    const { mechanisms } = welcome;
    const options = { key, service, mechanisms, channelBinding };
    await underDeadline(link, () => proveMachineKey(link, options), {
      signal,
      timeoutMs: MACHINE_KEY_TIMEOUT_MS,
    });
    return { ...greeted, certificateSha256: channelBinding };
  }

  async #dial(signal: AbortSignal | undefined): Promise<Dialed> {
    const { address, plain, fingerprint, confirm, trust } = this.#options;
    if (!this.isTls) {
      return await dial(address, {
        ...(plain === undefined ? {} : { plain }),
        ...(signal === undefined ? {} : { signal }),
      });
    }
    const known = await trust.lookup(this.name);
    const { directPort } = this.#options;
    if (directPort !== undefined && address.transport === "tcp") {
      return await dial({ ...address, port: directPort }, {
        trust: known,
        ...(signal === undefined ? {} : { signal }),
      });
    }
    const dialed = await dial(address, {
      trust: {
        ...known,
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(confirm === undefined ? {} : { confirm }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      await this.#remember(dialed.firstSeen, known.known);
    } catch (error) {
      dialed.conn.close();
      throw error;
    }
    return dialed;
  }

  async #remember(seen: KnownServer | undefined, known: KnownServer | undefined): Promise<void> {
    if (seen === undefined || (known !== undefined && isSame(seen, known))) return;
    if (known !== undefined && this.#options.replacesPin !== true) return;
    await this.#options.trust.remember(seen);
  }
}

function isSame(a: KnownServer, b: KnownServer): boolean {
  if (a.trust !== "pinned" || b.trust !== "pinned") return a.trust === b.trust;
  return equalFingerprints(a.sha256, b.sha256);
}

/** Options of {@linkcode underDeadline}. */
export interface DeadlineOptions {
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /** In place of {@linkcode HANDSHAKE_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
}

/**
 * Runs one step of a handshake; when its time is up or the caller gives up, the link is closed.
 *
 * @throws {TrivetError} `TIMEOUT`, the signal's reason, or what the step threw.
 */
export async function underDeadline<T>(
  link: Link,
  step: () => Promise<T>,
  { signal, timeoutMs = HANDSHAKE_TIMEOUT_MS }: DeadlineOptions = {},
): Promise<T> {
  signal?.throwIfAborted();
  const giveUp = () => {
    const cause: unknown = signal?.reason;
    const stopped = new TrivetError("INTERRUPTED", "Stopped while connecting", { cause });
    link.close(cause instanceof TrivetError ? cause : stopped);
  };
  using _deadline = after(timeoutMs, () => {
    const text = `The server did not answer within ${timeoutMs} ms`;
    link.close(new TrivetError("TIMEOUT", text));
  });
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return await step();
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}
