import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import {
  escapeGlob,
  GLOB_MAX_ALTERNATIVES,
  GLOB_MAX_CHARS,
  GLOB_MAX_EXPANDED_CHARS,
  globMatcher,
  hasGlob,
  parseGlob,
  unescapeGlob,
} from "../../../lib/netdisk/glob.ts";

const none = { permissions: "none" } as const;

/** Components of a path as it is written in this file. */
function path(text: string): string[] {
  return text.split("/").filter((component) => component !== "");
}

const MATCHES: [pattern: string, yes: string[], no: string[]][] = [
  ["a", ["a"], ["A", "b", "a/a", ""]],
  ["/a//b/", ["a/b"], ["a", "b"]],
  ["", [""], ["a"]],
  ["*", ["a", "a.txt", "-"], [".a", "a/b", ""]],
  ["*.jpg", ["a.jpg", "a.b.jpg"], [".jpg", "a.jpgx", "jpg", "a/b.jpg"]],
  [".*", [".a", ".a.b", ".."], ["a"]],
  ["[.]a", [], [".a"]],
  ["?a", ["aa", "🙂a"], ["a", ".a", "aaa"]],
  ["a*b*c", ["abc", "aXbXc", "abcbc"], ["ab", "acb", "abcd"]],
  ["a**b", ["ab", "aXb"], ["a/b"]],
  ["[a-c]x", ["ax", "bx", "cx"], ["dx", "x", "-x"]],
  ["[!a-c]x", ["dx", "-x"], ["ax", "x"]],
  ["[^a]", ["b"], ["a"]],
  ["[]a]", ["]", "a"], ["b"]],
  ["[!]a]", ["b"], ["]", "a"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[\\]a]", ["]", "a"], ["\\"]],
  ["[é-ü]", ["é", "ö"], ["e"]],
  ["[a", ["[a"], ["a"]],
  ["[a/b]", ["[a/b]"], ["a", "b"]],
  ["{a,b}.txt", ["a.txt", "b.txt"], ["c.txt", "{a,b}.txt"]],
  ["{a/b,c}/d", ["a/b/d", "c/d"], ["a/d", "b/d"]],
  ["{1..3}", ["1", "2", "3"], ["4", "{1..3}"]],
  ["{a}", ["{a}"], ["a"]],
  ["\\*", ["*"], ["a"]],
  ["\\{a,b}", ["{a,b}"], ["a"]],
  ["a\\", ["a\\"], ["a"]],
  ["**", ["a", "a/b", "a/b/c"], ["", ".a", "a/.b", ".a/b"]],
  ["a/**", ["a/b", "a/b/c"], ["a", "b", "ab/c"]],
  ["**/a", ["a", "x/a", "x/y/a"], ["x", "a/x", ".x/a"]],
  ["a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/b/b"], ["a", "a/x", "b"]],
  ["**/**/a/**/**", ["a/b", "x/a/b/c"], ["a", "x/a"]],
  ["**/*.{c,h}", ["a.c", "x/y/b.h"], ["a.o"]],
  // Typed in NFD, stored in NFC.
  ["e\u0301*", ["\u00e9t\u00e9"], ["ete"]],
];

Deno.test("globMatcher() matches whole paths, component by component", none, () => {
  for (const [pattern, yes, no] of MATCHES) {
    const matches = globMatcher(pattern);
    for (const text of yes) assert(matches(path(text)), `${pattern} takes ${text}`);
    for (const text of no) assert(!matches(path(text)), `${pattern} leaves ${text}`);
  }
});

Deno.test("globMatcher() matches leading dots and both cases when asked to", none, () => {
  assert(globMatcher("**/*", { dot: true })([".a", ".b"]));
  assert(!globMatcher("**/*")([".a", "b"]));
  assert(globMatcher("[A-C]*.JPG", { ignoreCase: true })(["Beach.jpg"]));
  assert(!globMatcher("*.JPG")(["beach.jpg"]));
});

