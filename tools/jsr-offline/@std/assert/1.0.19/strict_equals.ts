/**
 * Identity. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { diff } from "./_diff.ts";
import { ending, format } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";

/**
 * Asserts that two values are the same one (`Object.is`).
 *
 * @param actual What there is.
 * @param expected What there should be.
 * @param msg What it is about.
 */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const left = format(actual);
  const right = format(expected);
  if (left === right) {
    const suffix = msg ? `: ${msg}` : "";
    throw new AssertionError(
      `Values have the same structure but are not reference-equal${suffix}\n\n${left}\n`,
    );
  }
  throw new AssertionError(`Values are not strictly equal${ending(msg)}${diff(left, right)}`);
}
