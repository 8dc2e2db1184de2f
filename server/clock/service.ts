/**
 * The time services together: text and SNTP over UDP, and where asked for DAYTIME and TIME over TCP and
 * UDP. They need no account and no data folder.
 *
 * @module
 */

import {
  ClassicResponder,
  daytimeWriter,
  type TimeWriter,
  writeTime,
} from "../../lib/clock/classic_responder.ts";
import { NtpResponder } from "../../lib/clock/ntp_responder.ts";
import { SNTP_PORT, TIME_PORT } from "../../lib/clock/ports.ts";
import { RateLimit, type RateLimitOptions } from "../../lib/clock/rate_limit.ts";
import { measurePrecision } from "../../lib/clock/stamp_clock.ts";
import { TextResponder } from "../../lib/clock/text_responder.ts";
import { openZone } from "../../lib/clock/zone_files.ts";
import type { TcpAddress } from "../../lib/link/address.ts";
import { type DatagramService, isInUse, openDatagramServices } from "./datagram_service.ts";
import { Mirror, parseMirror } from "./mirror.ts";
import { StreamService } from "./stream_service.ts";

/** Ports that are free for TCP are nearly always so for UDP; this many are tried. */
const FREE_PORT_TRIES = 16;

/** How the time services are set up. */
export interface TimeOptions {
  /** UDP port of the text service; 0 takes any free one. 9000 without it. */
  readonly timePort?: number;
  /** UDP port of the SNTP service; 0 takes any free one. 9123 without it. */
  readonly sntpPort?: number;
  /** TCP and UDP port of DAYTIME (RFC 867); 0 takes any free one. Off without it. */
  readonly daytimePort?: number;
  /** TCP and UDP port of TIME (RFC 868); 0 takes any free one. Off without it. */
  readonly rfc868Port?: number;
  /** Time zone of text and DAYTIME; this machine's without it. */
  readonly zone?: string;
  /** Language of the text service; the C locale without it. */
  readonly locale?: string;
  /** Answers a second that one source gets from each service; 0 is no limit. 100 without it. */
  readonly answersPerSecond?: number;
  /** Answers that one source may get at once. 200 without it. */
  readonly answersBurst?: number;
  /** Whether SNTP tells some of those beyond the limit to ask less; no without it. */
  readonly kissOfDeath?: boolean;
  /** NTP server of this machine, `host[:port]`, whose knowledge of the clock SNTP takes over. */
  readonly ntpMirror?: string;
}

/** Names of the services, as they are announced. */
export type TimeServiceName = "time" | "sntp" | "daytime" | "rfc868";

/** Where one of the services listens. */
export interface TimeAddress {
  /** Which one. */
  readonly service: TimeServiceName;
  /** How it is spoken to. */
  readonly transport: "udp" | "tcp";
  /** Address of this machine. */
  readonly host: string;
  /** The real port. */
  readonly port: number;
}

/** The services as they run. */
export interface RunningTime extends AsyncDisposable {
  /** Where they listen. */
  readonly addresses: readonly TimeAddress[];
}

/**
 * Starts the time services.
 *
 * @param hosts Addresses of this machine to listen on.
 * @param options How they are set up.
 * @returns The running services; disposing of them closes their sockets at once.
 * @throws {TrivetError} `ADDRESS_IN_USE`, or `USAGE` for an address, zone, locale or NTP server that
 * cannot be used.
 */
export async function startTime(
  hosts: readonly string[],
  options: TimeOptions = {},
): Promise<RunningTime> {
  const parts: AsyncDisposable[] = [];
  try {
    const addresses = await startParts(parts, hosts, options);
    return { addresses, [Symbol.asyncDispose]: () => endAll(parts) };
  } catch (error) {
    await endAll(parts);
    throw error;
  }
}

