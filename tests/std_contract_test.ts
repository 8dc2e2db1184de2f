/**
 * What this project relies on in `@std/cli`, `@std/streams`, `@std/crypto` and `@std/assert`. It holds
 * for the packages of JSR and for `tools/jsr-offline/` alike, whichever the imports resolve to.
 */
import { fileURLToPath } from "node:url";
import { parseArgs, promptSecret, unicodeWidth } from "@std/cli";
import { parseArgs as parseArgsAlone } from "@std/cli/parse-args";
import { promptSecret as promptSecretAlone } from "@std/cli/prompt-secret";
import { unicodeWidth as unicodeWidthAlone } from "@std/cli/unicode-width";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { concatReadableStreams } from "@std/streams/concat-readable-streams";
import { TextLineStream } from "@std/streams/text-line-stream";
import { toBytes } from "@std/streams/to-bytes";
import { toText } from "@std/streams/to-text";
import * as streams from "@std/streams";
import * as assertions from "@std/assert";
import { assert } from "@std/assert/assert";
import { assertArrayIncludes } from "@std/assert/array-includes";
import { assertEquals } from "@std/assert/equals";
import { assertExists } from "@std/assert/exists";
import { assertFalse } from "@std/assert/false";
import { assertGreater } from "@std/assert/greater";
import { assertGreaterOrEqual } from "@std/assert/greater-or-equal";
import { assertInstanceOf } from "@std/assert/instance-of";
import { assertIsError } from "@std/assert/is-error";
import { assertLess } from "@std/assert/less";
import { assertLessOrEqual } from "@std/assert/less-or-equal";
import { assertMatch } from "@std/assert/match";
import { assertNotEquals } from "@std/assert/not-equals";
import { assertObjectMatch } from "@std/assert/object-match";
import { assertRejects } from "@std/assert/rejects";
import { assertStrictEquals } from "@std/assert/strict-equals";
import { assertStringIncludes } from "@std/assert/string-includes";
import { assertThrows } from "@std/assert/throws";
import { AssertionError } from "@std/assert/assertion-error";
import { equal } from "@std/assert/equal";
import { fail } from "@std/assert/fail";

