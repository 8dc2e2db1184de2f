import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import {
  crc32,
  createDigester,
  digestOf,
  digestsEqual,
  fromHex,
  toHex,
} from "../../../lib/transfer/digest.ts";
import { patternBytes } from "./memory.ts";

const none = { permissions: "none" } as const;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

for (
  const [input, expected] of [
    // Values of xxhsum 0.8 -H2.
    ["", "99aa06d3014798d86001c324468d497f"],
    ["a", "a96faf705af16834e6c632b61e964e1f"],
    ["abc", "06b05ab6733a618578af5f94892f3950"],
  ] as const
) {
  Deno.test(`Digester computes XXH3-128 of "${input}"`, none, async () => {
    assertEquals(toHex(digestOf(await createDigester(), text(input))), expected);
  });
}

Deno.test("Digester gives the same digest however the bytes are cut", none, async () => {
  const digester = await createDigester();
  const bytes = patternBytes(70_000);
  const whole = digestOf(digester, bytes);
  fc.assert(fc.property(fc.array(fc.nat(70_000), { maxLength: 6 }), (cuts) => {
    const points = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
    const digest = new Uint8Array(20);
    digester.init();
    for (let i = 1; i < points.length; i++) {
      digester.update(bytes.subarray(points[i - 1], points[i]));
    }
    digester.digestInto(digest, 4);
    return digestsEqual(digest, 4, whole, 0);
  }));
});

Deno.test("Digester.init() drops a digest that has begun", none, async () => {
  const digester = await createDigester();
  digester.update(text("dropped"));
  assertEquals(toHex(digestOf(digester, text("abc"))), "06b05ab6733a618578af5f94892f3950");
});

Deno.test("createDigester() makes digesters that do not disturb each other", none, async () => {
  const [a, b] = [await createDigester(), await createDigester()];
  const [forA, forB] = [new Uint8Array(16), new Uint8Array(16)];
  a.update(text("a"));
  b.update(text("ab"));
  b.update(text("c"));
  a.digestInto(forA, 0);
  b.digestInto(forB, 0);
  assertEquals(toHex(forA), "a96faf705af16834e6c632b61e964e1f");
  assertEquals(toHex(forB), "06b05ab6733a618578af5f94892f3950");
});

Deno.test("crc32() computes the check value of the catalogue", none, () => {
  assertEquals(crc32(text("123456789")), 0xcbf43926);
  assertEquals(crc32(text("")), 0);
});

Deno.test("digestsEqual() sees a difference in every byte", none, () => {
  const digest = patternBytes(16);
  for (let i = 0; i < 16; i++) {
    const other = digest.slice();
    other[i] = (other[i] ?? 0) ^ 1;
    assertEquals(digestsEqual(digest, 0, other, 0), false);
  }
  assertEquals(digestsEqual(digest, 0, digest.slice(), 0), true);
});

Deno.test("toHex() and fromHex() are each other's inverse", none, () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assertEquals(fromHex(toHex(bytes)), bytes)));
});

for (const bad of ["0", "0G", "AB", " 00", "00\n"]) {
  Deno.test(`fromHex() refuses ${JSON.stringify(bad)}`, none, () => {
    assertEquals(assertThrows(() => fromHex(bad), TrivetError).code, "INVALID_REQUEST");
  });
}
