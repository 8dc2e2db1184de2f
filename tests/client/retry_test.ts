import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { isMendable, retrying, sleep, STALLED_MAX_MS, TRIES_MAX } from "../../client/retry.ts";
import { TrivetError } from "../../lib/errors.ts";

const lost = () => new TrivetError("CONNECTION_LOST", "Lost");

/** Runs `retrying` on a clock that only its waits move. */
async function run(
  attempt: (number: number) => unknown,
  options: { progress?: () => number; attemptMs?: number; canRetry?: () => boolean } = {},
): Promise<{ tries: number; waits: number[]; error: unknown }> {
  const waits: number[] = [];
  let tries = 0;
  let nowMs = 0;
  let error: unknown;
  try {
    await retrying(() => {
      nowMs += options.attemptMs ?? 0;
      return Promise.try(() => attempt(++tries));
    }, {
      progress: options.progress ?? (() => 0),
      canRetry: options.canRetry ?? (() => true),
      now: () => nowMs,
      random: () => 0.5,
      wait: (waitMs) => {
        waits.push(waitMs);
        nowMs += waitMs;
        return Promise.resolve();
      },
    });
  } catch (thrown) {
    error = thrown;
  }
  return { tries, waits, error };
}

function fail(error: unknown): never {
  throw error;
}

Deno.test("retrying() gives up after the tries without progress, waiting longer each time", {
  permissions: "none",
}, async () => {
  const { tries, waits, error } = await run(() => fail(lost()));
  assertEquals(tries, TRIES_MAX);
  assertEquals(waits, [500, 1000, 2000, 4000]);
  assertEquals((error as TrivetError).code, "CONNECTION_LOST");
});

Deno.test("retrying() succeeds at the last try", { permissions: "none" }, async () => {
  const { tries, error } = await run((number) => number < TRIES_MAX ? fail(lost()) : "done");
  assertEquals([tries, error], [TRIES_MAX, undefined]);
});

Deno.test("retrying() counts anew after progress", { permissions: "none" }, async () => {
  let done = 0;
  const attempt = (number: number) => {
    if (number <= 20) done += 1;
    fail(lost());
  };
  const { tries } = await run(attempt, { progress: () => done });
  assertEquals(tries, 20 + TRIES_MAX - 1);
});

Deno.test("retrying() gives up when tries without progress take too long", {
  permissions: "none",
}, async () => {
  const short = await run(() => fail(lost()), { attemptMs: 1000 });
  assertEquals(short.tries, TRIES_MAX);
  // From the first failure: a wait of 500 ms, the second try, and 1000 ms before the third.
  const below = await run(() => fail(lost()), { attemptMs: STALLED_MAX_MS - 1500 });
  assertEquals(below.tries, 3);
  const above = await run(() => fail(lost()), { attemptMs: STALLED_MAX_MS - 1499 });
  assertEquals(above.tries, 2);
});

Deno.test("retrying() takes the time of a long good attempt for none without progress", {
  permissions: "none",
}, async () => {
  let done = 0;
  const attempt = (number: number) => {
    if (number === 2) return "done";
    done = 1;
    fail(lost());
  };
  const { error } = await run(attempt, {
    progress: () => done,
    attemptMs: 10 * STALLED_MAX_MS,
  });
  assertEquals(error, undefined);
});

Deno.test("retrying() fails at once for what stays", { permissions: "none" }, async () => {
  for (const code of ["QUOTA_EXCEEDED", "CHANGED", "UPLOAD_TAKEN_OVER", "TOKEN_INVALID"] as const) {
    const error = new TrivetError(code, "No");
    assertEquals(isMendable(error), false);
    const result = await run(() => fail(error));
    assertEquals(result.tries, 1);
    assertStrictEquals(result.error, error);
  }
  assertEquals((await run(() => fail(lost()), { canRetry: () => false })).tries, 1);
  assertEquals((await run(() => fail(new TypeError("x")))).tries, 1);
});

Deno.test("retrying() throws the signal's reason", { permissions: "none" }, async () => {
  const controller = new AbortController();
  const reason = new TrivetError("INTERRUPTED", "Interrupted");
  const attempt = () => {
    controller.abort(reason);
    return Promise.reject(lost());
  };
  const options = { progress: () => 0, canRetry: () => true, signal: controller.signal };
  const error = await assertRejects(() => retrying(attempt, options));
  assertStrictEquals(error, reason);
});

Deno.test("sleep() ends with its signal and leaves no timer behind", {
  permissions: "none",
}, async () => {
  const controller = new AbortController();
  const sleeping = sleep(60_000, controller.signal);
  controller.abort(new TrivetError("INTERRUPTED", "Interrupted"));
  await assertRejects(() => sleeping, TrivetError, "Interrupted");
  await assertRejects(() => sleep(60_000, controller.signal), TrivetError, "Interrupted");
});
