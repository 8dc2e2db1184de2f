import { assert, assertEquals } from "@std/assert";
import { RateMeter } from "../../../lib/term/rate_meter.ts";

Deno.test("RateMeter.rate is exact for a steady speed, from the first sample", {
  permissions: "none",
}, () => {
  const meter = new RateMeter(1000, 500);
  assertEquals(meter.rate, undefined);
  for (let tick = 1; tick <= 100; tick++) {
    meter.sample(1000 + tick * 100, 500 + tick * 10);
    assert(Math.abs((meter.rate ?? 0) - 100) < 1e-6, String(meter.rate));
  }
});

Deno.test(
  "RateMeter.rate follows a change within seconds, not at once",
  { permissions: "none" },
  () => {
    const meter = new RateMeter(0, 0);
    meter.sample(10_000, 10_000);
    meter.sample(10_100, 10_000);
    assert((meter.rate ?? 0) > 900);
    meter.sample(25_000, 10_000);
    assert((meter.rate ?? 0) < 20);
  },
);

Deno.test("RateMeter.sample() ignores time that stands still and bytes that go back", {
  permissions: "none",
}, () => {
  const meter = new RateMeter(0, 100);
  meter.sample(0, 200);
  assertEquals(meter.rate, undefined);
  meter.sample(100, 50);
  assertEquals(meter.rate, 0);
});
