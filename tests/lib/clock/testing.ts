/**
 * A clock that a test moves, sources of datagrams, and texts that are likely to be formats.
 *
 * @module
 */

import fc from "fast-check";
import type { DatagramSource } from "../../../lib/clock/datagram_source.ts";
import { NTP_PACKET_BYTES, NtpMode } from "../../../lib/clock/ntp_packet.ts";
import { RateLimit } from "../../../lib/clock/rate_limit.ts";
import { StampClock } from "../../../lib/clock/stamp_clock.ts";

const NS_PER_MS = 1_000_000n;

/** A wall clock and a monotonic clock that stand still until a test moves them. */
export class FakeClock {
  epochNs: bigint;
  monotonicMs = 1000;

  /** @param start Such as `2026-11-21T02:45:00.5Z`. */
  constructor(start = "2026-11-21T02:45:00.123456789Z") {
    this.epochNs = Temporal.Instant.from(start).epochNanoseconds;
  }

  /** Both clocks go on. */
  pass(ms: number): void {
    this.monotonicMs += ms;
    this.epochNs += BigInt(ms) * NS_PER_MS;
  }

  /** What the text responder takes. */
  wall(): { wallNs: () => bigint; wallMs: () => number } {
    const floor = (ns: bigint) =>
      Number((ns - (ns % NS_PER_MS + NS_PER_MS) % NS_PER_MS) / NS_PER_MS);
    return { wallNs: () => this.epochNs, wallMs: () => floor(this.epochNs) };
  }

  /** What the NTP responder takes. */
  stamps(): StampClock {
    return new StampClock({ wallNs: () => this.epochNs, monotonicMs: () => this.monotonicMs });
  }
}

/** A client. */
export const CLIENT: DatagramSource = { hostname: "192.0.2.7", port: 40_000 };

/** A limit that nobody reaches. */
export function noLimit(): RateLimit {
  return new RateLimit({ perSecond: 0 });
}

/** Bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Text of bytes; fails for what is not UTF-8. */
export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** A request of an NTP client. */
export function ntpRequest(
  { version = 4, mode = NtpMode.CLIENT as number, transmit = 0x0102_0304_0506_0708n } = {},
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(NTP_PACKET_BYTES);
  bytes[0] = version << 3 | mode;
  new DataView(bytes.buffer).setBigUint64(40, transmit);
  return bytes;
}

const PIECES = [
  ..."aAbBcCdDeFgGhHIjklmMnNpPqrRsStTuUVwWxXyYzZ%+Ee0123456789 Q!".split("").map((c) => `%${c}`),
  ...["%:z", "%::z", "%-d", "%_5d", "%^a", "%#Z", "%999Y", "%64d", "%Ec", "%Od", "%", "%%%%"],
  ...["现在是", "年", "é", "hello", "100", "-1", "1700000000", "1700000000.5", "\n", "\r\n", "\t"],
  ...["2026-11-21 02:45:00", "12026-11-21 02:45:00", "", ".", " ", "\u{1F600}", "\uFEFF", "\0"],
];

/** Texts that are formats, numbers, answers of the service, and pieces of all these. */
export const requestTexts: fc.Arbitrary<string> = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join("")),
  fc.string({ unit: "binary", maxLength: 40 }),
);

/** Datagrams of all kinds. */
export const requests: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 3, arbitrary: requestTexts.map(bytesOf) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ minLength: NTP_PACKET_BYTES, maxLength: NTP_PACKET_BYTES }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ version: fc.nat(7), mode: fc.nat(7) }).map(ntpRequest),
  },
);
