import { assert, assertEquals, assertMatch } from "@std/assert";
import { hashInvite, newInvite } from "../../../lib/auth/invite.ts";

Deno.test("newInvite() makes another code each time", { permissions: "none" }, () => {
  const code = newInvite();
  assertMatch(code, /^tvi_[A-Za-z0-9_-]{22}$/);
  assert(newInvite() !== code);
});

Deno.test("hashInvite() is SHA-256 of any text", { permissions: "none" }, async () => {
  // FIPS 180-4, the empty message and "abc".
  const [empty, abc] = [await hashInvite(""), await hashInvite("abc")];
  assertEquals(
    empty.toHex(),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  assertEquals(abc.toHex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
