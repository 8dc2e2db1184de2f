import { assertEquals } from "@std/assert";
import {
  CLOSE_AFTER_MS,
  Keepalive,
  type KeepaliveStep,
  PING_AFTER_MS,
} from "../../../lib/link/keepalive.ts";

const permissions = "none";

Deno.test("Keepalive pings after 30 s and closes after 90 s", { permissions }, () => {
  assertEquals([PING_AFTER_MS, CLOSE_AFTER_MS], [30_000, 90_000]);
});

const steps: [silenceMs: number, step: KeepaliveStep][] = [
  [0, { action: "none", waitMs: 30_000 }],
  [1, { action: "none", waitMs: 29_999 }],
  [29_999, { action: "none", waitMs: 1 }],
  [30_000, { action: "ping", waitMs: 60_000 }],
  [30_001, { action: "ping", waitMs: 59_999 }],
  [89_999, { action: "ping", waitMs: 1 }],
  [90_000, { action: "close", waitMs: 0 }],
  [1e9, { action: "close", waitMs: 0 }],
];

for (const [silenceMs, expected] of steps) {
  const title = `Keepalive.step() says ${expected.action} after ${silenceMs} ms of silence`;
  Deno.test(title, { permissions }, () => {
    const startMs = 1_700_000_000_000;
    assertEquals(new Keepalive().step(startMs + silenceMs, startMs), expected);
  });
}

Deno.test("Keepalive.step() pings once a silence", { permissions }, () => {
  const keepalive = new Keepalive();
  const actions = [
    keepalive.step(30_000, 0),
    keepalive.step(30_001, 0),
    keepalive.step(89_999, 0),
    // Something came at 89 999: the next silence gets a ping of its own.
    keepalive.step(119_998, 89_999),
    keepalive.step(119_999, 89_999),
    keepalive.step(120_000, 89_999),
    keepalive.step(179_999, 89_999),
  ].map(({ action }) => action);
  assertEquals(actions, ["ping", "none", "none", "none", "ping", "none", "close"]);
});

Deno.test("Keepalive.step() obeys the times given", { permissions }, () => {
  const keepalive = new Keepalive({ pingAfterMs: 10, closeAfterMs: 20 });
  const actions = [9, 10, 19, 20].map((nowMs) => keepalive.step(nowMs, 0).action);
  assertEquals(actions, ["none", "ping", "none", "close"]);
});

Deno.test("Keepalive.stepHeld() pings each time, and the silence begins anew behind it", {
  permissions,
}, () => {
  const keepalive = new Keepalive();
  for (const nowMs of [90_000, 120_000, 150_000]) {
    assertEquals(keepalive.stepHeld(nowMs), { action: "ping", waitMs: 30_000 });
  }
  assertEquals(keepalive.step(179_999, 0).action, "none");
  assertEquals(keepalive.step(239_999, 0).action, "ping");
  assertEquals(keepalive.step(240_000, 0).action, "close");
});
