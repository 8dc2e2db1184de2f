import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { TrivetError } from "../../../lib/errors.ts";
import {
  isNoncePart,
  newScramNonce,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
  SCRAM_MESSAGE_CHARS_MAX,
} from "../../../lib/auth/scram_messages.ts";

const permissions = "none";
const NONCE = "abcdefghijklmnop";
const KEY = new Uint8Array(32).fill(5).toBase64();
const PARSERS = { parseClientFirst, parseServerFirst, parseClientFinal, parseServerFinal };
type ParserName = keyof typeof PARSERS;

function assertMalformed(parser: ParserName, text: string): void {
  const error = assertThrows(() => PARSERS[parser](text), TrivetError);
  assertEquals(error.code, "PROTOCOL_ERROR");
}

Deno.test("parseClientFirst() reads every field", { permissions }, () => {
  assertEquals(parseClientFirst(`p=tls-server-end-point,,n=a=2Cb=3Dc,r=${NONCE},x=1,Y=a=b`), {
    binding: { flag: "p", type: "tls-server-end-point" },
    gs2Header: "p=tls-server-end-point,,",
    bare: `n=a=2Cb=3Dc,r=${NONCE},x=1,Y=a=b`,
    user: "a,b=c",
    nonce: NONCE,
  });
  assertEquals(parseClientFirst(`n,,n=u,r=${NONCE}`).binding, { flag: "n" });
  assertEquals(parseClientFirst(`y,,n=u,r=${NONCE}`).binding, { flag: "y" });
});

Deno.test("parseServerFirst() reads every field", { permissions }, () => {
  assertEquals(parseServerFirst(`r=${NONCE},s=AQID,i=4096,x=1`), {
    nonce: NONCE,
    salt: new Uint8Array([1, 2, 3]),
    iterations: 4096,
  });
});

Deno.test("parseClientFinal() reads every field", { permissions }, () => {
  assertEquals(parseClientFinal(`c=biws,r=${NONCE},x=1,p=${KEY}`), {
    binding: new TextEncoder().encode("n,,"),
    nonce: NONCE,
    proof: new Uint8Array(32).fill(5),
    withoutProof: `c=biws,r=${NONCE},x=1`,
  });
});

Deno.test("parseServerFinal() reads a signature or an error", { permissions }, () => {
  assertEquals(parseServerFinal(`v=${KEY}`), { signature: new Uint8Array(32).fill(5) });
  assertEquals(parseServerFinal(`v=${KEY},x=1`), { signature: new Uint8Array(32).fill(5) });
  assertEquals(parseServerFinal("e=unknown-user"), { error: "unknown-user" });
  assertEquals(parseServerFinal("e=buy now"), { error: "other-error" });
});

const MALFORMED: Record<ParserName, readonly string[]> = {
  parseClientFirst: [
    "",
    `n=u,r=${NONCE}`,
    `x,,n=u,r=${NONCE}`,
    `N,,n=u,r=${NONCE}`,
    `p=,,n=u,r=${NONCE}`,
    `p=a b,,n=u,r=${NONCE}`,
    `p=${"a".repeat(65)},,n=u,r=${NONCE}`,
    `n,a=admin,n=u,r=${NONCE}`,
    `n,a=,n=u,r=${NONCE}`,
    `n,,`,
    `n,,n=u`,
    `n,,r=${NONCE}`,
    `n,,r=${NONCE},n=u`,
    `n,,n=,r=${NONCE}`,
    `n,,n=u,r=`,
    `n,,n=u,r=${NONCE},`,
    `n,,n=u,,r=${NONCE}`,
    `n,,m=x,n=u,r=${NONCE}`,
    `n,,n=u,r=${NONCE},m=x`,
    `n,,n=u,r=${NONCE},n=v`,
    `n,,n=u,r=${NONCE},x=1,x=2`,
    `n,,n=u,r=${NONCE},p=${KEY}`,
    `n,,n=u,r=${NONCE},1=x`,
    `n,,n=u,r=${NONCE},xx`,
    `n,,n=u=2c,r=${NONCE}`,
    `n,,n=u=,r=${NONCE}`,
    `n,,n=u,r=${NONCE.slice(1)}`,
    `n,,n=u,r=${"a".repeat(257)}`,
    `n,,n=u,r=${NONCE} x`,
    `n,,n=u,r=${NONCE}ä`,
    `n,,n=u\0,r=${NONCE}`,
    `n,,n=u\uD800,r=${NONCE}`,
  ],
  parseServerFirst: [
    "",
    `r=${NONCE}`,
    `r=${NONCE},s=AQID`,
    `r=${NONCE},i=4096,s=AQID`,
    `s=AQID,r=${NONCE},i=4096`,
    `m=x,r=${NONCE},s=AQID,i=4096`,
    `r=${NONCE},s=AQID,i=4096,m=x`,
    `r=${NONCE},s=AQID,i=4096,i=600000`,
    `r=${NONCE},s=AQID,i=4096,v=${KEY}`,
    `r=${NONCE},s=AQI,i=4096`,
    `r=${NONCE},s=A QID,i=4096`,
    `r=${NONCE},s=,i=4096`,
    `r=${NONCE},s=AQID,i=`,
    `r=${NONCE},s=AQID,i=0`,
    `r=${NONCE},s=AQID,i=04096`,
    `r=${NONCE},s=AQID,i=+4096`,
    `r=${NONCE},s=AQID,i=4096.5`,
    `r=${NONCE},s=AQID,i=4e3`,
    `r=${NONCE},s=AQID,i=99999999999`,
    `r=${"a".repeat(513)},s=AQID,i=4096`,
    `r=a\x7f${NONCE},s=AQID,i=4096`,
    "e=other-error",
  ],
  parseClientFinal: [
    "",
    `c=biws,r=${NONCE}`,
    `p=${KEY}`,
    `,p=${KEY}`,
    `c=biws,p=${KEY},r=${NONCE}`,
    `r=${NONCE},c=biws,p=${KEY}`,
    `c=biws,p=${KEY}`,
    `c=biws,r=${NONCE},p=`,
    `c=biws,r=${NONCE},p=AQID`,
    `c=biws,r=${NONCE},p=${new Uint8Array(31).toBase64()}`,
    `c=biws,r=${NONCE},p=${new Uint8Array(33).toBase64()}`,
    `c=biws,r=${NONCE},p=${KEY},x=1`,
    `c=biws,r=${NONCE},p=${KEY},p=${KEY}`,
    `c=biws,r=${NONCE},m=x,p=${KEY}`,
    `c=biws,r=${NONCE},c=biws,p=${KEY}`,
    `c=biw,r=${NONCE},p=${KEY}`,
    `c=biws,r=${"a".repeat(513)},p=${KEY}`,
  ],
  parseServerFinal: [
    "",
    "v=",
    "v=AQID",
    `v=${new Uint8Array(33).toBase64()}`,
    `v=${KEY},v=${KEY}`,
    `v=${KEY},e=other-error`,
    "e=",
    `e=other-error,v=${KEY}`,
    `m=x,v=${KEY}`,
    `x=1,v=${KEY}`,
    `V=${KEY}`,
  ],
};

