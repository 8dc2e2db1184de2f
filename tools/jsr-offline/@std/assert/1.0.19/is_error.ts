/**
 * What kind of error a value is. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending, plain } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";

/** Any class of errors, abstract ones too. */
// deno-lint-ignore no-explicit-any
export type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/**
 * Asserts that a value is an error, of a class and with a message where these are given.
 *
 * @param error The value.
 * @param ErrorClass The class.
 * @param msgMatches A part of the message, or a pattern for it.
 * @param msg What it is about.
 */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ErrorClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  const suffix = ending(msg);
  if (!(error instanceof Error)) {
    throw new AssertionError(`Expected "error" to be an Error object${suffix}`);
  }
  if (ErrorClass !== undefined && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}"${suffix}`,
    );
  }
  if (msgMatches === undefined) return;
  const text = plain(error.message);
  const found = typeof msgMatches === "string"
    ? text.includes(plain(msgMatches))
    : msgMatches.test(text);
  if (found) return;
  const verb = typeof msgMatches === "string" ? "include" : "match";
  const wanted = typeof msgMatches === "string" ? JSON.stringify(msgMatches) : msgMatches;
  throw new AssertionError(
    `Expected error message to ${verb} ${wanted}, but got ${
      JSON.stringify(error.message)
    }${suffix}`,
  );
}