/** Stops the test with the language alone: an assertion cannot vouch for itself. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The contract is broken: ${what}`);
}

type Options = NonNullable<Parameters<typeof parseArgs>[1]>;

const COMMAND_LINES: [name: string, args: string[], options: Options, expected: unknown][] = [
  ["a value after =", ["--a=b=c"], {}, { _: [], a: "b=c" }],
  ["an empty value after =", ["--a="], {}, { _: [], a: "" }],
  ["a line feed in a value", ["--a=b\nc"], {}, { _: [], a: "b\nc" }],
  ["the next argument as a value", ["--a", "b"], {}, { _: [], a: "b" }],
  ["no value of an empty argument", ["--a", ""], {}, { _: [""], a: true }],
  ["no value that starts with a hyphen", ["--a", "-5"], {}, { _: [], a: true, 5: true }],
  ["a negative number after =", ["--a=-5"], {}, { _: [], a: -5 }],
  ["a boolean that takes no value", ["--a", "b"], { boolean: "a" }, { _: ["b"], a: true }],
  ["a boolean that takes true", ["--a", "true"], { boolean: "a" }, { _: [], a: true }],
  ["a boolean that takes false", ["--a", "false"], { boolean: "a" }, { _: [], a: false }],
  ["a boolean after =false", ["--a=false"], { boolean: "a" }, { _: [], a: false }],
  ["a boolean after =0", ["--a=0"], { boolean: "a" }, { _: [], a: true }],
  ["a boolean that is not there", [], { boolean: ["a"] }, { _: [], a: false }],
  ["every flag as a boolean", ["--a", "b"], { boolean: true }, { _: ["b"], a: true }],
  ["a string without a value", ["--a"], { string: "a" }, { _: [], a: "" }],
  ["a string before a flag", ["--a", "--b"], { string: "a" }, { _: [], a: "", b: true }],
  ["a string of digits", ["--a", "007"], { string: "a" }, { _: [], a: "007" }],
  ["numbers", ["0x10", "1e3", "007", "Infinity", " "], {}, { _: [16, 1000, 7, "Infinity", " "] }],
  ["positionals as strings", ["007", "1"], { string: "_" }, { _: ["007", "1"] }],
  ["a group of letters", ["-abc", "v"], {}, { _: [], a: true, b: true, c: "v" }],
  ["a letter and its number", ["-p8080"], {}, { _: [], p: 8080 }],
  ["a letter and its number, again", ["-n5"], {}, { _: [], n: 5 }],
  ["a letter and its value", ["-x=y"], {}, { _: [], x: "y" }],
  ["a group that ends in a digit", ["-ab5"], {}, { _: [], a: "b5" }],
  ["a negated flag with a value", ["--no-a=1"], { negatable: "a" }, { _: [], a: 1 }],
  ["a hyphen alone after a letter", ["-a", "-"], {}, { _: [], a: "-" }],
  ["a hyphen alone after a name", ["--a", "-"], {}, { _: ["-"], a: true }],
  ["a hyphen alone", ["-", "a"], {}, { _: ["-", "a"] }],
  ["what follows --", ["a", "--", "--b", "1"], {}, { _: ["a", "--b", "1"] }],
  ["what follows --, apart", ["a", "--", "-b"], { "--": true }, { _: ["a"], "--": ["-b"] }],
  ["a negated flag", ["--no-a"], { negatable: "a" }, { _: [], a: false }],
  ["a flag that only looks negated", ["--no-a"], {}, { _: [], "no-a": true }],
  ["a flag given twice", ["--a=1", "--a=2"], {}, { _: [], a: 2 }],
  ["a collected flag", ["--a=1", "--a", "x"], { collect: "a" }, { _: [], a: [1, "x"] }],
  [
    "collected strings",
    ["--a=1", "--a=2"],
    { collect: "a", string: "a" },
    { _: [], a: ["1", "2"] },
  ],
  [
    "a collected flag that is not there",
    [],
    { collect: "a", string: "a" },
    { _: [], a: [] },
  ],
  [
    "a default of a collected flag",
    ["--a=1"],
    { collect: "a", default: { a: [9] } },
    { _: [], a: [1] },
  ],
  ["a default", [], { default: { a: 5 } }, { _: [], a: 5 }],
  ["a default that is not needed", ["--a=1"], { default: { a: 5 } }, { _: [], a: 1 }],
  ["a default of an alias", [], { alias: { a: "b" }, default: { a: 5 } }, { _: [], a: 5, b: 5 }],
  ["an alias", ["-b", "1"], { alias: { a: ["b"] } }, { _: [], a: 1, b: 1 }],
  ["a boolean alias", ["-b", "x"], { alias: { a: "b" }, boolean: "a" }, {
    _: ["x"],
    a: true,
    b: true,
  }],
  ["nested names", ["--a.b=1", "--a.c=2"], {}, { _: [], a: { b: 1, c: 2 } }],
  [
    "the first positional as the end",
    ["--a", "--b=1", "x", "--c", "1"],
    { stopEarly: true, boolean: "a" },
    { _: ["x", "--c", "1"], a: true, b: 1 },
  ],
];

for (const [name, args, options, expected] of COMMAND_LINES) {
  Deno.test(`parseArgs() reads ${name}`, { permissions: "none" }, () => {
    assertEquals<unknown>(parseArgs(args, options), expected);
  });
}

Deno.test("parseArgs() reports what is undeclared and drops it for false", () => {
  const seen: unknown[] = [];
  const result = parseArgs(["--a=1", "--b=2", "c"], {
    string: ["a"],
    unknown: (...call) => {
      seen.push(call.filter((each) => each !== undefined));
      return call[0] === "c";
    },
  });
  assertEquals(seen, [["--b=2", "b", "2"], ["c"]]);
  assertEquals<unknown>(result, { _: ["c"], a: "1" });
});

Deno.test("parseArgs() leaves prototypes alone", () => {
  parseArgs(["--__proto__.polluted=1", "--a.constructor.prototype.polluted=1"]);
  assertFalse(Reflect.has({}, "polluted"));
});

Deno.test("parseArgs() types what is declared", () => {
  const args = parseArgs(["--name=x", "--all", "--tag=t"], {
    boolean: ["all"],
    string: ["name", "tag", "_"],
    collect: ["tag"],
    default: { port: 9000 },
  });
  const name: string | undefined = args.name;
  const all: boolean = args.all;
  const tags: string[] = args.tag;
  const port: number = args.port as number;
  assertEquals([name, all, tags, port], ["x", true, ["t"], 9000]);
});

Deno.test("parseArgs() refuses an alias without a name", () => {
  const alias = Object.fromEntries([["a", undefined]]) as Record<string, never>;
  assertThrows(() => parseArgs([], { alias }), TypeError, "Alias value must be defined");
});

Deno.test("promptSecret() answers null where there is no terminal", async () => {
  const program = `import { promptSecret } from "@std/cli/prompt-secret";
    Deno.exit(promptSecret() === null ? 0 : 1);`;
  const config = fileURLToPath(new URL("../deno.json", import.meta.url));
  const args = ["eval", "--no-lock", `--config=${config}`, program];
  const { code } = await new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  assertEquals(code, 0);
});

const WIDTHS: [text: string, columns: number][] = [
  ["", 0],
  ["abc", 3],
  ["é", 1],
  ["e\u0301", 1],
  ["日本", 4],
  ["ﾊﾝ", 2],
  ["Ａ", 2],
  ["한", 2],
  ["\t\n\x1b", 0],
  ["😀", 2],
  ["👨‍👩‍👧", 6],
  ["\u200b", 0],
  ["─┼", 2],
  ["“…”", 3],
];

for (const [text, columns] of WIDTHS) {
  Deno.test(`unicodeWidth() counts ${columns} in ${JSON.stringify(text)}`, () => {
    assertStrictEquals(unicodeWidth(text), columns);
  });
}

Deno.test("timingSafeEqual() compares bytes of any kind and refuses other lengths", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  assert(timingSafeEqual(bytes, Uint8Array.of(1, 2, 3, 4)));
  assert(timingSafeEqual(bytes, Uint8Array.of(0, 1, 2, 3, 4).subarray(1)));
  assert(timingSafeEqual(bytes.buffer, new DataView(bytes.buffer)));
  assertFalse(timingSafeEqual(bytes, Uint8Array.of(1, 2, 3, 5)));
  assert(timingSafeEqual(new Uint8Array(), new ArrayBuffer()));
  assertThrows(
    () => timingSafeEqual(bytes, new Uint8Array(2)),
    TypeError,
    "Cannot compare buffers of different byte lengths (4 vs 2)",
  );
});

const LINES: [chunks: string[], lines: string[], options?: { allowCR: boolean }][] = [
  [[], []],
  [["a\nb\n"], ["a", "b"]],
  [["a\nb"], ["a", "b"]],
  [["a\r\nb\r\n"], ["a", "b"]],
  [["a\r", "\nb"], ["a", "b"]],
  [["a", "b\n", "\n", "c"], ["ab", "", "c"]],
  [["a\rb\n"], ["a\rb"]],
  [["a\rb\r\nc\r"], ["a", "b", "c"], { allowCR: true }],
];

for (const [chunks, lines, options] of LINES) {
  Deno.test(`TextLineStream splits ${JSON.stringify(chunks)}`, async () => {
    const stream = ReadableStream.from(chunks).pipeThrough(new TextLineStream(options));
    assertEquals(await Array.fromAsync(stream), lines);
  });
}

Deno.test("toText() joins code points that chunks split", async () => {
  const chunks = [Uint8Array.of(0xc3), Uint8Array.of(0xa9), Uint8Array.of(0x21)];
  assertEquals(await toText(ReadableStream.from(chunks)), "é!");
  assertEquals(await toText(ReadableStream.from(["a", "b"])), "ab");
});

Deno.test("toBytes() joins chunks", async () => {
  const chunks = [Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)];
  assertEquals([...await toBytes(ReadableStream.from(chunks))], [1, 2, 3]);
});

Deno.test("concatReadableStreams() puts streams one after another", async () => {
  const stream = concatReadableStreams(
    ReadableStream.from([1, 2]),
    ReadableStream.from<number>([]),
    ReadableStream.from([3]),
  );
  assertEquals(await Array.fromAsync(stream), [1, 2, 3]);
});

const EQUAL: [a: unknown, b: unknown, isEqual: boolean][] = [
  [1, 1, true],
  [NaN, NaN, true],
  [0, -0, true],
  ["1", 1, false],
  [null, undefined, false],
  [{ a: undefined }, {}, false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [[1, [2]], [1, [2]], true],
  [[1, 2], [2, 1], false],
  [Uint8Array.of(1), Uint8Array.of(1), true],
  [Uint8Array.of(1), Uint8Array.of(2), false],
  [Uint8Array.of(1), Uint16Array.of(1), false],
  [Uint16Array.of(1, 2), Uint16Array.of(1, 3), false],
  [Uint8Array.of(1).buffer, Uint8Array.of(1).buffer, true],
  [new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 1]]), true],
  [new Map([["k", 1]]), new Map([["k", 2]]), false],
  [new Set([{ k: 1 }]), new Set([{ k: 1 }]), true],
  [new Set([1]), new Set([2]), false],
  [new Date(5), new Date(5), true],
  [new Date(5), new Date(6), false],
  [/a/g, /a/g, true],
  [/a/g, /a/i, false],
  [new URL("http://a/"), new URL("http://a/"), true],
  [new Error("a"), new Error("b"), false],
  [Temporal.PlainDate.from("2026-01-02"), Temporal.PlainDate.from("2026-01-02"), true],
  [Temporal.PlainDate.from("2026-01-02"), Temporal.PlainDate.from("2026-01-03"), false],
  [Object.create(null), {}, true],
  [new (class A {})(), new (class B {})(), false],
];

for (const [a, b, isEqual] of EQUAL) {
  Deno.test(`equal() is ${isEqual} for ${Deno.inspect(a)} and ${Deno.inspect(b)}`, () => {
    must(equal(a, b) === isEqual, "equal()");
    must(equal(b, a) === isEqual, "equal() the other way round");
    if (isEqual) assertEquals(a, b);
    else assertNotEquals(a, b);
  });
}

Deno.test("equal() ends for cycles and refuses weak collections", () => {
  const cycle = (): unknown[] => {
    const list: unknown[] = [1];
    list.push(list);
    return list;
  };
  must(equal(cycle(), cycle()), "equal() of cycles");
  assertThrows(() => equal(new WeakSet(), new WeakSet()), TypeError);
});

/** Each assertion with what it accepts and what it refuses, and how the refusal begins. */
const ASSERTIONS: [name: string, holds: () => unknown, breaks: () => unknown, message: string][] = [
  ["assert", () => assert(1), () => assert(0, "why"), "why"],
  ["assertFalse", () => assertFalse(0), () => assertFalse(1, "why"), "why"],
  ["assertEquals", () => assertEquals([1], [1]), () => assertEquals(1, 2), "Values are not equal."],
  [
    "assertEquals",
    () => assertEquals("", ""),
    () => assertEquals(1, 2, "why"),
    "Values are not equal: why",
  ],
  ["assertNotEquals", () => assertNotEquals(1, 2), () => assertNotEquals(1, 1), "Expected actual:"],
  [
    "assertStrictEquals",
    () => assertStrictEquals(NaN, NaN),
    () => assertStrictEquals(0, -0),
    "Values are not strictly equal",
  ],
  [
    "assertStrictEquals",
    () => assertStrictEquals(1, 1),
    () => assertStrictEquals<unknown>([], []),
    "Values have the same structure but are not reference-equal",
  ],
  ["assertExists", () => assertExists(0), () => assertExists(null), "Expected actual:"],
  ["assertExists", () => assertExists(""), () => assertExists(undefined), "Expected actual:"],
  ["assertGreater", () => assertGreater(2, 1), () => assertGreater(1, 1), "Expect 1 > 1"],
  [
    "assertGreaterOrEqual",
    () => assertGreaterOrEqual(1, 1),
    () => assertGreaterOrEqual(0, 1),
    "Expect 0 >= 1",
  ],
  ["assertLess", () => assertLess(1, 2), () => assertLess(1, 1), "Expect 1 < 1"],
  ["assertLess", () => assertLess(1n, 2n), () => assertLess(1, 1, "why"), "why"],
  [
    "assertLessOrEqual",
    () => assertLessOrEqual(1, 1),
    () => assertLessOrEqual(2, 1),
    "Expect 2 <=",
  ],
  [
    "assertInstanceOf",
    () => assertInstanceOf(new Date(), Date),
    () => assertInstanceOf({}, Date),
    "Expected object to be an instance of",
  ],
  [
    "assertIsError",
    () => assertIsError(new TypeError("a b"), TypeError, /^a/),
    () => assertIsError(new Error("a"), TypeError),
    'Expected error to be instance of "TypeError", but was "Error".',
  ],
  [
    "assertIsError",
    () => assertIsError(new Error("a b"), Error, "b"),
    () => assertIsError(new Error("x y"), Error, "zzz"),
    'Expected error message to include "zzz", but got "x y".',
  ],
  [
    "assertIsError",
    () => assertIsError(new Error("\x1b[31ma b\x1b[39m"), Error, "a b"),
    () => assertIsError("a"),
    'Expected "error" to be an Error object.',
  ],
  [
    "assertMatch",
    () => assertMatch("ab", /b/),
    () => assertMatch("ab", /c/),
    'Expected actual: "ab"',
  ],
  [
    "assertStringIncludes",
    () => assertStringIncludes("abc", "b"),
    () => assertStringIncludes("abc", "z", "ctx"),
    'Expected actual: "abc" to contain: "z": ctx',
  ],
  [
    "assertArrayIncludes",
    () => assertArrayIncludes([{ a: 1 }, 2], [{ a: 1 }]),
    () => assertArrayIncludes([1], [2]),
    "Expected actual:",
  ],
  [
    "assertObjectMatch",
    () => assertObjectMatch({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: 1 }, d: [1] }),
    () => assertObjectMatch({ a: { b: 1 } }, { a: { b: 2 } }),
    "Values are not equal",
  ],
  [
    "assertObjectMatch",
    () => assertObjectMatch({ a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }] }),
    () => assertObjectMatch({ a: 1 }, { a: 1, b: 2 }),
    "Values are not equal",
  ],
  ["fail", () => {}, () => fail("why"), "Failed assertion: why"],
];

