import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  nsFromNtpShort,
  NTP_UNIX_OFFSET_S,
  ntpFromUnixNs,
  ntpShortFromNs,
  unixNsFromNtp,
} from "../../../lib/clock/ntp_timestamp.ts";

const permissions = "none";
const SECOND_NS = 1_000_000_000n;
/** Half an era, in nanoseconds. */
const HALF_ERA_NS = (1n << 31n) * SECOND_NS;

/** The example dates of RFC 5905 §6, figure 4, with its era and era offset. */
const RFC_DATES: [date: string, era: bigint, offset: bigint][] = [
  ["1899-12-31T00:00:00Z", -1n, 4_294_880_896n],
  ["1900-01-01T00:00:00Z", 0n, 0n],
  ["1970-01-01T00:00:00Z", 0n, 2_208_988_800n],
  ["1972-01-01T00:00:00Z", 0n, 2_272_060_800n],
  ["1999-12-31T00:00:00Z", 0n, 3_155_587_200n],
  ["2036-02-08T00:00:00Z", 1n, 63_104n],
];

for (const [date, era, offset] of RFC_DATES) {
  Deno.test(`ntpFromUnixNs() agrees with RFC 5905 about ${date}`, { permissions }, () => {
    const epochNs = Temporal.Instant.from(date).epochNanoseconds;
    assertEquals(ntpFromUnixNs(epochNs), offset << 32n);
    assertEquals(unixNsFromNtp(offset << 32n, epochNs), epochNs);
    const seconds = epochNs / SECOND_NS + BigInt(NTP_UNIX_OFFSET_S);
    assertEquals(seconds, era * 2n ** 32n + offset);
  });
}

Deno.test("ntpFromUnixNs() goes from era 0 to era 1 without a gap", { permissions }, () => {
  const eraNs = Temporal.Instant.from("2036-02-07T06:28:16Z").epochNanoseconds;
  assertEquals(ntpFromUnixNs(eraNs), 0n);
  assertEquals(ntpFromUnixNs(eraNs - 1n), 0xffff_ffff_ffff_fffbn);
  assertEquals(ntpFromUnixNs(eraNs + SECOND_NS / 2n), 0x0000_0000_8000_0000n);
  assertEquals(unixNsFromNtp(0n, eraNs - SECOND_NS), eraNs);
  assertEquals(unixNsFromNtp(0xffff_ffff_8000_0000n, eraNs + SECOND_NS), eraNs - SECOND_NS / 2n);
});

Deno.test("unixNsFromNtp() gives every nanosecond back", { permissions }, () => {
  const instant = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  const distance = fc.bigInt({
    min: 2n * SECOND_NS - HALF_ERA_NS,
    max: HALF_ERA_NS - 2n * SECOND_NS,
  });
  fc.assert(fc.property(instant, distance, (epochNs, awayNs) => {
    assertEquals(unixNsFromNtp(ntpFromUnixNs(epochNs), epochNs + awayNs), epochNs);
  }));
});

Deno.test("unixNsFromNtp() takes the era next to the known instant", { permissions }, () => {
  const nowNs = Temporal.Instant.from("2030-01-01T00:00:00Z").epochNanoseconds;
  const now = ntpFromUnixNs(nowNs);
  for (const second of [-2_147_483_647n, -1n, 0n, 1n, 2_147_483_647n]) {
    const timestamp = BigInt.asUintN(64, now + (second << 32n));
    assertEquals(unixNsFromNtp(timestamp, nowNs), nowNs + second * SECOND_NS);
  }
  const beyond = BigInt.asUintN(64, now + (2_147_483_649n << 32n));
  assertEquals(unixNsFromNtp(beyond, nowNs), nowNs - 2_147_483_647n * SECOND_NS);
});

Deno.test("unixNsFromNtp() keeps every timestamp to a nanosecond", { permissions }, () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (timestamp) => {
    const again = ntpFromUnixNs(unixNsFromNtp(timestamp, 0n));
    const difference = BigInt.asIntN(64, again - timestamp);
    // A nanosecond is 4.29 units.
    assertEquals(difference >= -4n && difference <= 4n, true, `${timestamp} became ${again}`);
  }));
});

const SHORT: [ns: number, units: number][] = [
  [-1, 0],
  [0, 0],
  [1, 1],
  [15_258.7890625, 1],
  [15_259, 2],
  [1e9, 0x0001_0000],
  [1.5e9, 0x0001_8000],
  [65_535e9, 0xffff_0000],
  [65_536e9, 0xffff_ffff],
  [Infinity, 0xffff_ffff],
];

for (const [ns, units] of SHORT) {
  Deno.test(`ntpShortFromNs() writes ${ns} ns as ${units}`, { permissions }, () => {
    assertEquals(ntpShortFromNs(ns), units);
  });
}

Deno.test("nsFromNtpShort() and ntpShortFromNs() are inverse", { permissions }, () => {
  fc.assert(fc.property(fc.nat(0xffff_ffff), (units) => {
    assertEquals(ntpShortFromNs(nsFromNtpShort(units)), units);
  }));
});
