import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { FileSink, StreamSink, type WritableFile } from "../../../lib/transfer/sink.ts";
import { FILE_SLICE_BYTES, FileSource, StreamSource } from "../../../lib/transfer/source.ts";
import { asStorageError } from "../../../lib/transfer/storage_error.ts";
import { MemorySource, patternBytes } from "./memory.ts";

const none = { permissions: "none" } as const;

async function withFile(
  run: (file: Deno.FsFile, path: string) => void | Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "trivet-transfer-" });
  try {
    using file = await Deno.open(path, { read: true, write: true });
    await run(file, path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("FileSink and FileSource write and read by offset", async () => {
  await withFile((file, path) => {
    const bytes = patternBytes(3 * FILE_SLICE_BYTES + 5);
    const sink = new FileSink(file);
    sink.write(bytes.subarray(2_000_000), 2_000_000);
    sink.write(bytes.subarray(0, 1_000_000), 0);
    sink.write(bytes.subarray(1_000_000, 2_000_000), 1_000_000);
    assertEquals(Deno.readFileSync(path), bytes);

    const source = new FileSource(file);
    const buffer = new Uint8Array(bytes.length);
    assertEquals(source.read(buffer, 7), FILE_SLICE_BYTES);
    assertEquals(buffer.subarray(0, 100), bytes.subarray(7, 107));
    assertEquals(source.read(buffer, bytes.length - 3), 3);
    assertEquals(buffer.subarray(0, 3), bytes.subarray(-3));
    assertEquals(source.read(buffer, bytes.length), 0);
    assertEquals(source.read(buffer, bytes.length + 100), 0);
  });
});

Deno.test("FileSink.writeInThread() writes by offset, in turn with FileSink.write()", async () => {
  await withFile(async (file, path) => {
    const bytes = patternBytes(FILE_SLICE_BYTES + 2_000_005);
    const sink = new FileSink(file);
    await sink.writeInThread(bytes.subarray(2_000_000), 2_000_000);
    sink.write(bytes.subarray(0, 1_000_000), 0);
    await sink.writeInThread(bytes.subarray(1_000_000, 1_500_000), 1_000_000);
    sink.write(bytes.subarray(1_500_000, 2_000_000), 1_500_000);
    assertEquals(Deno.readFileSync(path), bytes);
  });
});

/** A file in memory whose calls are counted and whose writes may be partial. */
class FakeFile implements WritableFile {
  readonly calls: string[] = [];
  readonly #counts: (number | Error)[];

  constructor(...counts: (number | Error)[]) {
    this.#counts = counts;
  }

  seekSync(offset: number | bigint): number {
    this.calls.push(`seek ${offset}`);
    return Number(offset);
  }

  writeSync(bytes: Uint8Array): number {
    this.calls.push(`write ${bytes.length}`);
    const count = this.#counts.shift() ?? bytes.length;
    if (count instanceof Error) throw count;
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await Promise.resolve();
    return this.writeSync(bytes);
  }

  readSync(buffer: Uint8Array): number {
    this.calls.push(`read ${buffer.length}`);
    const count = this.#counts.shift() ?? buffer.length;
    if (count instanceof Error) throw count;
    return count;
  }
}

Deno.test("FileSink.write() goes on after partial writes", none, () => {
  const file = new FakeFile(1, 3);
  new FileSink(file).write(new Uint8Array(10), 5);
  assertEquals(file.calls, ["seek 5", "write 10", "write 9", "write 6"]);
});

Deno.test("FileSink.write() seeks only where it does not stand", none, () => {
  const file = new FakeFile();
  const sink = new FileSink(file);
  sink.write(new Uint8Array(10), 0);
  sink.write(new Uint8Array(10), 10);
  sink.write(new Uint8Array(10), 10);
  assertEquals(file.calls, ["seek 0", "write 10", "write 10", "seek 10", "write 10"]);
});

Deno.test("FileSink.write() writes at most one slice a call", none, () => {
  const file = new FakeFile();
  new FileSink(file).write(new Uint8Array(FILE_SLICE_BYTES), 0);
  new FileSink(file).write(new Uint8Array(FILE_SLICE_BYTES + 1), 0);
  const slice = `write ${FILE_SLICE_BYTES}`;
  assertEquals(file.calls, ["seek 0", slice, "seek 0", slice, "write 1"]);
});

Deno.test("FileSink.write() seeks anew after an error", none, () => {
  const file = new FakeFile(10, 4, new Error("broken"));
  const sink = new FileSink(file);
  sink.write(new Uint8Array(10), 0);
  assertThrows(() => sink.write(new Uint8Array(10), 10), Error, "broken");
  sink.write(new Uint8Array(10), 10);
  assertEquals(file.calls, ["seek 0", "write 10", "write 10", "write 6", "seek 10", "write 10"]);
});

Deno.test("FileSink.write() ends when the system takes nothing", none, () => {
  const sink = new FileSink(new FakeFile(4, 0));
  assertThrows(() => sink.write(new Uint8Array(10), 0), Error, "takes no bytes");
});

Deno.test(
  "FileSink.writeInThread() goes on after partial writes, slice by slice",
  none,
  async () => {
    const file = new FakeFile(1, 3);
    const sink = new FileSink(file);
    await sink.writeInThread(new Uint8Array(10), 5);
    await sink.writeInThread(new Uint8Array(FILE_SLICE_BYTES + 1), 15);
    assertEquals(file.calls, [
      "seek 5",
      "write 10",
      "write 9",
      "write 6",
      `write ${FILE_SLICE_BYTES}`,
      "write 1",
    ]);
  },
);

Deno.test("FileSink.writeInThread() reports a full disk and seeks anew", none, async () => {
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  const file = new FakeFile(4, full);
  const sink = new FileSink(file);
  const error = await assertRejects(() => sink.writeInThread(new Uint8Array(10), 0), TrivetError);
  assertEquals(error.code, "DISK_FULL");
  sink.write(new Uint8Array(10), 10);
  assertEquals(file.calls, ["seek 0", "write 10", "write 6", "seek 10", "write 10"]);
});

Deno.test("FileSink.writeInThread() ends when the system takes nothing", none, async () => {
  const sink = new FileSink(new FakeFile(4, 0));
  await assertRejects(() => sink.writeInThread(new Uint8Array(10), 0), Error, "takes no bytes");
});

Deno.test("FileSource.read() seeks only where it does not stand", none, () => {
  const file = new FakeFile();
  const source = new FileSource(file);
  source.read(new Uint8Array(10), 0);
  source.read(new Uint8Array(10), 10);
  source.read(new Uint8Array(10), 10);
  assertEquals(file.calls, ["seek 0", "read 10", "read 10", "seek 10", "read 10"]);
});

Deno.test("FileSink.write() reports a full disk", none, () => {
  // What Deno 2.9 throws for a write to /dev/full, which tests may open only with every permission.
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  const sink = new FileSink(new FakeFile(4, full));
  const error = assertThrows(() => sink.write(new Uint8Array(10), 0), TrivetError);
  assertEquals(error.code, "DISK_FULL");
  assertEquals(error.cause, full);
});

Deno.test("FileSource.read() seeks anew after an error and a short read", none, () => {
  const file = new FakeFile(10, new Error("broken"), 3);
  const source = new FileSource(file);
  const buffer = new Uint8Array(10);
  source.read(buffer, 0);
  assertThrows(() => source.read(buffer, 10), Error, "broken");
  assertEquals(source.read(buffer, 10), 3);
  source.read(buffer, 13);
  source.read(buffer, 10);
  assertEquals(file.calls.filter((call) => call.startsWith("seek")), [
    "seek 0",
    "seek 10",
    "seek 10",
  ]);
});

for (
  const [code, expected] of [
    ["ENOSPC", "DISK_FULL"],
    ["EDQUOT", "DISK_FULL"],
    ["EFBIG", "FILE_TOO_LARGE"],
  ] as const
) {
  Deno.test(`asStorageError() makes ${expected} of ${code}`, none, () => {
    const cause = Object.assign(new Error("as the system says"), { code });
    const error = asStorageError(cause, "write the file");
    assert(error instanceof TrivetError);
    assertEquals(error.code, expected);
    assertEquals(error.cause, cause);
    assert(error.message.startsWith("Cannot write the file: "));
  });
}

Deno.test("asStorageError() reads the number in a message that has no code", none, () => {
  const number = Deno.build.os === "windows" ? 112 : 28;
  const error = asStorageError(new Error(`No room (os error ${number})`), "write the file");
  assert(error instanceof TrivetError && error.code === "DISK_FULL");
});

Deno.test("asStorageError() leaves every other error as it is", none, () => {
  const others = [
    new Error("(os error 5)"),
    Object.assign(new Error("gone"), { code: "ENOENT" }),
    Object.assign(new Error("odd"), { code: "toString" }),
    new TrivetError("CHANGED", "Cannot send"),
    "a text",
  ];
  for (const other of others) assertEquals(asStorageError(other, "write the file"), other);
});

Deno.test("StreamSource.read() goes forwards only and remembers the end", none, async () => {
  const memory = new MemorySource(patternBytes(5));
  let at = 0;
  let calls = 0;
  const source = new StreamSource({
    read: (buffer) => {
      calls += 1;
      const count = memory.read(buffer, at);
      at += count;
      return Promise.resolve(count === 0 ? null : count);
    },
  });
  const buffer = new Uint8Array(3);
  assertEquals(await source.read(buffer, 0), 3);
  await assertRejects(() => source.read(buffer, 0), RangeError);
  await assertRejects(() => source.read(buffer, 4), RangeError);
  assertEquals(await source.read(buffer, 3), 2);
  assertEquals(await source.read(buffer, 5), 0);
  assertEquals(await source.read(buffer, 5), 0);
  assertEquals(calls, 3);
});

Deno.test("StreamSink.write() writes once and refuses a gap", none, async () => {
  const written: number[] = [];
  const sink = new StreamSink({
    write: (bytes) => {
      const part = bytes.subarray(0, 3);
      written.push(...part);
      return Promise.resolve(part.length);
    },
  });
  const file = patternBytes(20);
  await sink.write(file.subarray(0, 8), 0);
  await sink.write(file.subarray(5, 10), 5);
  await sink.write(file.subarray(0, 10), 0);
  assertEquals(sink.position, 10);
  const error = await assertRejects(() => sink.write(file.subarray(11), 11), TrivetError);
  assertEquals(error.code, "DIGEST_MISMATCH");
  await sink.write(file.subarray(10), 10);
  assertEquals(Uint8Array.from(written), file);
});

Deno.test("StreamSink.write() reports a full disk", none, async () => {
  const full = Object.assign(new Error("full"), { code: "ENOSPC" });
  const sink = new StreamSink({ write: () => Promise.reject(full) });
  const error = await assertRejects(() => sink.write(new Uint8Array(1), 0), TrivetError);
  assertEquals(error.code, "DISK_FULL");
});
