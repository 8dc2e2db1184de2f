/**
 * Each scenario in a short form; `deno task sim` runs them as long as one likes.
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { SCENARIOS } from "./scenarios.ts";

/** How much each does here, and for how many seeds. */
const SHORT: Readonly<Record<string, { readonly messages: number; readonly seeds: number }>> = {
  streams: { messages: 300, seeds: 3 },
};

for (const [name, { run }] of Object.entries(SCENARIOS)) {
  const { messages, seeds } = SHORT[name] ?? { messages: 0, seeds: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    Deno.test(`The scenario ${name} holds for seed ${seed}`, async () => {
      await run({ seed, messages });
    });
  }
}

Deno.test("A scenario does the same again for the same seed only", async () => {
  const digest = async (seed: number) =>
    (await SCENARIOS["streams"]?.run({ seed, messages: 100 }))?.digest;
  const first = await digest(1);
  assertEquals(await digest(1), first);
  assertNotEquals(await digest(2), first);
});
