import { assertEquals, assertThrows } from "@std/assert";
import { TokenBucket } from "../../../lib/transfer/token_bucket.ts";

Deno.test("TokenBucket.take() lets a full bucket go at once and no more", {
  permissions: "none",
}, () => {
  const bucket = new TokenBucket(1000, { burstMs: 250 });
  assertEquals(bucket.take(250, 0), 0);
  assertEquals(bucket.take(1, 0), 1);
  assertEquals(new TokenBucket(1000, { burstMs: 250 }).take(251, 0), 1);
});

Deno.test("TokenBucket.take() goes into debt for more than the bucket holds", {
  permissions: "none",
}, () => {
  const bucket = new TokenBucket(1000, { burstMs: 0 });
  assertEquals(bucket.take(5000, 0), 5000);
  assertEquals(bucket.take(1000, 0), 6000);
  assertEquals(bucket.take(1000, 6000), 1000);
});

Deno.test("TokenBucket.take() saves no more than a burst in a long pause", {
  permissions: "none",
}, () => {
  const bucket = new TokenBucket(1000, { burstMs: 100 });
  bucket.take(100, 0);
  assertEquals(bucket.take(100, 1_000_000), 0);
  assertEquals(bucket.take(100, 1_000_000), 100);
});

Deno.test("TokenBucket.take() keeps the rate over many amounts", { permissions: "none" }, () => {
  const bucket = new TokenBucket(1_000_000);
  let nowMs = 0;
  for (let i = 0; i < 1000; i++) nowMs += bucket.take(65_536, nowMs);
  assertEquals(Math.round(nowMs), 65_536 - 250);
});

Deno.test("TokenBucket() refuses a rate of nothing", { permissions: "none" }, () => {
  for (const rate of [0, -1, Number.NaN]) assertThrows(() => new TokenBucket(rate), RangeError);
});
