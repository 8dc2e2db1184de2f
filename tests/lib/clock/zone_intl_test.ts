import { assert, assertEquals, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { UTC, ZONE_SECONDS_MAX } from "../../../lib/clock/zone.ts";
import { intlZone } from "../../../lib/clock/zone_intl.ts";

const permissions = "none";

Deno.test("intlZone() has the abbreviations that Unicode has, else the offset", {
  permissions,
}, () => {
  const winter = 1_704_067_200;
  const summer = 1_719_792_000;
  const cases: [name: string, time: number, clock: string][] = [
    ["Europe/Paris", winter, "CET 3600"],
    ["Europe/Paris", summer, "CEST 7200 dst"],
    ["Europe/London", summer, "BST 3600 dst"],
    ["America/New_York", winter, "EST -18000"],
    ["America/New_York", summer, "EDT -14400 dst"],
    ["Australia/Sydney", winter, "AEDT 39600 dst"],
    ["Asia/Kolkata", winter, "IST 19800"],
    ["America/Sao_Paulo", winter, "-03 -10800"],
    ["Asia/Kathmandu", winter, "NPT 20700"],
    ["Europe/Paris", -5_000_000_000, "LMT 561"],
    ["+05:30", winter, "+0530 19800"],
  ];
  for (const [name, time, clock] of cases) {
    const { offsetSeconds, abbreviation, isDst } = intlZone(name).at(time);
    assertEquals(`${abbreviation} ${offsetSeconds}${isDst ? " dst" : ""}`, clock, name);
  }
});

Deno.test("intlZone() gives the stretch around the instant", { permissions }, () => {
  const zone = intlZone("Europe/Paris");
  const summer = { from: 1_711_846_800, until: 1_729_990_800 };
  for (const time of [summer.from, summer.until - 1, summer.from + 5]) {
    const { from, until } = zone.at(time);
    assertEquals({ from, until }, summer);
  }
  assertEquals(zone.at(summer.from - 1).until, summer.from);
  assertEquals(zone.at(summer.until).from, summer.until);
  assertEquals(zone.at(-5_000_000_000).from, -Infinity);
});

Deno.test("intlZone() answers at both ends of Temporal's time", { permissions }, () => {
  for (const name of ["Europe/Paris", "Asia/Tokyo", "Etc/GMT+5"]) {
    for (const time of [-ZONE_SECONDS_MAX, ZONE_SECONDS_MAX]) {
      const { from, until } = intlZone(name).at(time);
      assert(from <= time && time < until, name);
    }
  }
});

Deno.test("intlZone() keeps zones, and refuses a name that is none", { permissions }, () => {
  assert(intlZone("Europe/Paris") === intlZone("europe/paris"));
  assertEquals(intlZone("utc"), UTC);
  const error = assertThrows(() => intlZone("Mars/Olympus"), TrivetError);
  assertEquals(error.code, "USAGE");
});
