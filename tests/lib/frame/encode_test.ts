import { assertEquals, assertThrows } from "@std/assert";
import { decodeData, FrameDecoder } from "../../../lib/frame/decode.ts";
import {
  DATA_FRAME_BYTES_AT,
  encodeControl,
  encodeFrame,
  sealDataFrame,
} from "../../../lib/frame/encode.ts";
import {
  FRAME_DATA_MAX_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_MAX_BYTES,
  FrameType,
} from "../../../lib/frame/frame.ts";
import { pattern, pushAll, rawFrame } from "../../testing/frames.ts";

const permissions = "none";

Deno.test("encodeFrame() lays the header out as documented", { permissions }, () => {
  const frame = encodeFrame(FrameType.EVENT, 0x01020304, new Uint8Array([0xaa, 0xbb]));
  assertEquals([...frame], [0, 0, 0, 2, 48, 0, 0, 0, 1, 2, 3, 4, 0xaa, 0xbb]);
  assertEquals([...encodeFrame(FrameType.BYE, 0)], [0, 0, 0, 0, 127, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test(
  "encodeFrame() takes the largest payload and refuses one more byte",
  { permissions },
  () => {
    const frame = encodeFrame(FrameType.END, 1, new Uint8Array(FRAME_PAYLOAD_MAX_BYTES));
    assertEquals(frame.length, FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX_BYTES);
    assertThrows(
      () => encodeFrame(FrameType.END, 1, new Uint8Array(FRAME_PAYLOAD_MAX_BYTES + 1)),
      RangeError,
      `length is ${FRAME_PAYLOAD_MAX_BYTES + 1}, the limit is ${FRAME_PAYLOAD_MAX_BYTES}`,
    );
  },
);

Deno.test("encodeFrame() takes every u32 as id and nothing else", { permissions }, () => {
  for (const id of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    assertEquals(encodeFrame(FrameType.PING, id), rawFrame({ type: FrameType.PING, id }));
  }
  for (const id of [-1, 0.5, 2 ** 32, NaN, Infinity]) {
    assertThrows(() => encodeFrame(FrameType.PING, id), RangeError, `id ${id} is not a u32`);
  }
});

Deno.test("encodeControl() counts the head in bytes, not characters", { permissions }, () => {
  const frame = encodeControl(FrameType.REQUEST, 7, "€", new Uint8Array([1]));
  assertEquals([...frame.subarray(FRAME_HEADER_BYTES)], [0, 0, 0, 5, 34, 0xe2, 0x82, 0xac, 34, 1]);
});

Deno.test("encodeControl() takes head and body up to the limit", { permissions }, () => {
  const room = FRAME_PAYLOAD_MAX_BYTES - 4 - 2;
  assertEquals(
    encodeControl(FrameType.END, 1, {}, new Uint8Array(room)).length,
    FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX_BYTES,
  );
  assertThrows(() => encodeControl(FrameType.END, 1, {}, new Uint8Array(room + 1)), RangeError);
  assertEquals(encodeControl(FrameType.END, 1, "a".repeat(room)).length > room, true);
  assertThrows(() => encodeControl(FrameType.END, 1, "a".repeat(room + 1)), RangeError);
});

Deno.test("encodeControl() refuses heads that JSON cannot say", { permissions }, () => {
  for (const head of [undefined, () => 1, Symbol("a"), 1n]) {
    assertThrows(() => encodeControl(FrameType.REQUEST, 1, head), TypeError);
  }
});

Deno.test("sealDataFrame() places offset and CRC-32 so that decodeData() finds them", {
  permissions,
}, () => {
  const bytes = pattern(100);
  const offsets = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 53 - 1];
  for (const offset of offsets) {
    for (const crc of [0, 1, 0x8000_0000, 0xffff_ffff]) {
      const frame = new Uint8Array(DATA_FRAME_BYTES_AT + bytes.length).fill(0xee);
      frame.set(bytes, DATA_FRAME_BYTES_AT);
      sealDataFrame(frame, 0xfedc_ba98, offset, crc);
      const [read] = pushAll(new FrameDecoder(), [frame]);
      assertEquals([read?.type, read?.flags, read?.id], [FrameType.DATA, 0, 0xfedc_ba98]);
      assertEquals(decodeData(read?.payload ?? new Uint8Array(0)), { offset, crc, bytes });
    }
  }
});

Deno.test("sealDataFrame() takes 0 to 1 MiB of data", { permissions }, () => {
  for (const length of [0, FRAME_DATA_MAX_BYTES]) {
    const frame = new Uint8Array(DATA_FRAME_BYTES_AT + length);
    sealDataFrame(frame, 1, 0, 0);
    assertEquals(new DataView(frame.buffer).getUint32(0), length + 12);
  }
  for (const length of [-1, FRAME_DATA_MAX_BYTES + 1]) {
    const frame = new Uint8Array(DATA_FRAME_BYTES_AT + length);
    assertThrows(() => sealDataFrame(frame, 1, 0, 0), RangeError, `${length} bytes`);
  }
});

Deno.test("sealDataFrame() refuses values that do not fit their field", { permissions }, () => {
  const frame = new Uint8Array(DATA_FRAME_BYTES_AT);
  for (const offset of [-1, 0.5, 2 ** 53, NaN, Infinity]) {
    assertThrows(() => sealDataFrame(frame, 1, offset, 0), RangeError, `offset ${offset}`);
  }
  for (const crc of [-1, 0.5, 2 ** 32, NaN]) {
    assertThrows(() => sealDataFrame(frame, 1, 0, crc), RangeError, `CRC-32 ${crc}`);
  }
  assertThrows(() => sealDataFrame(frame, 2 ** 32, 0, 0), RangeError, "id 4294967296");
});
