import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import { deriveScramKeys } from "../../../lib/auth/scram_keys.ts";
import {
  fakeVerifier,
  formatVerifier,
  makeVerifier,
  parseVerifier,
  type Verifier,
} from "../../../lib/auth/verifier.ts";

const permissions = "none";

function sample(change: Partial<Verifier> = {}): Verifier {
  return {
    salt: new Uint8Array(16).fill(1),
    iterations: 600_000,
    storedKey: new Uint8Array(32).fill(2),
    serverKey: new Uint8Array(32).fill(3),
    ...change,
  };
}

Deno.test("deriveScramKeys() derives the keys of RFC 7677 §3", {
  permissions,
}, async () => {
  // The salt and the rounds of RFC 7677 §3; the signatures are checked in scram_test.ts.
  const salt = Uint8Array.fromBase64("W22ZaJ0SNY7soEsUEjb6gQ==");
  const keys = await deriveScramKeys("pencil", { salt, iterations: 4096 });
  assertEquals(keys.storedKey.toBase64(), "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
  assertEquals(keys.serverKey.toBase64(), "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
});

Deno.test("makeVerifier() makes what parseVerifier() takes", { permissions }, async () => {
  const verifier = await makeVerifier("correct horse", { iterations: 4096 });
  assertEquals(verifier.salt.length, 16);
  assertEquals(parseVerifier(formatVerifier(verifier), { iterationsMin: 4096 }), verifier);
  const again = await makeVerifier("correct horse", { iterations: 4096 });
  assertNotEquals(again.salt, verifier.salt);
});

Deno.test("makeVerifier() uses 600 000 rounds unless told otherwise", { permissions }, async () => {
  assertEquals((await makeVerifier("correct horse")).iterations, 600_000);
});

Deno.test("makeVerifier() refuses short passwords and bad limits", { permissions }, async () => {
  const error = await assertRejects(() => makeVerifier("1234567"), TrivetError);
  assertEquals(error.code, "PASSWORD_INVALID");
  for (
    const options of [
      { iterations: 4095 },
      { iterations: 10_000_001 },
      { iterations: 5000.5 },
      { iterations: NaN },
      { salt: new Uint8Array(15) },
      { salt: new Uint8Array(65) },
    ]
  ) {
    await assertRejects(() => makeVerifier("correct horse", options), RangeError);
  }
});

for (
  const [title, change, valid] of [
    ["salt of 15 bytes", { salt: new Uint8Array(15) }, false],
    ["salt of 16 bytes", { salt: new Uint8Array(16) }, true],
    ["salt of 64 bytes", { salt: new Uint8Array(64) }, true],
    ["salt of 65 bytes", { salt: new Uint8Array(65) }, false],
    ["599 999 rounds", { iterations: 599_999 }, false],
    ["600 000 rounds", { iterations: 600_000 }, true],
    ["10 000 000 rounds", { iterations: 10_000_000 }, true],
    ["10 000 001 rounds", { iterations: 10_000_001 }, false],
    ["StoredKey of 31 bytes", { storedKey: new Uint8Array(31) }, false],
    ["StoredKey of 33 bytes", { storedKey: new Uint8Array(33) }, false],
    ["ServerKey of 31 bytes", { serverKey: new Uint8Array(31) }, false],
    ["ServerKey of 33 bytes", { serverKey: new Uint8Array(33) }, false],
  ] as const
) {
  Deno.test(`parseVerifier() ${valid ? "takes" : "refuses"} ${title}`, { permissions }, () => {
    const verifier = sample(change);
    const text = formatVerifier(verifier);
    if (valid) return assertEquals(parseVerifier(text), verifier);
    assertEquals(assertThrows(() => parseVerifier(text), TrivetError).code, "INVALID_REQUEST");
  });
}

Deno.test("parseVerifier() lowers the floor when asked", { permissions }, () => {
  const text = formatVerifier(sample({ iterations: 4096 }));
  assertEquals(parseVerifier(text, { iterationsMin: 4096 }).iterations, 4096);
  assertThrows(() => parseVerifier(text, { iterationsMin: 4097 }), TrivetError);
});

const GOOD = formatVerifier(sample());
for (
  const text of [
    "",
    GOOD + "\n",
    " " + GOOD,
    GOOD.replace("SCRAM-SHA-256", "SCRAM-SHA-1"),
    GOOD.replace("600000", "0600000"),
    GOOD.replace("600000", "6e5"),
    GOOD.replace("600000", "-600000"),
    GOOD.replace("AgI", "Ag-"),
    GOOD.replaceAll("=", ""),
    // The same key with non-zero bits at its end.
    GOOD.replace("M=", "N="),
    GOOD + "=".repeat(1000),
  ]
) {
  const title = JSON.stringify(text.slice(0, 40));
  Deno.test(`parseVerifier() refuses ${title}… (${text.length})`, { permissions }, () => {
    if (text === GOOD) throw new Error("The case does not differ from a good verifier");
    assertEquals(assertThrows(() => parseVerifier(text), TrivetError).code, "INVALID_REQUEST");
  });
}

Deno.test("parseVerifier() throws nothing but TrivetError", { permissions }, () => {
  const mutated = fc.tuple(fc.nat(GOOD.length), fc.nat(4), fc.string({ maxLength: 4 }))
    .map(([at, cut, text]) => GOOD.slice(0, at) + text + GOOD.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string({ maxLength: 300 })), (text) => {
      try {
        return formatVerifier(parseVerifier(text)) === text;
      } catch (error) {
        return error instanceof TrivetError && error.code === "INVALID_REQUEST";
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("fakeVerifier() is stable, differs by name and secret, and looks real", {
  permissions,
}, async () => {
  const secret = new Uint8Array(32).fill(7);
  const fake = await fakeVerifier(secret, "alice");
  assertEquals(await fakeVerifier(secret, "alice"), fake);
  const others = [
    await fakeVerifier(secret, "alicf"),
    await fakeVerifier(new Uint8Array(32).fill(8), "alice"),
  ];
  for (const other of others) {
    assertNotEquals(other.salt, fake.salt);
    assertNotEquals(other.storedKey, fake.storedKey);
    assertNotEquals(other.serverKey, fake.serverKey);
  }
  const real = await makeVerifier("correct horse");
  assertEquals(fake.salt.length, real.salt.length);
  assertEquals(fake.iterations, real.iterations);
  assertEquals(parseVerifier(formatVerifier(fake)), fake);
  assertEquals((await fakeVerifier(secret, "alice", { iterations: 700_000 })).iterations, 700_000);
});

Deno.test("fakeVerifier() refuses a secret of 31 bytes", { permissions }, async () => {
  await assertRejects(() => fakeVerifier(new Uint8Array(31), "alice"), RangeError);
});