for (const [name, holds, breaks, message] of ASSERTIONS) {
  Deno.test(`${name}() accepts, and refuses with ${JSON.stringify(message)}`, () => {
    holds();
    const error = errorOf(breaks);
    must(error instanceof AssertionError, `${name}() throws an AssertionError`);
    must(error.name === "AssertionError", `${name}() names its error`);
    must(error.message.startsWith(message), `${name}() says ${JSON.stringify(error.message)}`);
  });
}

Deno.test("assertThrows() returns the error and checks class and message", () => {
  const raise = () => {
    throw new TypeError("one two");
  };
  must(assertThrows(raise) instanceof TypeError, "assertThrows() returns the error");
  must(assertThrows(raise, TypeError, "two").message === "one two", "assertThrows() with a class");
  const cases: [breaks: () => unknown, message: string][] = [
    [() => assertThrows(() => {}), "Expected function to throw."],
    [() => assertThrows(() => {}, "why"), "Expected function to throw: why"],
    [() => assertThrows(async () => await Promise.resolve()), "Expected function to throw."],
    [() => assertThrows(raise, RangeError), 'Expected error to be instance of "RangeError"'],
    [() => assertThrows(raise, TypeError, "three"), 'Expected error message to include "three"'],
  ];
  for (const [breaks, message] of cases) {
    must(errorOf(breaks).message.startsWith(message), `assertThrows() says ${message}`);
  }
});

