import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type ErrorCode, TrivetError } from "../../../lib/errors.ts";
import {
  checkPath,
  compareNames,
  formatPath,
  NAME_MAX_BYTES,
  nameKey,
  type NameRules,
  parsePath,
  PATH_MAX_BYTES,
  PATH_MAX_LEVELS,
  pathKey,
  quoteName,
} from "../../../lib/netdisk/path.ts";

const NATIVE = { names: "native" } as const;
const PORTABLE = { names: "portable" } as const;
const none = { permissions: "none" } as const;

function refusal(components: string[], names: NameRules): ErrorCode | undefined {
  try {
    checkPath(components, { names });
    return undefined;
  } catch (error) {
    if (error instanceof TrivetError) return error.code;
    throw error;
  }
}

/** A path of exactly `bytes` bytes with its separators. */
function pathOfBytes(bytes: number): string[] {
  const path: string[] = [];
  for (let left = bytes; left > 0;) {
    const length = Math.min(left, 200);
    path.push("x".repeat(length));
    left -= length + 1;
  }
  return path;
}

const EVERYWHERE: [components: string[], code: ErrorCode | undefined][] = [
  [[], undefined],
  [["a"], undefined],
  [[""], "PATH_EMPTY"],
  [["a", "", "b"], "PATH_EMPTY"],
  [["."], "PATH_DOT"],
  [[".."], "PATH_DOT"],
  [["a", "..", "b"], "PATH_DOT"],
  [["..."], undefined],
  [[".hidden"], undefined],
  [["a/b"], "PATH_SEPARATOR"],
  [["/"], "PATH_SEPARATOR"],
  [["a\\b"], "PATH_SEPARATOR"],
  [["a\0b"], "PATH_NUL"],
  [["\u0001"], "PATH_CONTROL"],
  [["a\nb"], "PATH_CONTROL"],
  [["\u001f"], "PATH_CONTROL"],
  [["\u0020a"], undefined],
  [["\u007e"], undefined],
  [["\u007f"], "PATH_CONTROL"],
  [["\u0080"], "PATH_CONTROL"],
  [["\u009f"], "PATH_CONTROL"],
  [["a\u00a0"], undefined],
  [["\ud800"], "PATH_ENCODING"],
  [["a\udfff"], "PATH_ENCODING"],
  [["\u{1f600}"], undefined],
  [["x".repeat(NAME_MAX_BYTES)], undefined],
  [["x".repeat(NAME_MAX_BYTES + 1)], "NAME_TOO_LONG"],
  [["é".repeat(127) + "x"], undefined],
  [["é".repeat(128)], "NAME_TOO_LONG"],
  // 170 bytes in NFC, although 255 as they come.
  [["e\u0301".repeat(85)], undefined],
  [["e\u0301".repeat(127)], undefined],
  [["e\u0301".repeat(128)], "NAME_TOO_LONG"],
  [new Array(PATH_MAX_LEVELS).fill("a"), undefined],
  [new Array(PATH_MAX_LEVELS + 1).fill("a"), "PATH_TOO_DEEP"],
  [pathOfBytes(PATH_MAX_BYTES), undefined],
  [pathOfBytes(PATH_MAX_BYTES + 1), "PATH_TOO_LONG"],
];

Deno.test("checkPath() takes or refuses the same names everywhere", none, () => {
  for (const [path, code] of EVERYWHERE) {
    const shown = JSON.stringify(path).slice(0, 80);
    assertEquals(refusal(path, "native"), code, shown);
    if (code !== undefined) assertEquals(refusal(path, "portable"), code, shown);
  }
});

const PORTABLE_ONLY: [name: string, taken: boolean][] = [
  ["a.", false],
  ["a ", false],
  ["...", false],
  ["a.b", true],
  [" a", true],
  ...[...'<>:"|?*'].map((char): [string, boolean] => [`a${char}b`, false]),
  ["CON", false],
  ["con", false],
  ["CoN.txt", false],
  ["con.tar.gz", false],
  ["con .txt", false],
  ["CONIN$", false],
  ["CONOUT$", false],
  ["PRN", false],
  ["AUX", false],
  ["NUL", false],
  ["NUL.x", false],
  ["COM0", false],
  ["COM9", false],
  ["LPT1.log", false],
  ["COM¹", false],
  ["LPT³.x", false],
  ["COM10", true],
  ["COM", true],
  ["COM⁴", true],
  ["CONS", true],
  ["a.CON", true],
  ["NULL", true],
];

Deno.test("checkPath() with portable names refuses what Windows cannot store", none, () => {
  for (const [name, taken] of PORTABLE_ONLY) {
    assertEquals(refusal([name], "native"), undefined, name);
    assertEquals(refusal([name], "portable"), taken ? undefined : "NAME_NOT_PORTABLE", name);
  }
});