/** Starts one after another, and notes what is to be ended. */
async function startParts(
  parts: AsyncDisposable[],
  hosts: readonly string[],
  options: TimeOptions,
): Promise<TimeAddress[]> {
  const zone = openZone(options.zone ?? Temporal.Now.timeZoneId());
  const mirrored = options.ntpMirror === undefined ? undefined : parseMirror(options.ntpMirror);
  const newLimit = () => new RateLimit(limitOptions(options));
  const addresses: TimeAddress[] = [];
  const announce = (service: TimeServiceName, transport: "udp" | "tcp", place: Place) => {
    addresses.push({ service, transport, host: place.host, port: place.port });
  };

  const textLimit = newLimit();
  const timePlace = { port: options.timePort ?? TIME_PORT, option: "--time-port" };
  for (const service of useAll(parts, openDatagramServices(hosts, timePlace))) {
    const { locale } = options;
    const style = { zone, ...(locale === undefined ? {} : { locale }) };
    const responder = new TextResponder({ ...style, limit: textLimit, ownPort: service.port });
    // Twice: what it has answered once is never changed.
    service.start(responder, responder);
    announce("time", "udp", service);
  }

  const sntpPlace = { port: options.sntpPort ?? SNTP_PORT, option: "--sntp-port" };
  const sntp = useAll(parts, openDatagramServices(hosts, sntpPlace));
  await startSntp(parts, sntp, { limit: newLimit(), mirrored, options });
  for (const service of sntp) announce("sntp", "udp", service);

  const classics: [TimeServiceName, number | undefined, string, TimeWriter][] = [
    ["daytime", options.daytimePort, "--daytime-port", daytimeWriter(zone)],
    ["rfc868", options.rfc868Port, "--rfc868-port", writeTime],
  ];
  for (const [name, port, option, write] of classics) {
    if (port === undefined) continue;
    const limit = newLimit();
    const { streams, datagrams } = openBoth(hosts, { port, option });
    for (const service of useAll(parts, streams)) {
      service.start(write);
      announce(name, "tcp", service);
    }
    for (const service of useAll(parts, datagrams)) {
      service.start(new ClassicResponder({ write, limit, ownPort: service.port }));
      announce(name, "udp", service);
    }
  }
  return addresses;
}

/** An address of this machine and a port. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** Ends all at the same time: none waits for the last datagram of another. */
async function endAll(parts: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
}

function useAll<T extends AsyncDisposable>(
  parts: AsyncDisposable[],
  all: readonly T[],
): readonly T[] {
  parts.push(...all);
  return all;
}

function limitOptions(options: TimeOptions): RateLimitOptions {
  const { answersPerSecond: perSecond, answersBurst: burst } = options;
  return {
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(burst === undefined ? {} : { burst }),
  };
}

/** What {@linkcode startSntp} needs besides its sockets. */
interface SntpSettings {
  readonly limit: RateLimit;
  readonly mirrored: TcpAddress | undefined;
  readonly options: TimeOptions;
}

async function startSntp(
  parts: AsyncDisposable[],
  services: readonly DatagramService[],
  { limit, mirrored, options }: SntpSettings,
): Promise<void> {
  const precision = measurePrecision();
  const kissOfDeath = options.kissOfDeath ?? false;
  // Two for each socket, since each writes its answers into one buffer.
  const responders = services.map(({ host, port }) => {
    const settings = { limit, precision, kissOfDeath, ownPort: port, ownHost: host };
    return [new NtpResponder(settings), new NtpResponder(settings)];
  });
  if (mirrored !== undefined) {
    const mirror = new Mirror(mirrored, (reference) => {
      for (const responder of responders.flat()) responder.setReference(reference);
    });
    parts.push(mirror);
    await mirror.start();
  }
  for (const [index, both] of responders.entries()) services[index]?.start(...both);
}

/** Opens a port for TCP and UDP; port 0 becomes one that is free for both. */
function openBoth(
  hosts: readonly string[],
  place: { readonly port: number; readonly option: string },
): { streams: StreamService[]; datagrams: DatagramService[] } {
  for (let tries = 1;; tries++) {
    const datagrams = openDatagramServices(hosts, place);
    const streams: StreamService[] = [];
    try {
      for (const { host, port } of datagrams) {
        streams.push(new StreamService({ ...place, host, port }));
      }
      return { streams, datagrams };
    } catch (error) {
      for (const service of [...streams, ...datagrams]) service[Symbol.asyncDispose]();
      if (place.port !== 0 || tries >= FREE_PORT_TRIES || !isInUse(error)) throw error;
    }
  }
}
