import { assert, assertEquals, assertThrows } from "@std/assert";
import { Netem, type NetemOptions, parseNetem } from "../../../lib/datagram/netem.ts";
import { TrivetError } from "../../../lib/errors.ts";

const DATAGRAM = new Uint8Array(100).fill(0xaa);

/** Sends datagrams, one each millisecond. */
function passMany(options: NetemOptions, count: number) {
  const netem = new Netem({ seed: 1, ...options });
  return Array.from({ length: count }, (_, i) => netem.pass(DATAGRAM, i));
}

const READ: [text: string, options: NetemOptions][] = [
  [
    "loss=20,dup=5,delay=50ms,jitter=10ms,reorder=5,rate=1M,corrupt=1",
    {
      lossPercent: 20,
      duplicatePercent: 5,
      delayMs: 50,
      jitterMs: 10,
      reorderPercent: 5,
      bytesPerSecond: 1024 * 1024,
      corruptPercent: 1,
    },
  ],
  ["loss=0.5%, seed=7", { lossPercent: 0.5, seed: 7 }],
  ["rate=8mbit,queue=64K", { bytesPerSecond: 1e6, queueBytes: 65_536 }],
  ["loss=0,dup=100", { lossPercent: 0, duplicatePercent: 100 }],
];
for (const [text, options] of READ) {
  Deno.test(`parseNetem() reads ${text}`, { permissions: "none" }, () => {
    assertEquals(parseNetem(text), options);
  });
}

const REFUSED: [text: string, why: string][] = [
  ["", 'got ""'],
  ["loss", 'got "loss"'],
  ["los=1", "needs pairs of loss=, dup="],
  ["toString=1", "needs pairs of"],
  ["loss=100.5", "a percentage from 0 to 100"],
  ["loss=-1", "a percentage from 0 to 100"],
  ["loss=1,loss=2", 'has "loss=" twice'],
  ["delay=50", "a duration such as 50ms"],
  ["rate=0", "bytes a second"],
  ["rate=0mbit", "bytes a second"],
  ["queue=0", "a size"],
  ["seed=x", "a whole number"],
];
for (const [text, why] of REFUSED) {
  Deno.test(`parseNetem() refuses "${text}"`, { permissions: "none" }, () => {
    const error = assertThrows(() => parseNetem(text), TrivetError, why);
    assertEquals(error.code, "USAGE");
    assert(error.message.startsWith("Option --netem "));
  });
}

Deno.test(
  "Netem passes everything at once when it is told nothing",
  { permissions: "none" },
  () => {
    passMany({}, 100).forEach((deliveries, i) => {
      assertEquals(deliveries, [{ atMs: i, bytes: DATAGRAM }]);
    });
  },
);

Deno.test("Netem loses and doubles about as many as it is told", { permissions: "none" }, () => {
  const counts = [0, 0, 0];
  for (const { length } of passMany({ lossPercent: 20, duplicatePercent: 10 }, 10_000)) {
    counts[length] = (counts[length] ?? 0) + 1;
  }
  const [lost = 0, once = 0, twice = 0] = counts;
  assert(Math.abs(lost - 2000) < 200, `${lost} lost`);
  assert(Math.abs(twice - 800) < 120, `${twice} twice`);
  assertEquals(lost + once + twice, 10_000);
});

Deno.test("Netem keeps delays within the jitter, and the order", { permissions: "none" }, () => {
  let lastAtMs = 0;
  const delays = passMany({ delayMs: 50, jitterMs: 10 }, 5000).map(([first], sentAtMs) => {
    assert(first !== undefined && first.atMs >= lastAtMs);
    lastAtMs = first.atMs;
    return first.atMs - sentAtMs;
  });
  assert(Math.min(...delays) >= 40 && Math.max(...delays) <= 60);
  assert(Math.max(...delays) - Math.min(...delays) > 15);
});

Deno.test("Netem holds some back so that others overtake them", { permissions: "none" }, () => {
  const times = passMany({ delayMs: 50, reorderPercent: 5 }, 5000).map(([first]) =>
    first?.atMs ?? 0
  );
  const overtaken = times.filter((time, i) => time > (times[i + 1] ?? Infinity)).length;
  assert(overtaken > 150 && overtaken < 350, `${overtaken} overtaken`);
});

Deno.test("Netem turns one bit over, in a copy", { permissions: "none" }, () => {
  for (const [first] of passMany({ corruptPercent: 100 }, 200)) {
    const changed = first?.bytes.map((byte) => byte ^ 0xaa).filter((byte) => byte !== 0);
    assertEquals(changed?.length, 1);
    const [bits = 0] = changed ?? [];
    assertEquals(bits & (bits - 1), 0);
  }
  assertEquals(DATAGRAM, new Uint8Array(100).fill(0xaa));
});

Deno.test(
  "Netem drops what finds the queue full, and passes at the rate",
  { permissions: "none" },
  () => {
    const netem = new Netem({ seed: 1, bytesPerSecond: 100_000, queueBytes: 1000 });
    const burst = Array.from({ length: 11 }, () => netem.pass(DATAGRAM, 0));
    assertEquals(burst.flat().map(({ atMs }) => atMs), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assertEquals(burst[10], []);
    assertEquals(netem.pass(DATAGRAM, 0.5), []);
    assertEquals(netem.pass(DATAGRAM, 1).map(({ atMs }) => atMs), [11]);
  },
);

Deno.test("Netem does the same again for the same seed only", { permissions: "none" }, () => {
  const options = {
    lossPercent: 10,
    jitterMs: 5,
    delayMs: 9,
    corruptPercent: 3,
    duplicatePercent: 4,
  };
  assertEquals(passMany({ ...options, seed: 5 }, 500), passMany({ ...options, seed: 5 }, 500));
  const times = (seed: number) =>
    passMany({ ...options, seed }, 500).flat().map(({ atMs }) => atMs);
  assert(times(5).join() !== times(6).join());
});
