import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { join } from "node:path";
import { LocalSource } from "../../client/local_source.ts";
import type { PacedTransferOptions } from "../../client/transfer_types.ts";
import { uploadFile, type UploadResult } from "../../client/upload.ts";
import type { UploadTarget } from "../../client/upload_open.ts";
import { uploadStream } from "../../client/upload_stream.ts";
import { TrivetError } from "../../lib/errors.ts";
import { SMALL_FILE_MAX_BYTES } from "../../lib/netdisk/messages.ts";
import type { CallHandler, ServerCall } from "../../lib/rpc/server.ts";
import { CHUNK_BYTES_MIN } from "../../lib/transfer/chunks.ts";
import { SqliteCatalog } from "../../server/store/sqlite_catalog.ts";
import { noise } from "../server/testing.ts";
import {
  type Faults,
  ScriptedServer,
  TestConnections,
  TransferSetup,
  withFolder,
} from "./testing.ts";

const MIB = CHUNK_BYTES_MIN;

type Options = PacedTransferOptions & { target?: Partial<UploadTarget>; faults?: Faults[] };

/** A real server, and uploads to it over connections with faults. */
class Setup extends TransferSetup {
  static async start(): Promise<Setup> {
    return new Setup(await TransferSetup.parts());
  }

  /** Uploads the local file as `name`; the n-th connection has the n-th faults. */
  async put(name: string, options: Options = {}): Promise<UploadResult> {
    const { faults = [], target, ...rest } = options;
    const connections = this.connect(faults);
    using local = await LocalSource.open(this.local);
    return await uploadFile(connections, local, {
      ...rest,
      target: { path: [name], overwrite: "replace", durability: "os", ...target },
    });
  }

  async stored(name: string): Promise<Uint8Array> {
    return await Deno.readFile(this.server.home("ann", name));
  }
}

const SIZES = [
  0,
  1,
  SMALL_FILE_MAX_BYTES,
  SMALL_FILE_MAX_BYTES + 1,
  MIB,
  MIB + 1,
  3 * MIB + 5,
];

Deno.test("uploadFile() stores files of every size with their time and mode", async () => {
  await using setup = await Setup.start();
  for (const size of SIZES) {
    const content = noise(size);
    await Deno.writeFile(setup.local, content, { mode: 0o755 });
    await Deno.utime(setup.local, 1000, 1_600_000_000.5);
    const result = await setup.put(`f${size}`);
    assertEquals(result.stored.size, size);
    assertEquals([result.sentBytes, result.verifiedBytes, result.resumedAtBytes], [size, 0, 0]);
    const path = setup.server.home("ann", `f${size}`);
    assertEquals(await Deno.readFile(path), content);
    const info = await Deno.stat(path);
    assertEquals(info.mtime?.getTime(), 1_600_000_000_500);
    if (Deno.build.os !== "windows") assertEquals((info.mode ?? 0) & 0o100, 0o100);
  }
});

Deno.test("uploadFile() goes on by itself after lost connections", async () => {
  await using setup = await Setup.start();
  const content = noise(12 * MIB + 3);
  await Deno.writeFile(setup.local, content);
  const retries: string[] = [];
  const result = await setup.put("big", {
    faults: [{ cutAfterWritten: 4 * MIB + 100 }, { cutAfterWritten: 5 * MIB }, {}],
    onRetry: (error) => retries.push(error.code),
  });
  assertEquals(await setup.stored("big"), content);
  assertEquals(retries, ["CONNECTION_LOST", "CONNECTION_LOST"]);
  assertEquals(setup.connections?.opened, 3);
  // Nothing was read twice to compare it, and little was sent twice.
  assertEquals(result.verifiedBytes, 0);
  assertGreater(15 * MIB, result.sentBytes);
});

