import { assert, assertEquals, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { decodeData } from "../../../lib/frame/decode.ts";
import { FRAME_HEADER_BYTES } from "../../../lib/frame/frame.ts";
import { StreamInbox } from "../../../lib/exec/inbox.ts";
import {
  encodeTaken,
  readStreamRecord,
  sealStreamFrame,
  SendWindow,
  STREAM_DATA_MAX_BYTES,
  STREAM_FRAME_BYTES_AT,
  STREAM_WINDOW_BYTES,
  STREAMS,
} from "../../../lib/exec/stream.ts";

function recordOf(frame: Uint8Array) {
  return readStreamRecord(decodeData(frame.subarray(FRAME_HEADER_BYTES)));
}

function frameOf(bytes: Uint8Array, offset = 7): Uint8Array {
  const frame = new Uint8Array(STREAM_FRAME_BYTES_AT + bytes.length);
  frame.set(bytes, STREAM_FRAME_BYTES_AT);
  sealStreamFrame(frame, { id: 3, stream: "stderr", offset });
  return frame;
}

Deno.test("readStreamRecord() reads what sealStreamFrame() and encodeTaken() write", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  assertEquals(recordOf(frameOf(bytes)), { kind: "bytes", stream: "stderr", offset: 7, bytes });
  for (const stream of STREAMS) {
    const taken = { kind: "taken" as const, stream, offset: 2 ** 40, bytes: new Uint8Array() };
    assertEquals(recordOf(encodeTaken(9, stream, 2 ** 40)), taken);
  }
});

Deno.test("readStreamRecord() refuses what is damaged, unknown or too long", () => {
  const damaged = frameOf(new Uint8Array(8));
  damaged[STREAM_FRAME_BYTES_AT] = 1;
  assertEquals(assertThrows(() => recordOf(damaged), TrivetError).code, "DIGEST_MISMATCH");
  recordOf(frameOf(new Uint8Array(STREAM_DATA_MAX_BYTES)));
  const codeOf = (action: () => unknown) => assertThrows(action, TrivetError).code;
  const long = frameOf(new Uint8Array(STREAM_DATA_MAX_BYTES + 1));
  assertEquals(codeOf(() => recordOf(long)), "PROTOCOL_ERROR");
  const crc = 0;
  assertEquals(
    codeOf(() => readStreamRecord({ offset: 0, crc, bytes: new Uint8Array() })),
    "PROTOCOL_ERROR",
  );
});

Deno.test("SendWindow gives room for one window, and more as the reader takes", async () => {
  const window = new SendWindow();
  window.send(STREAM_WINDOW_BYTES);
  assertEquals(window.roomBytes, 0);
  let hasRoom = false;
  const waiting = window.untilRoom().then(() => hasRoom = true);
  window.take(0);
  await Promise.resolve();
  assertEquals(hasRoom, false);
  window.take(5);
  await waiting;
  assertEquals([window.roomBytes, window.sentBytes], [5, STREAM_WINDOW_BYTES]);
  assertThrows(() => window.take(4), TrivetError);
  assertThrows(() => window.take(STREAM_WINDOW_BYTES + 1), TrivetError);
});

Deno.test("StreamInbox takes one window and not a byte more, in order", async () => {
  const inbox = new StreamInbox();
  const part = new Uint8Array(STREAM_DATA_MAX_BYTES).fill(1);
  for (let at = 0; at < STREAM_WINDOW_BYTES; at += part.length) inbox.push(at, part);
  assertThrows(() => inbox.push(STREAM_WINDOW_BYTES, part.subarray(0, 1)), TrivetError);
  assertThrows(() => inbox.push(0, part), TrivetError);
  let total = 0;
  for (let at = 0; at < STREAM_WINDOW_BYTES;) {
    const bytes = await inbox.next();
    at += bytes?.length ?? 0;
    total = inbox.take(bytes?.length ?? 0) ?? total;
  }
  assert(total > STREAM_WINDOW_BYTES * 7 / 8, `${total}`);
  inbox.push(STREAM_WINDOW_BYTES, part);
  inbox.push(STREAM_WINDOW_BYTES + part.length, new Uint8Array());
  assertEquals((await inbox.next())?.length, part.length);
  assertEquals(await inbox.next(), null);
  assertThrows(() => inbox.push(STREAM_WINDOW_BYTES + part.length, part), TrivetError);
});

Deno.test("StreamInbox.next() wakes up for bytes and for the end", async () => {
  const inbox = new StreamInbox();
  const first = inbox.next();
  inbox.push(0, new Uint8Array([4]));
  inbox.push(1, new Uint8Array([5]));
  assertEquals(await first, new Uint8Array([4, 5]));
  const second = inbox.next();
  inbox.end();
  assertEquals(await second, null);
});

Deno.test("StreamInbox.take() tells the sender when nothing more is here, else now and then", async () => {
  const inbox = new StreamInbox();
  inbox.push(0, new Uint8Array(5));
  await inbox.next();
  assertEquals(inbox.take(5), 5);
  const part = new Uint8Array(STREAM_DATA_MAX_BYTES);
  for (let count = 0; count < 4; count++) inbox.push(5 + count * part.length, part);
  const first = await inbox.next();
  assertEquals([first?.length, inbox.take(64 * 1024)], [64 * 1024, null]);
  await inbox.next();
  // Many at once are no sign of a sender that waits.
  assertEquals(inbox.take(64 * 1024), null);
});
