import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import type { DataHandler } from "../../../lib/rpc/calls.ts";
import { crc32 } from "../../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../../lib/transfer/journal.ts";
import { type Receiving, UploadSession } from "../../../server/netdisk/upload_session.ts";

const none = { permissions: "none" } as const;

const CHUNK_BYTES = 8;
const CHUNK = new Uint8Array(CHUNK_BYTES).fill(7);

/** An upload whose part writes down what is asked of it, and holds up each write in a thread. */
function openUpload() {
  const log: string[] = [];
  const writes: PromiseWithResolvers<void>[] = [];
  const begun = Promise.withResolvers<void>();
  const part = {
    read: () => 0,
    write: (_bytes: Uint8Array, offset: number) => void log.push(`write ${offset}`),
    async writeInThread(_bytes: Uint8Array, offset: number): Promise<void> {
      log.push(`write ${offset} in a thread`);
      const write = Promise.withResolvers<void>();
      writes.push(write);
      begun.resolve();
      await write.promise;
      log.push(`written ${offset}`);
    },
    settle: () => Promise.resolve(),
    close: () => void log.push("close"),
    [Symbol.dispose]: () => {},
  };
  const journal = new ChunkJournal();
  const session = new UploadSession({
    id: "u",
    at: { user: "ada", path: ["f"] },
    chunkBytes: CHUNK_BYTES,
    size: 4 * CHUNK_BYTES,
    overwrite: "replace",
    part,
    journal,
    catalog: {
      addChunks: (_id, chunks) => {
        for (const { index } of chunks) log.push(`note ${index}`);
        return Promise.resolve();
      },
      removeChunks: (_id, indices) => {
        log.push(`forget ${indices.join(" ")}`);
        return Promise.resolve();
      },
      reserve: () => Promise.resolve(),
    },
  });
  return { session, part, journal, log, writes, begun: begun.promise };
}

/** A call whose DATA comes when the test says so. */
class FakeCall implements Receiving {
  isCrowded = true;
  readonly #handler = Promise.withResolvers<DataHandler>();

  receive(onData: DataHandler): ReturnType<Receiving["receive"]> {
    this.#handler.resolve(onData);
    return new Promise(() => {});
  }

  /** One whole chunk. */
  async give(index: number): Promise<void> {
    const onData = await this.#handler.promise;
    await onData({ offset: index * CHUNK_BYTES, crc: crc32(CHUNK), bytes: CHUNK });
  }
}

/** An upload of which a thread has the first chunk. */
async function openWriting() {
  const upload = openUpload();
  const call = new FakeCall();
  const received = upload.session.receive(call).catch((error: unknown) => error);
  const given = call.give(0);
  await upload.begun;
  return { ...upload, call, received, given };
}

const TAKEN_OVER = new TrivetError("UPLOAD_TAKEN_OVER", "Another session has taken it over");

Deno.test(
  "UploadSession.receive() writes in a thread only while others are in use",
  none,
  async () => {
    const { session, log, writes, begun } = openUpload();
    const call = new FakeCall();
    const received = session.receive(call).catch((error: unknown) => error);
    call.isCrowded = false;
    await call.give(0);
    call.isCrowded = true;
    const given = call.give(1);
    await begun;
    writes[0]?.resolve();
    await given;
    call.isCrowded = false;
    await call.give(2);
    assertEquals(log, ["write 0", "write 8 in a thread", "written 8", "write 16"]);
    await session.end(TAKEN_OVER);
    assertEquals(await received, TAKEN_OVER);
  },
);

Deno.test(
  "UploadSession.end() waits for the write that a thread has, and notes its chunk",
  none,
  async () => {
    const { session, journal, log, writes, call, received, given } = await openWriting();
    const ended = session.end(TAKEN_OVER).then(() => log.push("ended"));
    assertEquals(await received, TAKEN_OVER);
    assertEquals(log, ["write 0 in a thread"]);
    assertEquals(journal.count, 0);
    writes[0]?.resolve();
    await Promise.all([given, ended]);
    assertEquals(log, ["write 0 in a thread", "written 0", "note 0", "close", "ended"]);
    await assertRejects(() => call.give(1), TrivetError, "taken it over");
  },
);

Deno.test(
  "UploadSession.end() notes nothing of a write that failed in its thread",
  none,
  async () => {
    const { session, journal, log, writes, received, given } = await openWriting();
    const ended = session.end(TAKEN_OVER);
    writes[0]?.reject(new TrivetError("DISK_FULL", "The disk is full"));
    await assertRejects(() => given, TrivetError, "full");
    await Promise.all([received, ended]);
    assertEquals(log, ["write 0 in a thread", "close"]);
    assertEquals(journal.count, 0);
  },
);

Deno.test(
  "UploadSession.commit() has all sent again when the disk lost some of it",
  none,
  async () => {
    const { session, part, journal, log } = openUpload();
    part.settle = () => Promise.reject(new Error("The disk has lost it"));
    const call = new FakeCall();
    call.isCrowded = false;
    const received = session.receive(call).catch((error: unknown) => error);
    for (let index = 0; index < 4; index++) await call.give(index);
    const publish = () => Promise.reject(new Error("It was published"));
    await assertRejects(() => session.commit(4 * CHUNK_BYTES, "", publish), Error, "lost it");
    assertEquals(log.at(-1), "forget 0 1 2 3");
    assertEquals(journal.count, 0);
    await session.end(TAKEN_OVER);
    await received;
  },
);
