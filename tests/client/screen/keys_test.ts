import { assert, assertEquals } from "@std/assert";
import { type Key, KeyDecoder, PASTE_MAX } from "../../../client/screen/keys.ts";

const encoder = new TextEncoder();

/** Keys of bytes that come in the given pieces, with a pause behind the last. */
function decode(...pieces: (string | Uint8Array)[]): string[] {
  const decoder = new KeyDecoder();
  const keys = pieces.flatMap((piece) =>
    decoder.push(typeof piece === "string" ? encoder.encode(piece) : piece)
  );
  return [...keys, ...decoder.flush()].map(nameOf);
}

function nameOf(key: Key): string {
  return key.kind === "key" ? key.name : `${key.kind}:${key.text}`;
}

const SENT = [
  { sent: "a", keys: ["text:a"] },
  { sent: "会🎉", keys: ["text:会🎉"] },
  { sent: "\r", keys: ["enter"] },
  { sent: "\n", keys: ["ctrl+j"] },
  { sent: "\t", keys: ["tab"] },
  { sent: "\x7f\b", keys: ["backspace", "backspace"] },
  { sent: "\x03\x04", keys: ["ctrl+c", "ctrl+d"] },
  { sent: "\x00\x1c", keys: [] },
  { sent: "\x1b[A\x1b[B\x1b[C\x1b[D", keys: ["up", "down", "right", "left"] },
  { sent: "\x1bOA\x1bOH\x1bOF", keys: ["up", "home", "end"] },
  { sent: "\x1b[5~\x1b[6~", keys: ["pageup", "pagedown"] },
  { sent: "\x1b[3~\x1b[1~\x1b[4~", keys: ["delete", "home", "end"] },
  { sent: "\x1b[1;3A\x1b[1;5C\x1b[1;2D", keys: ["alt+up", "ctrl+right", "shift+left"] },
  { sent: "\x1b[Z", keys: ["shift+tab"] },
  { sent: "\x1b", keys: ["escape"] },
  { sent: "\x1b\x1b", keys: ["escape", "escape"] },
  { sent: "\x1b\x1b[A", keys: ["escape", "up"] },
  { sent: "\x1ba\x1b\r\x1b\x7f", keys: ["alt+a", "alt+enter", "alt+backspace"] },
  { sent: "\x1b[", keys: ["alt+["] },
  { sent: "\x1b[?1;2c", keys: [] },
  { sent: "\x1b[200~a\rb\r\nc\x1b[201~d", keys: ["paste:a\nb\nc", "text:d"] },
  { sent: "\x1b[200~\x1b[A\x03\x1b[201~", keys: ["paste:\x1b[A\x03"] },
  { sent: "\x1b[201~x", keys: ["text:x"] },
];

Deno.test.each(SENT)("KeyDecoder reads $sent", { permissions: "none" }, ({ sent, keys }) => {
  assertEquals(decode(sent), keys);
});

Deno.test("KeyDecoder reads the same however it is cut", { permissions: "none" }, () => {
  const sent = encoder.encode("a会\x1b[1;3A\x1bOB\x1b[200~p\x1b[20q\r🎉\x1b[201~\x1bz\x1b[5~\r");
  const joined = (keys: string[]) => keys.join(" ").replaceAll(" text:", "");
  const whole = joined(decode(sent));
  assertEquals(whole, "text:a会 alt+up down paste:p\x1b[20q\n🎉 alt+z pageup enter");
  for (let at = 1; at < sent.length; at++) {
    assertEquals(joined(decode(sent.slice(0, at), sent.slice(at))), whole, `cut at ${at}`);
  }
  assertEquals(joined(decode(...Array.from(sent, (byte) => Uint8Array.of(byte)))), whole);
});

Deno.test(
  "KeyDecoder waits for the rest of a sequence, but not of text",
  { permissions: "none" },
  () => {
    const decoder = new KeyDecoder();
    decoder.push(encoder.encode("\x1b[1;"));
    assert(decoder.isUndecided);
    assertEquals(decoder.push(encoder.encode("3B")).map(nameOf), ["alt+down"]);
    assert(!decoder.isUndecided);
  },
);

Deno.test("KeyDecoder keeps a bounded part of what is pasted, and of a sequence", {
  permissions: "none",
}, () => {
  const lengthOf = (length: number) =>
    decode("\x1b[200~", "x".repeat(length), "\x1b[201~").join("").length - "paste:".length;
  assertEquals(lengthOf(PASTE_MAX - 1), PASTE_MAX - 1);
  assertEquals(lengthOf(PASTE_MAX), PASTE_MAX);
  assertEquals(lengthOf(PASTE_MAX + 1), PASTE_MAX);
  const decoder = new KeyDecoder();
  decoder.push(encoder.encode("\x1b["));
  for (let count = 0; count < 40; count++) decoder.push(encoder.encode("1"));
  assertEquals(decoder.push(encoder.encode("x")).map(nameOf).at(-1)?.endsWith("x"), true);
});