Deno.test("uploadFile() continues an earlier upload and moves only what is missing", async () => {
  await using setup = await Setup.start();
  const content = noise(10 * MIB);
  await Deno.writeFile(setup.local, content);
  await interruptAfter(setup, "big", 4 * MIB);
  const resumed: number[] = [];
  const result = await setup.put("big", { onResume: (bytes) => resumed.push(bytes) });
  assertGreater(result.resumedAtBytes, 2 * MIB);
  assertEquals(resumed, [result.resumedAtBytes]);
  assertEquals(result.verifiedBytes, result.resumedAtBytes);
  assertEquals(result.sentBytes, content.length - result.verifiedBytes);
  assertEquals(await setup.stored("big"), content);
});

Deno.test("uploadFile() sends the chunks again that have changed since", async () => {
  await using setup = await Setup.start();
  const content = noise(8 * MIB);
  await Deno.writeFile(setup.local, content);
  await interruptAfter(setup, "big", 5 * MIB);
  content[MIB + 17] = 1 ^ (content[MIB + 17] ?? 0);
  await Deno.writeFile(setup.local, content);
  const result = await setup.put("big");
  assertEquals(result.verifiedBytes, result.resumedAtBytes - MIB);
  assertEquals(await setup.stored("big"), content);
});

Deno.test("uploadFile() sends the chunks again that the server finds damaged", async () => {
  await using setup = await Setup.start();
  const content = noise(6 * MIB);
  await Deno.writeFile(setup.local, content);
  await interruptAfter(setup, "big", 4 * MIB);
  const parts = join(setup.server.data, "parts");
  const [part] = Array.from(Deno.readDirSync(parts), ({ name }) => name);
  {
    using file = await Deno.open(join(parts, part ?? ""), { read: true, write: true });
    const byte = new Uint8Array(1);
    file.readSync(byte);
    file.seekSync(0, Deno.SeekMode.Start);
    file.writeSync(byte.map((value) => value ^ 1));
  }
  await setup.put("big");
  assertEquals(await setup.stored("big"), content);
});

Deno.test("uploadFile() asks whether to continue only when there is something", async () => {
  await using setup = await Setup.start();
  const content = noise(6 * MIB);
  await Deno.writeFile(setup.local, content);
  const asked: number[] = [];
  const confirmResume = (goOn: boolean) => ({ totalBytes }: { totalBytes: number }) => {
    asked.push(totalBytes);
    return Promise.resolve(goOn);
  };
  await setup.put("other", { confirmResume: confirmResume(true) });
  assertEquals(asked, []);
  await interruptAfter(setup, "big", 4 * MIB);
  const anew = await setup.put("big", { confirmResume: confirmResume(false) });
  assertEquals(asked, [content.length]);
  assertEquals([anew.resumedAtBytes, anew.sentBytes], [0, content.length]);
  assertEquals(await setup.stored("big"), content);
});

Deno.test("uploadFile() begins anew with resume never, and fails with always and nothing", async () => {
  await using setup = await Setup.start();
  await Deno.writeFile(setup.local, noise(5 * MIB));
  await interruptAfter(setup, "big", 3 * MIB);
  assertEquals((await setup.put("big", { resume: "never" })).resumedAtBytes, 0);
  const error = await assertRejects(() => setup.put("big", { resume: "always" }), TrivetError);
  assertEquals(error.code, "UPLOAD_NOT_FOUND");
  assertEquals(setup.connections?.opened, 1);
});

Deno.test("uploadFile() repairs what a wire has flipped", async () => {
  await using setup = await Setup.start();
  const content = noise(4 * MIB);
  await Deno.writeFile(setup.local, content);
  const result = await setup.put("big", { faults: [{ flipWritten: [MIB + 4000, 3 * MIB] }] });
  assertEquals(setup.connections?.opened, 1);
  assertEquals(result.sentBytes, content.length + 2 * MIB);
  assertEquals(await setup.stored("big"), content);
});

Deno.test("uploadFile() finds that its file was published before the answer was lost", async () => {
  for (const overwrite of ["replace", "fail", "skip"] as const) {
    await using setup = await Setup.start();
    const content = noise(2 * MIB);
    await Deno.writeFile(setup.local, content);
    // The commit's answer is the only one of its size behind the data.
    const answers = await countRead(setup);
    const result = await setup.put("big", {
      target: { overwrite },
      faults: [{ cutAfterRead: answers - 1 }],
      onRetry: () => {},
    });
    assertEquals(setup.connections?.opened, 2);
    assertEquals(result.sentBytes, content.length);
    assertEquals(result.stored.skipped, false);
    assertEquals(await setup.stored("big"), content);
  }
});

