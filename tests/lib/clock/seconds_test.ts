import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { parseSeconds } from "../../../lib/clock/seconds.ts";
import { strftime } from "../../../lib/clock/strftime.ts";

Deno.test("parseSeconds() reads numbers to the nanosecond", { permissions: "none" }, () => {
  const cases: [text: string, ns: bigint][] = [
    ["0", 0n],
    ["1700000000", 1_700_000_000_000_000_000n],
    ["1700000000.5", 1_700_000_000_500_000_000n],
    ["1700000000.123456789", 1_700_000_000_123_456_789n],
    ["1700000000.1234567891", 1_700_000_000_123_456_789n],
    ["1.", 1_000_000_000n],
    ["+1", 1_000_000_000n],
    ["-1.5", -1_500_000_000n],
    ["-0", 0n],
    ["-0.000000001", -1n],
    ["007", 7_000_000_000n],
    ["9".repeat(16), 9_999_999_999_999_999_000_000_000n],
    [`0.${"9".repeat(32)}`, 999_999_999n],
  ];
  for (const [text, ns] of cases) assertEquals(parseSeconds(text), ns, text);
});

Deno.test("parseSeconds() reads nothing else", { permissions: "none" }, () => {
  const texts = ["", " 1", "1 ", "1\n", ".5", ".", "-", "--1", "1e3", "0x10", "1,5", "1_000", "１"];
  texts.push("1.2.3", "Infinity", "NaN", "%s", "9".repeat(17), `0.${"9".repeat(33)}`);
  for (const text of texts) assertEquals(parseSeconds(text), undefined, JSON.stringify(text));
});

Deno.test("parseSeconds() reads only instants that strftime() can write", {
  permissions: "none",
}, () => {
  for (const text of ["9".repeat(16), `-${"9".repeat(16)}`]) {
    assertMatch(strftime("%Y", parseSeconds(text) ?? 0n), /^-?3168\d{5}$/);
  }
});

Deno.test("parseSeconds() gives back every instant", { permissions: "none" }, () => {
  const instants = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  fc.assert(fc.property(instants, (ns) => {
    const size = ns < 0n ? -ns : ns;
    const fraction = String(size % 1_000_000_000n).padStart(9, "0");
    assertEquals(parseSeconds(`${ns < 0n ? "-" : ""}${size / 1_000_000_000n}.${fraction}`), ns);
  }));
});
