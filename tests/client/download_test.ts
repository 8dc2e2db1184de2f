import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { join } from "node:path";
import { downloadFile, type DownloadResult, type DownloadTarget } from "../../client/download.ts";
import { downloadStream, type DownloadStreamResult } from "../../client/download_stream.ts";
import { partPath } from "../../client/part_file.ts";
import type { PacedTransferOptions } from "../../client/transfer_types.ts";
import { TrivetError } from "../../lib/errors.ts";
import { encodeFrame } from "../../lib/frame/encode.ts";
import { FrameType } from "../../lib/frame/frame.ts";
import type { CallHandler } from "../../lib/rpc/server.ts";
import { CHUNK_BYTES_MIN } from "../../lib/transfer/chunks.ts";
import { crc32 } from "../../lib/transfer/digest.ts";
import { noise } from "../server/testing.ts";
import {
  chunkDigests,
  type Faults,
  namesIn,
  ScriptedServer,
  TestConnections,
  TransferSetup,
} from "./testing.ts";

const MIB = CHUNK_BYTES_MIN;

type Options = PacedTransferOptions & { target?: Partial<DownloadTarget>; faults?: Faults[] };

/** A real server, and downloads from it over connections with faults. */
class Setup extends TransferSetup {
  static async start(): Promise<Setup> {
    return new Setup(await TransferSetup.parts());
  }

  /** Puts a file into the home, in the place of another one of that name. */
  async store(name: string, content: Uint8Array): Promise<void> {
    const path = this.server.home("ann", name);
    await Deno.writeFile(`${path}.new`, content);
    await Deno.rename(`${path}.new`, path);
  }

  /** Downloads `name`; the n-th connection has the n-th faults. */
  async get(name: string, options: Options = {}): Promise<DownloadResult> {
    const { faults, target, ...rest } = options;
    return await downloadFile(this.connect(faults), {
      ...rest,
      target: {
        remote: [name],
        server: "ann@a:1",
        local: this.local,
        overwrite: "replace",
        durability: "os",
        ...target,
      },
    });
  }

  /** Leaves a partial download behind, as a client that was killed does. */
  async interruptAfter(
    name: string,
    bytes: number,
    target?: Partial<DownloadTarget>,
  ): Promise<void> {
    const controller = new AbortController();
    const reason = new TrivetError("INTERRUPTED", "Interrupted");
    const download = this.get(name, {
      signal: controller.signal,
      faults: [{ cutAfterRead: bytes + 65_536 }],
      onRetry: () => controller.abort(reason),
      ...(target === undefined ? {} : { target }),
    });
    assertEquals((await assertRejects(() => download, TrivetError)).code, "INTERRUPTED");
  }
}

Deno.test("downloadFile() receives files of every size with their time", async () => {
  await using setup = await Setup.start();
  for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5]) {
    const content = noise(size);
    await setup.store("f", content);
    await Deno.utime(setup.server.home("ann", "f"), 1000, 1_600_000_000.5);
    const result = await setup.get("f");
    assertEquals([result.sizeBytes, result.receivedBytes, result.skipped], [size, size, false]);
    assertEquals(await Deno.readFile(setup.local), content);
    assertEquals((await Deno.stat(setup.local)).mtime?.getTime(), 1_600_000_000_500);
    assertEquals(namesIn(setup.folder), ["file"]);
  }
});

Deno.test("downloadFile() goes on by itself after lost connections", async () => {
  await using setup = await Setup.start();
  const content = noise(12 * MIB + 3);
  await setup.store("big", content);
  const retries: string[] = [];
  const result = await setup.get("big", {
    faults: [{ cutAfterRead: 4 * MIB + 100 }, { cutAfterRead: 5 * MIB }, {}],
    onRetry: (error) => retries.push(error.code),
  });
  assertEquals(await Deno.readFile(setup.local), content);
  assertEquals(retries, ["CONNECTION_LOST", "CONNECTION_LOST"]);
  assertGreater(15 * MIB, result.receivedBytes);
});

