import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { decodeControl, decodeData, FrameDecoder } from "../../../lib/frame/decode.ts";
import { encodeControl, encodeFrame } from "../../../lib/frame/encode.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_GUEST_MAX_BYTES,
  FRAME_PAYLOAD_MAX_BYTES,
  FrameError,
  FrameType,
} from "../../../lib/frame/frame.ts";
import { concat, FRAME_TYPES, pattern, pushAll, rawFrame, readAll } from "../../testing/frames.ts";

const permissions = "none";
const MEMBER = { payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES };
const FIRST_BUFFER_BYTES = FRAME_HEADER_BYTES + FRAME_PAYLOAD_GUEST_MAX_BYTES;

/** What the decoder has allocated. */
function bufferBytes(decoder: FrameDecoder): number {
  return decoder.space().buffer.byteLength;
}

Deno.test("FrameDecoder reads every type at every split", { permissions }, () => {
  for (const [index, type] of FRAME_TYPES.entries()) {
    const payload = pattern(index * 3, index);
    const expected = { type, flags: 0, id: 0xffff_fff0 + index, payload };
    const bytes = encodeFrame(type, expected.id, payload);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parts = [bytes.subarray(0, cut), bytes.subarray(cut)];
      const decoder = new FrameDecoder();
      assertEquals(pushAll(decoder, parts), [expected]);
      assert(decoder.isBetweenFrames);
    }
  }
});

Deno.test("FrameDecoder reads frames joined, and one byte at a time", { permissions }, () => {
  const frames = FRAME_TYPES.map((type, index) => ({
    type,
    flags: 0,
    id: index,
    payload: pattern(index === 4 ? 4096 : index * 7, index),
  }));
  const bytes = concat(frames.map(({ type, id, payload }) => encodeFrame(type, id, payload)));
  assertEquals(pushAll(new FrameDecoder(), [bytes]), frames);
  for (const step of [1, 2, 3, 11, 12, 13, 4107, 4108, 4109]) {
    assertEquals(readAll(new FrameDecoder(), bytes, step), frames);
  }
});

Deno.test("FrameDecoder passes the flags on", { permissions }, () => {
  const [frame] = pushAll(new FrameDecoder(), [rawFrame({ flags: 0xa5 })]);
  assertEquals(frame?.flags, 0xa5);
});

for (const limit of [0, 1, FRAME_PAYLOAD_GUEST_MAX_BYTES, 65536, FRAME_PAYLOAD_MAX_BYTES]) {
  Deno.test(`FrameDecoder takes ${limit} bytes and refuses one more`, { permissions }, () => {
    const decoder = new FrameDecoder({ payloadMaxBytes: limit });
    const payload = pattern(limit);
    const [frame] = readAll(decoder, rawFrame({ payload }), 64 * 1024);
    assertEquals(frame?.payload, payload);
    const grown = bufferBytes(decoder);
    const error = assertThrows(
      () => pushAll(decoder, [rawFrame({ length: limit + 1 })]),
      FrameError,
      `Cannot read frame: length is ${limit + 1}, the limit is ${limit}`,
    );
    assertEquals(error.retry, false);
    assertEquals(
      grown <= Math.max(limit + FRAME_HEADER_BYTES, 64 * 1024, FIRST_BUFFER_BYTES),
      true,
    );
  });
}

