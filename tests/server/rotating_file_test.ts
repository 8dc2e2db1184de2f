import { assertEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { RotatingFile } from "../../server/rotating_file.ts";

const LINE = `${"x".repeat(9)}\n`;

/** What the files of a folder hold, by name. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for await (const { name } of Deno.readDir(folder)) {
    found.push([name, await Deno.readTextFile(join(folder, name))]);
  }
  return Object.fromEntries(found.sort());
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trivet-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("RotatingFile.write() fills a file up to its size and begins anew one byte above", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a");
    using file = RotatingFile.open(path, { maxBytes: 20, olderFiles: 2 });
    file.write(LINE);
    file.write(LINE);
    assertEquals(await contents(folder), { a: LINE + LINE });
    file.write("\n");
    assertEquals(await contents(folder), { a: "\n", "a.1": LINE + LINE });
  });
});

Deno.test("RotatingFile.write() keeps so many older files, and drops the oldest", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a");
    for (const olderFiles of [2, 0]) {
      using file = RotatingFile.open(path, { maxBytes: 1, olderFiles });
      for (const line of ["1\n", "2\n", "3\n", "4\n"]) file.write(line);
    }
    assertEquals(await contents(folder), { a: "4\n", "a.1": "3\n", "a.2": "2\n" });
  });
});

Deno.test("RotatingFile.open() goes on with the file that is there, and makes one for its owner", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a");
    for (let round = 0; round < 3; round++) {
      using file = RotatingFile.open(path, { maxBytes: 20, olderFiles: 1 });
      file.write(LINE);
    }
    assertEquals(await contents(folder), { a: LINE, "a.1": LINE + LINE });
    for (const name of ["a", "a.1"]) {
      assertEquals(((await Deno.stat(join(folder, name))).mode ?? 0) & 0o777, 0o600);
    }
  });
});

Deno.test("RotatingFile.open() says which file cannot be written", async () => {
  await inFolder((folder) => {
    const path = join(folder, "none", "a");
    const open = () => RotatingFile.open(path, { maxBytes: 1, olderFiles: 1 });
    assertThrows(open, TrivetError, `Cannot write to "${path}"`);
    return Promise.resolve();
  });
});

Deno.test("RotatingFile.write() goes on with its file when it cannot be renamed", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a");
    using file = RotatingFile.open(path, { maxBytes: 10, olderFiles: 1 });
    // A folder that is not empty cannot be replaced by a file.
    await Deno.mkdir(join(folder, "a.1", "full"), { recursive: true });
    for (let lines = 0; lines < 2; lines++) file.write(LINE);
    assertEquals(await Deno.readTextFile(path), LINE + LINE);
    await Deno.remove(join(folder, "a.1"), { recursive: true });
    for (let lines = 0; lines < 2; lines++) file.write(LINE);
    assertEquals(await contents(folder), { a: LINE, "a.1": LINE });
  });
});

Deno.test("RotatingFile.write() throws when the disk is full, and begins a new line after that", () => {
  const written: string[] = [];
  let leftBytes = 14;
  const open = () => ({
    writeSync: (bytes: Uint8Array) => {
      if (leftBytes === 0) throw new Error("No space left on device");
      // A disk that is nearly full takes what it can.
      const count = Math.min(leftBytes, bytes.length);
      written.push(new TextDecoder().decode(bytes.subarray(0, count)));
      leftBytes -= count;
      return count;
    },
    statSync: () => Deno.statSync("."),
    close: () => {},
  });
  using file = RotatingFile.open("a", { maxBytes: 1024 ** 3, olderFiles: 1, open });
  file.write(LINE);
  assertThrows(() => file.write(LINE), Error, "No space left");
  leftBytes = 100;
  file.write(LINE);
  file.write(LINE);
  assertEquals(written.join(""), `${LINE}xxxx\n${LINE}${LINE}`);
});
