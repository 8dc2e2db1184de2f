/** What holds for all frames, all cuts and all garbage. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeControl, decodeData, FrameDecoder } from "../../../lib/frame/decode.ts";
import { encodeControl, encodeFrame } from "../../../lib/frame/encode.ts";
import { type Frame, FrameError, FrameType } from "../../../lib/frame/frame.ts";
import { concat, FRAME_TYPES, pattern, pushAll, rawFrame, readAll } from "../../testing/frames.ts";

const permissions = "none";
const BUFFER_MAX_BYTES = 64 * 1024;

const anyFrame: fc.Arbitrary<Frame> = fc.tuple(
  fc.constantFrom(...FRAME_TYPES),
  fc.nat({ max: 0xffff_ffff }),
  fc.oneof({ weight: 20, arbitrary: fc.nat({ max: 100 }) }, {
    weight: 1,
    arbitrary: fc.nat({ max: 9000 }),
  }),
  fc.nat({ max: 255 }),
).map(([type, id, length, seed]) => ({ type, flags: 0, id, payload: pattern(length, seed) }));

/** Cuts `bytes` into pieces of the sizes given, over and over. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}

Deno.test("FrameDecoder gives back what was encoded, however it is cut", { permissions }, () => {
  let frameCount = 0;
  const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(anyFrame, { minLength: 150, maxLength: 250 }), sizes, (frames, sizes) => {
      frameCount += frames.length;
      const bytes = concat(frames.map(({ type, id, payload }) => encodeFrame(type, id, payload)));
      const decoder = new FrameDecoder({ payloadMaxBytes: 9000 });
      const read = pushAll(decoder, cut(bytes, sizes));
      // assertEquals() on all of them takes a minute: say cheaply whether they differ.
      assertEquals(read.length, frames.length);
      for (const [index, frame] of frames.entries()) {
        const other = read[index];
        assert(other !== undefined && isSame(frame, other), `Frame ${index} differs`);
      }
      assert(decoder.isBetweenFrames);
      assert(decoder.space().buffer.byteLength <= BUFFER_MAX_BYTES);
    }),
    { numRuns: 600 },
  );
  assert(frameCount >= 100_000, `only ${frameCount} frames`);
});

function isSame(one: Frame, other: Frame): boolean {
  return one.type === other.type && one.flags === other.flags && one.id === other.id &&
    one.payload.length === other.payload.length &&
    one.payload.every((byte, at) => byte === other.payload[at]);
}

Deno.test("FrameDecoder yields no frame of a truncated one, at each byte", { permissions }, () => {
  fc.assert(
    fc.property(anyFrame, fc.nat(), (frame, random) => {
      const bytes = encodeFrame(frame.type, frame.id, frame.payload);
      const decoder = new FrameDecoder({ payloadMaxBytes: 9000 });
      const end = random % bytes.length;
      assertEquals(pushAll(decoder, [bytes.subarray(0, end)]), []);
      assertEquals(decoder.isBetweenFrames, end === 0);
      assertEquals(pushAll(decoder, [bytes.subarray(end)]).length, 1);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("FrameDecoder makes frames or a FrameError of garbage, the same at any cut", {
  permissions,
}, () => {
  const outcome = (read: () => Frame[]): string => {
    try {
      return JSON.stringify(read().map((frame) => [frame.type, frame.id, frame.payload.length]));
    } catch (error) {
      assert(error instanceof FrameError);
      return error.message;
    }
  };
  // Headers that are nearly right reach further than noise does.
  const nearly = fc.record({
    type: fc.constantFrom(...FRAME_TYPES, 0, 127, 128, 255),
    reserved: fc.constantFrom(0, 0, 0, 0, 0, 1),
    length: fc.constantFrom(0, 0, 1, 12, 4096, 4097, 0xffff_ffff),
    payload: fc.uint8Array({ maxLength: 20 }),
  }).map((fields) => rawFrame(fields));
  const garbage = fc.array(fc.oneof(nearly, fc.uint8Array({ maxLength: 40 })), { maxLength: 20 })
    .map(concat);
  fc.assert(
    fc.property(garbage, fc.integer({ min: 1, max: 50 }), (bytes, step) => {
      const whole = new FrameDecoder();
      const expected = outcome(() => readAll(whole, bytes));
      assertEquals(outcome(() => readAll(new FrameDecoder(), bytes, step)), expected);
      assertEquals(outcome(() => pushAll(new FrameDecoder(), cut(bytes, [step]))), expected);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("decodeControl() gives back any JSON and body", { permissions }, () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.uint8Array({ maxLength: 50 }), (head, body) => {
      const [frame] = pushAll(new FrameDecoder({ payloadMaxBytes: 1e6 }), [
        encodeControl(FrameType.REQUEST, 1, head, body),
      ]);
      const read = decodeControl(frame?.payload ?? new Uint8Array(0));
      assertEquals(JSON.stringify(read.head), JSON.stringify(head));
      assertEquals([...read.body], [...body]);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("decodeControl() and decodeData() throw nothing but FrameError", { permissions }, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (payload, isNearly) => {
      if (isNearly && payload.length >= 4) payload.set([0, 0, 0], 0);
      for (const decode of [decodeControl, decodeData]) {
        try {
          decode(payload);
        } catch (error) {
          assert(error instanceof FrameError);
        }
      }
    }),
    { numRuns: 20_000 },
  );
});
