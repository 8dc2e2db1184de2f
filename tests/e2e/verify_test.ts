import { assert, assertEquals } from "@std/assert";
import { World, writeNoise } from "./testing.ts";

const MIB = 1024 * 1024;

Deno.test("verify compares a file and a tree with the server's, and ends with 6 on a difference", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  await Deno.mkdir(ada.path("tree"));
  writeNoise(ada.path("tree", "big"), 3 * MIB);
  await Deno.writeTextFile(ada.path("tree", "small"), "text");
  await ada.ok(["mkdir", "tree"]);
  await ada.ok(["put", "tree/big", "tree/"]);
  await ada.ok(["put", "tree/small", "tree/"]);
  assertEquals(await ada.json(["verify", "tree", "/tree"]), {
    path: "/tree",
    files: 2,
    size_bytes: 3 * MIB + 4,
    left_out: 0,
    differences: [],
  });
  // A file and a folder on the server: the one of the same name in it.
  assertEquals((await ada.json(["verify", "tree/big", "tree"])).path, "/tree/big");

  // Damage on the server's disk that neither size nor time betray.
  const stored = `${world.data}/homes/ada/tree/big`;
  const { mtime } = await Deno.stat(stored);
  using file = await Deno.open(stored, { read: true, write: true });
  await file.seek(MIB + 5, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode("damage"));
  await file.utime(new Date(), mtime ?? new Date());
  await Deno.writeTextFile(ada.path("tree", "new"), "new");
  const result = await ada.run(["verify", "tree", "tree"]);
  assertEquals(result.code, 6, result.stderr);
  assertEquals(result.stdout.split("\n"), [
    `different  /tree/big: bytes ${MIB}-${2 * MIB - 1}`,
    "missing  /tree/new",
    "",
  ]);
  assert(result.stderr.includes("2 differences: 2 files"), result.stderr);
  const json = await ada.run(["--json", "verify", "tree/big", "tree/big"]);
  assertEquals(json.code, 6);
  assertEquals(JSON.parse(json.stdout).differences, [
    { kind: "different", path: "/tree/big", ranges: [[MIB, 2 * MIB]] },
  ]);
  const codes = [];
  for (
    const args of [["none", "/"], ["tree", "none"], ["tree", "tree/big"], ["tree/new", "tree"]]
  ) {
    codes.push((await ada.run(["verify", ...args])).code);
  }
  assertEquals(codes, [3, 3, 8, 3]);
});
