/**
 * Equality by contents. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { diff } from "./_diff.ts";
import { ending, format } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/**
 * Asserts that two values have equal contents.
 *
 * @param actual What there is.
 * @param expected What there should be.
 * @param msg What it is about.
 */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${ending(msg)}${diff(format(actual), format(expected))}`,
  );
}
