import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { digestChunks } from "../../../lib/transfer/chunk_digests.ts";
import { chunkCount } from "../../../lib/transfer/chunks.ts";
import { createDigester, DIGEST_BYTES, digestOf } from "../../../lib/transfer/digest.ts";
import { noise } from "../../server/testing.ts";

/** A source that gives few bytes at a time. */
function stingy(content: Uint8Array, most = Infinity) {
  return {
    read: (buffer: Uint8Array, offset: number) => {
      const part = content.subarray(offset, offset + Math.min(buffer.length, most));
      buffer.set(part);
      return part.length;
    },
  };
}

Deno.test("digestChunks() gives the digest of each chunk, whatever a read gives", async () => {
  const content = noise(1003);
  const digester = await createDigester();
  for (const chunkBytes of [1, 100, 1003, 1004]) {
    const chunks = chunkCount(content.length, chunkBytes);
    for (const from of [0, Math.min(1, chunks), chunks]) {
      const digests = await digestChunks({
        source: stingy(content, 7),
        size: content.length,
        chunkBytes,
        from,
        count: chunks - from,
        digester,
      });
      assertEquals(digests.length, (chunks - from) * DIGEST_BYTES);
      const check = await createDigester();
      for (let i = from; i < chunks; i++) {
        const at = (i - from) * DIGEST_BYTES;
        const expected = digestOf(check, content.subarray(i * chunkBytes, (i + 1) * chunkBytes));
        assertEquals(digests.slice(at, at + DIGEST_BYTES), expected);
      }
    }
  }
});

Deno.test("digestChunks() fails when the file is shorter than it was", async () => {
  const options = { size: 101, chunkBytes: 10, from: 0, count: 11 };
  const digester = await createDigester();
  const work = digestChunks({ ...options, source: stingy(noise(100)), digester });
  assertEquals((await assertRejects(() => work, TrivetError)).code, "CHANGED");
});

Deno.test("digestChunks() lets others run every 8 MiB, and ends when it is told to", async () => {
  const MIB = 1024 * 1024;
  const content = new Uint8Array(40 * MIB);
  const abort = new AbortController();
  let readBytes = 0;
  const source = {
    read: (buffer: Uint8Array, offset: number) => {
      readBytes = offset + buffer.length;
      return stingy(content).read(buffer, offset);
    },
  };
  const { setImmediate } = await import("node:timers");
  setImmediate(() => abort.abort());
  const digester = await createDigester();
  const options = { size: content.length, chunkBytes: MIB, from: 0, count: 40, digester };
  await assertRejects(
    () => digestChunks({ ...options, source, signal: abort.signal }),
    DOMException,
  );
  assertEquals(readBytes <= 16 * MIB, true, String(readBytes));
});