for (const length of [FRAME_PAYLOAD_GUEST_MAX_BYTES + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
  Deno.test(
    `FrameDecoder refuses a length of ${length} before it allocates`,
    { permissions },
    () => {
      const decoder = new FrameDecoder();
      const space = decoder.space();
      const header = rawFrame({ length });
      space.set(header);
      decoder.advance(header.length);
      assertThrows(() => decoder.next(), FrameError, `length is ${length}`);
      // Neither can it be talked into making room by asking for space at once.
      assertThrows(() => decoder.space(), FrameError, `length is ${length}`);
    },
  );
}

Deno.test("FrameDecoder refuses the length before a skipped type's bytes", { permissions }, () => {
  assertThrows(
    () => pushAll(new FrameDecoder(), [rawFrame({ type: 200, length: 4097 })]),
    FrameError,
    "length is 4097, the limit is 4096",
  );
});

Deno.test("FrameDecoder takes a larger limit in the middle of a stream", { permissions }, () => {
  const decoder = new FrameDecoder();
  const large = rawFrame({ payload: pattern(FRAME_PAYLOAD_MAX_BYTES) });
  assertEquals(pushAll(decoder, [rawFrame(), large.subarray(0, 11)]).length, 1);
  decoder.payloadMaxBytes = FRAME_PAYLOAD_MAX_BYTES;
  const [frame] = pushAll(decoder, [large.subarray(11)]);
  assertEquals(frame?.payload, large.subarray(FRAME_HEADER_BYTES));
  assertThrows(
    () => pushAll(decoder, [rawFrame({ length: FRAME_PAYLOAD_MAX_BYTES + 1 })]),
    FrameError,
    `the limit is ${FRAME_PAYLOAD_MAX_BYTES}`,
  );
  assertThrows(
    () => pushAll(new FrameDecoder(MEMBER), [rawFrame({ length: 0xffff_ffff })]),
    FrameError,
    "length is 4294967295",
  );
});

for (const reserved of [1, 0x100, 0xffff]) {
  Deno.test(`FrameDecoder refuses a reserved field of ${reserved}`, { permissions }, () => {
    assertThrows(
      () => pushAll(new FrameDecoder(), [rawFrame({ reserved })]),
      FrameError,
      "the reserved field is not 0",
    );
  });
}

Deno.test(
  "FrameDecoder knows its types, skips from 128 on, refuses the rest",
  { permissions },
  () => {
    const known = new Set<number>(FRAME_TYPES);
    for (let type = 0; type < 256; type++) {
      const bytes = concat([rawFrame({ type, payload: pattern(5) }), rawFrame({ id: 9 })]);
      const read = () => pushAll(new FrameDecoder(), [bytes]).map((frame) => frame.type);
      if (known.has(type)) assertEquals<number[]>(read(), [type, FrameType.REQUEST]);
      else if (type >= 128) assertEquals(read(), [FrameType.REQUEST]);
      else assertThrows(read, FrameError, `type ${type} is unknown`);
    }
  },
);

Deno.test(
  "FrameDecoder skips large unknown frames at any split in little memory",
  { permissions },
  () => {
    const skipped = rawFrame({ type: 255, payload: pattern(FRAME_PAYLOAD_MAX_BYTES) });
    const bytes = concat([rawFrame({ id: 1 }), skipped, skipped, rawFrame({ id: 2 })]);
    for (const step of [1021, 4096, 65536, Infinity]) {
      const decoder = new FrameDecoder(MEMBER);
      assertEquals(readAll(decoder, bytes, step).map((frame) => frame.id), [1, 2]);
      assertEquals(bufferBytes(decoder), FIRST_BUFFER_BYTES);
    }
    const small = concat([rawFrame({ type: 128, payload: pattern(9) }), rawFrame({ id: 3 })]);
    for (let cut = 0; cut <= small.length; cut++) {
      const frames = pushAll(new FrameDecoder(), [small.subarray(0, cut), small.subarray(cut)]);
      assertEquals(frames.map((frame) => frame.id), [3]);
    }
  },
);

Deno.test("FrameDecoder.isBetweenFrames tells a cut at each byte", { permissions }, () => {
  for (const type of [FrameType.REQUEST, 200]) {
    const bytes = rawFrame({ type, payload: pattern(20) });
    for (let cut = 0; cut <= bytes.length; cut++) {
      const decoder = new FrameDecoder();
      pushAll(decoder, [bytes.subarray(0, cut)]);
      assertEquals(decoder.isBetweenFrames, cut === 0 || cut === bytes.length, `at ${cut}`);
      assertEquals(decoder.next(), null);
    }
  }
});

Deno.test(
  "FrameDecoder keeps its first buffer for small frames and while idle",
  { permissions },
  () => {
    const decoder = new FrameDecoder(MEMBER);
    assertEquals(bufferBytes(decoder), FIRST_BUFFER_BYTES);
    const frames = concat(
      Array.from({ length: 1000 }, (_, id) => rawFrame({ id, payload: pattern(64) })),
    );
    for (let round = 0; round < 20; round++) {
      assertEquals(readAll(decoder, frames, 1 + round * 500).length, 1000);
    }
    assertEquals(readAll(decoder, rawFrame({ payload: pattern(4096) })).length, 1);
    assertEquals(bufferBytes(decoder), FIRST_BUFFER_BYTES);
  },
);

Deno.test("FrameDecoder's buffer never exceeds its largest frame", { permissions }, () => {
  const decoder = new FrameDecoder(MEMBER);
  const bytes = concat([FRAME_PAYLOAD_MAX_BYTES, 5, 262_168, 70_000, FRAME_PAYLOAD_MAX_BYTES].map(
    (length, id) => rawFrame({ id, payload: pattern(length) }),
  ));
  for (const step of [4099, 65_536, 65_537, Infinity]) {
    assertEquals(readAll(decoder, bytes, step).map((frame) => frame.id), [0, 1, 2, 3, 4]);
    assertEquals(bufferBytes(decoder) <= FRAME_HEADER_BYTES + FRAME_PAYLOAD_MAX_BYTES, true);
  }
});

Deno.test(
  "FrameDecoder.next() gives views that hold until the next space()",
  { permissions },
  () => {
    const decoder = new FrameDecoder();
    const bytes = concat([1, 2, 3].map((seed) => rawFrame({ payload: pattern(50, seed) })));
    decoder.space().set(bytes);
    decoder.advance(bytes.length);
    const views = [decoder.next(), decoder.next(), decoder.next()];
    assertEquals(views.map((frame) => frame?.payload), [1, 2, 3].map((seed) => pattern(50, seed)));
    const space = decoder.space();
    space.fill(0xee);
    assertEquals(views[0]?.payload[0], 0xee);
  },
);

Deno.test("FrameDecoder.space() is never empty", { permissions }, () => {
  const decoder = new FrameDecoder();
  const bytes = concat([4096, 0, 4096, 4095, 1].map((n) => rawFrame({ payload: pattern(n) })));
  for (const byte of bytes) {
    const space = decoder.space();
    assert(space.length > 0);
    space[0] = byte;
    decoder.advance(1);
    while (decoder.next() !== null);
  }
  assert(decoder.isBetweenFrames);
});

Deno.test("FrameDecoder.space() asks for 256 KiB of DATA in four reads", { permissions }, () => {
  const decoder = new FrameDecoder(MEMBER);
  const bytes = rawFrame({ payload: pattern(256 * 1024 + 12) });
  readAll(decoder, bytes);
  const reads: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = decoder.space();
    const count = Math.min(space.length, bytes.length - at);
    space.set(bytes.subarray(at, at + count));
    decoder.advance(count);
    reads.push(count);
    at += count;
    if (decoder.next() !== null) break;
  }
  assertEquals(reads, [65_536, 65_536, 65_536, 65_560]);
});

