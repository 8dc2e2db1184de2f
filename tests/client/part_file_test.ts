import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { PartFile, partPath } from "../../client/part_file.ts";
import { type ErrorCode, TrivetError } from "../../lib/errors.ts";
import { createDigester, digestOf } from "../../lib/transfer/digest.ts";
import type { SidecarHeader } from "../../lib/transfer/sidecar.ts";
import { namesIn, syncsDuring, withFolder } from "./testing.ts";

const REPLACE = { overwrite: "replace", durability: "commit" } as const;
const POSIX = { ignore: Deno.build.os === "windows" };
const CHUNK_BYTES = 1024;
const HEADER: SidecarHeader = {
  etag: "e1",
  size: 3 * CHUNK_BYTES,
  chunkBytes: CHUNK_BYTES,
  server: "ann@a:1",
  path: "/name",
};

async function assertCode(code: ErrorCode, work: () => Promise<unknown>): Promise<void> {
  assertEquals((await assertRejects(work, TrivetError)).code, code);
}

/** Makes a part that holds some chunks, each full of its own number. */
async function makePart(target: string, chunks: readonly number[]): Promise<void> {
  const digester = await createDigester();
  using part = await PartFile.open(target);
  part.begin(HEADER);
  for (const index of chunks) {
    const bytes = new Uint8Array(CHUNK_BYTES).fill(index + 1);
    part.sink.write(bytes, index * CHUNK_BYTES);
    const digest = digestOf(digester, bytes);
    part.journal.set(index, digest);
    part.note(index, digest);
  }
}

Deno.test("PartFile.open() finds what an earlier one has noted", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    assertEquals(await PartFile.exists(target), false);
    await makePart(target, [0, 2]);
    assertEquals(namesIn(folder), [".name.trivet-part", ".name.trivet-part.journal"]);
    assertEquals(await PartFile.exists(target), true);
    using part = await PartFile.open(target);
    assertEquals(part.header, HEADER);
    assertEquals([...part.journal.indices()], [0, 2]);
    assertEquals(part.heldBytes, 2 * CHUNK_BYTES);
  });
});

Deno.test("PartFile.open() cuts a torn record and appends behind the good ones", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    await makePart(target, [0]);
    await Deno.writeFile(`${partPath(target)}.journal`, new Uint8Array(23), { append: true });
    {
      using part = await PartFile.open(target);
      assertEquals([...part.journal.indices()], [0]);
      part.note(1, new Uint8Array(16).fill(9));
    }
    using part = await PartFile.open(target);
    assertEquals([...part.journal.indices()], [0, 1]);
  });
});

Deno.test("PartFile.begin() empties what holds something, and leaves an empty file alone", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    const longAgo = new Date("2001-02-03T04:05:06Z");
    {
      using part = await PartFile.open(target);
      // A truncation would set the time, even to the size that it has.
      await Deno.utime(partPath(target), longAgo, longAgo);
      part.begin(HEADER);
      assertEquals((await Deno.stat(partPath(target))).mtime, longAgo);
      part.sink.write(new Uint8Array(7), 0);
    }
    using part = await PartFile.open(target);
    part.begin(HEADER);
    assertEquals((await Deno.stat(partPath(target))).size, 0);
  });
});

Deno.test("PartFile.verify() forgets damaged chunks, for the next reader too", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    await makePart(target, [0, 1, 2]);
    {
      using file = await Deno.open(partPath(target), { write: true });
      file.seekSync(CHUNK_BYTES + 7, Deno.SeekMode.Start);
      file.writeSync(Uint8Array.of(0));
    }
    const digester = await createDigester();
    for (let reader = 0; reader < 2; reader++) {
      using part = await PartFile.open(target);
      await part.verify(digester);
      assertEquals([...part.journal.indices()], [0, 2]);
    }
  });
});

Deno.test("PartFile.verify() forgets chunks behind the end of a part that was cut", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    await makePart(target, [0, 1, 2]);
    await Deno.truncate(partPath(target), 2 * CHUNK_BYTES - 1);
    using part = await PartFile.open(target);
    await part.verify(await createDigester());
    assertEquals([...part.journal.indices()], [0]);
  });
});

Deno.test("PartFile.forget() is found by the next reader's verify()", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    await makePart(target, [0, 1]);
    {
      using part = await PartFile.open(target);
      part.forget(1);
    }
    using part = await PartFile.open(target);
    await part.verify(await createDigester());
    assertEquals([...part.journal.indices()], [0]);
  });
});

