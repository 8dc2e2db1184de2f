import { assertEquals } from "@std/assert";
import { editDistance, suggest } from "../../../lib/term/suggest.ts";

Deno.test("editDistance() counts slips", { permissions: "none" }, () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "ab", 1],
    ["abc", "abd", 1],
    ["jsno", "json", 1],
    ["kitten", "sitting", 3],
    ["", "four", 4],
  ];
  for (const [from, to, distance] of cases) {
    assertEquals(editDistance(from, to), distance, `${from} ${to}`);
    assertEquals(editDistance(to, from), distance, `${to} ${from}`);
  }
});

Deno.test("suggest() finds what was meant and nothing far away", { permissions: "none" }, () => {
  const known = ["ls", "put", "get", "register", "limit-rate"];
  const cases: [string, string | undefined][] = [
    ["regsiter", "register"],
    ["pit", "put"],
    ["sl", "ls"],
    ["reg", "register"],
    ["limitrate", "limit-rate"],
    ["xyzzy", undefined],
    ["zz", undefined],
    ["", undefined],
    ["l".repeat(65), undefined],
  ];
  for (const [word, meant] of cases) assertEquals(suggest(word, known), meant, word);
});
