import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  CLASSIC_FILE_MAX_BYTES,
  CLASSIC_TEXT_MAX_BYTES,
  ClassicDecoder,
  type ClassicPiece,
} from "../../../lib/classic/decode.ts";
import { encodeClassicLength, encodeClassicText } from "../../../lib/classic/encode.ts";
import { TrivetError } from "../../../lib/errors.ts";
import { concat, pattern } from "../../testing/frames.ts";

const permissions = "none";

/** What was read: texts, and files with all their bytes. */
type Read = string | { readonly size: number; readonly bytes: number[] };

/** Reads everything as a server does: a file comes behind each "upload". */
function readParts(parts: readonly Uint8Array[]): { read: Read[]; isBetween: boolean } {
  const decoder = new ClassicDecoder();
  const read: Read[] = [];
  for (const part of parts) {
    decoder.push(part.slice());
    for (let piece = decoder.next(); piece !== null; piece = decoder.next()) {
      take(piece, read);
      if (piece.kind === "text" && piece.text.startsWith("upload")) decoder.expectFile();
    }
  }
  return { read, isBetween: decoder.isBetween };
}

function take(piece: ClassicPiece, read: Read[]): void {
  if (piece.kind === "text") read.push(piece.text);
  if (piece.kind === "file") read.push({ size: piece.size, bytes: [] });
  if (piece.kind !== "bytes") return;
  const last = read.at(-1);
  assert(typeof last === "object" && piece.bytes.length > 0);
  last.bytes.push(...piece.bytes);
}

/** A conversation with everything in it; the empty text and the empty file are the odd ones. */
const FILE = pattern(9);
const CONVERSATION = concat([
  encodeClassicText("ls 文"),
  encodeClassicText(""),
  encodeClassicText("upload a"),
  encodeClassicLength(FILE.length),
  FILE,
  encodeClassicText("upload b"),
  encodeClassicLength(0),
  encodeClassicText("q"),
]);
const EXPECTED: Read[] = [
  "ls 文",
  "",
  "upload a",
  { size: FILE.length, bytes: [...FILE] },
  "upload b",
  { size: 0, bytes: [] },
  "q",
];

Deno.test("ClassicDecoder reads texts and files at every pair of splits", { permissions }, () => {
  for (let first = 0; first <= CONVERSATION.length; first++) {
    for (let second = first; second <= CONVERSATION.length; second++) {
      const parts = [
        CONVERSATION.subarray(0, first),
        CONVERSATION.subarray(first, second),
        CONVERSATION.subarray(second),
      ];
      assertEquals(readParts(parts), { read: EXPECTED, isBetween: true });
    }
  }
});

Deno.test("ClassicDecoder reads one byte at a time", { permissions }, () => {
  const parts = Array.from(CONVERSATION, (byte) => new Uint8Array([byte]));
  assertEquals(readParts(parts).read, EXPECTED);
});

Deno.test("ClassicDecoder.isBetween tells a cut message from an end", { permissions }, () => {
  // Behind these everything that began has come; an empty file is behind its length.
  const lengths = [6 + 4, 4, 8 + 4, 4 + FILE.length, 8 + 4, 4, 1 + 4];
  const ends = new Set<number>([0]);
  lengths.reduce((at, length) => (ends.add(at + length), at + length), 0);
  for (let cut = 0; cut <= CONVERSATION.length; cut++) {
    const { isBetween } = readParts([CONVERSATION.subarray(0, cut)]);
    assertEquals(isBetween, ends.has(cut), `cut at ${cut}`);
  }
});

Deno.test("ClassicDecoder takes the longest text and refuses a longer one before it allocates", {
  permissions,
}, () => {
  const longest = "a".repeat(CLASSIC_TEXT_MAX_BYTES);
  assertEquals(readParts([encodeClassicText(longest)]).read, [longest]);
  for (const length of [CLASSIC_TEXT_MAX_BYTES + 1, CLASSIC_FILE_MAX_BYTES]) {
    const error = assertThrows(() => readParts([encodeClassicLength(length)]), TrivetError);
    assertEquals(error.code, "PROTOCOL_ERROR");
    assert(error.message.includes(String(length)));
  }
});

Deno.test(
  "ClassicDecoder takes the longest file that a C int can announce",
  { permissions },
  () => {
    const decoder = new ClassicDecoder();
    decoder.expectFile();
    decoder.push(encodeClassicLength(CLASSIC_FILE_MAX_BYTES));
    assertEquals(decoder.next(), { kind: "file", size: CLASSIC_FILE_MAX_BYTES });
    assertEquals(decoder.next(), null);
  },
);

for (
  const [what, bytes] of [["-1", [255, 255, 255, 255]], ["-2147483648", [0, 0, 0, 128]]] as const
) {
  Deno.test(`ClassicDecoder refuses ${what} as the length of a text and of a file`, {
    permissions,
  }, () => {
    for (const isFile of [false, true]) {
      const decoder = new ClassicDecoder();
      if (isFile) decoder.expectFile();
      decoder.push(new Uint8Array(bytes));
      const error = assertThrows(() => decoder.next(), TrivetError);
      assertEquals(error.code, "PROTOCOL_ERROR");
      assert(error.message.includes(what));
    }
  });
}

Deno.test("ClassicDecoder refuses what is not UTF-8", { permissions }, () => {
  const parts = [encodeClassicLength(2), new Uint8Array([0xc3, 0x28])];
  const error = assertThrows(() => readParts(parts), TrivetError);
  assertEquals(error.message, "Cannot read the message: it is not UTF-8");
});

Deno.test("ClassicDecoder.push() refuses to lose bytes", { permissions }, () => {
  const decoder = new ClassicDecoder();
  decoder.push(CONVERSATION);
  decoder.next();
  assertThrows(() => decoder.push(CONVERSATION), TypeError);
});
