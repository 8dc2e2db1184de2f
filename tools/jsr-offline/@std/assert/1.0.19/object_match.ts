/**
 * Parts of objects. Written for this project from the documented
 * behaviour of `@std/assert`.
 *
 * @module
 */
import { assertEquals } from "./equals.ts";

/**
 * Asserts that an object has every key of another with equal contents, all the way down; keys that
 * only the first has do not count.
 *
 * @param actual The object.
 * @param expected The keys that matter.
 * @param msg What it is about.
 */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  assertEquals<unknown>(
    pick(actual, expected, new Map()),
    pick(expected, expected, new Map()),
    msg,
  );
}

/** What `actual` has of the keys of `expected`; a pair met again on the way down is the same copy. */
function pick(actual: unknown, expected: unknown, seen: Map<object, unknown>): unknown {
  if (!isContainer(actual) || !isContainer(expected)) return actual;
  if (Array.isArray(actual) !== Array.isArray(expected)) return actual;
  const known = seen.get(expected);
  if (known !== undefined) return known;
  const copy: object = Array.isArray(actual) ? [] : {};
  seen.set(expected, copy);
  if (Array.isArray(actual) && Array.isArray(expected)) {
    Reflect.set(copy, "length", Math.min(actual.length, expected.length));
  }
  for (const key of Reflect.ownKeys(expected)) {
    if (key === "length" || !(key in actual)) continue;
    Reflect.set(copy, key, pick(Reflect.get(actual, key), Reflect.get(expected, key), seen));
  }
  return copy;
}

/** Plain objects, instances of classes and arrays; what the language compares by value is none. */
function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return !(value instanceof Date || value instanceof RegExp || value instanceof URL ||
    value instanceof Map || value instanceof Set || ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer);
}
