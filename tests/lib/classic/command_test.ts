import { assert, assertEquals, assertThrows } from "@std/assert";
import { type ClassicCommand, parseClassicCommand } from "../../../lib/classic/command.ts";
import { TrivetError } from "../../../lib/errors.ts";

const permissions = "none";

const GOOD: readonly [text: string, command: ClassicCommand][] = [
  ["register ada secret word", { name: "register", user: "ada", password: "secret word" }],
  ["login ada  x", { name: "login", user: "ada", password: " x" }],
  ["ls", { name: "ls", path: "" }],
  ["ls a b/c", { name: "ls", path: "a b/c" }],
  ["upload a b", { name: "upload", path: "a b" }],
  ["download a", { name: "download", path: "a", seek: 0 }],
  ["download a 10", { name: "download", path: "a", seek: 10 }],
  ["download 10", { name: "download", path: "10", seek: 0 }],
  ["download a 2 0", { name: "download", path: "a 2", seek: 0 }],
  ["download a -2", { name: "download", path: "a -2", seek: 0 }],
  ["download a\nb 1", { name: "download", path: "a\nb", seek: 1 }],
  ["download a 999999999999999", { name: "download", path: "a", seek: 999_999_999_999_999 }],
  ["download a 1000000000000000", { name: "download", path: "a 1000000000000000", seek: 0 }],
  ["q", { name: "q" }],
];

for (const [text, command] of GOOD) {
  Deno.test(`parseClassicCommand() reads ${JSON.stringify(text)}`, { permissions }, () => {
    assertEquals(parseClassicCommand(text), command);
  });
}

for (
  const text of [
    "",
    "LS",
    " ls",
    "register",
    "login ada",
    "login  x",
    "upload",
    "upload ",
    "download",
  ]
) {
  Deno.test(`parseClassicCommand() refuses ${JSON.stringify(text)}`, { permissions }, () => {
    const error = assertThrows(() => parseClassicCommand(text), TrivetError);
    assertEquals(error.code, "INVALID_REQUEST");
  });
}

Deno.test("parseClassicCommand() does not repeat a password", { permissions }, () => {
  const error = assertThrows(() => parseClassicCommand("Login ada secret"), TrivetError);
  assert(!error.message.includes("secret"));
});
