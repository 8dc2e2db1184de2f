/**
 * The two oldest time services: DAYTIME (RFC 867), a line for people, and TIME (RFC 868), four bytes.
 *
 * @module
 */

import { withoutLineEnd } from "./datagram_bytes.ts";
import { type DatagramResponder, type DatagramSource, isClientPort } from "./datagram_source.ts";
import { ntpFromUnixNs } from "./ntp_timestamp.ts";
import type { RateLimit } from "./rate_limit.ts";
import { TimeFormat } from "./strftime.ts";
import { type WallClock, wallClockNs } from "./wall_clock.ts";
import type { Zone } from "./zone.ts";

/** The syntax that RFC 867 calls popular: `Tuesday, February 22, 1982 17:37:43-PST`. */
const DAYTIME_FORMAT = "%A, %B %-d, %Y %H:%M:%S-%Z";

const encoder = new TextEncoder();

/** Writes the time at an instant, in nanoseconds since 1970, as one of the services does. */
export type TimeWriter = (epochNs: bigint) => Uint8Array<ArrayBuffer>;

/**
 * Writes what the DAYTIME service answers: one line of ASCII.
 *
 * @param zone The time zone.
 */
export function daytimeWriter(zone: Zone): TimeWriter {
  const format = new TimeFormat(DAYTIME_FORMAT, { zone });
  return (epochNs) => encoder.encode(`${format.format(epochNs)}\r\n`);
}

/**
 * What the TIME service answers: seconds since 1900 as 32 bits. They begin with 0 again in 2036, as
 * those of NTP do; RFC 868 has no word for that.
 */
export const writeTime: TimeWriter = (epochNs) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, Number(ntpFromUnixNs(epochNs) >> 32n));
  return bytes;
};

/** Options of {@linkcode ClassicResponder}. */
export interface ClassicResponderOptions {
  /** Which of the services. */
  readonly write: TimeWriter;
  /** Counts what each source gets. */
  readonly limit: RateLimit;
  /** Port of the service. */
  readonly ownPort: number;
  /** The time (default: this machine's clock). */
  readonly wallNs?: WallClock;
}

/**
 * Answers the datagrams of one of these services. Both RFCs want an answer to everything; that is how
 * two such servers go on for ever once somebody forges a datagram (CVE-2024-2169). So only an empty
 * one, which is what RFC 868 has clients send, or an end of a line is answered: no answer is one.
 */
export class ClassicResponder implements DatagramResponder {
  readonly #write: TimeWriter;
  readonly #limit: RateLimit;
  readonly #ownPort: number;
  readonly #wallNs: WallClock;

  /** Makes a responder. */
  constructor(options: ClassicResponderOptions) {
    this.#write = options.write;
    this.#limit = options.limit;
    this.#ownPort = options.ownPort;
    this.#wallNs = options.wallNs ?? wallClockNs;
  }

  /** See the class. */
  respond(request: Uint8Array, source: DatagramSource): Uint8Array | undefined {
    if (request.length > 2 || withoutLineEnd(request).length > 0) return undefined;
    if (!isClientPort(source.port, this.#ownPort)) return undefined;
    const verdict = this.#limit.check(source.hostname, performance.now());
    return verdict === "answer" ? this.#write(this.#wallNs()) : undefined;
  }
}
