import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ByteReader, ByteWriter, PacketError } from "../../../lib/datagram/bytes.ts";
import { PacketFrame, readFrame, type StreamFrame } from "../../../lib/datagram/packet.ts";
import { ReceiveStreams, STREAM_GAPS_MAX } from "../../../lib/datagram/receive_streams.ts";
import {
  FLOW_WINDOW_INITIAL_BYTES,
  SendStreams,
  type SentPiece,
} from "../../../lib/datagram/send_streams.ts";
import { MESSAGE_MAX_BYTES } from "../../../lib/datagram/types.ts";
import { numbered, numberOf } from "../../testing/datagram_pair.ts";

const none = { permissions: "none" } as const;
const LIMITS = {
  sendBufferMaxBytes: 1_000_000,
  receiveBufferMaxBytes: 1_000_000,
  streamsMax: 4,
};

/** One packet of a sender: what is in it, and what it noted. */
function nextPacket(
  sending: SendStreams,
  room = 1000,
): { frames: StreamFrame[]; pieces: SentPiece[] } {
  const writer = new ByteWriter(new Uint8Array(room));
  const pieces: SentPiece[] = [];
  sending.fill(writer, pieces);
  return { frames: framesOf(writer), pieces };
}

function framesOf(writer: ByteWriter): StreamFrame[] {
  const reader = new ByteReader(writer.written.slice());
  const frames: StreamFrame[] = [];
  while (reader.left > 0) {
    const frame = readFrame(reader);
    assert(frame.type === PacketFrame.STREAM);
    frames.push(frame);
  }
  return frames;
}

Deno.test(
  "SendStreams and ReceiveStreams keep messages whole and in order, whatever is lost",
  none,
  () => {
    const message = fc.tuple(
      fc.nat({ max: 3 }),
      fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 4000 })),
    );
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 30 }),
        fc.infiniteStream(fc.tuple(fc.nat({ max: 2 }), fc.integer({ min: 150, max: 1167 }))),
        (messages, fates) => {
          const sending = new SendStreams(LIMITS);
          const receiving = new ReceiveStreams(LIMITS);
          const expected = new Map<number, number[]>();
          for (const [i, [stream, length]] of messages.entries()) {
            sending.push(stream, numbered(i, length));
            expected.set(stream, [...expected.get(stream) ?? [], i]);
          }
          for (let rounds = 0; sending.bufferedBytes > 0; rounds++) {
            assert(rounds < 2000);
            const [fate, room] = fates.next().value ?? [1, 1000];
            sending.widen(receiving.announce());
            const { frames, pieces } = nextPacket(sending, room);
            // Lost, arrived, or arrived while the sender believes that it was lost.
            if (fate !== 0) { for (const frame of frames) assert(receiving.add(frame)); }
            for (const piece of pieces) {
              if (fate === 1) sending.acknowledge(piece);
              else sending.lose(piece);
            }
            for (let got = receiving.read(); got; got = receiving.read()) {
              assertEquals(numberOf(got.message), expected.get(got.stream)?.shift());
            }
          }
          assertEquals([...expected.values()].flat(), []);
          assertEquals([receiving.heldBytes, receiving.isReadable], [0, false]);
        },
      ),
      { numRuns: 300 },
    );
  },
);

Deno.test("SendStreams sends no more than the peer takes", none, () => {
  const sending = new SendStreams(LIMITS);
  for (let i = 0; i < 10; i++) sending.push(i % 4, numbered(i, 10_000));
  let sent = 0;
  const sendAll = () => {
    while (sending.hasWork) {
      const { pieces } = nextPacket(sending);
      if (pieces.length === 0) break;
      for (const { start, end } of pieces) sent += end - start;
    }
    return sent;
  };
  assertEquals(sendAll(), FLOW_WINDOW_INITIAL_BYTES);
  assertEquals(sending.hasWork, false);
  sending.widen(FLOW_WINDOW_INITIAL_BYTES + 1000);
  assertEquals(sendAll(), FLOW_WINDOW_INITIAL_BYTES + 1000);
  sending.widen(10);
  assertEquals(sending.hasWork, false);
  sending.widen(1e6);
  assertEquals(sendAll(), 10 * 10_002);
});

