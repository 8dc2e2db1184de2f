/**
 * Input of somebody hostile: frames of every type for every service, mostly well made, with something
 * in them that is not. What is drawn follows from the generator alone.
 *
 * @module
 */

import { CHAT_REQUESTS } from "../../../lib/chat/messages.ts";
import type { SeededRandom } from "../../../lib/datagram/seeded_random.ts";
import { EXEC_REQUESTS } from "../../../lib/exec/messages.ts";
import { DATA_FRAME_BYTES_AT, encodeFrame, sealDataFrame } from "../../../lib/frame/encode.ts";
import { FrameType } from "../../../lib/frame/frame.ts";
import { NETDISK_REQUESTS } from "../../../lib/netdisk/messages.ts";

const METHODS: readonly string[] = [
  ...Object.keys(NETDISK_REQUESTS),
  ...Object.keys(CHAT_REQUESTS),
  ...Object.keys(EXEC_REQUESTS),
  "connection.direct",
  "__proto__",
  "constructor",
  "",
];

/** Keys that requests have, so that what stands behind them is read. */
const KEYS = [
  ...[
    "path",
    "from",
    "to",
    "size",
    "digest",
    "overwrite",
    "durability",
    "resume",
    "uploadId",
    "ms",
  ],
  ...["files", "folders", "paths", "ranges", "ifMatch", "room", "text", "id", "ids", "clientId"],
  ...["limit", "before", "after", "name", "args", "scope", "verifier", "step", "token", "user"],
  ...["service", "version", "client", "method", "params", "mtimeMs", "mode", "recursive", "head"],
];

const TEXTS = [
  ...["", ".", "..", "../..", "/etc/passwd", "a/../../b", "a\\b", "\0", "a\0b", "\n", "\x1b[2J"],
  ...[
    "CON",
    "a.",
    "ﬀ",
    "e\u0301",
    "\ud800",
    "𝒳",
    "😀".repeat(70),
    "a".repeat(256),
    "a".repeat(5000),
  ],
  ...[
    "replace",
    "skip",
    "commit",
    "os",
    "auto",
    "never",
    "token",
    "register",
    "scram-client-first",
  ],
  ...["netdisk", "chat", "exec", "time", "lobby", "@ada", "ada", "00".repeat(16), "f".repeat(64)],
];

const NUMBERS = [
  0,
  1,
  -1,
  0.5,
  255,
  4096,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  1e308,
  -0,
];

const TYPES: readonly number[] = Object.values(FrameType);
const DEPTH_MAX = 4;
const encoder = new TextEncoder();

function pick<T>(random: SeededRandom, values: readonly [T, ...T[]] | readonly T[]): T {
  const value = values[random.below(values.length)];
  if (value === undefined) throw new TypeError("There is nothing to pick from");
  return value;
}

/** Any JSON. */
function value(random: SeededRandom, depth = 0): unknown {
  const kind = random.below(depth >= DEPTH_MAX ? 5 : 8);
  switch (kind) {
    case 0:
    case 1:
      return pick(random, TEXTS);
    case 2:
      return pick(random, NUMBERS);
    case 3:
      return random.chance(50);
    case 4:
      return null;
    case 5:
    case 6:
      return Array.from({ length: random.below(5) }, () => value(random, depth + 1));
    default:
      return object(random, depth + 1);
  }
}

function object(random: SeededRandom, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (let left = random.below(6); left > 0; left--) {
    made[pick(random, KEYS)] = random.chance(40) ? path(random) : value(random, depth);
  }
  return made;
}

function path(random: SeededRandom): string[] {
  return Array.from({ length: random.below(5) }, () => pick(random, TEXTS));
}

function control(random: SeededRandom, type: number, id: number): Uint8Array {
  const head = type === FrameType.REQUEST && random.chance(90)
    ? {
      method: pick(random, METHODS),
      params: random.chance(90) ? object(random, 0) : value(random),
    }
    : value(random);
  const text = encoder.encode(JSON.stringify(head) ?? "null");
  const cut = random.chance(5) ? text.subarray(0, random.below(text.length + 1)) : text;
  const body = new Uint8Array(random.chance(20) ? random.below(300) : 0);
  random.fill(body);
  const payload = new Uint8Array(4 + cut.length + body.length);
  const length = random.chance(5) ? random.uint32() : cut.length;
  new DataView(payload.buffer).setUint32(0, length);
  payload.set(cut, 4);
  payload.set(body, 4 + cut.length);
  return frame(random, { type, id, payload });
}

/** A frame whose header may lie. */
function frame(
  random: SeededRandom,
  { type, id, payload }: { type: number; id: number; payload: Uint8Array },
): Uint8Array {
  const bytes = encodeFrame(FrameType.PING, id, payload);
  bytes[4] = type;
  if (random.chance(2)) new DataView(bytes.buffer).setUint32(0, random.uint32());
  if (random.chance(1)) bytes[5] = random.below(256);
  if (random.chance(1)) bytes[6] = random.below(256);
  return bytes;
}

/** One input. */
export function hostileInput(random: SeededRandom): Uint8Array {
  const id = random.chance(70) ? 1 + random.below(6) : random.uint32();
  const kind = random.below(100);
  if (kind < 2) {
    const garbage = new Uint8Array(1 + random.below(100));
    random.fill(garbage);
    return garbage;
  }
  if (kind < 15) {
    const data = new Uint8Array(DATA_FRAME_BYTES_AT + random.below(2000));
    sealDataFrame(data, id, random.chance(50) ? 0 : random.uint32() * 1000, random.uint32());
    return data;
  }
  if (kind < 70) return control(random, FrameType.REQUEST, id);
  const type = random.chance(90) ? pick(random, TYPES) : random.below(256);
  return control(random, type, id);
}
