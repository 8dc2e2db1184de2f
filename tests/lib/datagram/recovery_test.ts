import { assert, assertEquals } from "@std/assert";
import {
  CongestionWindow,
  WINDOW_INITIAL_BYTES,
  WINDOW_MIN_BYTES,
} from "../../../lib/datagram/congestion.ts";
import { Pacer } from "../../../lib/datagram/pacing.ts";
import { LossRecovery } from "../../../lib/datagram/recovery.ts";
import { ReceivedPackets, REPLAY_RANGES_MAX } from "../../../lib/datagram/received_packets.ts";
import { ACK_DELAY_MAX_MS, RoundTripTime, RTT_INITIAL_MS } from "../../../lib/datagram/rtt.ts";

const none = { permissions: "none" } as const;

function assertClose(actual: number, expected: number): void {
  assert(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);
}

/** A recovery to which packets of 1000 bytes are sent, one a millisecond. */
function newRecovery(count: number) {
  const rtt = new RoundTripTime();
  const window = new CongestionWindow();
  const recovery = new LossRecovery(rtt, window);
  const send = (number: number, sentMs: number) =>
    recovery.sent({ number, sentMs, bytes: 1000, pieces: [], hasWindow: false, isUsed: true });
  for (let number = 0; number < count; number++) send(number, number);
  const acknowledge = (number: number, now: number) =>
    recovery.acknowledge({ ranges: [{ start: number, end: number + 1 }], delayUs: 0 }, now);
  return { rtt, window, recovery, send, acknowledge };
}

Deno.test("RoundTripTime estimates as RFC 9002 §5.3 says", none, () => {
  const rtt = new RoundTripTime();
  assertEquals([rtt.isKnown, rtt.smoothedMs, rtt.deviationMs], [false, RTT_INITIAL_MS, 166.5]);
  rtt.sample(100, 8);
  assertEquals([rtt.smoothedMs, rtt.deviationMs, rtt.minMs], [100, 50, 100]);
  rtt.sample(140, 8);
  assertClose(rtt.smoothedMs, 7 / 8 * 100 + 1 / 8 * 132);
  assertClose(rtt.deviationMs, 3 / 4 * 50 + 1 / 4 * 32);
  assertClose(rtt.lossDelayMs, 9 / 8 * 140);
  assertClose(rtt.probeTimeoutMs, rtt.smoothedMs + 4 * rtt.deviationMs + ACK_DELAY_MAX_MS);
  // A delay beyond what both agreed on counts only as far.
  const before = rtt.smoothedMs;
  rtt.sample(140, 1000);
  assertClose(rtt.smoothedMs, 7 / 8 * before + 1 / 8 * (140 - ACK_DELAY_MAX_MS));
  rtt.reset();
  assertEquals(rtt.isKnown, false);
});

Deno.test("LossRecovery takes a packet as lost when the third after it has arrived", none, () => {
  const { acknowledge, recovery } = newRecovery(4);
  assertEquals(acknowledge(2, 50).lost, []);
  assertEquals(acknowledge(3, 50).lost.map(({ number }) => number), [0]);
  assertEquals(recovery.lostTotal, 1);
});

Deno.test("LossRecovery takes a packet as lost 9/8 of a round trip after it was sent", none, () => {
  const { acknowledge, recovery } = newRecovery(2);
  assertEquals(acknowledge(1, 101).lost, []);
  const dueMs = 9 / 8 * 100;
  assertEquals(recovery.lossDueMs, dueMs);
  assertEquals(recovery.detect(dueMs - 0.01), []);
  assertEquals(recovery.detect(dueMs).map(({ number }) => number), [0]);
  assertEquals([recovery.lossDueMs, recovery.isWaiting], [Infinity, false]);
});

Deno.test("LossRecovery halves the window once for the losses of a round trip", none, () => {
  const { acknowledge, window } = newRecovery(10);
  acknowledge(3, 20);
  const halved = window.windowBytes;
  // It grew by the acknowledged datagram first.
  assertEquals(halved, (WINDOW_INITIAL_BYTES + 1000) / 2);
  acknowledge(9, 21);
  assertEquals(window.windowBytes, halved);
  assertEquals(window.isSlowStart, false);
  assertEquals(window.inFlightBytes, 2000);
});

Deno.test(
  "LossRecovery waits longer with each probe, a thin stream's first ones apart",
  none,
  () => {
    const thin = newRecovery(1).recovery;
    const waits = Array.from({ length: 5 }, () => {
      const waitMs = thin.probeDueMs;
      thin.probed();
      return waitMs / (RTT_INITIAL_MS * 3 + ACK_DELAY_MAX_MS);
    });
    const most = 3000 / (RTT_INITIAL_MS * 3 + ACK_DELAY_MAX_MS);
    assertEquals(waits, [1, 1, 1, 2, most]);
    const { recovery, rtt } = newRecovery(5);
    recovery.probed();
    assertClose(recovery.probeDueMs, 4 + 2 * rtt.probeTimeoutMs);
  },
);

