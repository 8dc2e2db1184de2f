import { assertEquals } from "@std/assert";
import { recordsRoom, sealRecords } from "../../../lib/exec/records.ts";
import {
  readStreamRecord,
  STREAM_DATA_MAX_BYTES,
  STREAM_WINDOW_BYTES,
} from "../../../lib/exec/stream.ts";
import { decodeData, FrameDecoder } from "../../../lib/frame/decode.ts";
import { FRAME_PAYLOAD_MAX_BYTES } from "../../../lib/frame/frame.ts";

Deno.test("sealRecords() makes records of the limit's size of whatever was read", () => {
  const most = 4 * STREAM_DATA_MAX_BYTES;
  const limit = STREAM_DATA_MAX_BYTES;
  for (const room of [1, 2, limit, limit + 1, most]) {
    for (const count of [0, 1, 2, limit - 1, limit, limit + 1, 2 * limit, most - 1, most]) {
      if (count > room) continue;
      const into = recordsRoom(room);
      assertEquals(into.length, room);
      for (let at = 0; at < count; at++) into[at] = at % 251;
      const expected = into.slice(0, count);
      const frames = sealRecords(into.subarray(0, count), { id: 5, stream: "stdout", offset: 9 });
      const decoder = new FrameDecoder({ payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
      const found: number[] = [];
      const lengths: number[] = [];
      for (const frame of decoder.push(frames)) {
        const record = readStreamRecord(decodeData(frame.payload));
        assertEquals([frame.id, record.kind, record.stream], [5, "bytes", "stdout"]);
        assertEquals(record.offset, 9 + found.length);
        lengths.push(record.bytes.length);
        for (const byte of record.bytes) found.push(byte);
      }
      assertEquals(new Uint8Array(found), expected);
      assertEquals(lengths.slice(0, -1).every((length) => length === limit), true);
      assertEquals(lengths.length, Math.max(1, Math.ceil(count / limit)));
      assertEquals(decoder.isBetweenFrames, true);
    }
  }
  assertEquals(STREAM_WINDOW_BYTES % limit, 0);
});
