import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  ACCOUNT_POLICY,
  GOOD_SOURCE_MS,
  GOOD_SOURCES_PER_ACCOUNT_MAX,
  LoginThrottle,
  PAIR_POLICY,
  SOURCE_POLICY,
} from "../../../lib/auth/throttle.ts";

const permissions = "none";
const MINUTE_MS = 60_000;
const HOME = "192.0.2.1";
const AWAY = "198.51.100.7";
const EVIL = "203.0.113.9";

/** A throttle with a clock that moves only when told to. */
class Scene {
  nowMs = 1_000_000;
  readonly throttle: LoginThrottle;

  constructor(entriesMax = 100_000) {
    this.throttle = new LoginThrottle({ entriesMax });
  }

  wait(source: string, account: string): number {
    return this.throttle.check(source, account, this.nowMs);
  }

  /** Waits as long as asked, then fails; returns the wait. */
  fail(source: string, account: string): number {
    const waitMs = this.wait(source, account);
    this.nowMs += waitMs;
    if (waitMs > 0) assertEquals(this.wait(source, account), 0);
    this.throttle.failed(source, account, this.nowMs);
    return waitMs;
  }

  /** Logs in; returns how long that had to wait. */
  login(source: string, account: string): number {
    const waitMs = this.wait(source, account);
    this.nowMs += waitMs;
    if (waitMs > 0) assertEquals(this.wait(source, account), 0);
    this.throttle.succeeded(source, account, this.nowMs);
    return waitMs;
  }
}

/** Fails once from each of `count` IPv4 addresses. */
function failFromMany(scene: Scene, account: string, count: number): void {
  for (let index = 0; index < count; index++) {
    scene.fail(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, account);
  }
}

Deno.test("LoginThrottle lets five failures go free, then doubles to five minutes", {
  permissions,
}, () => {
  const scene = new Scene();
  const waits = Array.from({ length: 40 }, () => scene.fail(EVIL, "alice"));
  const seconds = waits.map((wait) => wait / 1000);
  assertEquals(seconds.slice(0, 13), [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128]);
  // Patient guessing goes on at one attempt in five minutes, though failures are forgotten meanwhile.
  assertEquals(seconds.slice(16), new Array(24).fill(300));
});

Deno.test("LoginThrottle lets as many failures go free as it is told", { permissions }, () => {
  const throttle = new LoginThrottle({ pairFree: 2 });
  const waits = [0, 1, 2].map(() => throttle.check(EVIL, "alice", 0));
  assertEquals(waits, [0, 0, 1000]);
});

Deno.test("LoginThrottle.check() opens exactly when the wait is over", { permissions }, () => {
  const scene = new Scene();
  for (let index = 0; index < 7; index++) scene.fail(EVIL, "alice");
  assertEquals(scene.wait(EVIL, "alice"), 4000);
  scene.nowMs += 3999;
  assertEquals(scene.wait(EVIL, "alice"), 1);
  // Asking too early costs nothing.
  for (let index = 0; index < 1000; index++) assertEquals(scene.wait(EVIL, "alice"), 1);
  scene.nowMs += 1;
  assertEquals(scene.wait(EVIL, "alice"), 0);
});

Deno.test("LoginThrottle.check() admits no more attempts side by side than one after another", {
  permissions,
}, () => {
  const scene = new Scene();
  const waits = Array.from({ length: 1000 }, () => scene.wait(EVIL, "alice"));
  assertEquals(waits.filter((wait) => wait === 0).length, PAIR_POLICY.free);
});

Deno.test("LoginThrottle.check() counts an attempt that was broken off", { permissions }, () => {
  const scene = new Scene();
  for (let index = 0; index < 5; index++) assertEquals(scene.wait(EVIL, "alice"), 0);
  assertEquals(scene.wait(EVIL, "alice"), 1000);
});

Deno.test("LoginThrottle.failed() counts the wait from the failure", { permissions }, () => {
  const scene = new Scene();
  for (let index = 0; index < 5; index++) scene.wait(EVIL, "alice");
  scene.nowMs += 900;
  scene.throttle.failed(EVIL, "alice", scene.nowMs);
  assertEquals(scene.wait(EVIL, "alice"), 1000);
});

