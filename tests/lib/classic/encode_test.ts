import { assertEquals, assertThrows } from "@std/assert";
import { CLASSIC_FILE_MAX_BYTES } from "../../../lib/classic/decode.ts";
import {
  encodeClassicError,
  encodeClassicLength,
  encodeClassicReply,
  encodeClassicText,
} from "../../../lib/classic/encode.ts";
import { TrivetError } from "../../../lib/errors.ts";

const permissions = "none";

function textOf(message: Uint8Array): string {
  return new TextDecoder().decode(message.subarray(4));
}

Deno.test("encodeClassicLength() writes a C int, little-endian", { permissions }, () => {
  assertEquals([...encodeClassicLength(0x01020304)], [4, 3, 2, 1]);
  assertEquals([...encodeClassicLength(CLASSIC_FILE_MAX_BYTES)], [255, 255, 255, 127]);
  for (const bytes of [CLASSIC_FILE_MAX_BYTES + 1, -1, 0.5]) {
    assertThrows(() => encodeClassicLength(bytes), RangeError);
  }
});

Deno.test("encodeClassicText() counts bytes, not characters", { permissions }, () => {
  const message = encodeClassicText("ls 文");
  assertEquals([...message.subarray(0, 4)], [6, 0, 0, 0]);
  assertEquals(textOf(message), "ls 文");
});

Deno.test("encodeClassicReply() and encodeClassicError() write JSON", { permissions }, () => {
  assertEquals(textOf(encodeClassicReply(["a", "b/"])), '{"status":true,"data":["a","b/"]}');
  const error = new TrivetError("AUTH_FAILED", "Cannot log in");
  assertEquals(JSON.parse(textOf(encodeClassicError(error))), {
    status: false,
    error: "Cannot log in",
    code: "AUTH_FAILED",
  });
});
