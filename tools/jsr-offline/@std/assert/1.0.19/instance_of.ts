/**
 * Class membership. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { ending } from "./_text.ts";
import { AssertionError } from "./assertion_error.ts";

/** Any class, abstract ones too. */
// deno-lint-ignore no-explicit-any
export type AnyConstructor = abstract new (...args: any[]) => unknown;

/** What a class makes. */
export type GetConstructorType<T extends AnyConstructor> = InstanceType<T>;

/**
 * Asserts that a value is an instance of a class.
 *
 * @param actual The value.
 * @param expectedType The class.
 * @param msg What it is about.
 */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is GetConstructorType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was ${nameOf(actual)}${
      ending(msg)
    }`,
  );
}

function nameOf(value: unknown): string {
  if (value === null || typeof value !== "object") {
    return `"${value === null ? null : typeof value}"`;
  }
  return `"${value.constructor?.name ?? "Object"}"`;
}
