/**
 * Parts of lists. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending, format } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/** An array, or what counts its items as one does. */
export type ArrayLikeArg<T> = ArrayLike<T> & object;

/**
 * Asserts that a list contains every item of another, by contents and in any order.
 *
 * @param actual The list.
 * @param expected The items.
 * @param msg What it is about.
 */
export function assertArrayIncludes<T>(
  actual: ArrayLikeArg<T>,
  expected: ArrayLikeArg<T>,
  msg?: string,
): void {
  const items = Array.from(actual);
  const missing = Array.from(expected).filter((item) => !items.some((have) => equal(have, item)));
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${format(actual)}" to include: "${format(expected)}"${ending(msg)}` +
      `\nmissing: ${format(missing)}`,
  );
}
