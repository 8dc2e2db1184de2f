import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { RateLimit, type Verdict } from "../../../lib/clock/rate_limit.ts";

const permissions = "none";
const A = "192.0.2.1";
const B = "192.0.2.2";

/** A limit whose chance is always the same. */
function limitOf(perSecond: number, burst: number, chance = 0.99): RateLimit {
  return new RateLimit({ perSecond, burst, random: () => chance });
}

function verdicts(limit: RateLimit, count: number, address = A, nowMs = 0): Verdict[] {
  return Array.from({ length: count }, () => limit.check(address, nowMs));
}

Deno.test("RateLimit.check() answers a burst and not one more", { permissions }, () => {
  const limit = limitOf(10, 3);
  assertEquals(verdicts(limit, 4), ["answer", "answer", "answer", "drop"]);
});

Deno.test("RateLimit.check() gives a token back when its time has come", { permissions }, () => {
  const limit = limitOf(10, 1);
  assertEquals(limit.check(A, 0), "answer");
  assertEquals(limit.check(A, 99), "drop");
  assertEquals(limit.check(A, 101), "answer");
  assertEquals(limit.check(A, 102), "drop");
});

Deno.test("RateLimit.check() never saves more than a burst", { permissions }, () => {
  const limit = limitOf(10, 2);
  verdicts(limit, 3);
  assertEquals(verdicts(limit, 3, A, 1e9), ["answer", "answer", "drop"]);
});

Deno.test("RateLimit.check() counts each source for itself", { permissions }, () => {
  const limit = limitOf(10, 1);
  assertEquals(verdicts(limit, 2, A), ["answer", "drop"]);
  assertEquals(verdicts(limit, 2, B), ["answer", "drop"]);
});

const SAME: [one: string, other: string, isSame: boolean][] = [
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1", true],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
  ["192.0.2.1", "192.0.2.2", false],
  ["fe80::1", "fe80::2", false],
];

for (const [one, other, isSame] of SAME) {
  Deno.test(`RateLimit.check() takes ${one} and ${other} for ${isSame ? "one source" : "two"}`, {
    permissions,
  }, () => {
    const limit = limitOf(10, 1);
    assertEquals(limit.check(one, 0), "answer");
    assertEquals(limit.check(other, 0), isSame ? "drop" : "answer");
    // Known addresses take a shorter way.
    assertEquals(limit.check(one, 0), "drop");
    assertEquals(limit.check(other, 0), "drop");
  });
}

for (
  const [chance, verdict] of [
    [0, "answer"],
    [0.249, "answer"],
    [0.25, "refuse"],
    [0.499, "refuse"],
    [0.5, "drop"],
    [0.999, "drop"],
  ] as const
) {
  Deno.test(`RateLimit.check() beyond the limit and by chance ${chance}: ${verdict}`, {
    permissions,
  }, () => {
    const limit = limitOf(1, 1, chance);
    limit.check(A, 0);
    assertEquals(limit.check(A, 0), verdict);
  });
}

Deno.test("RateLimit.check() answers one in four of a flood", { permissions }, () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1 });
  const answered = verdicts(limit, 100_000).filter((verdict) => verdict === "answer").length;
  // Twelve standard deviations.
  assertLess(Math.abs(answered - 25_000), 1650);
});

Deno.test("RateLimit without a limit answers all and remembers nobody", { permissions }, () => {
  const limit = new RateLimit({ perSecond: 0, burst: 1 });
  assertEquals(new Set(verdicts(limit, 1000)), new Set(["answer"]));
  assertEquals(limit.size, 0);
});

Deno.test("RateLimit remembers no more addresses than it may", { permissions }, () => {
  for (
    const network of [(i: number) => `10.0.${i >> 8}.${i & 255}`, (i: number) => `2001:db8::${i}`]
  ) {
    const limit = new RateLimit({ sourcesMax: 100 });
    let most = 0;
    for (let i = 0; i < 5000; i++) {
      limit.check(network(i), i);
      most = Math.max(most, limit.size);
    }
    assertLessOrEqual(most, 100);
    assertEquals(most > 50, true, `${most} addresses of 100`);
  }
});

Deno.test("RateLimit remembers who keeps asking while others come and go", { permissions }, () => {
  const limit = new RateLimit({ perSecond: 1, burst: 2, sourcesMax: 100, random: () => 0.99 });
  verdicts(limit, 2);
  for (let i = 0; i < 10_000; i++) {
    limit.check(`10.0.${i >> 8}.${i & 255}`, 0);
    if (i % 40 === 0) assertEquals(limit.check(A, 0), "drop");
  }
});

Deno.test("RateLimit remembers an IPv6 network whose addresses change", { permissions }, () => {
  const limit = new RateLimit({ perSecond: 1, burst: 2, sourcesMax: 100, random: () => 0.99 });
  const answered = Array.from(
    { length: 10_000 },
    (_, i) => limit.check(`2001:db8::${i.toString(16)}`, 0),
  )
    .filter((verdict) => verdict === "answer");
  assertEquals(answered.length, 2);
});
