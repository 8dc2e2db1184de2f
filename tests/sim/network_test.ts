import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { SeededRandom } from "../../lib/datagram/seeded_random.ts";
import { Network } from "./network.ts";
import { Trace } from "./trace.ts";
import { VirtualClock } from "./virtual_clock.ts";
import { EPOCH_MS, VirtualGlobals } from "./virtual_globals.ts";

function newNetwork(seed: number, print?: (line: string) => void) {
  const clock = new VirtualClock();
  const trace = new Trace(clock, print);
  return new Network({ clock, trace, random: new SeededRandom(seed) });
}

Deno.test("VirtualClock.run() lets events happen in their order, and waits for none of them", async () => {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const seen: number[] = [];
  const times = Array.from({ length: 500 }, () => random.below(100));
  for (const time of times) clock.at(time, () => seen.push(clock.nowMs));
  const planned = clock.at(50, () => seen.push(-1));
  planned.cancel();
  assertEquals(await clock.run(() => false, 98), false);
  assertEquals(seen, times.filter((time) => time <= 98).sort((a, b) => a - b));
  assertEquals(clock.nowMs, 98);
  assertEquals(await clock.run(() => clock.nowMs > 98), true);
});

Deno.test("VirtualClock.run() lets promises come to rest between two events", async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const slow = async (name: string) => {
    for (let i = 0; i < 1000; i++) await Promise.resolve();
    seen.push(name);
  };
  clock.at(1, () => void slow("first"));
  clock.at(1, () => seen.push("second"));
  clock.at(2, () => void clock.sleep(5).then(() => seen.push(`at ${clock.nowMs}`)));
  await clock.run(() => false);
  assertEquals(seen, ["first", "second", "at 7"]);
});

Deno.test("VirtualGlobals replaces time and chance, and puts both back", async () => {
  const clock = new VirtualClock();
  const before = [setTimeout, performance.now, Date.now, Math.random, crypto.randomUUID];
  const draw = async () => {
    using _globals = new VirtualGlobals(clock, new SeededRandom(4));
    const seen: unknown[] = [crypto.randomUUID(), Math.random(), Date.now() - EPOCH_MS];
    const startMs = performance.now();
    setTimeout(() => seen.push(performance.now() - startMs), 30_000);
    clearTimeout(setTimeout(() => seen.push("never"), 10));
    await crypto.subtle.digest("SHA-1", new Uint8Array());
    await clock.run(() => false);
    return seen;
  };
  const first = await draw();
  assertEquals(first[2], 0);
  assertEquals(first[3], 30_000);
  assertEquals((await draw()).slice(0, 2), first.slice(0, 2));
  assertEquals(
    [setTimeout, performance.now, Date.now, Math.random, crypto.randomUUID].every((each, i) =>
      each === before[i]
    ),
    true,
  );
});

/** Two hosts that send each other datagrams over a bad link, a move and a partition. */
async function babble(seed: number): Promise<{ digest: string; network: Network }> {
  const network = newNetwork(seed);
  const [ann, bob] = [network.addHost("ann"), network.addHost("bob")];
  network.link(ann, bob, { lossPercent: 10, delayMs: 20, jitterMs: 5, duplicatePercent: 5 });
  ann.onDatagram = bob.onDatagram = () => {};
  for (let i = 0; i < 500; i++) {
    network.clock.at(i, () => ann.send(new Uint8Array(i), bob.address));
    network.clock.at(i, () => bob.send(new Uint8Array(i), ann.address));
  }
  network.clock.at(100, () => network.move(ann));
  network.clock.at(200, () => network.partition(bob, 50));
  await network.clock.run(() => false);
  return { digest: network.trace.digest(), network };
}

Deno.test("Network does the same again for the same seed only", async () => {
  const { digest, network } = await babble(1);
  const { sent, arrived, lost } = network.counts;
  assertEquals(sent, 1000);
  // 50 ms without a link both ways, 10 % of the rest, and what was on its way to the old address.
  assert(lost > 170 && lost < 260, `${lost} lost`);
  assert(arrived + lost >= sent);
  assertEquals((await babble(1)).digest, digest);
  assertNotEquals((await babble(2)).digest, digest);
});

Deno.test("Network.move() loses what is on the way to the old address", async () => {
  const network = newNetwork(1);
  const [ann, bob] = [network.addHost("ann"), network.addHost("bob")];
  network.link(ann, bob, { delayMs: 10 });
  const seen: string[] = [];
  ann.onDatagram = () => seen.push("ann");
  bob.onDatagram = (_, from) => seen.push(from);
  const old = ann.address;
  ann.send(new Uint8Array(1), bob.address);
  bob.send(new Uint8Array(1), old);
  network.clock.at(5, () => {
    network.move(ann);
    ann.send(new Uint8Array(1), bob.address);
    bob.send(new Uint8Array(1), ann.address);
  });
  await network.clock.run(() => false);
  assertEquals(seen, [old, ann.address, "ann"]);
});
