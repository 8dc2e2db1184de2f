/**
 * A whole server: starts the services and ends them together. The program `trivetd` and programs that
 * embed a server both begin here.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { TrivetError } from "../lib/errors.ts";
import { type Address, formatAddress, type TcpAddress } from "../lib/link/address.ts";
import {
  type RunningTime,
  startTime,
  type TimeAddress,
  type TimeOptions,
} from "./clock/service.ts";
import {
  type NetdiskServeOptions,
  type RunningNetdisk,
  startNetdisk,
  type UdpAddress,
} from "./netdisk_service.ts";

/** Services that a server can have. */
export const SERVICES = ["netdisk", "chat", "time", "exec"] as const;

/** Name of a service. */
export type ServiceName = typeof SERVICES[number];

/** Services that `trivetd serve` starts when none is named; remote commands never are. */
export const DEFAULT_SERVICES: readonly ServiceName[] = ["netdisk", "chat", "time"];

/** Services that people log in to, all through one port. */
const MEMBER_SERVICES: readonly ServiceName[] = ["netdisk", "chat", "exec"];

/** Whether somebody logs in to one of the services. */
export function hasMembers(services: readonly ServiceName[]): boolean {
  return services.some((name) => MEMBER_SERVICES.includes(name));
}

/** How long requests in flight may go on after a shutdown began, in milliseconds. */
export const DRAIN_TIMEOUT_MS = 30_000;

/** How a server is set up. */
export interface ServeOptions extends NetdiskServeOptions {
  /** What it serves; the netdisk alone without it. */
  readonly services?: readonly ServiceName[];
  /** How the time services are set up. They listen on the hosts of `listen`, never on a Unix socket. */
  readonly time?: TimeOptions;
}

/** A server that runs. */
export interface RunningServer extends AsyncDisposable {
  /** Where netdisk, chat and remote commands listen, with the real port; empty without them. */
  readonly addresses: readonly Address[];
  /** Where the classic protocol is spoken, with the real port; empty when it is off. */
  readonly classic: readonly TcpAddress[];
  /** Where the chat is spoken over UDP, with the real port; empty when it is off. */
  readonly chatUdp: readonly UdpAddress[];
  /** The certificate's fingerprint, unless it serves without TLS or the time alone. */
  readonly fingerprint: string | undefined;
  /** Whether people may make accounts. */
  readonly registration: "open" | "closed";
  /** Where the time services listen, with the real ports; empty without them. */
  readonly time: readonly TimeAddress[];
  /**
   * Stops accepting, lets requests in flight finish, closes everything. The time services end at once.
   *
   * @param drainMs How long they may take; then their connections are closed.
   */
  shutdown(drainMs?: number): Promise<void>;
}

const log = getLogger(["trivet", "server"]);

/**
 * Starts a server.
 *
 * @param options How it is set up.
 * @returns The running server.
 * @throws {TrivetError} `USAGE`, `ADDRESS_IN_USE`, or `FAILED` when the data folder cannot be used.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const services = new Set<ServiceName>(options.services ?? ["netdisk"]);
  // First the sockets that need nothing: a port that is taken leaves the data folder as it is.
  const time = services.has("time") ? await openTime(options, services) : undefined;
  let netdisk: RunningNetdisk | undefined;
  try {
    const members = MEMBER_SERVICES.filter((name) => services.has(name));
    if (members.length > 0) netdisk = await startNetdisk(options, new Set(members));
  } catch (error) {
    await time?.[Symbol.asyncDispose]();
    throw error;
  }
  let ended: Promise<void> | undefined;
  const end = async (drainMs: number) => {
    await Promise.all([time?.[Symbol.asyncDispose](), netdisk?.end(drainMs)]);
  };
  return {
    addresses: netdisk?.addresses ?? [],
    classic: netdisk?.classic ?? [],
    chatUdp: netdisk?.chatUdp ?? [],
    fingerprint: netdisk?.fingerprint,
    registration: netdisk?.registration ?? "closed",
    time: time?.addresses ?? [],
    shutdown: (drainMs = DRAIN_TIMEOUT_MS) => ended ??= end(drainMs),
    [Symbol.asyncDispose]: () => ended ??= end(0),
  };
}

async function openTime(
  options: ServeOptions,
  services: ReadonlySet<ServiceName>,
): Promise<RunningTime | undefined> {
  const places = options.listen ?? ["127.0.0.1"];
  const hosts = places.filter((place) => !place.startsWith("unix:"));
  if (hosts.length > 0) return await startTime(hosts, options.time);
  if (services.size === 1) {
    throw new TrivetError("USAGE", "The time services need an address: a Unix socket is none");
  }
  log.warning("The time services are not started: a Unix socket is no address for them");
  return undefined;
}

/** A server's address as a client is told to type it. */
export function addressToType(address: Address): string {
  if (address.transport === "tcp" && (address.host === "0.0.0.0" || address.host === "::")) {
    return formatAddress({ ...address, host: Deno.hostname() });
  }
  return formatAddress(address);
}
