/** What the frame codec costs without a socket: encoding, and decoding as a link reads. */

import { decodeData, FrameDecoder } from "../lib/frame/decode.ts";
import {
  DATA_FRAME_BYTES_AT,
  encodeControl,
  encodeFrame,
  sealDataFrame,
} from "../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../lib/frame/frame.ts";

/** Bytes that one iteration carries. */
const ROUND_BYTES = 16 * 1024 * 1024;
const SMALL_FRAMES = 10_000;

/** Decodes `stream` over and over, copied into the decoder's space as `read()` does. */
function decodeStream(decoder: FrameDecoder, stream: Uint8Array, rounds: number): number {
  let sum = 0;
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < stream.length;) {
      const space = decoder.space();
      const count = Math.min(space.length, stream.length - at);
      space.set(stream.subarray(at, at + count));
      decoder.advance(count);
      at += count;
      for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
        sum += frame.type === FrameType.DATA ? decodeData(frame.payload).offset : frame.id;
      }
    }
  }
  return sum;
}

for (const kibibytes of [256, 1024]) {
  const data = new Uint8Array(DATA_FRAME_BYTES_AT + kibibytes * 1024);
  const rounds = ROUND_BYTES / (kibibytes * 1024);
  sealDataFrame(data, 1, 0, 0);
  const decoder = new FrameDecoder({ payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
  Deno.bench(`FrameDecoder, 16 MiB in DATA of ${kibibytes} KiB`, { group: "DATA" }, () => {
    decodeStream(decoder, data, rounds);
  });
}

Deno.bench(
  "memory copy of 16 MiB in 64 KiB, for comparison",
  { group: "DATA", baseline: true },
  () => {
    for (let at = 0; at < ROUND_BYTES; at += COPY_BYTES) copyTarget.set(copySource);
  },
);

const COPY_BYTES = 64 * 1024;
const copySource = new Uint8Array(COPY_BYTES);
const copyTarget = new Uint8Array(COPY_BYTES);

const sealed = new Uint8Array(DATA_FRAME_BYTES_AT + 256 * 1024);
Deno.bench("sealDataFrame() of 256 KiB, 10 000 times", { group: "seal" }, () => {
  for (let count = 0; count < SMALL_FRAMES; count++) {
    sealDataFrame(sealed, 1, count * 2 ** 18, count);
  }
});

const small = new Uint8Array(SMALL_FRAMES * (12 + 64));
const smallFrame = encodeFrame(FrameType.EVENT, 7, new Uint8Array(64));
for (let at = 0; at < small.length; at += smallFrame.length) small.set(smallFrame, at);
const smallDecoder = new FrameDecoder({ payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
Deno.bench("FrameDecoder, 10 000 frames of 64 B", { group: "small" }, () => {
  decodeStream(smallDecoder, small, 1);
});

const grownDecoder = new FrameDecoder({ payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES });
decodeStream(grownDecoder, encodeFrame(FrameType.EVENT, 1, new Uint8Array(70_000)), 1);
Deno.bench("the same behind a large frame, so with a larger buffer", { group: "small" }, () => {
  decodeStream(grownDecoder, small, 1);
});

const payload = new Uint8Array(64);
Deno.bench("encodeFrame() of 64 B, 10 000 times", { group: "small" }, () => {
  for (let count = 0; count < SMALL_FRAMES; count++) encodeFrame(FrameType.EVENT, 7, payload);
});

Deno.bench("encodeControl() of a small request, 10 000 times", { group: "small" }, () => {
  for (let id = 0; id < SMALL_FRAMES; id++) {
    encodeControl(FrameType.REQUEST, id, { method: "stat", params: { path: ["a", "b"] } });
  }
});
