import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeBase64 } from "../../../lib/auth/base64.ts";

const permissions = "none";

Deno.test("decodeBase64() reads what an encoder writes", { permissions }, () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    const text = new Uint8Array(bytes).toBase64();
    assertEquals(decodeBase64(text), new Uint8Array(bytes));
  }));
});

for (
  const text of [
    "A",
    "AQ",
    "AQ=",
    "AR==",
    "AAF=",
    " AQ==",
    "AQ==\n",
    "A Q==",
    "AQ==AQ==",
    "A-_A",
    "=",
  ]
) {
  Deno.test(`decodeBase64() refuses ${JSON.stringify(text)}`, { permissions }, () => {
    assertEquals(decodeBase64(text), undefined);
  });
}