Deno.test("assertRejects() returns the error and checks class and message", async () => {
  const raise = () => Promise.reject(new TypeError("one two"));
  must(await assertRejects(raise) instanceof TypeError, "assertRejects() returns the error");
  const error = await assertRejects(raise, TypeError, "two");
  must(error.message === "one two", "assertRejects() with a class");
  const cases: [breaks: () => Promise<unknown>, message: string][] = [
    [() => assertRejects(() => Promise.resolve()), "Expected function to reject."],
    [
      () =>
        assertRejects(() => {
          throw new Error("at once");
        }),
      "Function throws when expected to reject.",
    ],
    [() => assertRejects(raise, RangeError), 'Expected error to be instance of "RangeError"'],
    [() => assertRejects(raise, TypeError, "three"), 'Expected error message to include "three"'],
  ];
  for (const [breaks, message] of cases) {
    const failure = await breaks().then(() => undefined, (reason: unknown) => reason);
    const said = failure instanceof AssertionError ? failure.message : "no AssertionError";
    must(said.startsWith(message), `assertRejects() says ${said}`);
  }
});

Deno.test("The packages export under their own name what their sub-paths export", () => {
  must(parseArgs === parseArgsAlone && promptSecret === promptSecretAlone, "@std/cli");
  must(unicodeWidth === unicodeWidthAlone, "@std/cli/unicode-width");
  must(streams.toText === toText && streams.toBytes === toBytes, "@std/streams");
  must(streams.TextLineStream === TextLineStream, "@std/streams/text-line-stream");
  must(streams.concatReadableStreams === concatReadableStreams, "@std/streams/concat-…");
  const alone: [name: keyof typeof assertions, value: unknown][] = [
    ["assert", assert],
    ["assertArrayIncludes", assertArrayIncludes],
    ["assertEquals", assertEquals],
    ["assertExists", assertExists],
    ["assertFalse", assertFalse],
    ["assertGreater", assertGreater],
    ["assertGreaterOrEqual", assertGreaterOrEqual],
    ["assertInstanceOf", assertInstanceOf],
    ["assertIsError", assertIsError],
    ["assertLess", assertLess],
    ["assertLessOrEqual", assertLessOrEqual],
    ["assertMatch", assertMatch],
    ["assertNotEquals", assertNotEquals],
    ["assertObjectMatch", assertObjectMatch],
    ["assertRejects", assertRejects],
    ["assertStrictEquals", assertStrictEquals],
    ["assertStringIncludes", assertStringIncludes],
    ["assertThrows", assertThrows],
    ["AssertionError", AssertionError],
    ["equal", equal],
    ["fail", fail],
  ];
  for (const [name, value] of alone) must(assertions[name] === value, `@std/assert ${name}`);
});

function errorOf(breaks: () => unknown): Error {
  try {
    breaks();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("The contract is broken: nothing was thrown");
}
