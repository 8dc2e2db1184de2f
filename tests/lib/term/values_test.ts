import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import type { OptionSpec } from "../../../lib/term/command.ts";
import { formatDuration } from "../../../lib/term/format.ts";
import {
  listWords,
  parseBytes,
  parseDuration,
  parseInteger,
  parseRate,
  parseSwitch,
  parseValue,
} from "../../../lib/term/values.ts";

const MIB = 1024 ** 2;

Deno.test("parseBytes() reads sizes in powers of 1024", { permissions: "none" }, () => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["10_000", 10_000],
    ["512B", 512],
    ["1K", 1024],
    ["50M", 50 * MIB],
    ["50m", 50 * MIB],
    ["50MB", 50 * MIB],
    ["50MiB", 50 * MIB],
    ["1.5GiB", 1536 * MIB],
    ["0.3K", 307],
    ["2T", 2 * MIB * MIB],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["9007199254740992", undefined],
    ["8P", undefined],
    ["1.5", undefined],
    ["-1", undefined],
    ["1__0", undefined],
    ["_1", undefined],
    ["0x10", undefined],
    ["1e3", undefined],
    ["50 M", undefined],
    ["M", undefined],
    ["5X", undefined],
    ["50Mi", undefined],
    ["", undefined],
  ];
  for (const [text, bytes] of cases) assertEquals(parseBytes(text), bytes, text);
});

Deno.test("parseRate() allows /s", { permissions: "none" }, () => {
  assertEquals([parseRate("50M"), parseRate("50M/s"), parseRate("/s")], [
    50 * MIB,
    50 * MIB,
    undefined,
  ]);
});

Deno.test("parseDuration() needs units and adds them up", { permissions: "none" }, () => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["250ms", 250],
    ["10s", 10_000],
    ["1.5s", 1500],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1h30m", 5_400_000],
    ["30d", 2_592_000_000],
    ["1w", 604_800_000],
    ["10", undefined],
    ["s", undefined],
    ["10S", undefined],
    ["10s x", undefined],
    ["-5s", undefined],
    ["", undefined],
    ["99999999999w", undefined],
  ];
  for (const [text, duration_ms] of cases) assertEquals(parseDuration(text), duration_ms, text);
});

Deno.test("parseDuration() reads what formatDuration() writes of whole seconds", {
  permissions: "none",
}, () => {
  fc.assert(fc.property(fc.nat(3599), (seconds) => {
    assertEquals(parseDuration(formatDuration(seconds * 1000)), seconds * 1000);
  }));
});

Deno.test("parseInteger() reads decimal whole numbers alone", { permissions: "none" }, () => {
  const cases: [string, number | undefined][] = [
    ["007", 7],
    ["-5", -5],
    ["-0", 0],
    ["10_000", 10_000],
    ["1.0", undefined],
    ["0x10", undefined],
    ["1e3", undefined],
    [" 1", undefined],
    ["9007199254740992", undefined],
    ["Infinity", undefined],
  ];
  for (const [text, value] of cases) assertEquals(parseInteger(text), value, text);
});

Deno.test(
  "parseSwitch() knows the usual words and nothing inherited",
  { permissions: "none" },
  () => {
    for (const word of ["true", "YES", "on", "1"]) assertEquals(parseSwitch(word), true, word);
    for (const word of ["false", "No", "off", "0"]) assertEquals(parseSwitch(word), false, word);
    for (const word of ["", "2", "constructor", "toString"]) {
      assertEquals(
        parseSwitch(word),
        undefined,
      );
    }
  },
);

Deno.test("parseValue() accepts the limits and refuses what lies beyond them", {
  permissions: "none",
}, () => {
  const port: OptionSpec = { kind: "integer", min: 0, max: 65535, help: "" };
  assertEquals([parseValue(port, "0", "P"), parseValue(port, "65535", "P")], [0, 65535]);
  const message = "Option --port needs a whole number from 0 to 65535, got ";
  for (const text of ["-1", "65536", "x"]) {
    assertThrows(() => parseValue(port, text, "Option --port"), TrivetError, `${message}"${text}"`);
  }
  const chunk: OptionSpec = { kind: "bytes", min: 1024, help: "" };
  assertEquals(parseValue(chunk, "1K", "C"), 1024);
  assertThrows(() => parseValue(chunk, "1023", "C"), TrivetError, "of at least 1.0 KiB");
  const wait: OptionSpec = { kind: "duration", max: 60_000, help: "" };
  assertEquals(parseValue(wait, "60s", "W"), 60_000);
  assertThrows(() => parseValue(wait, "61s", "W"), TrivetError, "of at most 1m");
});

Deno.test("parseValue() says what each kind needs", { permissions: "none" }, () => {
  const cases: [OptionSpec, string, string][] = [
    [{ kind: "choice", choices: ["a", "b", "c"], help: "" }, "d", 'X needs a, b or c, got "d"'],
    [{ kind: "boolean", help: "" }, "maybe", 'X needs true or false, got "maybe"'],
    [{ kind: "string", help: "" }, "", "X needs a value, got nothing"],
    [{ kind: "path", help: "" }, "a\0b", "X needs a path, got"],
    [
      { kind: "rate", help: "" },
      "fast",
      "X needs a rate in bytes per second such as 500K or 50M, got",
    ],
  ];
  for (const [spec, text, message] of cases) {
    const error = assertThrows(() => parseValue(spec, text, "X"), TrivetError, message);
    assertEquals(error.code, "USAGE");
  }
});

Deno.test("listWords() joins as a sentence does", { permissions: "none" }, () => {
  assertEquals([listWords([]), listWords(["a"]), listWords(["a", "b"])], ["", "a", "a or b"]);
});
