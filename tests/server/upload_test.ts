import { assert, assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { DATA_FRAME_BYTES_AT } from "../../lib/frame/encode.ts";
import type { Transport } from "../../lib/link/link.ts";
import {
  ask,
  commit,
  digestOfDigests,
  noise,
  openUpload,
  sendChunks,
  TestServer,
} from "./testing.ts";

const MIB = 1024 * 1024;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

async function onlyPart(server: TestServer): Promise<string> {
  const parts = await Array.fromAsync(Deno.readDir(`${server.data}/parts`));
  assertEquals(parts.length, 1);
  return `${server.data}/parts/${parts[0]?.name}`;
}

async function partCount(server: TestServer): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(`${server.data}/parts`))).length;
}

Deno.test("put.open, put.data and put.commit publish the bytes that were sent", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const content = noise(3 * MIB + 17);
  await using rpc = await server.login(token);
  const upload = await openUpload(rpc, "a.bin", content.length);
  assertEquals(await sendChunks(rpc, upload, content), { sent: 4, bad: [] });
  await commit(rpc, upload, content);
  assertEquals(await Deno.readFile(server.home("ada", "a.bin")), content);
  const { usedBytes } = await ask(rpc, "whoami", {});
  assertEquals(usedBytes, content.length);
  assertEquals(await partCount(server), 0);
});

Deno.test("put.open continues behind the chunks that a lost connection left", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const content = noise(40 * MIB);
  {
    await using rpc = await server.login(token);
    const upload = await openUpload(rpc, "a.bin", content.length);
    await sendChunks(rpc, upload, content, { stopAfterChunks: 24 });
    await ask(rpc, "whoami", {});
  }
  assertEquals(
    await codeOf(
      Deno.stat(server.home("ada", "a.bin")).catch((error) => {
        throw new TrivetError("NOT_FOUND", String(error));
      }),
    ),
    "NOT_FOUND",
  );
  await using rpc = await server.login(token);
  const upload = await openUpload(rpc, "a.bin", content.length, "always");
  assertEquals(upload.journal.count, 24);
  assertEquals(await sendChunks(rpc, upload, content), { sent: 16, bad: [] });
  await commit(rpc, upload, content);
  assertEquals(await Deno.readFile(server.home("ada", "a.bin")), content);
});

Deno.test("put.data wants again the chunks of a partial that the disk damaged, and no others", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const content = noise(12 * MIB);
  {
    await using rpc = await server.login(token);
    const upload = await openUpload(rpc, "a.bin", content.length);
    await sendChunks(rpc, upload, content, { stopAfterChunks: 8 });
    await ask(rpc, "whoami", {});
  }
  using part = await Deno.open(await onlyPart(server), { write: true });
  await part.seek(3 * MIB + 5, Deno.SeekMode.Start);
  await part.write(new Uint8Array([1, 2, 3]));

  await using rpc = await server.login(token);
  const upload = await openUpload(rpc, "a.bin", content.length);
  assertEquals(await sendChunks(rpc, upload, content), { sent: 4, bad: [3] });
  assertEquals(await codeOf(commit(rpc, upload, content)), "DIGEST_MISMATCH");
  assertEquals(await sendChunks(rpc, upload, content, { only: [[3, 1]] }), { sent: 1, bad: [] });
  await commit(rpc, upload, content);
  assertEquals(await Deno.readFile(server.home("ada", "a.bin")), content);
});

Deno.test("put.data wants a chunk again whose bits were flipped on the way", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const content = noise(4 * MIB);
  let frames = 0;
  const flipping = (conn: Transport): Transport => ({
    read: (target) => conn.read(target),
    write: (source) => {
      // The sixth large write is the second frame of chunk 1.
      if (source.length < DATA_FRAME_BYTES_AT + 1000 || ++frames !== 6) return conn.write(source);
      const damaged = source.slice();
      damaged[DATA_FRAME_BYTES_AT + 500] = (damaged[DATA_FRAME_BYTES_AT + 500] ?? 0) ^ 1;
      return conn.write(damaged);
    },
    close: () => conn.close(),
  });
  await using rpc = await server.login(token, flipping);
  const upload = await openUpload(rpc, "a.bin", content.length);
  assertEquals(await sendChunks(rpc, upload, content), { sent: 4, bad: [1] });
  assertEquals(await sendChunks(rpc, upload, content, { only: [[1, 1]] }), { sent: 1, bad: [] });
  await commit(rpc, upload, content);
  assertEquals(await Deno.readFile(server.home("ada", "a.bin")), content);
});

