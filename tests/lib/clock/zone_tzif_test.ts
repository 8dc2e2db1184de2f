import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { tzifZone } from "../../../lib/clock/zone_tzif.ts";
import { tzifBytes, type TzifFields } from "./tzif_bytes.ts";

const permissions = "none";

const BERLIN: TzifFields = {
  types: [[3208, false, "LMT"], [3600, false, "CET"], [7200, true, "CEST"]],
  transitions: [[-2_000_000_000, 1], [1_679_792_400, 2], [1_698_541_200, 1]],
  footer: "CET-1CEST,M3.5.0,M10.5.0/3",
};

function clocks(fields: TzifFields, times: readonly number[]): string[] {
  const zone = tzifZone("Test", tzifBytes(fields));
  assert(zone !== undefined);
  return times.map((time) => {
    const { offsetSeconds, abbreviation, isDst, from, until } = zone.at(time);
    assert(from <= time && time < until);
    return `${abbreviation} ${offsetSeconds}${isDst ? " dst" : ""}`;
  });
}

Deno.test("tzifZone() has the type of the last transition, and the rule after all", {
  permissions,
}, () => {
  const times = [-2_000_000_001, -2_000_000_000, 1_679_792_399, 1_679_792_400, 1_698_541_200];
  const expected = ["LMT 3208", "CET 3600", "CET 3600", "CEST 7200 dst", "CET 3600"];
  assertEquals(clocks(BERLIN, times), expected);
  assertEquals(clocks({ ...BERLIN, extras: true }, times), expected);
  // July 2050 is after every transition.
  assertEquals(clocks(BERLIN, [2_540_000_000]), ["CEST 7200 dst"]);
  assertEquals(clocks({ ...BERLIN, footer: "" }, [2_540_000_000]), ["CET 3600"]);
});

Deno.test("tzifZone() reads version 1, which ends with its transitions", { permissions }, () => {
  const old = { ...BERLIN, version: 0 };
  assertEquals(clocks(old, [-2_000_000_001, 1_679_792_400, 2_540_000_000]), [
    "LMT 3208",
    "CEST 7200 dst",
    "CET 3600",
  ]);
});

Deno.test("tzifZone() reads a zone without transitions", { permissions }, () => {
  assertEquals(clocks({ types: [[10_800, false, "+03"]], footer: "<+03>-3" }, [0]), ["+03 10800"]);
  assertEquals(clocks({ types: [[10_800, false, "+03"]] }, [0]), ["+03 10800"]);
});

Deno.test("tzifZone() shortens the rule's first stretch to begin at the last transition", {
  permissions,
}, () => {
  const zone = tzifZone("Test", tzifBytes({ ...BERLIN, transitions: [[1_700_000_000, 1]] }));
  assertEquals(zone?.at(1_700_000_000).from, 1_700_000_000);
  assertEquals(zone?.at(1_699_999_999).until, 1_700_000_000);
});

Deno.test("tzifZone() refuses what is no such file", { permissions }, () => {
  const whole = tzifBytes(BERLIN);
  for (let length = 0; length < whole.length; length++) {
    assertEquals(tzifZone("Test", whole.subarray(0, length)), undefined, `${length} bytes`);
  }
  const broken: TzifFields[] = [
    { ...BERLIN, footer: "CET-1CEST,nonsense" },
    { ...BERLIN, transitions: [[5, 1], [5, 2]] },
    { ...BERLIN, transitions: [[5, 3]] },
    { types: [] },
  ];
  for (const fields of broken) assertEquals(tzifZone("Test", tzifBytes(fields)), undefined);
});

Deno.test("tzifZone() takes any damage without failing", { permissions }, () => {
  const whole = tzifBytes({ ...BERLIN, extras: true });
  const place = fc.nat({ max: whole.length - 1 });
  fc.assert(
    fc.property(place, fc.nat({ max: 255 }), fc.integer(), (at, byte, time) => {
      const span = tzifZone("Test", whole.with(at, byte))?.at(time);
      assert(span === undefined || (span.from <= time && time < span.until));
    }),
    { numRuns: 5000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    assertEquals(tzifZone("Test", bytes), undefined);
  }));
});
