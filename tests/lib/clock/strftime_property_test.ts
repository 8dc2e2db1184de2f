import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MOMENT_SECONDS_MAX, MOMENT_SECONDS_MIN } from "../../../lib/clock/moment.ts";
import { strftime, TimeFormat } from "../../../lib/clock/strftime.ts";
import { parseFormat } from "../../../lib/clock/strftime_parse.ts";

const permissions = "none";

const SECOND_NS = 1_000_000_000n;

/** Texts that are nearly formats reach further than noise does. */
const nearly = fc.array(
  fc.constantFrom(
    ..."%%%%-_0^#+EO:123459aAbBcCdDeFgGhHIjklmMnNpPqrRsStTuUVwWxXyYzZfQ é星🕐\ud800\0",
  ),
  { maxLength: 60 },
).map((characters) => characters.join(""));

const anyFormat = fc.oneof(nearly, fc.string({ unit: "binary", maxLength: 80 }));

const anyInstant = fc.bigInt({
  min: MOMENT_SECONDS_MIN * SECOND_NS,
  max: MOMENT_SECONDS_MAX * SECOND_NS,
});

const anyOptions = fc.record({
  zone: fc.constantFrom("UTC", "Europe/Paris", "America/St_Johns", "Pacific/Apia", "+05:30"),
  locale: fc.constantFrom("C", "zh-CN", "ar-EG", "tr-TR"),
  fieldWidthMax: fc.nat({ max: 100 }),
  lengthMaxBytes: fc.nat({ max: 300 }),
});

Deno.test("strftime() takes any text, and never writes more than it may", { permissions }, () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(anyFormat, anyInstant, anyOptions, (format, ns, options) => {
      const text = strftime(format, ns, options);
      assert(encoder.encode(text).length <= options.lengthMaxBytes);
      const whole = strftime(format, ns, { ...options, lengthMaxBytes: 1_000_000 });
      assert(whole.startsWith(text));
      // Nothing that would fit is cut off but a character that would not.
      const next = [...whole.slice(text.length)][0] ?? "";
      const bytes = encoder.encode(text).length + encoder.encode(next).length;
      assert(next === "" || bytes > options.lengthMaxBytes);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("strftime() does not grow a field beyond its limit", { permissions }, () => {
  fc.assert(
    fc.property(nearly, anyInstant, fc.integer({ min: 40, max: 200 }), (format, ns, max) => {
      const text = strftime(format, ns, { fieldWidthMax: max });
      // No field of the C locale is longer than 40 characters by itself; two bytes make a conversion.
      assert(text.length <= max * Math.ceil(format.length / 2) + format.length);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("TimeFormat.format() has no memory", { permissions }, () => {
  const instants = fc.array(anyInstant, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(nearly, instants, anyOptions, (format, all, options) => {
      const kept = new TimeFormat(format, options);
      for (const ns of all) assertEquals(kept.format(ns), strftime(format, ns, options));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("parseFormat() loses no character", { permissions }, () => {
  fc.assert(
    fc.property(anyFormat, (format) => {
      const texts = parseFormat(format).map((part) => typeof part === "string" ? part : part.text);
      assertEquals(texts.join(""), format);
      assert(texts.every((text) => text !== ""));
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("strftime() takes formats of the largest datagram in no time", { permissions }, () => {
  const hostile = ["%c", "%64d", "%", "%:", "%9", "%^64A", "%-", "%1c%2c", "%E", "🕐"];
  for (const each of hostile) {
    const format = each.repeat(Math.floor(65_507 / each.length));
    const start = performance.now();
    const text = strftime(format, 0n, { fieldWidthMax: 64, lengthMaxBytes: 1536 });
    const elapsed_ms = performance.now() - start;
    assert(new TextEncoder().encode(text).length <= 1536);
    // A thousand times what it takes, for a busy machine; a quadratic algorithm takes minutes.
    assert(elapsed_ms < 20_000, `${each}: ${elapsed_ms} ms`);
  }
});