Deno.test("checkPath() normalises to NFC", none, () => {
  assertEquals(checkPath(["e\u0301", "\u212b"], NATIVE), ["\u00e9", "\u00c5"]);
});

Deno.test("checkPath() quotes the name safely and the numbers", none, () => {
  const error = assertThrows(() => checkPath(["a\u001b[31m"], NATIVE), TrivetError);
  assertEquals(
    error.message,
    'Cannot use name "a\\u{1b}[31m": it contains a control character',
  );
  const long = assertThrows(() => checkPath(["x".repeat(300)], NATIVE), TrivetError);
  assert(long.message.endsWith("it has 300 bytes in UTF-8, the limit is 255"));
  assertEquals(long.details, { bytes: 300, limit: 255 });
});

const anyName = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  fc.constantFrom("CON", "a.", "..", "e\u0301", "\u212a", "x".repeat(255)),
);
const anyPath = fc.array(anyName, { maxLength: 70 });

Deno.test("checkPath() answers only what keeps every rule, and is idempotent", none, () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(anyPath, fc.constantFrom(NATIVE, PORTABLE), (path, options) => {
      let checked: string[];
      try {
        checked = checkPath(path, options);
      } catch (error) {
        return error instanceof TrivetError;
      }
      assertEquals(checkPath(checked, options), checked);
      assertEquals(checked, path.map((name) => name.normalize("NFC")));
      assert(checked.length <= 64);
      assert(encoder.encode(checked.join("/")).length <= 4096);
      for (const name of checked) {
        const bytes = encoder.encode(name);
        assert(bytes.length >= 1 && bytes.length <= 255);
        assert(bytes.every((byte) => byte >= 32 && byte !== 127 && byte !== 47 && byte !== 92));
        assert(name !== "." && name !== "..");
        if (options.names === "portable") assert(!/[<>:"|?*]|[. ]$/.test(name));
      }
      assertEquals(parsePath(formatPath(checked)), checked);
      return true;
    }),
    { numRuns: 3000 },
  );
});

Deno.test("parsePath() reads what people type", none, () => {
  for (const text of ["/a/b", "a/b", "a//b/", "///a/b//"]) {
    assertEquals(parsePath(text), ["a", "b"]);
  }
  for (const text of ["", "/", "//"]) assertEquals(parsePath(text), []);
  for (const text of ["../a", "a/./b", "/.."]) {
    assertEquals(assertThrows(() => parsePath(text), TrivetError).code, "PATH_DOT");
  }
  assertEquals(assertThrows(() => parsePath("a\\b"), TrivetError).code, "PATH_SEPARATOR");
});

Deno.test("formatPath() writes an absolute path", none, () => {
  assertEquals(formatPath([]), "/");
  assertEquals(formatPath(["a", "b c"]), "/a/b c");
});

Deno.test("nameKey() makes twins equal, and others not", none, () => {
  assertEquals(nameKey("e\u0301", "native"), nameKey("\u00e9", "native"));
  assert(nameKey("A", "native") !== nameKey("a", "native"));
  for (const [a, b] of [["A", "a"], ["É", "e\u0301"], ["ΟΔΟΣ", "οδος"], ["straße", "STRASSE"]]) {
    assertEquals(nameKey(a ?? "", "portable"), nameKey(b ?? "", "portable"));
  }
  assert(nameKey("a", "portable") !== nameKey("b", "portable"));
  assertEquals(pathKey(["A", "B"], "portable"), "a/b");
});

Deno.test("quoteName() escapes what could mislead and cuts what is long", none, () => {
  assertEquals(quoteName('a"b\\c'), '"a\\"b\\\\c"');
  assertEquals(quoteName("\u202egpj.exe"), '"\\u{202e}gpj.exe"');
  assertEquals(quoteName("\ud800"), '"\\u{d800}"');
  assertEquals(quoteName("é中"), '"é中"');
  assertEquals(quoteName("x".repeat(81)), `"${"x".repeat(80)}…"`);
});

Deno.test("compareNames() sorts as the bytes of UTF-8 do", none, () => {
  const encoder = new TextEncoder();
  const name = fc.string({ unit: "binary", maxLength: 8 });
  fc.assert(fc.property(name, name, (a, b) => {
    const x = encoder.encode(a);
    const y = encoder.encode(b);
    const at = x.findIndex((byte, i) => byte !== y[i]);
    const bytewise = at < 0 ? x.length - y.length : (x[at] ?? 0) - (y[at] ?? -1);
    assertEquals(Math.sign(compareNames(a, b)), Math.sign(bytewise));
  }));
  assert(compareNames("\uffff", "\u{10000}") < 0);
});
