/**
 * Sizes of tests that show the same with less: the full ones are for whoever asks for them.
 *
 * @module
 */

/**
 * Chooses how much a test does.
 *
 * @param usual In ordinary runs.
 * @param long With TRIVET_TEST_LONG=1.
 */
export function sized(usual: number, long: number): number {
  return Deno.env.get("TRIVET_TEST_LONG") === "1" ? long : usual;
}
