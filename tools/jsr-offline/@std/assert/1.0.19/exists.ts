/**
 * Presence. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that a value is neither `null` nor `undefined`.
 *
 * @param actual The value.
 * @param msg What it is about.
 */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${ending(msg)}`,
  );
}
