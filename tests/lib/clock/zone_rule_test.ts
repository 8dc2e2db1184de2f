import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseZoneRule, spanOfRule } from "../../../lib/clock/zone_rule.ts";

const permissions = "none";

/** Seconds of a date and time in UTC. */
function at(text: string): number {
  return Date.parse(`${text}Z`) / 1000;
}

function clockAt(rule: string, time: string): string {
  const parsed = parseZoneRule(rule);
  assert(parsed !== undefined, rule);
  const { offsetSeconds, abbreviation, isDst } = spanOfRule(parsed, at(time));
  return `${abbreviation} ${offsetSeconds}${isDst ? " dst" : ""}`;
}

Deno.test("spanOfRule() turns the clocks at the second that the rule says", { permissions }, () => {
  const cases: [rule: string, time: string, clock: string][] = [
    ["CET-1CEST,M3.5.0,M10.5.0/3", "2023-03-26T00:59:59", "CET 3600"],
    ["CET-1CEST,M3.5.0,M10.5.0/3", "2023-03-26T01:00:00", "CEST 7200 dst"],
    ["CET-1CEST,M3.5.0,M10.5.0/3", "2023-10-29T00:59:59", "CEST 7200 dst"],
    ["CET-1CEST,M3.5.0,M10.5.0/3", "2023-10-29T01:00:00", "CET 3600"],
    ["EST5EDT,M3.2.0,M11.1.0", "2023-03-12T06:59:59", "EST -18000"],
    ["EST5EDT,M3.2.0,M11.1.0", "2023-03-12T07:00:00", "EDT -14400 dst"],
    ["EST5EDT", "2023-11-05T05:59:59", "EDT -14400 dst"],
    ["EST5EDT", "2023-11-05T06:00:00", "EST -18000"],
    // South of the equator summer goes over New Year.
    ["AEST-10AEDT,M10.1.0,M4.1.0/3", "2023-01-01T00:00:00", "AEDT 39600 dst"],
    ["AEST-10AEDT,M10.1.0,M4.1.0/3", "2023-07-01T00:00:00", "AEST 36000"],
    // Greenland turns its clocks when it is 22:00 on the day before.
    ["<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T00:59:59", "-02 -7200"],
    ["<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T01:00:00", "-01 -3600 dst"],
    ["IST-1GMT0,M10.5.0,M3.5.0/1", "2023-12-01T00:00:00", "GMT 0 dst"],
    ["<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2023-01-01T00:00:00", "+11 39600 dst"],
    ["<+03>-3", "2023-01-01T00:00:00", "+03 10800"],
    // Julian days skip February 29, days from zero do not (RFC 9636 §3.3.2, POSIX TZ).
    ["AAA0BBB,J60/0,J61/0", "2024-03-01T00:00:00", "BBB 3600 dst"],
    ["AAA0BBB,J60/0,J61/0", "2024-02-29T23:59:59", "AAA 0"],
    ["AAA0BBB,59/0,60/0", "2024-02-29T00:00:00", "BBB 3600 dst"],
    // Daylight saving time all year (RFC 9636 §3.3.1).
    ["XXX3EDT4,0/0,J365/23", "2023-01-01T03:30:00", "EDT -14400 dst"],
    ["XXX3EDT4,0/0,J365/23", "2024-07-01T00:00:00", "EDT -14400 dst"],
  ];
  for (const [rule, time, clock] of cases) {
    assertEquals(clockAt(rule, time), clock, `${rule} ${time}`);
  }
});

Deno.test("spanOfRule() gives the stretch around the instant", { permissions }, () => {
  const rule = parseZoneRule("CET-1CEST,M3.5.0,M10.5.0/3");
  assert(rule !== undefined);
  const summer = { from: at("2023-03-26T01:00:00"), until: at("2023-10-29T01:00:00") };
  for (const seconds of [summer.from, summer.until - 1]) {
    const { from, until } = spanOfRule(rule, seconds);
    assertEquals({ from, until }, summer);
  }
  assertEquals(spanOfRule(rule, summer.until).from, summer.until);
});

Deno.test("spanOfRule() never gives a stretch without the instant", { permissions }, () => {
  const rules = [
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "A-24AA,0/0,365/167".replace(/A+/g, (name) => name.padEnd(3, "A")),
    "XXX3EDT4,0/0,J365/23",
    "AAA0BBB,J365/167,0/-167",
  ].map((text) => parseZoneRule(text));
  const seconds = fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 });
  fc.assert(fc.property(fc.constantFrom(...rules), seconds, (rule, time) => {
    assert(rule !== undefined);
    const { from, until } = spanOfRule(rule, time);
    assert(from <= time && time < until);
  }));
});

Deno.test("parseZoneRule() takes nothing else", { permissions }, () => {
  const texts = [
    "",
    "CET",
    "-1",
    "AB1",
    "<>1",
    "<AB1",
    "CET-1CEST,M3.5.0",
    "CET-1CEST,M13.5.0,M10.5.0",
    "CET-1CEST,M0.5.0,M10.5.0",
    "CET-1CEST,M3.6.0,M10.5.0",
    "CET-1CEST,M3.5.7,M10.5.0",
    "CET-1CEST,J0,J365",
    "CET-1CEST,J1,J366",
    "CET-1CEST,0,366",
    "CET-1\nCEST",
    `${"A".repeat(31)}1`,
  ];
  for (const text of texts) assertEquals(parseZoneRule(text), undefined, text);
});