Deno.test("uploadFile() reports a file that changes while it is read", async () => {
  await using setup = await Setup.start();
  const content = noise(3 * MIB);
  for (const change of ["grow", "shrink", "touch"] as const) {
    await Deno.writeFile(setup.local, content);
    const onResume = () => {};
    const upload = setup.put(change, {
      onResume,
      onProgress: ({ action }) => {
        if (action !== "connecting") return;
        if (change === "grow") Deno.writeFileSync(setup.local, Uint8Array.of(1), { append: true });
        if (change === "shrink") Deno.truncateSync(setup.local, MIB + 5);
        if (change === "touch") Deno.utimeSync(setup.local, 5, 5);
      },
    });
    const error = await assertRejects(() => upload, TrivetError);
    assertEquals(error.code, "CHANGED");
    await assertRejects(() => setup.stored(change), Deno.errors.NotFound);
  }
});

Deno.test("uploadFile() tells skip from stored", async () => {
  await using setup = await Setup.start();
  for (const size of [10, 2 * MIB]) {
    await Deno.writeFile(setup.local, noise(size));
    await setup.put("name");
    await Deno.writeFile(setup.local, noise(size, 2));
    const skipped = await setup.put("name", { target: { overwrite: "skip" } });
    assertEquals([skipped.stored.skipped, skipped.stored.size, skipped.sentBytes], [true, size, 0]);
    assertEquals(await setup.stored("name"), noise(size));
    const other = await setup.put("name", { target: { overwrite: "rename" } });
    assertEquals(await setup.stored(other.stored.path.at(-1) ?? ""), noise(size, 2));
    const failing = () => setup.put("name", { target: { overwrite: "fail" } });
    assertEquals((await assertRejects(failing, TrivetError)).code, "EXISTS");
  }
});

Deno.test("uploadFile() fails at once when the server was never reached", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    await Deno.writeTextFile(path, "x");
    const connections = new TestConnections(() =>
      Promise.reject(new TrivetError("UNREACHABLE", "Nobody there"))
    );
    using local = await LocalSource.open(path);
    const target = { path: ["a"], overwrite: "replace", durability: "os" } as const;
    const upload = () => uploadFile(connections, local, { target });
    assertEquals((await assertRejects(upload, TrivetError)).code, "UNREACHABLE");
    assertEquals(connections.opened, 1);
  });
});

/** A server to which every chunk arrives damaged. */
function stubbornServer(size: number): CallHandler {
  return async (call: ServerCall) => {
    if (call.method === "put.open") {
      const head = {
        uploadId: "u",
        chunkBytes: MIB,
        journalChunks: 0,
        heldBytes: 0,
        skipped: false,
      };
      return { head };
    }
    await call.receive(() => {});
    return { head: { badChunks: [Math.ceil(size / MIB) - 1] } };
  };
}

Deno.test("uploadFile() gives up when a chunk stays damaged", async () => {
  await withFolder(async (folder) => {
    const size = 2 * MIB;
    const path = join(folder, "file");
    await Deno.writeFile(path, noise(size));
    await using server = new ScriptedServer(stubbornServer(size));
    const connections = new TestConnections(() => Promise.resolve(server.connect()));
    using local = await LocalSource.open(path);
    const target = { path: ["a"], overwrite: "replace", durability: "os" } as const;
    const upload = () => uploadFile(connections, local, { target });
    assertEquals((await assertRejects(upload, TrivetError)).code, "DIGEST_MISMATCH");
    assertEquals(server.methods.filter((method) => method === "put.data").length, 1 + 5);
    assertEquals(server.methods.includes("put.commit"), false);
  });
});