for (
  const parser of [
    "parseClientFirst",
    "parseServerFirst",
    "parseClientFinal",
    "parseServerFinal",
  ] as const
) {
  for (const [index, text] of MALFORMED[parser].entries()) {
    const title = `${parser}() refuses case ${index}: ${JSON.stringify(text.slice(0, 60))}`;
    Deno.test(title, { permissions }, () => assertMalformed(parser, text));
  }
  Deno.test(`${parser}() refuses a huge input at once`, { permissions }, () => {
    for (
      const text of ["a".repeat(50_000_000), ",".repeat(5_000_000), `n,,n=${"=2C".repeat(1e6)}`]
    ) {
      assertMalformed(parser, text);
    }
  });
  Deno.test(`${parser}() throws nothing but PROTOCOL_ERROR`, { permissions }, () => {
    const piece = fc.oneof(
      fc.constantFrom("n", "y", "p=", "a=", "n=", "m=", "r=", "c=", "s=", "i=", "v=", "e=", "x="),
      fc.constantFrom(",", ",,", "=", "=2C", NONCE, KEY, "biws", "4096", "\0", "\uDFFF"),
      fc.string({ unit: "binary", maxLength: 8 }),
    );
    const message = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(fc.oneof(message, fc.string({ maxLength: 200 })), (text) => {
        try {
          PARSERS[parser](text);
        } catch (error) {
          assertEquals(error instanceof TrivetError && error.code, "PROTOCOL_ERROR");
        }
      }),
      { numRuns: 10_000 },
    );
  });
}

Deno.test("parseClientFirst() takes messages up to the limit", { permissions }, () => {
  const start = `n,,n=u,r=${NONCE},x=`;
  const longest = start + "a".repeat(SCRAM_MESSAGE_CHARS_MAX - start.length);
  assertEquals(parseClientFirst(longest).nonce, NONCE);
  assertMalformed("parseClientFirst", longest + "a");
});

Deno.test("parseClientFirst() reads back any well-formed message", { permissions }, () => {
  const printable = fc.string({ minLength: 16, maxLength: 256 }).filter(isNoncePart);
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 })
    .filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(name, printable, fc.constantFrom("n", "y", "p=abc"), (user, nonce, flag) => {
      const escaped = user.replaceAll("=", "=3D").replaceAll(",", "=2C");
      const parsed = parseClientFirst(`${flag},,n=${escaped},r=${nonce}`);
      assertEquals([parsed.user, parsed.nonce, parsed.gs2Header], [user, nonce, `${flag},,`]);
    }),
  );
});

Deno.test("isNoncePart() keeps its limits", { permissions }, () => {
  for (
    const [text, valid] of [
      ["a".repeat(15), false],
      ["a".repeat(16), true],
      ["a".repeat(256), true],
      ["a".repeat(257), false],
      ["!".repeat(16), true],
      ["~".repeat(16), true],
      [" ".repeat(16), false],
      [",".repeat(16), false],
      ["\x7f".repeat(16), false],
    ] as const
  ) {
    assertEquals(isNoncePart(text), valid, JSON.stringify(text));
  }
});

Deno.test("newScramNonce() makes different nonces of 32 characters", { permissions }, () => {
  assertMatch(newScramNonce(), /^[A-Za-z0-9+/]{32}$/);
  assertNotEquals(newScramNonce(), newScramNonce());
});