Deno.test("downloadFile() continues an earlier download once it has verified it", async () => {
  await using setup = await Setup.start();
  const content = noise(10 * MIB);
  await setup.store("big", content);
  await setup.interruptAfter("big", 5 * MIB);
  assertEquals(namesIn(setup.folder), [".file.trivet-part", ".file.trivet-part.journal"]);
  const resumed: number[] = [];
  const result = await setup.get("big", { onResume: (bytes) => resumed.push(bytes) });
  assertGreater(result.resumedAtBytes, 3 * MIB);
  assertEquals(resumed, [result.resumedAtBytes]);
  assertEquals(result.receivedBytes, content.length - result.verifiedBytes);
  assertEquals(await Deno.readFile(setup.local), content);
});

Deno.test("downloadFile() receives damaged chunks of a partial file again", async () => {
  await using setup = await Setup.start();
  const content = noise(8 * MIB);
  await setup.store("big", content);
  await setup.interruptAfter("big", 6 * MIB);
  {
    using file = await Deno.open(partPath(setup.local), { write: true });
    file.seekSync(2 * MIB + 5, Deno.SeekMode.Start);
    file.writeSync(Uint8Array.of(1 ^ (content[2 * MIB + 5] ?? 0)));
  }
  const result = await setup.get("big");
  assertEquals(result.receivedBytes, content.length - result.verifiedBytes);
  assertEquals(await Deno.readFile(setup.local), content);
});

Deno.test("downloadFile() begins anew when the file has changed since", async () => {
  await using setup = await Setup.start();
  await setup.store("big", noise(6 * MIB));
  await setup.interruptAfter("big", 4 * MIB);
  const content = noise(5 * MIB, 2);
  await setup.store("big", content);
  const result = await setup.get("big");
  assertEquals([result.resumedAtBytes, result.receivedBytes], [0, content.length]);
  assertEquals(await Deno.readFile(setup.local), content);
});

Deno.test("downloadFile() begins anew when the file changes meanwhile", async () => {
  await using setup = await Setup.start();
  await setup.store("big", noise(6 * MIB));
  const content = noise(6 * MIB, 2);
  const result = await setup.get("big", {
    faults: [{ cutAfterRead: 3 * MIB }],
    onRetry: () => {
      const path = setup.server.home("ann", "big");
      Deno.writeFileSync(`${path}.new`, content);
      Deno.renameSync(`${path}.new`, path);
    },
  });
  assertEquals(await Deno.readFile(setup.local), content);
  assertEquals(result.sizeBytes, content.length);
});

Deno.test("downloadFile() does not continue what is of another file or account", async () => {
  await using setup = await Setup.start();
  await setup.store("one", noise(4 * MIB));
  await setup.store("two", noise(4 * MIB, 2));
  await setup.interruptAfter("one", 3 * MIB);
  assertEquals((await setup.get("two")).resumedAtBytes, 0);
  assertEquals(await Deno.readFile(setup.local), noise(4 * MIB, 2));
  await setup.interruptAfter("one", 3 * MIB, { server: "bob@a:1" });
  assertEquals((await setup.get("one")).resumedAtBytes, 0);
  assertEquals(await Deno.readFile(setup.local), noise(4 * MIB));
});

Deno.test("downloadFile() asks whether to continue, and follows the resume mode", async () => {
  await using setup = await Setup.start();
  const content = noise(5 * MIB);
  await setup.store("big", content);
  const always = () => setup.get("big", { resume: "always" });
  assertEquals((await assertRejects(always, TrivetError)).code, "LOCAL_NOT_FOUND");
  assertEquals(namesIn(setup.folder), []);
  await setup.interruptAfter("big", 3 * MIB);
  const asked: number[] = [];
  const confirmResume = ({ totalBytes }: { totalBytes: number }) => {
    asked.push(totalBytes);
    return Promise.resolve(false);
  };
  assertEquals((await setup.get("big", { confirmResume })).receivedBytes, content.length);
  assertEquals(asked, [content.length]);
  await setup.interruptAfter("big", 3 * MIB);
  assertEquals((await setup.get("big", { resume: "never" })).receivedBytes, content.length);
  await setup.interruptAfter("big", 3 * MIB);
  assertGreater((await always()).resumedAtBytes, 0);
});