Deno.test("LoginThrottle.succeeded() clears the pair", { permissions }, () => {
  const scene = new Scene();
  for (let index = 0; index < 6; index++) scene.fail(HOME, "alice");
  scene.login(HOME, "alice");
  for (let index = 0; index < 5; index++) assertEquals(scene.fail(HOME, "alice"), 0);
  assertEquals(scene.wait(HOME, "alice"), 1000);
});

Deno.test("LoginThrottle does not slow the owner for guesses from elsewhere", {
  permissions,
}, () => {
  const scene = new Scene();
  for (let index = 0; index < 40; index++) scene.fail(EVIL, "alice");
  assertGreater(scene.wait(EVIL, "alice"), 4 * MINUTE_MS);
  assertEquals(scene.login(HOME, "alice"), 0);
});

Deno.test("LoginThrottle does not slow a known user for guesses from the same address", {
  permissions,
}, () => {
  const scene = new Scene();
  scene.login(HOME, "carol");
  for (let index = 0; index < 100; index++) scene.fail(HOME, `user${index}`);
  assertGreater(scene.wait(HOME, "dave"), 0);
  assertEquals(scene.login(HOME, "carol"), 0);
});

Deno.test("LoginThrottle slows one source that tries many accounts", { permissions }, () => {
  const scene = new Scene();
  const waits = Array.from({ length: 66 }, (_, index) => scene.fail(EVIL, `user${index}`));
  assertEquals(waits.slice(0, 64).every((wait) => wait === 0), true);
  assertEquals(waits.slice(64), [1000, 2000]);
  assertEquals(scene.wait(AWAY, "user0"), 0);
});

Deno.test("LoginThrottle counts an IPv6 network of 64 bits as one source", { permissions }, () => {
  const scene = new Scene();
  for (let index = 0; index < 64; index++) {
    assertEquals(scene.fail(`2001:db8::${index.toString(16)}`, `user${index}`), 0);
  }
  assertEquals(scene.wait("2001:db8::ffff:1", "alice"), 1000);
  assertEquals(scene.wait("2001:db8:0:1::1", "alice"), 0);
});

Deno.test("LoginThrottle does not let a guesser clear a source with an own account", {
  permissions,
}, () => {
  const scene = new Scene();
  scene.login(EVIL, "mallory");
  for (let index = 0; index < 70; index++) {
    scene.fail(EVIL, `user${index}`);
    assertEquals(scene.login(EVIL, "mallory"), 0);
  }
  assertGreater(scene.wait(EVIL, "user70"), 30_000);
});

Deno.test("LoginThrottle lets a whole office log in at once", { permissions }, () => {
  const scene = new Scene();
  const names = Array.from({ length: SOURCE_POLICY.free }, (_, index) => `user${index}`);
  for (const name of names) assertEquals(scene.wait(HOME, name), 0);
  assertEquals(scene.wait(HOME, "one-more"), 1000);
  for (const name of names) scene.throttle.succeeded(HOME, name, scene.nowMs);
  assertEquals(scene.wait(HOME, "one-more"), 0);
});

Deno.test("LoginThrottle makes strangers wait while many sources guess at an account", {
  permissions,
}, () => {
  const scene = new Scene();
  scene.login(HOME, "alice");
  failFromMany(scene, "alice", ACCOUNT_POLICY.free - 1);
  assertEquals(scene.wait("192.0.2.50", "alice"), 0);
  assertEquals(scene.wait("192.0.2.51", "alice"), 1000);
  assertEquals(scene.login(HOME, "alice"), 0);
  assertEquals(scene.wait("192.0.2.51", "bob"), 0);
});

Deno.test("LoginThrottle lets the owner in from a new place within 30 s of any attack", {
  permissions,
}, () => {
  const scene = new Scene();
  failFromMany(scene, "alice", 130);
  const waitMs = scene.wait(AWAY, "alice");
  assertEquals(waitMs, ACCOUNT_POLICY.waitMaxMs);
  // Meanwhile the attack goes on; nobody pushes the appointment back.
  const openMs = scene.nowMs + waitMs;
  for (let index = 0; index < 5000; index++) {
    scene.throttle.check(`172.16.${index >> 8}.${index & 255}`, "alice", scene.nowMs);
    if (index % 50 === 0) scene.nowMs += 250;
  }
  assertLess(scene.nowMs, openMs);
  scene.nowMs = openMs - 1;
  assertEquals(scene.wait(AWAY, "alice"), 1);
  scene.nowMs = openMs;
  assertEquals(scene.login(AWAY, "alice"), 0);
  // From now on this place is known.
  assertEquals(scene.login(AWAY, "alice"), 0);
});

