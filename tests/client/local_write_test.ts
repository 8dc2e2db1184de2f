import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { partPath } from "../../client/part_file.ts";
import { type SmallContent, writeEmptyFolder } from "../../client/tree/local_write.ts";
import { withFolder } from "./testing.ts";

/** Windows replaces no folders. */
function testUnix(name: string, test: (folder: string) => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn: () => withFolder(test) });
}

function content(text: string, mode = 0o644): SmallContent {
  return {
    bytes: new TextEncoder().encode(text),
    attributes: { mtimeMs: 1_600_000_000_000, mode },
  };
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

const FILES = new Map([["a", content("1")], ["b", content("")], ["run", content("3", 0o755)]]);

for (const durability of ["commit", "os"] as const) {
  testUnix(`writeEmptyFolder() fills a folder with durability "${durability}"`, async (folder) => {
    const target = join(folder, "target");
    await Deno.mkdir(target);
    assertEquals(await writeEmptyFolder(target, FILES, durability), true);
    assertEquals(namesIn(target), ["a", "b", "run"]);
    assertEquals(namesIn(folder), ["target"]);
    assertEquals(await Deno.readTextFile(join(target, "a")), "1");
    const infos = ["a", "run"].map((name) => Deno.statSync(join(target, name)));
    assertEquals(infos.map(({ mtime }) => mtime?.getTime()), new Array(2).fill(1_600_000_000_000));
    assertEquals(infos.map(({ mode }) => (mode ?? 0) & 0o100), [0, 0o100]);
  });
}

testUnix("writeEmptyFolder() leaves a folder alone that is not empty", async (folder) => {
  const target = join(folder, "target");
  await Deno.mkdir(target);
  await Deno.writeTextFile(join(target, "a"), "mine");
  assertEquals(await writeEmptyFolder(target, FILES, "os"), false);
  assertEquals(await Deno.readTextFile(join(target, "a")), "mine");
  assertEquals([namesIn(target), namesIn(folder)], [["a"], ["target"]]);
});

testUnix("writeEmptyFolder() writes nothing when one file cannot be written", async (folder) => {
  const target = join(folder, "target");
  await Deno.mkdir(target);
  const files = new Map([...FILES, ["n".repeat(256), content("4")]]);
  assertEquals(await writeEmptyFolder(target, files, "commit"), false);
  assertEquals([namesIn(target), namesIn(folder)], [[], ["target"]]);
});

testUnix("writeEmptyFolder() throws away what an interrupted program left", async (folder) => {
  const target = join(folder, "target");
  await Deno.mkdir(target);
  await Deno.mkdir(partPath(target));
  await Deno.writeTextFile(join(partPath(target), "old"), "half");
  assertEquals(await writeEmptyFolder(target, FILES, "os"), true);
  assertEquals([namesIn(target), namesIn(folder)], [["a", "b", "run"], ["target"]]);
});

testUnix(
  "writeEmptyFolder() keeps a file or link that has the name of its part",
  async (folder) => {
    const target = join(folder, "target");
    const outside = join(folder, "outside");
    await Deno.mkdir(target);
    await Deno.mkdir(outside);
    await Deno.writeTextFile(join(outside, "kept"), "1");
    await Deno.symlink(outside, partPath(target));
    assertEquals(await writeEmptyFolder(target, FILES, "os"), false);
    assertEquals([namesIn(target), namesIn(outside)], [[], ["kept"]]);
    await Deno.remove(partPath(target));
    await Deno.writeTextFile(partPath(target), "part");
    assertEquals(await writeEmptyFolder(target, FILES, "os"), false);
    assertEquals(await Deno.readTextFile(partPath(target)), "part");
  },
);
