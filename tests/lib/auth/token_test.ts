import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import { hashToken, newToken, parseToken, TOKEN_CHARS } from "../../../lib/auth/token.ts";

const permissions = "none";

const SAYS_NOTHING_OF_THE_TEXT =
  /^Cannot use the token: (length is \d+, a token has 52 characters|it is not "tvt_" and base64url|its checksum is wrong, so a character was changed or lost)$/;

function assertInvalid(text: string): void {
  const error = assertThrows(() => parseToken(text), TrivetError);
  assertEquals(error.code, "TOKEN_INVALID");
  // Nothing in it can be a part of the text, however short.
  assertMatch(error.message, SAYS_NOTHING_OF_THE_TEXT);
}

Deno.test("newToken() makes different tokens that parse", { permissions }, () => {
  const token = newToken();
  assertMatch(token, /^tvt_[A-Za-z0-9_-]{48}$/);
  assertEquals(token.length, TOKEN_CHARS);
  assertEquals(parseToken(token), token);
  assertNotEquals(newToken(), token);
});

Deno.test("newToken() ends with the CRC-32 of the secret", { permissions }, () => {
  // CRC-32 of 32 zero bytes is 190A55AD.
  const token = newToken({ secret: new Uint8Array(32) });
  assertEquals(token, `tvt_${"A".repeat(42)}AZClWt`);
});

Deno.test("newToken() refuses secrets of 31 and 33 bytes", { permissions }, () => {
  assertThrows(() => newToken({ secret: new Uint8Array(31) }), RangeError);
  assertThrows(() => newToken({ secret: new Uint8Array(33) }), RangeError);
});

Deno.test("parseToken() finds every typo of one character", { permissions }, () => {
  const token = newToken();
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === "A" ? "B" : "A";
    assertInvalid(token.slice(0, at) + other + token.slice(at + 1));
    assertInvalid(token.slice(0, at) + token.slice(at + 1));
  }
});

for (
  const [title, change] of [
    ["nothing", () => ""],
    ["a line end", (token: string) => token + "\n"],
    ["a leading space", (token: string) => " " + token.slice(1)],
    ["upper-case prefix", (token: string) => "TVT_" + token.slice(4)],
    ["base64 alphabet", (token: string) => token.slice(0, 10) + "+" + token.slice(11)],
    ["white space inside", (token: string) => token.slice(0, 10) + " " + token.slice(11)],
    ["a megabyte", () => "tvt_" + "A".repeat(1_000_000)],
  ] as const
) {
  Deno.test(
    `parseToken() refuses ${title}`,
    { permissions },
    () => assertInvalid(change(newToken())),
  );
}

Deno.test("parseToken() throws nothing but TOKEN_INVALID", { permissions }, () => {
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => assertInvalid(text)));
});

Deno.test("hashToken() is SHA-256 of the text in hex", { permissions }, async () => {
  const token = newToken({ secret: new Uint8Array(32) });
  // printf tvt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZClWt | sha256sum
  assertEquals(
    await hashToken(token),
    "e5e8b219c0c8e119b590decf0930102ff35e387833fe5e4d5106ea0bd868abf2",
  );
  assertNotEquals(await hashToken(newToken()), await hashToken(newToken()));
});

Deno.test("hashToken() refuses what is not a token", { permissions }, async () => {
  const error = await assertRejects(() => hashToken("hunter2hunter2"), TrivetError);
  assertEquals(error.code, "TOKEN_INVALID");
});
