import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ChunkJournal } from "../../../lib/transfer/journal.ts";
import {
  decodeSidecar,
  encodeSidecarHeader,
  encodeSidecarRecord,
  resumableSidecar,
  SIDECAR_HEADER_MAX_BYTES,
  SIDECAR_RECORD_BYTES,
  type SidecarHeader,
} from "../../../lib/transfer/sidecar.ts";
import { patternBytes } from "./memory.ts";

const none = { permissions: "none" } as const;
const HEADER: SidecarHeader = {
  etag: "e-1",
  size: 95,
  chunkBytes: 10,
  server: "example:9000",
  path: "/a/b\u00e9.bin",
};
const LINE = encodeSidecarHeader(HEADER);

function sidecarOf(indices: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LINE.length + indices.length * SIDECAR_RECORD_BYTES);
  bytes.set(LINE);
  indices.forEach((index, i) => {
    const record = encodeSidecarRecord(index, patternBytes(16, index + 1));
    bytes.set(record, LINE.length + i * SIDECAR_RECORD_BYTES);
  });
  return bytes;
}

Deno.test("decodeSidecar() reads what was encoded", none, () => {
  const bytes = sidecarOf([3, 0, 9]);
  const sidecar = decodeSidecar(bytes);
  assertEquals(sidecar?.header, HEADER);
  assertEquals([...sidecar?.journal.indices() ?? []], [0, 3, 9]);
  assertEquals(sidecar?.journal.get(3), patternBytes(16, 4));
  assertEquals(sidecar?.goodBytes, bytes.length);
});

Deno.test("decodeSidecar() lets the later record of a chunk win", none, () => {
  const again = encodeSidecarRecord(3, patternBytes(16, 77));
  const sidecar = decodeSidecar(Uint8Array.of(...sidecarOf([3, 4]), ...again));
  assertEquals(sidecar?.journal.get(3), patternBytes(16, 77));
  assertEquals(sidecar?.journal.count, 2);
});

Deno.test("decodeSidecar() drops a torn tail, wherever it is torn", none, () => {
  const bytes = sidecarOf([0, 1, 2]);
  for (let length = LINE.length; length <= bytes.length; length++) {
    const whole = Math.floor((length - LINE.length) / SIDECAR_RECORD_BYTES);
    const sidecar = decodeSidecar(bytes.subarray(0, length));
    assertEquals(sidecar?.journal.count, whole);
    assertEquals(sidecar?.goodBytes, LINE.length + whole * SIDECAR_RECORD_BYTES);
  }
  for (let length = 0; length < LINE.length; length++) {
    assertEquals(decodeSidecar(bytes.subarray(0, length)), undefined);
  }
});

Deno.test("decodeSidecar() trusts nothing from a flipped bit on", none, () => {
  const indices = [0, 1, 2, 3, 4, 5];
  const clean = sidecarOf(indices);
  const recordBits = indices.length * SIDECAR_RECORD_BYTES * 8;
  for (let bit = 0; bit < recordBits; bit++) {
    const bytes = clean.slice();
    const at = LINE.length + (bit >>> 3);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    const good = Math.floor((bit >>> 3) / SIDECAR_RECORD_BYTES);
    const sidecar = decodeSidecar(bytes);
    assertEquals([...sidecar?.journal.indices() ?? []], indices.slice(0, good));
    assertEquals(sidecar?.goodBytes, LINE.length + good * SIDECAR_RECORD_BYTES);
  }
});

Deno.test("resumableSidecar() never goes on after a flipped bit in the header", none, () => {
  const clean = sidecarOf([0, 1]);
  for (let bit = 0; bit < LINE.length * 8; bit++) {
    const bytes = clean.slice();
    bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    assertEquals(resumableSidecar(bytes, HEADER), undefined, `bit ${bit}`);
  }
  assert(resumableSidecar(clean, HEADER) !== undefined);
});

Deno.test("decodeSidecar() stops at a chunk behind the file's end", none, () => {
  assertEquals(decodeSidecar(sidecarOf([1, 9, 2]))?.journal.count, 3);
  const sidecar = decodeSidecar(sidecarOf([1, 10, 2]));
  assertEquals(sidecar?.journal.count, 1);
  assertEquals(sidecar?.goodBytes, LINE.length + SIDECAR_RECORD_BYTES);
});

for (
  const [field, value] of Object.entries({
    etag: "e-2",
    size: 96,
    chunkBytes: 20,
    server: "other:9000",
    path: "/a/c",
  })
) {
  Deno.test(`resumableSidecar() begins anew when ${field} differs`, none, () => {
    assertEquals(resumableSidecar(sidecarOf([0]), { ...HEADER, [field]: value }), undefined);
  });
}

for (
  const [why, line] of [
    ["no JSON", "{"],
    ["null", "null"],
    ["a list", "[]"],
    ["another version", lineWith("v", 2)],
    ["another algorithm", lineWith("algorithm", "md5")],
    ["a size that is a text", lineWith("size", "95")],
    ["a negative size", lineWith("size", -1)],
    ["chunks of 0 bytes", lineWith("chunkBytes", 0)],
    ["an etag that is a number", lineWith("etag", 1)],
  ] as const
) {
  Deno.test(`decodeSidecar() refuses a header that is ${why}`, none, () => {
    assertEquals(decodeSidecar(new TextEncoder().encode(`${line}\n`)), undefined);
  });
}

function lineWith(field: string, value: unknown): string {
  return JSON.stringify({ ...JSON.parse(new TextDecoder().decode(LINE)), [field]: value });
}

Deno.test("encodeSidecarHeader() takes the longest header and refuses a longer one", none, () => {
  const room = SIDECAR_HEADER_MAX_BYTES - LINE.length + HEADER.etag.length;
  const longest = encodeSidecarHeader({ ...HEADER, etag: "x".repeat(room) });
  assertEquals(longest.length, SIDECAR_HEADER_MAX_BYTES);
  assertEquals(decodeSidecar(longest)?.header.etag.length, room);
  assertThrows(() => encodeSidecarHeader({ ...HEADER, etag: "x".repeat(room + 1) }), RangeError);
});

Deno.test("decodeSidecar() takes any bytes without an error", none, () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
    decodeSidecar(noise);
    const sidecar = decodeSidecar(Uint8Array.of(...LINE, ...noise));
    assert(sidecar !== undefined && sidecar.journal instanceof ChunkJournal);
    assert(sidecar.goodBytes <= LINE.length + noise.length);
  }));
});
