import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  MIRROR_KEEP_MS,
  MIRROR_OFFSET_MAX_MS,
  type MirrorReading,
  NtpMirror,
} from "../../../lib/clock/ntp_mirror.ts";
import {
  decodeNtpPacket,
  encodeNtpPacket,
  NtpMode,
  type NtpPacket,
} from "../../../lib/clock/ntp_packet.ts";
import { ntpFromUnixNs } from "../../../lib/clock/ntp_timestamp.ts";
import { FakeClock } from "./testing.ts";

const permissions = "none";

/** What a daemon that is synchronised answers. */
function replyTo(request: Uint8Array, clock: FakeClock, change: Partial<NtpPacket> = {}) {
  const asked = decodeNtpPacket(request);
  assert(asked !== undefined);
  return encodeNtpPacket({
    ...asked,
    mode: NtpMode.SERVER,
    stratum: 3,
    referenceId: Uint8Array.of(192, 0, 2, 99),
    rootDelayNs: 1e9,
    rootDispersionNs: 0.5e9,
    referenceTimestamp: 77n,
    originateTimestamp: asked.transmitTimestamp,
    receiveTimestamp: ntpFromUnixNs(clock.epochNs),
    transmitTimestamp: ntpFromUnixNs(clock.epochNs),
    ...change,
  });
}

/** Asks a mirror once and lets a daemon answer. */
function exchange(mirror: NtpMirror, clock: FakeClock, change: Partial<NtpPacket> = {}) {
  return mirror.read(replyTo(mirror.ask(), clock, change), clock);
}

Deno.test(
  "NtpMirror asks as a client with a transmit timestamp of its own",
  { permissions },
  () => {
    const mirror = new NtpMirror();
    const request = decodeNtpPacket(mirror.ask(0xdead_beefn));
    assertEquals([request?.version, request?.mode, request?.poll], [4, NtpMode.CLIENT, 4]);
    assertEquals(request?.transmitTimestamp, 0xdead_beefn);
    const nonces = Array.from(
      { length: 100 },
      () => decodeNtpPacket(mirror.ask())?.transmitTimestamp,
    );
    assertEquals(new Set(nonces).size, 100);
  },
);

Deno.test("NtpMirror takes over all that a reply says of the clock", { permissions }, () => {
  const clock = new FakeClock();
  assertEquals(exchange(new NtpMirror(), clock, { leap: 1 }), {
    kind: "reference",
    reference: {
      leap: 1,
      stratum: 3,
      referenceId: Uint8Array.of(192, 0, 2, 99),
      rootDelayNs: 1e9,
      rootDispersionNs: 0.5e9,
      referenceTimestamp: 77n,
      asOfMs: clock.monotonicMs,
    },
  });
});

const OFFSET_NS = BigInt(MIRROR_OFFSET_MAX_MS) * 1_000_000n;

const REPLIES: [
  name: string,
  change: (clock: FakeClock) => Partial<NtpPacket>,
  MirrorReading["kind"],
][] = [
  ["the first stratum", () => ({ stratum: 1 }), "reference"],
  ["the last stratum", () => ({ stratum: 15 }), "reference"],
  ["a kiss-o'-death", () => ({ stratum: 0 }), "refused"],
  ["a stratum beyond the last", () => ({ stratum: 16 }), "refused"],
  ["a clock that is not synchronised", () => ({ leap: 3 }), "refused"],
  ["no time", () => ({ transmitTimestamp: 0n }), "refused"],
  ["another mode", () => ({ mode: NtpMode.BROADCAST }), "ignored"],
  ["the answer to something else", () => ({ originateTimestamp: 1n }), "ignored"],
  [
    "a time that is just near enough",
    ({ epochNs }) => ({ transmitTimestamp: ntpFromUnixNs(epochNs + OFFSET_NS) }),
    "reference",
  ],
  [
    "a time that is too far ahead",
    ({ epochNs }) => ({ transmitTimestamp: ntpFromUnixNs(epochNs + OFFSET_NS + 1_000_000n) }),
    "refused",
  ],
  [
    "a time that is too far behind",
    ({ epochNs }) => ({ transmitTimestamp: ntpFromUnixNs(epochNs - OFFSET_NS - 1_000_000n) }),
    "refused",
  ],
];

for (const [name, change, kind] of REPLIES) {
  Deno.test(`NtpMirror.read() of ${name}: ${kind}`, { permissions }, () => {
    const clock = new FakeClock();
    assertEquals(exchange(new NtpMirror(), clock, change(clock)).kind, kind);
  });
}

Deno.test("NtpMirror.read() says why it refuses another clock", { permissions }, () => {
  const clock = new FakeClock();
  const transmitTimestamp = ntpFromUnixNs(clock.epochNs - 5_000_000_000n);
  const reading = exchange(new NtpMirror(), clock, { transmitTimestamp });
  assert(reading.kind === "refused");
  assertStringIncludes(reading.reason, "-5000 ms");
});

Deno.test("NtpMirror.read() ignores what is too short, and the same reply again", {
  permissions,
}, () => {
  const clock = new FakeClock();
  const mirror = new NtpMirror();
  const reply = replyTo(mirror.ask(), clock);
  assertEquals(mirror.read(reply.subarray(0, 47), clock).kind, "ignored");
  assertEquals(mirror.read(reply, clock).kind, "reference");
  assertEquals(mirror.read(reply, clock).kind, "ignored");
});

Deno.test("NtpMirror asks every 16 to 64 seconds, sooner when something is wrong", {
  permissions,
}, () => {
  const clock = new FakeClock();
  const mirror = new NtpMirror();
  assertEquals(mirror.pollS, 16);
  exchange(mirror, clock);
  assertEquals(mirror.pollS, 32);
  exchange(mirror, clock);
  exchange(mirror, clock);
  assertEquals(mirror.pollS, 64);
  exchange(mirror, clock, { leap: 3 });
  assertEquals(mirror.pollS, 16);
  exchange(mirror, clock);
  mirror.ask();
  mirror.missed(clock.monotonicMs);
  assertEquals(mirror.pollS, 16);
});

Deno.test("NtpMirror.missed() keeps what was taken over for a while", { permissions }, () => {
  const clock = new FakeClock();
  const mirror = new NtpMirror();
  assertEquals(mirror.missed(clock.monotonicMs), false);
  exchange(mirror, clock);
  assertEquals(mirror.missed(clock.monotonicMs + MIRROR_KEEP_MS - 1), true);
  assertEquals(mirror.missed(clock.monotonicMs + MIRROR_KEEP_MS), false);
});