Deno.test("put.open takes an upload over from a session that no longer speaks", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const content = noise(16 * MIB);
  await using first = await server.login(token);
  const begun = await openUpload(first, "a.bin", content.length);
  const silent = await first.open("put.data", { uploadId: begun.uploadId });

  await using second = await server.login(token);
  const startedMs = performance.now();
  const upload = await openUpload(second, "a.bin", content.length);
  assert(performance.now() - startedMs < 2000);
  assertEquals(upload.uploadId, begun.uploadId);
  assertEquals(await codeOf(silent.response), "UPLOAD_TAKEN_OVER");
  const late = ask(first, "put.journal", { uploadId: begun.uploadId, from: 0 });
  assertEquals(await codeOf(late), "UPLOAD_TAKEN_OVER");
  await sendChunks(second, upload, content);
  await commit(second, upload, content);
  assertEquals(await Deno.readFile(server.home("ada", "a.bin")), content);
});

Deno.test("put.open with never begins anew, and with always refuses without a partial", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const content = noise(9 * MIB);
  await using rpc = await server.login(token);
  assertEquals(
    await codeOf(openUpload(rpc, "a.bin", content.length, "always")),
    "UPLOAD_NOT_FOUND",
  );
  const begun = await openUpload(rpc, "a.bin", content.length);
  await sendChunks(rpc, begun, content);
  const anew = await openUpload(rpc, "a.bin", content.length, "never");
  assertEquals(anew.journal.count, 0);
  assertEquals(await partCount(server), 1);
});

Deno.test("put.commit refuses a digest that is not that of the chunks", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  const content = noise(2 * MIB);
  await using rpc = await server.login(token);
  const upload = await openUpload(rpc, "a.bin", content.length);
  await sendChunks(rpc, upload, content);
  const other = { ...upload, chunkBytes: MIB };
  const refused = ask(rpc, "put.commit", {
    uploadId: other.uploadId,
    size: content.length,
    digest: await digestOfDigests(noise(2 * MIB, 2), MIB),
  });
  assertEquals(await codeOf(refused), "DIGEST_MISMATCH");
  await commit(rpc, upload, content);
});

Deno.test("put.open reserves the quota: of three parallel uploads that fit once, one is taken", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada", 45 * MIB);
  const results = await Promise.allSettled(["a", "b", "c"].map(async (name) => {
    await using rpc = await server.login(token);
    return await openUpload(rpc, name, 40 * MIB);
  }));
  const refused = results.filter((result) => result.status === "rejected");
  assertEquals(refused.length, 2);
  for (const { reason } of refused) {
    assertEquals(reason.code, "QUOTA_EXCEEDED");
    assertEquals(reason.details, { need_bytes: 40 * MIB, have_bytes: 5 * MIB });
  }
});

Deno.test("put.data of unknown size stops at the quota, and put.discard gives it back", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada", 3 * MIB);
  await using rpc = await server.login(token);
  const { head } = await rpc.call("put.open", {
    path: ["s.bin"],
    overwrite: "replace",
    resume: "auto",
  });
  const { uploadId } = head as { uploadId: string };
  const upload = await openStream(uploadId);
  assertEquals(await codeOf(sendChunks(rpc, upload, noise(3 * MIB + 1))), "QUOTA_EXCEEDED");
  await ask(rpc, "put.discard", { uploadId });
  assertEquals((await ask(rpc, "whoami", {})).usedBytes, 0);
  assertEquals(await partCount(server), 0);
});

async function openStream(uploadId: string) {
  const { ChunkJournal } = await import("../../lib/transfer/journal.ts");
  return { uploadId, chunkBytes: MIB, journal: new ChunkJournal() };
}

Deno.test("put.data fills the quota to the last byte", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada", 3 * MIB);
  const content = noise(3 * MIB);
  await using rpc = await server.login(token);
  const { head } = await rpc.call("put.open", {
    path: ["s.bin"],
    overwrite: "replace",
    resume: "auto",
  });
  const upload = await openStream((head as { uploadId: string }).uploadId);
  await sendChunks(rpc, upload, content);
  await commit(rpc, upload, content);
  assertEquals((await ask(rpc, "whoami", {})).usedBytes, 3 * MIB);
});

Deno.test("an upload survives a restart of the server", async () => {
  const content = noise(20 * MIB);
  const data = await Deno.makeTempDir({ prefix: "trivet-test-" });
  const first = await TestServer.start({ data });
  const token = await first.addUser("ada");
  {
    await using rpc = await first.login(token);
    const upload = await openUpload(rpc, "a.bin", content.length);
    await sendChunks(rpc, upload, content, { stopAfterChunks: 10 });
    await ask(rpc, "whoami", {});
  }
  await first.stop();
  await using second = await TestServer.start({ data });
  await using rpc = await second.login(token);
  const upload = await openUpload(rpc, "a.bin", content.length);
  assertEquals(upload.journal.count, 10);
  await sendChunks(rpc, upload, content);
  await commit(rpc, upload, content);
  assertEquals(await Deno.readFile(second.home("ada", "a.bin")), content);
});
