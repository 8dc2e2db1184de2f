import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import {
  FILE_MAX_BYTES,
  readBounded,
  writePrivate,
} from "../../../server/accounts/private_bytes.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

Deno.test("writePrivate() makes a file for its owner alone, whatever was there", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    await Deno.writeTextFile(path, "before", { mode: 0o644 });
    await writePrivate(path, Uint8Array.of(1, 2));
    assertEquals(await readBounded(path), Uint8Array.of(1, 2));
    const { mode } = await Deno.stat(path);
    if (Deno.build.os !== "windows") assertEquals((mode ?? 0) & 0o777, 0o600);
    assertEquals(await codeOf(writePrivate(`${folder}/no/a`, Uint8Array.of())), "LOCAL_NOT_FOUND");
    // What cannot be finished leaves nothing behind.
    await Deno.mkdir(`${folder}/b`);
    await assertRejects(() => writePrivate(`${folder}/b`, Uint8Array.of()), TrivetError);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).toSorted(), ["a", "b"]);
  }));

Deno.test("readBounded() reads up to its limit", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    assertEquals(await codeOf(readBounded(path)), "LOCAL_NOT_FOUND");
    await Deno.writeTextFile(path, "");
    await Deno.truncate(path, FILE_MAX_BYTES);
    assertEquals((await readBounded(path)).length, FILE_MAX_BYTES);
    await Deno.truncate(path, FILE_MAX_BYTES + 1);
    assertEquals(await codeOf(readBounded(path)), "FAILED");
  }));