Deno.test("Glob.reaches() is true for folders that a match may be below", none, () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ["a/b*/c", ["", "a", "a/b", "a/bb"], ["b", "a/c", "a/b/c", "a/b/c/d"]],
    ["*", [""], ["a"]],
    ["**/x", ["", "a", "a/b", "x"], [".a", "a/.b"]],
    ["{a,b/c}/*", ["", "a", "b", "b/c"], ["c", "a/c"]],
  ];
  for (const [pattern, yes, no] of cases) {
    const glob = parseGlob(pattern);
    for (const text of yes) assert(glob.reaches(path(text)), `${pattern} goes into "${text}"`);
    for (const text of no) assert(!glob.reaches(path(text)), `${pattern} leaves "${text}"`);
  }
});

Deno.test("hasGlob() knows patterns from plain paths", none, () => {
  for (const text of ["*", "a?", "x/[ab]", "{a,b}", "{1..2}", "**", "\\\\*", "\\[*"]) {
    assert(hasGlob(text), text);
  }
  for (const text of ["", "/", "a/b", "a[b", "{a}", "{a,b", "\\*", "a\\?b", "\\[a]", "a\\{b,c}"]) {
    assert(!hasGlob(text), text);
  }
});

Deno.test("escapeGlob() makes a pattern that matches its text alone", none, () => {
  const names = fc.stringMatching(/^[a*?[\]{},.!^-]{1,12}$/);
  fc.assert(fc.property(names, names, (name, other) => {
    const pattern = escapeGlob(name);
    assert(!hasGlob(pattern));
    assertEquals(unescapeGlob(pattern), name);
    assert(globMatcher(pattern)([name]));
    assertEquals(globMatcher(pattern)([other]), name === other);
  }));
});

Deno.test("globMatcher() agrees with a regular expression on short patterns", none, () => {
  const patterns = fc.stringMatching(/^[ab*?]{0,8}$/).filter((text) => text !== "**");
  const names = fc.stringMatching(/^[ab]{1,8}$/);
  fc.assert(fc.property(patterns, names, (pattern, name) => {
    const source = pattern.replaceAll("*", ".*").replaceAll("?", ".");
    assertEquals(globMatcher(pattern)([name]), new RegExp(`^(?:${source})$`).test(name));
  }));
});

const HOSTILE: [pattern: string, name: string][] = [
  ["*a".repeat(1000) + "b", "a".repeat(255)],
  ["*?".repeat(100) + "[!a]", "a".repeat(255)],
  ["**/".repeat(1000) + "b", "a"],
  ["**/a/".repeat(60) + "b", "a"],
  ["{".repeat(4000), "a"],
  ["{a,".repeat(1300) + "}".repeat(100), "a"],
  ["{b,".repeat(16) + "}".repeat(16), "a"],
  ["{a}" + "}".repeat(4000) + ",z}", "a"],
  ["[".repeat(4000), "a"],
  ["[a-".repeat(1300), "a"],
];

Deno.test("globMatcher() is fast whatever the pattern", none, () => {
  const started = performance.now();
  for (const [pattern, name] of HOSTILE) {
    const paths = [[name], new Array<string>(64).fill(name)];
    for (const components of paths) {
      hasGlob(pattern);
      try {
        assert(!globMatcher(pattern)(components), pattern.slice(0, 20));
      } catch (error) {
        if (!(error instanceof TrivetError)) throw error;
        assertEquals(error.code, "USAGE");
      }
    }
  }
  assert(performance.now() - started < 60_000);
});

Deno.test("parseGlob() has limits", none, () => {
  const usage = (pattern: string, message: string) =>
    assertEquals(assertThrows(() => parseGlob(pattern), TrivetError, message).code, "USAGE");
  parseGlob("*".repeat(GLOB_MAX_CHARS));
  usage("*".repeat(GLOB_MAX_CHARS + 1), "it has 4097 characters, the limit is 4096");
  assert(hasGlob("*".repeat(GLOB_MAX_CHARS + 1)));
  assert(globMatcher(`{1..${GLOB_MAX_ALTERNATIVES}}`)(["256"]));
  usage(`{1..${GLOB_MAX_ALTERNATIVES + 1}}`, "more than 256 patterns");
  // 256 patterns of 64 characters each.
  const name = "x".repeat(GLOB_MAX_EXPANDED_CHARS / GLOB_MAX_ALTERNATIVES - 4);
  usage(`${name}{1000..1255}y`, "more than 16384 characters");
  parseGlob(`${name}{1000..1255}`);
});
