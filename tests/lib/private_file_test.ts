import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import { replaceLocked } from "../../lib/private_file.ts";

const windows = Deno.build.os === "windows";

async function withPath(test: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/new/file`, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("replaceLocked() makes file and folder, for their owner alone", async () => {
  await withPath(async (path, folder) => {
    await replaceLocked(path, () => Promise.resolve("one"));
    assertEquals(await Deno.readTextFile(path), "one");
    const modeOf = async (place: string) => ((await Deno.stat(place)).mode ?? 0) & 0o777;
    if (!windows) assertEquals([await modeOf(path), await modeOf(`${folder}/new`)], [0o600, 0o700]);
    const names = [...Deno.readDirSync(`${folder}/new`)].map(({ name }) => name);
    assertEquals(names.toSorted(), ["file", "file.lock"]);
  });
});

Deno.test("replaceLocked() keeps the changes of all writers", async () => {
  await withPath(async (path) => {
    await replaceLocked(path, () => Promise.resolve(""));
    const writers = Array.from(
      { length: 20 },
      () => replaceLocked(path, async (target) => await Deno.readTextFile(target) + "x"),
    );
    await Promise.all(writers);
    assertEquals(await Deno.readTextFile(path), "x".repeat(writers.length));
  });
});

Deno.test("replaceLocked() waits for another writer, and not forever", async () => {
  await withPath(async (path) => {
    await replaceLocked(path, () => Promise.resolve("one"));
    using lock = await Deno.open(`${path}.lock`, { write: true });
    await lock.lock(true);
    const replace = () => replaceLocked(path, () => Promise.resolve("two"), { lockTimeoutMs: 50 });
    const error = await assertRejects(replace, TrivetError, "holds it for 50 ms");
    assertEquals(error.code, "LOCAL_IN_USE");
    assertEquals(await Deno.readTextFile(path), "one");
    await lock.unlock();
    await replace();
    assertEquals(await Deno.readTextFile(path), "two");
  });
});

Deno.test("replaceLocked() leaves everything as it was when the text cannot be made", async () => {
  await withPath(async (path, folder) => {
    await replaceLocked(path, () => Promise.resolve("one"));
    await assertRejects(() => replaceLocked(path, () => Promise.reject(new RangeError("no"))));
    assertEquals(await Deno.readTextFile(path), "one");
    assertEquals([...Deno.readDirSync(`${folder}/new`)].length, 2);
  });
});