Deno.test("uploadFile() refuses a server that wants chunks which there are not", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    await Deno.writeFile(path, noise(2 * MIB));
    await using server = new ScriptedServer(stubbornServer(3 * MIB));
    const connections = new TestConnections(() => Promise.resolve(server.connect()));
    using local = await LocalSource.open(path);
    const target = { path: ["a"], overwrite: "replace", durability: "os" } as const;
    const upload = () => uploadFile(connections, local, { target });
    assertEquals((await assertRejects(upload, TrivetError)).code, "FAILED");
  });
});

Deno.test("uploadStream() stores what a stream brings, and leaves nothing when it fails", async () => {
  await using setup = await Setup.start();
  const connections = new TestConnections(() => setup.server.login(setup.token));
  for (const size of [0, 5, MIB, 2 * MIB + 7]) {
    const content = noise(size);
    let at = 0;
    const reader = {
      read: (buffer: Uint8Array) => {
        const part = content.subarray(at, at + Math.min(buffer.length, 100_000));
        buffer.set(part);
        at += part.length;
        return Promise.resolve(part.length === 0 ? null : part.length);
      },
    };
    const target = { path: [`s${size}`], overwrite: "replace", durability: "os" } as const;
    const result = await uploadStream(connections, reader, { target });
    assertEquals([result.stored.size, result.sentBytes], [size, size]);
    assertEquals(await setup.stored(`s${size}`), content);
  }
  const broken = { read: () => Promise.reject(new TrivetError("FAILED", "The pipe broke")) };
  const target = { path: ["broken"], overwrite: "replace", durability: "os" } as const;
  const upload = () => uploadStream(connections, broken, { target });
  await assertRejects(upload, TrivetError, "The pipe broke");
  assertEquals(Array.from(Deno.readDirSync(join(setup.server.data, "parts"))).length, 0);
});

Deno.test("uploadStream() ends with its signal while the stream says nothing", async () => {
  await using setup = await Setup.start();
  const connections = new TestConnections(() => setup.server.login(setup.token));
  const controller = new AbortController();
  const reader = {
    read: () => {
      controller.abort(new TrivetError("INTERRUPTED", "Interrupted"));
      return new Promise<null>(() => {});
    },
  };
  const target = { path: ["s"], overwrite: "replace", durability: "os" } as const;
  const { signal } = controller;
  const upload = () => uploadStream(connections, reader, { target, signal });
  assertEquals((await assertRejects(upload, TrivetError)).code, "INTERRUPTED");
});

Deno.test("uploadStream() ends with its connection while the stream says nothing", async () => {
  await using setup = await Setup.start();
  const connections = new TestConnections(() => setup.server.login(setup.token));
  const reader = {
    read: async () => {
      const catalog = SqliteCatalog.open(join(setup.server.data, "trivet.db"));
      await catalog.setDisabled("ann", true);
      await catalog.close();
      return await new Promise<null>(() => {});
    },
  };
  const target = { path: ["s"], overwrite: "replace", durability: "os" } as const;
  const upload = () => uploadStream(connections, reader, { target });
  assertEquals((await assertRejects(upload, TrivetError)).code, "TOKEN_INVALID");
});

/** Leaves a partial upload behind, as a client that was killed does. */
async function interruptAfter(setup: Setup, name: string, bytes: number): Promise<void> {
  const controller = new AbortController();
  const reason = new TrivetError("INTERRUPTED", "Interrupted");
  const upload = setup.put(name, {
    signal: controller.signal,
    faults: [{ cutAfterWritten: bytes + 65_536 }],
    onRetry: () => controller.abort(reason),
  });
  assertEquals((await assertRejects(() => upload, TrivetError)).code, "INTERRUPTED");
}

/** Bytes that the client reads during an upload of the local file. */
async function countRead(setup: Setup): Promise<number> {
  let read = 0;
  const connections = new TestConnections(() =>
    setup.server.login(setup.token, (conn) => ({
      read: async (target) => {
        const count = await conn.read(target);
        read += count ?? 0;
        return count;
      },
      write: (source) => conn.write(source),
      close: () => conn.close(),
    }))
  );
  using local = await LocalSource.open(setup.local);
  const target = { path: ["big"], overwrite: "replace", durability: "os" } as const;
  await uploadFile(connections, local, { target });
  await Deno.remove(setup.server.home("ann", "big"));
  return read;
}
