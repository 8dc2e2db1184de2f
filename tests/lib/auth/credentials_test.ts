import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import {
  checkPassword,
  checkUserName,
  PASSWORD_CHARS_MAX,
  preparePassword,
} from "../../../lib/auth/credentials.ts";

const permissions = "none";

for (const name of ["a", "0", "a.b_c-d", "a".repeat(32), "9lives"]) {
  Deno.test(`checkUserName() takes "${name}"`, { permissions }, () => checkUserName(name));
}

for (
  const name of [
    "",
    "a".repeat(33),
    "A",
    ".a",
    "-a",
    "_a",
    "a b",
    "a/b",
    "a\n",
    "ä",
    "a=2Cb",
    "a,b",
    "a\0",
  ]
) {
  Deno.test(`checkUserName() refuses ${JSON.stringify(name)}`, { permissions }, () => {
    const error = assertThrows(() => checkUserName(name), TrivetError);
    assertEquals(error.code, "USER_NAME_INVALID");
  });
}

Deno.test("checkUserName() shows no more than 32 characters of a name", { permissions }, () => {
  const error = assertThrows(() => checkUserName("x".repeat(10_000)), TrivetError);
  assertStringIncludes(error.message, "10000");
  assertEquals(error.message.length < 200, true);
});

// The examples of RFC 4013 §3.
for (
  const [given, prepared] of [
    ["I\u00ADX", "IX"],
    ["user", "user"],
    ["USER", "USER"],
    ["\u00AA", "a"],
    ["\u2168", "IX"],
    ["a\u00A0b", "a b"],
    ["a\u3000b", "a b"],
    ["e\u0301", "\u00E9"],
    ["a\uFE0Fb", "ab"],
  ] as const
) {
  Deno.test(`preparePassword() maps ${JSON.stringify(given)}`, { permissions }, () => {
    assertEquals(preparePassword(given), prepared);
  });
}

for (
  const bad of [
    "\u0007",
    "a\nb",
    "a\u0085b",
    "a\u007Fb",
    "\uE000",
    "\uFDD0",
    "\uFFFD",
    "\u200E",
    "\u{E0001}",
    "\uD800",
    "\u2028",
  ]
) {
  Deno.test(`preparePassword() refuses ${JSON.stringify(bad)}`, { permissions }, () => {
    const error = assertThrows(() => preparePassword(`secret${bad}word`), TrivetError);
    assertEquals(error.code, "PASSWORD_INVALID");
    assertEquals(error.message.includes("secret"), false);
  });
}

Deno.test("preparePassword() is the same applied twice, or refuses", { permissions }, () => {
  const text = fc.string({ unit: "binary", maxLength: 40 });
  fc.assert(
    fc.property(text, (password) => {
      let once: string;
      try {
        once = preparePassword(password);
      } catch (error) {
        return error instanceof TrivetError && error.code === "PASSWORD_INVALID";
      }
      return preparePassword(once) === once;
    }),
    { numRuns: 5000 },
  );
});

for (
  const [password, valid] of [
    ["a".repeat(7), false],
    ["a".repeat(8), true],
    ["a".repeat(PASSWORD_CHARS_MAX), true],
    ["a".repeat(PASSWORD_CHARS_MAX + 1), false],
    ["😀".repeat(7), false],
    ["😀".repeat(8), true],
    ["😀".repeat(PASSWORD_CHARS_MAX), true],
    ["😀".repeat(PASSWORD_CHARS_MAX) + "a", false],
    // Seven characters after preparation, though more were typed.
    ["a\u00AD".repeat(7), false],
    // Each of these becomes 18 characters.
    ["\uFDFA".repeat(57), false],
    ["a".repeat(1_000_000), false],
  ] as const
) {
  const title = `${password.slice(0, 2)} × ${password.length}`;
  Deno.test(`checkPassword() ${valid ? "takes" : "refuses"} ${title}`, { permissions }, () => {
    if (valid) return checkPassword(password);
    const error = assertThrows(() => checkPassword(password), TrivetError);
    assertEquals(error.code, "PASSWORD_INVALID");
  });
}
