import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ByteReader, ByteWriter, PacketError, varintBytes } from "../../../lib/datagram/bytes.ts";
import {
  ACK_RANGES_MAX,
  connectionIdOf,
  PACKET_AROUND_BYTES,
  PACKET_NUMBER_MAX,
  PacketFrame,
  type Range,
  type ReadFrame,
  readFrame,
  RESET_BYTES,
  writeAck,
  writeClose,
  writePath,
  writeStream,
  writeWindow,
} from "../../../lib/datagram/packet.ts";
import { PacketOpener, PacketSealer } from "../../../lib/datagram/protection.ts";
import { DATAGRAM_MAX_BYTES, STREAM_MAX } from "../../../lib/datagram/types.ts";
import { CLIENT_SECRET, CONNECTION_ID } from "../../testing/datagram_pair.ts";

const none = { permissions: "none" } as const;
const anyCount = fc.oneof(
  fc.nat({ max: 100 }),
  fc.maxSafeNat(),
  fc.constantFrom(63, 64, 16383, 16384, 2 ** 30 - 1, 2 ** 30, Number.MAX_SAFE_INTEGER),
);

function written(write: (writer: ByteWriter) => void, room = 1200): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(room));
  write(writer);
  return writer.written;
}

function readAll(bytes: Uint8Array): ReadFrame[] {
  const reader = new ByteReader(bytes);
  const frames: ReadFrame[] = [];
  while (reader.left > 0) frames.push(readFrame(reader));
  return frames;
}

Deno.test("ByteReader reads the integers of RFC 9000 §A.1", none, () => {
  for (
    const [hex, value] of [["25", 37], ["4025", 37], ["7bbd", 15293], [
      "9d7f3e7d",
      494878333,
    ]] as const
  ) {
    assertEquals(new ByteReader(Uint8Array.fromHex(hex)).varint(), value);
  }
  const large = new ByteReader(Uint8Array.fromHex("c2197c5eff14e88c"));
  assertThrows(() => large.varint(), PacketError, "above 2^53");
  assertThrows(() => new ByteReader(Uint8Array.fromHex("9d7f3e")).varint(), PacketError, "3 bytes");
});

Deno.test("ByteWriter.varint() is read back, in as many bytes as varintBytes() says", none, () => {
  fc.assert(fc.property(anyCount, (value) => {
    const bytes = written((writer) => writer.varint(value));
    assertEquals(bytes.length, varintBytes(value));
    assertEquals(new ByteReader(bytes).varint(), value);
  }));
});

Deno.test("ByteWriter writes up to its limit and not beyond", none, () => {
  const writer = new ByteWriter(new Uint8Array(10));
  writer.reset(3);
  writer.bytes(Uint8Array.of(1, 2));
  assertThrows(() => writer.bytes(Uint8Array.of(3, 4)), RangeError, "it is full");
  writer.byte(3);
  assertThrows(() => writer.byte(4), RangeError);
  assertEquals([...writer.written], [1, 2, 3]);
});

Deno.test("readFrame() reads what was written", none, () => {
  const anyBytes = fc.uint8Array({ maxLength: 200 });
  const data = fc.uint8Array({ minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.nat({ max: STREAM_MAX }),
      fc.maxSafeNat().map((offset) => Math.min(offset, Number.MAX_SAFE_INTEGER - 200)),
      anyBytes,
      anyCount,
      data,
      (stream, offset, bytes, total, challenge) => {
        const all = written((writer) => {
          writeStream(writer, { stream, offset, length: bytes.length }).set(bytes);
          writeWindow(writer, total);
          writePath(writer, PacketFrame.RESPONSE, challenge);
          writer.byte(PacketFrame.PING);
          writeClose(writer, total, "für 你");
        });
        assertEquals(readAll(all), [
          { type: PacketFrame.STREAM, stream, offset, bytes },
          { type: PacketFrame.WINDOW, total },
          { type: PacketFrame.RESPONSE, data: challenge },
          { type: PacketFrame.PING },
          { type: PacketFrame.CLOSE, code: total, reason: "für 你" },
        ]);
      },
    ),
  );
});

