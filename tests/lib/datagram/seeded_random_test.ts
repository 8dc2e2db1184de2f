import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { SeededRandom } from "../../../lib/datagram/seeded_random.ts";

const draw = (random: SeededRandom) => Array.from({ length: 8 }, () => random.uint32());

Deno.test("SeededRandom repeats itself for a seed and not for its neighbours", {
  permissions: "none",
}, () => {
  assertEquals(draw(new SeededRandom(1)), draw(new SeededRandom(1)));
  const seen = new Set<number>();
  for (let seed = 0; seed < 1000; seed++) seen.add(new SeededRandom(seed).uint32());
  seen.add(new SeededRandom(2 ** 32).uint32());
  assertEquals(seen.size, 1001);
});

Deno.test(
  "SeededRandom.fork() gives what later draws do not change",
  { permissions: "none" },
  () => {
    const one = new SeededRandom(3);
    const other = new SeededRandom(3);
    const forked = one.fork();
    const before = draw(forked);
    const later = other.fork();
    draw(other);
    assertEquals(draw(later), before);
    assertNotEquals(draw(one), before);
  },
);

Deno.test("SeededRandom draws evenly, within its bounds", { permissions: "none" }, () => {
  const random = new SeededRandom(9);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const at = random.below(10);
    counts[at] = (counts[at] ?? 0) + 1;
    const between = random.between(-2, 3);
    assert(between >= -2 && between < 3);
  }
  assert(counts.every((count) => Math.abs(count - 1000) < 150), counts.join());
  assertEquals(random.chance(0), false);
  assertEquals(random.chance(100), true);
});