Deno.test("LossRecovery collapses the window when nothing came through for long", none, () => {
  for (
    const { lastMs, isBroken } of [{ lastMs: 400, isBroken: false }, {
      lastMs: 1500,
      isBroken: true,
    }]
  ) {
    const { acknowledge, send, window } = newRecovery(1);
    acknowledge(0, 100);
    for (const [i, sentMs] of [110, lastMs, lastMs + 1, lastMs + 2, lastMs + 3].entries()) {
      send(i + 1, sentMs);
    }
    acknowledge(5, lastMs + 100);
    assertEquals(window.windowBytes === WINDOW_MIN_BYTES, isBroken);
  }
});

Deno.test("LossRecovery makes nothing of an acknowledgement that says nothing new", none, () => {
  const { acknowledge, rtt } = newRecovery(2);
  acknowledge(0, 30);
  const before = rtt.smoothedMs;
  assertEquals(acknowledge(0, 500), { acknowledged: [], lost: [] });
  assertEquals(rtt.smoothedMs, before);
});

Deno.test("CongestionWindow grows only while it is what limits", none, () => {
  const window = new CongestionWindow();
  window.sent(2400);
  window.acknowledged(1200, { sentMs: 0, isUsed: false });
  assertEquals(window.windowBytes, WINDOW_INITIAL_BYTES);
  window.acknowledged(1200, { sentMs: 0, isUsed: true });
  assertEquals(window.windowBytes, WINDOW_INITIAL_BYTES + 1200);
  window.lost(5, 10);
  const halved = window.windowBytes;
  window.sent(halved);
  assertEquals(window.hasRoom(1), false);
  window.acknowledged(1200, { sentMs: 10, isUsed: true });
  assertEquals(window.windowBytes, halved);
  window.acknowledged(1200, { sentMs: 11, isUsed: true });
  assertClose(window.windowBytes, halved + 1200 * 1200 / halved);
  for (let i = 0; i < 20; i++) window.lost(100 + i, 100 + i);
  assertEquals(window.windowBytes, WINDOW_MIN_BYTES);
});

Deno.test("Pacer lets a burst pass and then spreads the rest", none, () => {
  const pacer = new Pacer();
  const input = { windowBytes: 120_000, rttMs: 100, isSlowStart: false };
  // 1500 bytes a millisecond; a burst is the initial window.
  let sent = 0;
  for (; pacer.releaseMs(input) <= 50; sent++) pacer.sent(1200, 50, input);
  assertEquals(sent, WINDOW_INITIAL_BYTES / 1200 + 1);
  assertClose(pacer.releaseMs(input), 50.8);
  pacer.sent(1200, 50.8, input);
  assertClose(pacer.releaseMs(input), 51.6);
});

Deno.test("ReceivedPackets acknowledges the second at once, the first after a while", none, () => {
  const received = new ReceivedPackets();
  received.add(0, 100, true);
  assertEquals([received.dueMs, received.isPending], [100 + ACK_DELAY_MAX_MS, true]);
  received.add(1, 103, true);
  assertEquals(received.dueMs, 103);
  assertEquals(received.take(105), { ranges: [{ start: 0, end: 2 }], delayUs: 2000 });
  assertEquals([received.dueMs, received.isPending], [Infinity, false]);
  received.add(2, 110, false);
  assertEquals([received.dueMs, received.isPending], [Infinity, false]);
  // A gap, and what fills it.
  received.add(4, 120, true);
  assertEquals(received.dueMs, 120);
  received.take(120);
  received.add(3, 130, true);
  assertEquals(received.dueMs, 130);
});

Deno.test(
  "ReceivedPackets takes no packet twice, and none that is older than it remembers",
  none,
  () => {
    const received = new ReceivedPackets();
    for (let i = 0; i <= REPLAY_RANGES_MAX; i++) {
      assert(!received.isDuplicate(2 * i));
      received.add(2 * i, 0, false);
      assert(received.isDuplicate(2 * i));
    }
    // The oldest range was forgotten: all up to it counts as seen, and the gap behind it does not.
    assertEquals([0, 1, 2, 3].map((number) => received.isDuplicate(number)), [
      true,
      false,
      true,
      false,
    ]);
    received.add(2 * REPLAY_RANGES_MAX + 2, 0, false);
    assertEquals([1, 2, 3].map((number) => received.isDuplicate(number)), [true, true, false]);
  },
);