Deno.test("FrameDecoder.advance() refuses more than there was room for", { permissions }, () => {
  const decoder = new FrameDecoder();
  const { length } = decoder.space();
  assertThrows(
    () => decoder.advance(length + 1),
    RangeError,
    `Cannot advance by ${length + 1} bytes`,
  );
  assertThrows(() => decoder.advance(-1), RangeError);
  decoder.advance(length);
});

const utf8 = new TextEncoder();

function controlPayload(head: Uint8Array, length = head.length): Uint8Array {
  const payload = concat([new Uint8Array(4), head]);
  new DataView(payload.buffer).setUint32(0, length);
  return payload;
}

Deno.test("decodeControl() splits head and body", { permissions }, () => {
  for (const head of [{}, null, 7, "ü€😀", [1, [2]], { a: { b: ["\u0000"] } }]) {
    for (const body of [new Uint8Array(0), pattern(100)]) {
      const frame = encodeControl(FrameType.REQUEST, 1, head, body);
      const read = decodeControl(frame.subarray(FRAME_HEADER_BYTES));
      assertEquals(read, { head, body });
    }
  }
});

const badHeads: Record<string, Uint8Array> = {
  "no length": new Uint8Array(0),
  "half a length": new Uint8Array(3),
  "an empty head": controlPayload(new Uint8Array(0)),
  "a head length one too large": controlPayload(utf8.encode("{}"), 3),
  "a head length of 4 GiB": controlPayload(utf8.encode("{}"), 0xffff_ffff),
  "a head cut short": controlPayload(utf8.encode("{}"), 1),
  "bad UTF-8": controlPayload(new Uint8Array([0x22, 0xff, 0x22])),
  "overlong UTF-8": controlPayload(new Uint8Array([0x22, 0xc0, 0x80, 0x22])),
  "UTF-8 that ends early": controlPayload(new Uint8Array([0x22, 0xe2, 0x82, 0x22])),
  "a lone surrogate in UTF-8": controlPayload(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])),
  "a byte order mark": controlPayload(utf8.encode("\ufeff{}")),
  "bad JSON": controlPayload(utf8.encode("{a:1}")),
  "two JSON values": controlPayload(utf8.encode("{}{}")),
  "a NUL behind": controlPayload(utf8.encode("{}\0")),
  "undefined": controlPayload(utf8.encode("undefined")),
  "a million open brackets": controlPayload(new Uint8Array(1_000_000).fill(0x5b)),
};

for (const [what, payload] of Object.entries(badHeads)) {
  Deno.test(`decodeControl() refuses ${what}`, { permissions }, () => {
    assertThrows(() => decodeControl(payload), FrameError, "Cannot read head");
  });
}

Deno.test("decodeControl() takes an escaped lone surrogate and deep JSON", { permissions }, () => {
  assertEquals(decodeControl(controlPayload(utf8.encode('"\\ud800"'))).head, "\ud800");
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  assertInstanceOf(decodeControl(controlPayload(utf8.encode(deep))).head, Array);
});

Deno.test("decodeControl() does not let a head touch prototypes", { permissions }, () => {
  const { head } = decodeControl(controlPayload(utf8.encode('{"__proto__":{"admin":true}}')));
  assert(typeof head === "object" && head !== null);
  assertEquals(Reflect.get({}, "admin"), undefined);
  assertEquals(Object.getPrototypeOf(head), Object.prototype);
});

Deno.test("decodeData() refuses 11 bytes and takes 12", { permissions }, () => {
  for (let length = 0; length < 12; length++) {
    assertThrows(() => decodeData(new Uint8Array(length)), FrameError, "too short");
  }
  assertEquals(decodeData(new Uint8Array(12)), { offset: 0, crc: 0, bytes: new Uint8Array(0) });
});

Deno.test("decodeData() takes offset 2^53 - 1 and refuses 2^53", { permissions }, () => {
  const payload = new Uint8Array(13);
  const view = new DataView(payload.buffer);
  for (const offset of [0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 53n - 1n]) {
    view.setBigUint64(0, offset);
    assertEquals(decodeData(payload).offset, Number(offset));
  }
  for (const offset of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    view.setBigUint64(0, offset);
    assertThrows(() => decodeData(payload), FrameError, "the offset is too large");
  }
});