Deno.test("PartFile.open() lets only one at a time write", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    {
      using _first = await PartFile.open(target);
      await assertCode("LOCAL_IN_USE", () => PartFile.open(target));
      using _other = await PartFile.open(join(folder, "other"));
    }
    using _again = await PartFile.open(target);
  });
});

Deno.test("PartFile.open() never writes into a file that has just been published", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    await makePart(target, [0, 1, 2]);
    const first = await PartFile.open(target);
    // Opened before, locked after the first has published it: the same race, step by step.
    const waiting = await Deno.open(partPath(target), { read: true, write: true });
    await first.publish({ mtimeMs: 1000, mode: 0o644 }, REPLACE);
    first[Symbol.dispose]();
    waiting.close();
    using second = await PartFile.open(target);
    second.begin(HEADER);
    assertEquals((await Deno.stat(target)).size, HEADER.size);
  });
});

for (const suffix of ["", ".journal"]) {
  Deno.test(`PartFile.open() follows no link at the part${suffix}`, POSIX, async () => {
    await withFolder(async (folder) => {
      const target = join(folder, "name");
      const victim = join(folder, "victim");
      await Deno.writeTextFile(victim, "precious");
      const place = partPath(target) + suffix;
      const plants = [
        () => Deno.symlink(victim, place),
        () => Deno.symlink(join(folder, "absent"), place),
        () => Deno.link(victim, place),
        () => Deno.mkdir(place),
      ];
      for (const plant of plants) {
        await plant();
        await assertCode("LOCAL_DENIED", () => PartFile.open(target));
        await Deno.remove(place);
      }
      assertEquals(await Deno.readTextFile(victim), "precious");
      assertEquals(namesIn(folder).includes("absent"), false);
    });
  });
}

Deno.test("PartFile.publish() gives size, time and name, and leaves nothing else", async () => {
  await withFolder(async (folder) => {
    const target = join(folder, "name");
    await makePart(target, [0, 1, 2]);
    using part = await PartFile.open(target);
    part.sink.write(Uint8Array.of(1), HEADER.size + 10);
    const published = await part.publish({ mtimeMs: 86_400_123, mode: 0o644 }, REPLACE);
    assertEquals(published, { path: target, skipped: false });
    const info = await Deno.stat(target);
    assertEquals([info.size, info.mtime?.getTime()], [HEADER.size, 86_400_123]);
    assertEquals(namesIn(folder), ["name"]);
  });
});

Deno.test("PartFile.publish() waits for the disk with commit, not with os", async () => {
  // Windows has no sync of a folder.
  const commitSyncs = Deno.build.os === "windows" ? 1 : 2;
  await withFolder(async (folder) => {
    for (const [durability, syncs] of [["commit", commitSyncs], ["os", 0]] as const) {
      const target = join(folder, durability);
      await makePart(target, [0, 1, 2]);
      using part = await PartFile.open(target);
      const publish = () =>
        part.publish({ mtimeMs: 1000, mode: 0o644 }, { overwrite: "replace", durability });
      assertEquals(await syncsDuring(publish), syncs, durability);
      assertEquals((await Deno.stat(target)).size, HEADER.size);
    }
    assertEquals(namesIn(folder), ["commit", "os"]);
  });
});

Deno.test("PartFile.publish() lets those execute who may read", POSIX, async () => {
  await withFolder(async (folder) => {
    const umask = Deno.umask();
    for (const [mode, bits] of [[0o755, 0o111], [0o644, 0], [0o100, 0o111], [0o011, 0]] as const) {
      const target = join(folder, `name-${mode}`);
      await makePart(target, [0, 1, 2]);
      using part = await PartFile.open(target);
      await part.publish({ mtimeMs: 0, mode }, REPLACE);
      const plain = 0o666 & ~umask;
      assertEquals(((await Deno.stat(target)).mode ?? 0) & 0o777, plain | (plain >> 2 & bits));
    }
  });
});

Deno.test("partPath() fits the longest names and keeps long ones apart", async () => {
  const suffix = ".trivet-part.journal";
  const fits = "a".repeat(255 - 1 - suffix.length);
  assertEquals(partPath(fits), `.${fits}.trivet-part`);
  const cut = partPath(`${fits}b`);
  assertEquals(cut === partPath(`${fits}c`), false);
  for (const name of [`${fits}b`, "a".repeat(255), "ä".repeat(127), "😀".repeat(63)]) {
    const bytes = new TextEncoder().encode(partPath(name) + ".journal").length;
    assertEquals(bytes <= 255, true, `${bytes} bytes`);
  }
  await withFolder(async (folder) => {
    using _part = await PartFile.open(join(folder, "ä".repeat(127)));
  });
});
