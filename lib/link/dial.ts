/**
 * Dials a server and decides whom to trust: the certificate that is pinned, the fingerprint that
 * was given, a public authority, or whoever is asked about a server never seen.
 *
 * How far that goes. A self-made certificate is pinned exactly: the connection that carries data is
 * itself verified against it, under a private name that no public authority issues for. On first
 * contact the certificate comes from a connection of its own (see `probe.ts`); somebody between
 * could show that one a false certificate, and then is the one who gets pinned unless the
 * fingerprint is compared, but could not show it a true one and then take over the data connection.
 * A certificate that an issuer signed is pinned by that issuer and the host's name: another
 * certificate of the same issuer for the same name, such as a renewed one, passes on later
 * connections, and so does one of a public authority if the name is a public one.
 *
 * @module
 */

import { after } from "../after.ts";
import { TrivetError } from "../errors.ts";
import { type Address, formatAddress, isLoopback, type TcpAddress } from "./address.ts";
import { type CertificateInfo, fingerprintOf, readCertificate, toPem } from "./certificate.ts";
import { CertificateRefused, connectPlain, connectTls } from "./connect.ts";
import { equalFingerprints } from "./fingerprint.ts";
import type { KnownServer, PinnedServer } from "./known_servers.ts";
import { probeCertificates } from "./probe.ts";
import { dnsNamesOf } from "./subject_names.ts";
import {
  authorityGone,
  checkUsable,
  fingerprintDiffers,
  fingerprintText,
  nameToAskFor,
  pinChanged,
  refusedByTls,
  type Shown,
} from "./shown.ts";

/** Time for everything of a dial but the question to a person. */
export const DIAL_TIMEOUT_MS = 10_000;

/** A server never seen before, for a person to decide about. */
export interface UnknownServer {
  /** The address as `formatAddress` writes it. */
  readonly address: string;
  /** Its fingerprint as `formatFingerprint` writes it. */
  readonly fingerprint: string;
  /** Its certificate. */
  readonly certificate: CertificateInfo;
}

/** Whom a dial trusts. */
export interface DialTrust {
  /** What the certificate's fingerprint must be, whatever is known of the server. */
  readonly fingerprint?: Uint8Array;
  /** What `KnownServers.lookup` says of the address. */
  readonly known?: KnownServer | undefined;
  /** Where that stands, for messages, such as `line 3 of "/home/ann/.config/trivet/known_servers"`. */
  readonly knownAt?: string;
  /** Decides about a server never seen; without it such a server is refused. */
  readonly confirm?: (server: UnknownServer) => Promise<boolean>;
}

/** Options of {@linkcode dial}. */
export interface DialOptions {
  /** Without TLS; for loopback only. A Unix socket never has TLS: its file's mode guards it. */
  readonly plain?: boolean;
  /** Whom to trust (default: public authorities alone). */
  readonly trust?: DialTrust;
  /** Ends the dial; once it has resolved, the connection is the caller's to close. */
  readonly signal?: AbortSignal;
  /** Time for everything but the question to a person (default {@linkcode DIAL_TIMEOUT_MS}). */
  readonly timeoutMs?: number;
}

/** An open connection, and what its server is trusted for. */
export interface Dialed {
  /** The connection, its TLS handshake done. */
  readonly conn: Deno.Conn;
  /**
   * Fingerprint of the server's certificate, where it is known: not for a server that an issuer or a
   * public authority vouches for, whose certificate may have been renewed.
   */
  readonly certificateSha256?: Uint8Array;
  /** What to remember of the server, when the caller's list lacks it or has something else. */
  readonly firstSeen?: KnownServer;
}

/**
 * Connects to a server.
 *
 * @param address The server
 * @param options Whom to trust and how long to wait
 * @returns The connection
 * @throws TrivetError `USAGE` (plain TCP to another machine), `UNREACHABLE`, `TIMEOUT`,
 * `INTERRUPTED`, `CONNECTION_LOST`, `PROTOCOL_ERROR`, `PIN_UNKNOWN`, `PIN_MISMATCH` or
 * `CERTIFICATE_INVALID`
 */
export async function dial(address: Address, options: DialOptions = {}): Promise<Dialed> {
  if (address.transport === "unix") {
    const call = new Call(address, options);
    return { conn: await call.within((signal) => connectPlain(address, signal)) };
  }
  if (options.plain === true && !isLoopback(address.host)) {
    throw new TrivetError(
      "USAGE",
      `Cannot use --plain with "${formatAddress(address)}": without TLS only this machine is ` +
        `dialed, as 127.0.0.1, ::1 or localhost`,
    );
  }
  const call = new TcpCall(address, options);
  if (options.plain === true) {
    return { conn: await call.within((signal) => connectPlain(address, signal)) };
  }
  return await dialTls(call);
}

async function dialTls(call: TcpCall): Promise<Dialed> {
  const { fingerprint, known } = call.trust;
  if (
    known?.trust === "pinned" &&
    (fingerprint === undefined ||
      (known.chain.length === 1 && equalFingerprints(fingerprint, known.sha256)))
  ) {
    return await dialPinned(call, known);
  }
  if (fingerprint !== undefined) return await dialExpected(call, fingerprint);
  try {
    const conn = await call.connect(call.address.host, []);
    return known === undefined
      ? { conn, firstSeen: { trust: "webpki", address: call.name } }
      : { conn };
  } catch (error) {
    if (!(error instanceof CertificateRefused)) throw error;
  }
  const shown = await call.probe();
  if (known !== undefined) {
    if (!shown.certificate.selfSigned) checkUsable(call, shown);
    throw authorityGone(call, shown);
  }
  return await dialUnknown(call, shown);
}