Deno.test("downloadFile() receives again what a wire has flipped", async () => {
  await using setup = await Setup.start();
  const content = noise(4 * MIB);
  await setup.store("big", content);
  const result = await setup.get("big", { faults: [{ flipRead: [MIB + 4000, 3 * MIB] }] });
  assertEquals(setup.connections?.opened, 1);
  assertEquals(result.receivedBytes, content.length + 2 * MIB);
  assertEquals(await Deno.readFile(setup.local), content);
});

Deno.test("downloadFile() leaves nothing behind when there is nothing to keep", async () => {
  await using setup = await Setup.start();
  const error = await assertRejects(() => setup.get("absent"), TrivetError);
  assertEquals(error.code, "NOT_FOUND");
  assertEquals(namesIn(setup.folder), []);
});

Deno.test("downloadFile() lets only one of two write, and the file is whole", async () => {
  await using setup = await Setup.start();
  const content = noise(6 * MIB);
  await setup.store("big", content);
  const results = await Promise.allSettled([setup.get("big"), setup.get("big")]);
  const reasons = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
  assertEquals(reasons.map((reason) => reason.code), ["LOCAL_IN_USE"]);
  assertEquals(await Deno.readFile(setup.local), content);
  assertEquals(namesIn(setup.folder), ["file"]);
});

Deno.test("downloadFile() keeps a file that came meanwhile, with fail, skip and rename", async () => {
  await using setup = await Setup.start();
  await setup.store("f", noise(10));
  await Deno.writeTextFile(setup.local, "precious");
  const failing = () => setup.get("f", { target: { overwrite: "fail" } });
  assertEquals((await assertRejects(failing, TrivetError)).code, "EXISTS");
  assertEquals((await setup.get("f", { target: { overwrite: "skip" } })).skipped, true);
  const renamed = await setup.get("f", { target: { overwrite: "rename" } });
  assertEquals(renamed.path, join(setup.folder, "file (2)"));
  assertEquals(await Deno.readTextFile(setup.local), "precious");
});

/** Serves two chunks, the last of them always with a checksum or a digest that is wrong. */
function stubbornServer(wrong: "checksum" | "digest"): CallHandler {
  const content = noise(MIB + 100);
  return async (call) => {
    const { ranges = [[0, 2]] } = call.params as { ranges?: [number, number][] };
    const entry = { name: "f", type: "file", size: content.length, mtimeMs: 0, mode: 0o644 };
    await call.respond({ entry, etag: "e", chunkBytes: MIB, algorithm: "xxh3-128" });
    const digests = await chunkDigests(content, MIB);
    const sent: number[] = [];
    for (const [first, count] of ranges) {
      for (let index = first; index < first + count; index++) {
        const bytes = content.subarray(index * MIB, (index + 1) * MIB);
        const crc = crc32(bytes) ^ (wrong === "checksum" && index === 1 ? 1 : 0);
        await call.send(dataFrame(call.id, index * MIB, crc >>> 0, bytes));
        const digest = digests.subarray(index * 16, index * 16 + 16);
        sent.push(...(wrong === "digest" && index === 1 ? digest.map((byte) => byte ^ 1) : digest));
      }
    }
    await call.end({}, Uint8Array.from(sent));
  };
}

function dataFrame(id: number, offset: number, crc: number, bytes: Uint8Array): Uint8Array {
  const payload = new Uint8Array(12 + bytes.length);
  const view = new DataView(payload.buffer);
  view.setUint32(4, offset);
  view.setUint32(8, crc);
  payload.set(bytes, 12);
  return encodeFrame(FrameType.DATA, id, payload);
}

