/**
 * Each scenario in a short form; `deno task sim` runs them as long as one likes.
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { SCENARIOS } from "./scenarios.ts";

/** How much each does here, and for how many seeds. */
const SHORT: Readonly<Record<string, { readonly messages: number; readonly seeds: number }>> = {
  lossy: { messages: 300, seeds: 4 },
  streams: { messages: 300, seeds: 2 },
  link: { messages: 6, seeds: 1 },
  latency: { messages: 1000, seeds: 5 },
  fuzz: { messages: 5000, seeds: 2 },
  resume: { messages: 40, seeds: 3 },
};

for (const [name, { run }] of Object.entries(SCENARIOS)) {
  const { messages, seeds } = SHORT[name] ?? { messages: 0, seeds: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    Deno.test(`The scenario ${name} holds for seed ${seed}`, async () => {
      await run({ seed, messages });
    });
  }
}

for (
  const [name, messages] of [["lossy", 50], ["streams", 50], ["resume", 5], ["fuzz", 500]] as const
) {
  Deno.test(`The scenario ${name} does the same again for the same seed only`, async () => {
    const run = async (seed: number) => {
      const result = await SCENARIOS[name]?.run({ seed, messages });
      return [result?.digest, result?.virtualMs, result?.events];
    };
    const first = await run(1);
    assertEquals(await run(1), first);
    assertNotEquals((await run(2))[0], first[0]);
  });
}
