import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { crc32 as zlibCrc32 } from "node:zlib";
import { crc32, tableCrc32 } from "../../../lib/frame/crc32.ts";

Deno.test("tableCrc32() gives the check value of CRC-32", { permissions: "none" }, () => {
  assertEquals(tableCrc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assertEquals(tableCrc32(new Uint8Array(0)), 0);
});

Deno.test("tableCrc32() is zlib's, at every length and alignment", { permissions: "none" }, () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => i * 37 & 255);
  for (let begin = 0; begin < 9; begin++) {
    for (let end = begin; end <= bytes.length; end++) {
      const part = bytes.subarray(begin, end);
      assertEquals(tableCrc32(part), zlibCrc32(part), `${begin} to ${end}`);
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), (random) => {
    assertEquals(tableCrc32(random), zlibCrc32(random));
  }));
});

Deno.test("crc32() stays the same while it changes to the runtime's", {
  permissions: "none",
}, async () => {
  const bytes = new Uint8Array(512 * 1024 + 3).fill(0xa5);
  const expected = zlibCrc32(bytes);
  for (let round = 0; round < 4; round++) {
    assertEquals(crc32(bytes), expected);
    // The runtime's module is loaded in the turns between.
    await import("node:zlib");
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
});