Deno.test("SendStreams lets other streams go first between two messages", none, () => {
  const sending = new SendStreams(LIMITS);
  for (let i = 0; i < 20; i++) sending.push(0, numbered(i, 2500));
  nextPacket(sending);
  sending.push(1, numbered(99));
  const streams: number[] = [];
  for (let i = 0; i < 6; i++) {
    streams.push(...nextPacket(sending).frames.map(({ stream }) => stream));
  }
  const turn = streams.indexOf(1);
  assert(turn >= 0, `${streams}`);
});

Deno.test(
  "SendStreams.repeat() sends small pieces again, tiny ones more often, not when they arrived",
  none,
  () => {
    for (const [length, times] of [[62, 8], [63, 3], [510, 3], [511, 0]] as const) {
      const sending = new SendStreams(LIMITS);
      sending.push(0, numbered(1, length));
      const { pieces } = nextPacket(sending);
      for (let i = 0; i < 9; i++) {
        const again: SentPiece[] = [];
        const bytes = sending.repeat(new ByteWriter(new Uint8Array(1000)), again);
        assertEquals([bytes, again], i < times ? [length + 2, pieces] : [0, []], `${length} ${i}`);
      }
      for (const done of ["acknowledge", "lose"] as const) {
        sending.push(0, numbered(2));
        for (const piece of nextPacket(sending).pieces) sending[done](piece);
        assertEquals(sending.repeat(new ByteWriter(new Uint8Array(1000)), []), 0, done);
      }
    }
  },
);

Deno.test("SendStreams.repeat() puts pieces that follow on each other into one frame", none, () => {
  const sending = new SendStreams(LIMITS);
  for (const [i, stream] of [0, 0, 0, 1, 0].entries()) {
    sending.push(stream, numbered(i));
    nextPacket(sending);
  }
  const again: SentPiece[] = [];
  const writer = new ByteWriter(new Uint8Array(1000));
  assertEquals(sending.repeat(writer, again), 50);
  const expected = [[0, 0, 30], [1, 0, 10], [0, 30, 40]];
  assertEquals(again.map(({ stream, start, end }) => [stream, start, end]), expected);
  const sent = framesOf(writer).map(({ stream, offset, bytes }) => [
    stream,
    offset,
    offset + bytes.length,
  ]);
  assertEquals(sent, expected);
});

Deno.test("ReceiveStreams.add() refuses what the peer may not send", none, () => {
  const piece = (stream: number, offset: number, bytes: Uint8Array) => ({ stream, offset, bytes });
  const receiving = new ReceiveStreams(LIMITS);
  const byte = new Uint8Array(1);
  assertThrows(
    () => receiving.add(piece(0, FLOW_WINDOW_INITIAL_BYTES, byte)),
    PacketError,
    "room for",
  );
  assert(receiving.add(piece(0, FLOW_WINDOW_INITIAL_BYTES - 1, byte)));
  assertThrows(() => receiving.add(piece(1, 0, byte)), PacketError, "room for");
  receiving.announce();
  for (let stream = 1; stream < 4; stream++) assert(receiving.add(piece(stream, 0, byte)));
  assertThrows(() => receiving.add(piece(4, 0, byte)), PacketError, "more than 4 streams");
  const long = Uint8Array.of((MESSAGE_MAX_BYTES + 1) >> 8, (MESSAGE_MAX_BYTES + 1) & 0xff);
  assertThrows(() => receiving.add(piece(1, 0, long)), PacketError, "16385 bytes");
});

Deno.test("ReceiveStreams.add() does not keep pieces with ever more gaps", none, () => {
  const receiving = new ReceiveStreams(LIMITS);
  receiving.announce();
  const bytes = new Uint8Array(1);
  for (let i = 1; i <= STREAM_GAPS_MAX; i++) {
    assert(receiving.add({ stream: 0, offset: 2 * i, bytes }));
  }
  assertEquals(receiving.add({ stream: 0, offset: 2 * STREAM_GAPS_MAX + 2, bytes }), false);
  // What fills the first gap is always taken.
  assert(receiving.add({ stream: 0, offset: 0, bytes: new Uint8Array(2) }));
});
