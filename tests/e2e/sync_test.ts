/**
 * `trivet sync` in both directions, with real programs and folders.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { World } from "./testing.ts";

async function writeTree(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, content);
    await Deno.utime(path, 1_600_000_000, 1_600_000_000);
  }
}

async function readTree(root: string, below = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(join(root, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    if (isDirectory) Object.assign(found, { [`${path}/`]: "" }, await readTree(root, path));
    else found[path] = await Deno.readTextFile(join(root, path));
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => a < b ? -1 : 1));
}

Deno.test("trivet sync sends what differs, and nothing the second time", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const local = ada.path("photos");
  await writeTree(local, { "a.txt": "one", "b/c.txt": "two", "b/d.txt": "three" });
  await Deno.mkdir(join(local, "empty"));

  const planned = await ada.json(["sync", local, "/photos", "--dry-run"]);
  assertEquals([planned.changes.length, planned.files], [5, 0]);
  assertEquals(await ada.ok(["ls"]), "");

  const first = await ada.ok(["sync", local, "/photos"]);
  assertEquals(first, "+ a.txt\n+ b/\n+ b/c.txt\n+ b/d.txt\n+ empty/\n");
  const back = ada.path("back");
  await ada.ok(["sync", back, "/photos", "--pull"]);
  assertEquals(await readTree(back), await readTree(local));

  const again = await ada.json(["sync", local, "/photos"]);
  assertEquals([again.changes, again.files, again.unchanged], [[], 0, 3]);
  const pulled = await ada.json(["sync", local, "/photos", "--pull"]);
  assertEquals([pulled.changes, pulled.files], [[], 0]);

  await Deno.writeTextFile(join(local, "b/c.txt"), "TWO");
  await Deno.remove(join(local, "a.txt"));
  await Deno.writeTextFile(join(local, "new.txt"), "");
  const changed = await ada.json(["sync", local, "/photos"]);
  assertEquals(
    changed.changes.map(({ action, path }: { action: string; path: string }) =>
      `${action} ${path}`
    ),
    [
      "update b/c.txt",
      "create new.txt",
    ],
  );
  await ada.ok(["stat", "/photos/a.txt"]);
  const deleted = await ada.ok(["sync", local, "/photos", "--delete"]);
  assertEquals(deleted, "- a.txt\n");
  assertMatch(await ada.ok(["trash", "list"]), /\/photos\/a\.txt/);
  await ada.ok(["sync", back, "/photos", "--pull", "--delete"]);
  assertEquals(await readTree(back), await readTree(local));
});

Deno.test("trivet sync --checksum finds what size and time do not tell, and forgives times", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const local = ada.path("tree");
  await writeTree(local, { "same": "abc", "other": "abc" });
  await ada.ok(["sync", local, "/tree"]);
  await Deno.writeTextFile(join(local, "other"), "abd");
  await Deno.utime(join(local, "other"), 1_600_000_000, 1_600_000_000);
  await Deno.utime(join(local, "same"), 1_700_000_000, 1_700_000_000);
  const blind = await ada.json(["sync", local, "/tree", "--dry-run"]);
  assertEquals(blind.changes.map(({ path }: { path: string }) => path), ["same"]);
  const seeing = await ada.json(["sync", local, "/tree", "--checksum"]);
  assertEquals(seeing.changes.map(({ path }: { path: string }) => path), ["other"]);
  assertEquals(await ada.ok(["cat", "/tree/other"]), "abd");
});

Deno.test("trivet sync leaves out what is of another kind, and says so", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const local = ada.path("tree");
  await writeTree(local, { "a": "file", "ok": "1" });
  await ada.ok(["sync", local, "/tree"]);
  await Deno.remove(join(local, "a"));
  await writeTree(local, { "a/b": "now a folder" });
  const left = await ada.run(["sync", local, "/tree"]);
  assertEquals(left.code, 1);
  assertMatch(left.stderr, /Left out a: a file has its name on the other side/);
  await ada.ok(["sync", local, "/tree", "--delete"]);
  assertEquals(await ada.ok(["cat", "/tree/a/b"]), "now a folder");
  const missing = await ada.run(["sync", ada.path("nowhere"), "/tree"]);
  assertEquals(missing.code, 3);
});
