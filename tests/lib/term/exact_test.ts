import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { exactBytes, exactDuration } from "../../../lib/term/exact.ts";
import { parseBytes, parseDuration } from "../../../lib/term/values.ts";

Deno.test("exactBytes() and exactDuration() take the largest unit that divides", {
  permissions: "none",
}, () => {
  const sizes: [number, string][] = [[0, "0"], [1023, "1023"], [1024, "1K"], [
    10 * 1024 ** 3,
    "10G",
  ]];
  for (const [bytes, text] of sizes) assertEquals(exactBytes(bytes), text);
  const spans: [number, string][] = [[0, "0ms"], [1500, "1500ms"], [90_000, "90s"], [
    86_400_000,
    "1d",
  ]];
  for (const [span_ms, text] of spans) assertEquals(exactDuration(span_ms), text);
});

Deno.test("exactBytes() and exactDuration() are read back as they were", {
  permissions: "none",
}, () => {
  fc.assert(fc.property(fc.maxSafeNat(), (value) => {
    assertEquals(parseBytes(exactBytes(value)), value);
    assertEquals(parseDuration(exactDuration(value)), value);
  }));
});