/** The usual way: one connection, verified against the pinned certificate. */
async function dialPinned(call: TcpCall, known: PinnedServer): Promise<Dialed> {
  const [der] = known.chain;
  if (der === undefined || !equalFingerprints(await fingerprintOf(der), known.sha256)) {
    throw new TrivetError(
      "PIN_UNKNOWN",
      `Cannot use what is known of "${call.name}": the certificate in ${call.knownAt} ` +
        `does not have the fingerprint beside it`,
    );
  }
  const names = dnsNamesOf(der) ?? (await readCertificate(der)).names;
  try {
    const conn = await connectTrusting(call, names, known.chain);
    // Whoever else the issuer signed for passes too, and which one it was TLS does not tell.
    return known.chain.length > 1 ? { conn } : { conn, certificateSha256: known.sha256 };
  } catch (error) {
    if (!(error instanceof CertificateRefused)) throw error;
    const shown = await call.probe();
    const same = equalFingerprints(shown.certificate.sha256, known.sha256);
    throw same ? refusedByTls(call, shown, error) : pinChanged(call, known.sha256, shown);
  }
}

/** The certificate must have the fingerprint that was given. */
async function dialExpected(call: TcpCall, fingerprint: Uint8Array): Promise<Dialed> {
  const shown = await call.probe();
  if (!equalFingerprints(shown.certificate.sha256, fingerprint)) {
    throw fingerprintDiffers(call, fingerprint, shown);
  }
  return await dialApproved(call, shown);
}

async function dialUnknown(call: TcpCall, shown: Shown): Promise<Dialed> {
  const fingerprint = fingerprintText(shown);
  const server = { address: call.name, fingerprint, certificate: shown.certificate };
  const { confirm } = call.trust;
  checkUsable(call, shown);
  if (confirm !== undefined && await confirm(server)) return await dialApproved(call, shown);
  const reason = confirm === undefined ? "nobody can be asked about it" : "it was not accepted";
  throw new TrivetError(
    "PIN_UNKNOWN",
    `The server at "${call.name}" has not been seen before and ${reason}; ` +
      `its fingerprint is ${fingerprint}`,
    { details: { address: call.name, fingerprint } },
  );
}

async function dialApproved(call: TcpCall, shown: Shown): Promise<Dialed> {
  checkUsable(call, shown);
  const { sha256 } = shown.certificate;
  try {
    const conn = await connectTrusting(call, shown.certificate.names, shown.chain);
    const firstSeen = { trust: "pinned", address: call.name, sha256, chain: shown.chain } as const;
    return { conn, certificateSha256: sha256, firstSeen };
  } catch (error) {
    throw error instanceof CertificateRefused ? refusedByTls(call, shown, error) : error;
  }
}

/** The connection that carries data, verified against what was shown or pinned. */
function connectTrusting(
  call: TcpCall,
  names: readonly string[],
  chain: readonly Uint8Array[],
): Promise<Deno.TlsConn> {
  return call.connect(nameToAskFor(names, call.address.host), chain.map(toPem));
}

/** One dial: its options, and the time it has left. */
class Call {
  readonly name: string;
  readonly trust: DialTrust;
  readonly #signal: AbortSignal | undefined;
  readonly #timeoutMs: number;
  #leftMs: number;

  constructor(address: Address, options: DialOptions) {
    this.name = formatAddress(address);
    this.trust = options.trust ?? {};
    this.#signal = options.signal;
    this.#timeoutMs = options.timeoutMs ?? DIAL_TIMEOUT_MS;
    this.#leftMs = this.#timeoutMs;
  }

  /** Where the caller's list speaks of this server, for messages. */
  get knownAt(): string {
    return this.trust.knownAt ?? "its line in the known servers";
  }

  /** Runs one step of the dial; its signal fires when time is up or the caller gives up. */
  async within<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const giveUp = () => controller.abort(interrupted(this.name, this.#signal?.reason));
    if (this.#signal?.aborted) throw interrupted(this.name, this.#signal.reason);
    const startedMs = performance.now();
    using _deadline = after(
      this.#leftMs,
      () => controller.abort(timedOut(this.name, this.#timeoutMs)),
    );
    this.#signal?.addEventListener("abort", giveUp, { once: true });
    try {
      return await step(controller.signal);
    } finally {
      this.#signal?.removeEventListener("abort", giveUp);
      this.#leftMs -= performance.now() - startedMs;
    }
  }
}

class TcpCall extends Call {
  readonly address: TcpAddress;

  constructor(address: TcpAddress, options: DialOptions) {
    super(address, options);
    this.address = address;
  }

  /** Opens the connection that carries data. */
  connect(hostname: string, caCerts: readonly string[]): Promise<Deno.TlsConn> {
    return this.within((signal) => connectTls(this.address, { hostname, caCerts }, signal));
  }

  /** Asks the server for its certificate. */
  async probe(): Promise<Shown> {
    const chain = await this.within((signal) => probeCertificates(this.address, signal));
    const [leaf] = chain;
    if (leaf === undefined) throw new RangeError("Cannot read certificate: the chain is empty");
    return { certificate: await readCertificate(leaf), chain };
  }
}

function timedOut(name: string, timeoutMs: number): TrivetError {
  return new TrivetError("TIMEOUT", `Cannot reach "${name}": no answer within ${timeoutMs} ms`);
}

function interrupted(name: string, reason: unknown): TrivetError {
  if (reason instanceof TrivetError) return reason;
  return new TrivetError("INTERRUPTED", `Stopped while connecting to "${name}"`, { cause: reason });
}
