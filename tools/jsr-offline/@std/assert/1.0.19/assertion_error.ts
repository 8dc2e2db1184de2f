/**
 * The error of a failed assertion, and the text they all end with. Written for this project from the
 * documented behaviour of `@std/assert`.
 *
 * @module
 */

/** Thrown by every assertion that does not hold. */
export class AssertionError extends Error {
  override name = "AssertionError";
}