for (const wrong of ["checksum", "digest"] as const) {
  Deno.test(`downloadFile() never publishes a chunk whose ${wrong} stays wrong`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
    try {
      await using server = new ScriptedServer(stubbornServer(wrong));
      const connections = new TestConnections(() => Promise.resolve(server.connect()));
      const local = join(folder, "file");
      const target = {
        remote: ["f"],
        server: "s",
        local,
        overwrite: "replace",
        durability: "os",
      } as const;
      const download = () => downloadFile(connections, { target });
      assertEquals((await assertRejects(download, TrivetError)).code, "DIGEST_MISMATCH");
      assertEquals(server.methods.length, 1 + 5);
      assertEquals(namesIn(folder).includes("file"), false);
      // What was good stays, what was not is not trusted by the next one either.
      const again = await assertRejects(download, TrivetError);
      assertEquals(again.code, "DIGEST_MISMATCH");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test(`downloadStream() fails when a ${wrong} stays wrong`, async () => {
    await using server = new ScriptedServer(stubbornServer(wrong));
    const connections = new TestConnections(() => Promise.resolve(server.connect()));
    const collector = new Collector();
    const download = () => downloadStream(connections, collector, { remote: ["f"] });
    assertEquals((await assertRejects(download, TrivetError)).code, "DIGEST_MISMATCH");
    assertEquals(server.methods.length, wrong === "digest" ? 1 : 1 + 5);
  });
}

class Collector {
  readonly #chunks: Uint8Array[] = [];

  write(bytes: Uint8Array): Promise<number> {
    const taken = bytes.slice(0, 50_000);
    this.#chunks.push(taken);
    return Promise.resolve(taken.length);
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#chunks.flatMap((chunk) => Array.from(chunk)));
  }
}

Deno.test("downloadStream() writes the bytes once and in order, whatever happens", async () => {
  await using setup = await Setup.start();
  const content = noise(4 * MIB + 9);
  await setup.store("big", content);
  await setup.store("empty", new Uint8Array());
  const cases: [string, Faults[], Uint8Array][] = [
    ["empty", [], new Uint8Array()],
    ["big", [], content],
    ["big", [{ cutAfterRead: MIB + MIB / 2 }, { cutAfterRead: 2 * MIB }], content],
    ["big", [{ flipRead: [5000, 2 * MIB, 4 * MIB + 400] }], content],
  ];
  for (const [name, faults, expected] of cases) {
    const collector = new Collector();
    const result: DownloadStreamResult = await downloadStream(setup.connect(faults), collector, {
      remote: [name],
    });
    assertEquals(result.sizeBytes, expected.length);
    assertEquals(collector.bytes, expected);
  }
});

Deno.test("downloadStream() stops when the file changes between two connections", async () => {
  await using setup = await Setup.start();
  await setup.store("big", noise(4 * MIB));
  const collector = new Collector();
  const download = () =>
    downloadStream(setup.connect([{ cutAfterRead: 2 * MIB }]), collector, {
      remote: ["big"],
      onRetry: () => {
        const path = setup.server.home("ann", "big");
        Deno.writeFileSync(`${path}.new`, noise(4 * MIB, 2));
        Deno.renameSync(`${path}.new`, path);
      },
    });
  assertEquals((await assertRejects(download, TrivetError)).code, "CHANGED");
});

Deno.test("downloadStream() ends with what the writer throws", async () => {
  await using setup = await Setup.start();
  await setup.store("big", noise(2 * MIB));
  const closed = new Deno.errors.BrokenPipe("Closed");
  const writer = { write: () => Promise.reject(closed) };
  const download = () => downloadStream(setup.connect(), writer, { remote: ["big"] });
  await assertRejects(download, Deno.errors.BrokenPipe);
});
