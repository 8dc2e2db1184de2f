import { assertEquals, assertThrows } from "@std/assert";
import { Moment, MOMENT_SECONDS_MAX, MOMENT_SECONDS_MIN } from "../../../lib/clock/moment.ts";
import { fixedZone, UTC, type Zone, type ZoneSpan } from "../../../lib/clock/zone.ts";

const permissions = "none";
const SECOND_NS = 1_000_000_000n;

function fieldsAt(epochNs: bigint, zone: Zone = UTC): string {
  const moment = new Moment(zone);
  moment.move(epochNs);
  const { year, month, day, hour, minute, second, nanoseconds } = moment;
  return [year, month, day, hour, minute, second, nanoseconds].join(" ");
}

Deno.test("Moment.move() rounds down before 1970", { permissions }, () => {
  assertEquals(fieldsAt(0n), "1970 1 1 0 0 0 0");
  assertEquals(fieldsAt(-1n), "1969 12 31 23 59 59 999999999");
  assertEquals(fieldsAt(-SECOND_NS), "1969 12 31 23 59 59 0");
  assertEquals(fieldsAt(-SECOND_NS - 1n), "1969 12 31 23 59 58 999999999");
});

Deno.test("Moment.move() shows local time", { permissions }, () => {
  assertEquals(fieldsAt(0n, fixedZone("A", -2588, "LMT")), "1969 12 31 23 16 52 0");
  assertEquals(fieldsAt(0n, fixedZone("B", 50_400, "+14")), "1970 1 1 14 0 0 0");
});

Deno.test("Moment.move() asks the zone only when it leaves a stretch", { permissions }, () => {
  const asked: number[] = [];
  const span = (from: number): ZoneSpan => {
    return { from, until: from + 100, offsetSeconds: from, abbreviation: `${from}`, isDst: false };
  };
  const zone = {
    name: "Test",
    at: (seconds: number) => {
      asked.push(seconds);
      return span(Math.floor(seconds / 100) * 100);
    },
  };
  const moment = new Moment(zone);
  for (
    const [seconds, abbreviation] of [[0, "0"], [99, "0"], [100, "100"], [199, "100"]] as const
  ) {
    moment.move(BigInt(seconds) * SECOND_NS);
    assertEquals(moment.abbreviation, abbreviation);
  }
  moment.move(-SECOND_NS);
  assertEquals(asked, [0, 100, -1]);
});

Deno.test("Moment.move() goes on where Temporal ends", { permissions }, () => {
  const cases: [bigint, string][] = [
    [8_640_000_000_000n, "275760 9 13 0 0 0 0"],
    [8_640_000_000_001n, "275760 9 13 0 0 1 0"],
    [-8_640_000_000_000n, "-271821 4 20 0 0 0 0"],
    [-8_640_000_000_001n, "-271821 4 19 23 59 59 0"],
    [MOMENT_SECONDS_MAX, "2147485547 12 31 23 59 59 0"],
    [MOMENT_SECONDS_MIN, "-2147481748 1 1 0 0 0 0"],
  ];
  for (const [seconds, fields] of cases) assertEquals(fieldsAt(seconds * SECOND_NS), fields);
});

Deno.test("Moment.move() refuses an instant beyond GNU's years", { permissions }, () => {
  const moment = new Moment(UTC);
  const beyond = [(MOMENT_SECONDS_MAX + 1n) * SECOND_NS, MOMENT_SECONDS_MIN * SECOND_NS - 1n];
  for (const ns of beyond) assertThrows(() => moment.move(ns), RangeError, "is too far");
});
