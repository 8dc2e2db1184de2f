import { assertEquals } from "@std/assert";
import { chosenSeed } from "../testing/seed.ts";
import { SCENARIOS } from "./scenarios.ts";
import { attackServer } from "./scenarios/hostile.ts";
import { runSuite } from "./run.ts";
import { Trial } from "./trial.ts";

/** Tries in the ordinary tests; `deno task test:faults` runs more. */
const TRIES = 20;

/** Hostile inputs in the ordinary tests. */
const INPUTS = 50_000;

/** The seed in ordinary runs. */
const SEED = 1;

Deno.test("random faults lose nothing that was acknowledged, and leave no trace", async () => {
  const { outcomes, skipped } = await runSuite({ seed: chosenSeed(SEED), count: TRIES });
  for (const [name, reason] of skipped) {
    // deno-lint-ignore no-console -- what was not tried must not look as if it had been
    console.error(`skipped: ${name}: ${reason}`);
  }
  const failed = outcomes.filter(({ wrong }) => wrong.length > 0)
    .map(({ scenario, seed, wrong, story }) => ({ name: scenario.name, seed, wrong, story }));
  assertEquals(failed, []);
  assertEquals(outcomes.length, TRIES);
});

Deno.test("fifty thousand hostile frames end no server, and leave it as it was", async () => {
  await using trial = await Trial.create({ seed: chosenSeed(SEED), serve: ["--plain"] });
  await attackServer(trial, INPUTS);
  assertEquals(await trial.check(), [], trial.story.join("\n"));
});

Deno.test("every scenario has a name of its own", () => {
  const names = SCENARIOS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
});