Deno.test(
  "LoginThrottle gives a stranger one attempt for each appointment",
  { permissions },
  () => {
    const scene = new Scene();
    failFromMany(scene, "alice", 130);
    assertEquals([scene.fail(EVIL, "alice"), scene.fail(EVIL, "alice")], [30_000, 30_000]);
  },
);

Deno.test("LoginThrottle forgets failures with time", { permissions }, () => {
  const scene = new Scene();
  for (let index = 0; index < 8; index++) scene.fail(HOME, "alice");
  scene.nowMs += PAIR_POLICY.halfLifeMs;
  assertEquals(scene.fail(HOME, "alice"), 0);
  assertEquals(scene.wait(HOME, "alice"), 1000);
});

Deno.test("LoginThrottle forgets a good source after 30 days", { permissions }, () => {
  for (const [afterMs, waits] of [[GOOD_SOURCE_MS - 1, false], [GOOD_SOURCE_MS, true]] as const) {
    const scene = new Scene();
    scene.login(HOME, "alice");
    const loginMs = scene.nowMs;
    // The attack runs shortly before the end.
    scene.nowMs = loginMs + GOOD_SOURCE_MS - 15 * MINUTE_MS;
    failFromMany(scene, "alice", 125);
    assertLess(scene.nowMs, loginMs + GOOD_SOURCE_MS - 1);
    scene.nowMs = loginMs + afterMs;
    assertEquals(scene.wait(HOME, "alice") > 0, waits);
  }
});

Deno.test("LoginThrottle remembers the good sources used last", { permissions }, () => {
  const scene = new Scene();
  const sources = Array.from({ length: GOOD_SOURCES_PER_ACCOUNT_MAX }, (_, i) => `192.0.2.${i}`);
  for (const source of sources) scene.login(source, "alice");
  scene.login("192.0.2.0", "alice");
  scene.login("192.0.2.200", "alice");
  failFromMany(scene, "alice", 120);
  assertEquals(scene.wait("192.0.2.0", "alice"), 0);
  assertEquals(scene.wait("192.0.2.200", "alice"), 0);
  assertEquals(scene.wait("192.0.2.1", "alice"), 30_000);
});

Deno.test("LoginThrottle stays bounded and keeps the guesser through a flood", {
  permissions,
}, () => {
  const entriesMax = 500;
  const scene = new Scene(entriesMax);
  scene.login(HOME, "alice");
  for (let index = 0; index < 12; index++) scene.fail(EVIL, "alice");
  const before = scene.wait(EVIL, "alice");
  for (let index = 0; index < 20_000; index++) {
    const source = `2001:db8:${(index >> 8).toString(16)}:${(index & 255).toString(16)}::1`;
    scene.throttle.check(source, `name${index}`, scene.nowMs);
  }
  assert(scene.throttle.size <= 4 * entriesMax + 1);
  assertEquals(scene.wait(EVIL, "alice"), before);
  assertEquals(scene.login(HOME, "alice"), 0);
});

Deno.test("LoginThrottle bounds the appointments of strangers", { permissions }, () => {
  const scene = new Scene(300);
  failFromMany(scene, "alice", 130);
  const before = scene.throttle.size;
  for (let index = 0; index < 5000; index++) {
    assertGreater(scene.wait(`172.16.${index >> 8}.${index & 255}`, "alice"), 0);
  }
  assertEquals(scene.throttle.size - before <= 300, true);
});

Deno.test("LoginThrottle bounds the accounts with good sources", { permissions }, () => {
  const throttle = new LoginThrottle({ goodAccountsMax: 10 });
  for (let index = 0; index < 100; index++) throttle.succeeded(HOME, `user${index}`, 0);
  assertEquals(throttle.size, 10);
});

Deno.test("LoginThrottle keeps long names short", { permissions }, () => {
  const scene = new Scene();
  const long = "a".repeat(1_000_000);
  for (let index = 0; index < 5; index++) scene.fail(EVIL, `${long}${index}`);
  assertEquals(scene.wait(EVIL, long), 1000);
});

Deno.test("LoginThrottle does not take one pair for another", { permissions }, () => {
  const scene = new Scene();
  for (let index = 0; index < 5; index++) scene.fail("a b", "c");
  assertEquals(scene.wait("a", "b c"), 0);
  assertEquals(scene.wait("a b", "c"), 1000);
});
