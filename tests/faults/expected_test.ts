import { assertEquals } from "@std/assert";
import { Expected } from "./expected.ts";

const found = (files: Record<string, string>) => new Map(Object.entries(files));

Deno.test("an acknowledged file must be there, and nothing else", () => {
  const expected = new Expected();
  expected.write("a", "1", true);
  assertEquals(expected.compare(found({ a: "1" })), []);
  assertEquals(expected.compare(found({})), ["a holds absent, not 1"]);
  assertEquals(expected.compare(found({ a: "2" })), ["a holds 2, not 1"]);
  assertEquals(expected.compare(found({ a: "1", b: "9" })), ["b holds 9, not absent"]);
});

Deno.test("what was not acknowledged may be there or not, but not by half", () => {
  const expected = new Expected();
  expected.write("a", "1", true);
  expected.write("a", "2", false);
  for (const content of ["1", "2"]) assertEquals(expected.compare(found({ a: content })), []);
  assertEquals(expected.compare(found({ a: "half" })), ["a holds half, not 1 or 2"]);
});

Deno.test("a file is at one end of a move, never at both or none", () => {
  const expected = new Expected();
  expected.write("a", "1", true);
  expected.move("a", "b", false);
  assertEquals(expected.compare(found({ a: "1" })), []);
  assertEquals(expected.compare(found({ b: "1" })), []);
  assertEquals(expected.compare(found({ a: "1", b: "1" })).length, 1);
  assertEquals(expected.compare(found({})).length, 1);
  const done = new Expected();
  done.write("a", "1", true);
  done.move("a", "b", true);
  assertEquals(done.compare(found({ b: "1" })), []);
  assertEquals(done.compare(found({ a: "1" })).length, 2);
});