Deno.test("writeAck() writes the newest ranges, as many as fit", none, () => {
  const gaps = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 })),
    {
      minLength: 1,
      maxLength: 60,
    },
  );
  fc.assert(fc.property(gaps, fc.integer({ min: 30, max: 400 }), (gaps, room) => {
    let at = 0;
    const ranges: Range[] = [];
    for (const [gap, length] of gaps) {
      ranges.unshift({ start: at + gap, end: at + gap + length });
      at += gap + length;
    }
    const [frame] = readAll(written((writer) => writeAck(writer, { ranges, delayUs: 77 }), room));
    assert(frame?.type === PacketFrame.ACK);
    assertEquals(frame.delayUs, 77);
    assertEquals(frame.ranges, ranges.slice(0, frame.ranges.length));
    assert(frame.ranges.length <= ACK_RANGES_MAX);
    if (room > 300) assertEquals(frame.ranges.length, Math.min(ranges.length, ACK_RANGES_MAX));
  }));
});

Deno.test("readFrame() refuses what breaks the rules", none, () => {
  for (
    const [hex, problem] of [
      ["00", "type 0 is unknown"],
      ["08", "type 8 is unknown"],
      ["ff", "type 255 is unknown"],
      ["02050000", "1 bytes are needed"],
      ["0205000006", "begins below 0"],
      ["020a0001000904", "begins below 0"],
      ["020500200000", "too many ranges"],
      ["03c00000010000000000000000", "too high"],
      ["0300c01fffffffffffff0100", "too high"],
      ["0300000561", "5 bytes are needed, 1 are left"],
      ["0500010203", "8 bytes are needed"],
      ["070003aa", "3 bytes are needed"],
    ] as const
  ) {
    assertThrows(() => readAll(Uint8Array.fromHex(hex)), PacketError, problem, hex);
  }
});

Deno.test("readFrame() makes of any bytes frames or a PacketError", none, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        readAll(bytes);
      } catch (error) {
        assert(error instanceof PacketError);
      }
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("connectionIdOf() looks at nothing that is too short or of another kind", none, () => {
  for (const [type, length] of [[0xd1, PACKET_AROUND_BYTES], [0xd2, RESET_BYTES]] as const) {
    const datagram = new Uint8Array(length).fill(0xab);
    datagram[0] = type;
    assertEquals(connectionIdOf(datagram), "ab".repeat(8));
    assertEquals(connectionIdOf(datagram.subarray(0, length - 1)), undefined);
    datagram[0] = 0xd3;
    assertEquals(connectionIdOf(datagram), undefined);
  }
  assertEquals(connectionIdOf(new Uint8Array(0)), undefined);
});

Deno.test("PacketSealer uses each number once and the last one at last", none, () => {
  const sealer = new PacketSealer(CLIENT_SECRET, CONNECTION_ID, PACKET_NUMBER_MAX - 1);
  const opener = new PacketOpener(CLIENT_SECRET, CONNECTION_ID);
  for (const number of [PACKET_NUMBER_MAX - 1, PACKET_NUMBER_MAX]) {
    const datagram = sealer.seal(Uint8Array.of(1));
    assertEquals(opener.numberOf(datagram), number);
    assertEquals([...opener.open(datagram, number) ?? []], [1]);
  }
  assertEquals(sealer.isExhausted, true);
  assertThrows(() => sealer.seal(Uint8Array.of(1)), RangeError, "no packet number is left");
});

Deno.test("PacketSealer.seal() makes datagrams up to the limit", none, () => {
  const sealer = new PacketSealer(CLIENT_SECRET, CONNECTION_ID);
  const most = DATAGRAM_MAX_BYTES - PACKET_AROUND_BYTES;
  assertEquals(sealer.seal(new Uint8Array(most)).length, DATAGRAM_MAX_BYTES);
  assertThrows(() => sealer.seal(new Uint8Array(most + 1)), RangeError, "1201 bytes");
});

Deno.test("PacketOpener.numberOf() knows what cannot be of its connection", none, () => {
  const opener = new PacketOpener(CLIENT_SECRET, CONNECTION_ID);
  const good = new PacketSealer(CLIENT_SECRET, CONNECTION_ID).seal(new Uint8Array(0));
  assertEquals(opener.numberOf(good), 0);
  assertEquals(opener.numberOf(good.subarray(0, PACKET_AROUND_BYTES - 1)), undefined);
  assertEquals(opener.numberOf(new Uint8Array([...good, ...new Uint8Array(1168)])), undefined);
  for (const at of [0, 1, 8]) {
    const other = good.slice();
    other[at] = (other[at] ?? 0) ^ 1;
    assertEquals(opener.numberOf(other), undefined);
  }
  const beyond = good.slice();
  beyond[10] = 0x20;
  assertEquals(opener.numberOf(beyond), undefined);
});
