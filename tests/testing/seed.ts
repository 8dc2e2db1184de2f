/**
 * Seeds of tests that draw at random. They are the same in every run, so that a change is refused for
 * what it does and not by chance; who looks for more draws others.
 *
 * @module
 */

/** Seeds drawn at random are below this. */
const SEED_MAX = 1_000_000_000;

/**
 * The seed of a test, said so that a failure can be repeated.
 *
 * @param usual The seed in ordinary runs. TRIVET_TEST_SEED names another, or `random` for any.
 */
export function chosenSeed(usual: number): number {
  const asked = Deno.env.get("TRIVET_TEST_SEED") || String(usual);
  const seed = asked === "random" ? Math.floor(Math.random() * SEED_MAX) : Number(asked);
  if (!Number.isSafeInteger(seed)) throw new TypeError(`Cannot use the seed "${asked}"`);
  // deno-lint-ignore no-console -- who sees a test fail needs its seed
  console.error(`seed ${seed} (TRIVET_TEST_SEED)`);
  return seed;
}
