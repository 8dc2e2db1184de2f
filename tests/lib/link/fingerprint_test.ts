import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import {
  equalFingerprints,
  FINGERPRINT_BYTES,
  formatFingerprint,
  parseFingerprint,
} from "../../../lib/link/fingerprint.ts";

const pure = { permissions: "none" } as const;
const ZEROS = new Uint8Array(FINGERPRINT_BYTES);
// SHA-256 of nothing.
const EMPTY_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const EMPTY = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
const EMPTY_COLONS = EMPTY_HEX.toUpperCase().match(/../g)?.join(":") ?? "";

Deno.test("formatFingerprint() writes base64 without padding", pure, () => {
  assertEquals(formatFingerprint(Uint8Array.fromHex(EMPTY_HEX)), EMPTY);
  assertThrows(() => formatFingerprint(new Uint8Array(31)), RangeError, "31 bytes");
});

const SPELLINGS: [string][] = [
  [EMPTY],
  [EMPTY + "="],
  [` ${EMPTY}\n`],
  [EMPTY_HEX],
  [EMPTY_HEX.toUpperCase()],
  [EMPTY_COLONS],
  ["sha256 Fingerprint=" + EMPTY_COLONS],
  ["SHA256 Fingerprint=" + EMPTY_COLONS],
  ["SHA256:" + EMPTY_HEX],
];

Deno.test.each(SPELLINGS)("parseFingerprint() reads %j", pure, (text) => {
  assertEquals(parseFingerprint(text).toHex(), EMPTY_HEX);
});

const DAMAGED: [string][] = [
  [""],
  ["SHA256:"],
  [EMPTY.slice(0, -1)],
  [EMPTY + "A"],
  // The last digit carries two bits that must be zero.
  [EMPTY.slice(0, -1) + "V"],
  [EMPTY.slice("SHA256:".length)],
  [EMPTY.replace("SHA256", "MD5")],
  [EMPTY_HEX.slice(1)],
  [EMPTY_HEX + "00"],
  [EMPTY_HEX.replace("e", "g")],
  [EMPTY_COLONS.replace(":", "")],
  [EMPTY_COLONS + ":"],
];

Deno.test.each(DAMAGED)("parseFingerprint() refuses %j", pure, (text) => {
  assertEquals(assertThrows(() => parseFingerprint(text), TrivetError).code, "USAGE");
});

Deno.test("parseFingerprint() reads what formatFingerprint() writes", pure, () => {
  const digest = fc.uint8Array({ minLength: FINGERPRINT_BYTES, maxLength: FINGERPRINT_BYTES });
  fc.assert(fc.property(digest, (bytes) => {
    assertEquals(parseFingerprint(formatFingerprint(bytes)).toHex(), bytes.toHex());
  }));
});

Deno.test("equalFingerprints() sees a difference in any bit and in length", pure, () => {
  assertEquals(equalFingerprints(ZEROS, new Uint8Array(FINGERPRINT_BYTES)), true);
  for (let bit = 0; bit < FINGERPRINT_BYTES * 8; bit++) {
    const other = new Uint8Array(FINGERPRINT_BYTES);
    other[bit >> 3] = 1 << (bit & 7);
    assertEquals(equalFingerprints(ZEROS, other), false);
  }
  assertEquals(equalFingerprints(new Uint8Array(0), new Uint8Array(0)), false);
  assertEquals(equalFingerprints(ZEROS, new Uint8Array(33)), false);
});
