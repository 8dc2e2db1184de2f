import { assert, assertEquals } from "@std/assert";
import { type Person, World } from "./testing.ts";

/** A server and somebody with a few files: `a.txt`, `docs/b.txt`, `docs/deep/c.txt` and `empty/`. */
async function setUp(stack: AsyncDisposableStack): Promise<{ world: World; ada: Person }> {
  const world = stack.use(await World.create());
  const ada = await world.person("ada", await world.serve(["--default-quota", "1M"]));
  await ada.register("ada");
  await ada.ok(["mkdir", "-p", "docs/deep", "empty"]);
  for (const [name, text] of [["a.txt", "a"], ["docs/b.txt", "bb"], ["docs/deep/c.txt", "ccc"]]) {
    await ada.ok(["put", "-", name ?? ""], { stdin: text ?? "" });
  }
  return { world, ada };
}

Deno.test("rm moves into the trash, restore brings back, empty gives the space back", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  const used = async () => (await ada.json(["df"])).used_bytes;
  assertEquals(await used(), 6);

  assertEquals((await ada.run(["rm", "docs"])).code, 8);
  const { removed } = await ada.json(["rm", "-r", "docs", "a.txt"]);
  assertEquals(
    removed.map(({ path, entries }: { path: string; entries: number }) => [path, entries]),
    [
      ["/docs", 4],
      ["/a.txt", 1],
    ],
  );
  assertEquals((await ada.run(["cat", "docs/b.txt"])).code, 3);
  const { trash_bytes, used_bytes } = await ada.json(["df"]);
  assertEquals([trash_bytes, used_bytes], [6, 6]);
  const { items } = await ada.json(["trash", "list"]);
  assertEquals(items.map(({ path }: { path: string }) => path), ["/docs", "/a.txt"]);
  assert((await ada.ok(["trash", "list"])).includes("/docs/"));

  assertEquals((await ada.json(["trash", "restore", items[0].id])).restored[0].path, "/docs");
  assertEquals(await ada.ok(["cat", "docs/deep/c.txt"]), "ccc");
  // A name that is taken meanwhile is not replaced.
  await ada.ok(["put", "-", "a.txt"], { stdin: "new" });
  assertEquals((await ada.run(["trash", "restore", items[1].id])).code, 8);
  const again = await ada.json(["trash", "restore", "--rename", items[1].id]);
  assertEquals(again.restored[0].path, "/a (2).txt");
  assertEquals(await ada.ok(["cat", "a.txt"]), "new");

  await ada.ok(["rm", "a.txt"]);
  assertEquals((await ada.run(["trash", "empty"])).code, 2);
  assertEquals(await ada.json(["trash", "empty", "--yes"]), { items: 1, size_bytes: 3 });
  assertEquals(await used(), 6);
  assertEquals((await ada.json(["trash", "list"])).items, []);
});

Deno.test("rm makes no room until the trash is emptied", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  const text = "x".repeat(700_000);
  await ada.ok(["put", "-", "big"], { stdin: text });
  await ada.ok(["rm", "big"]);
  assertEquals((await ada.run(["put", "-", "big"], { stdin: text })).code, 7);
  await ada.ok(["trash", "empty", "--yes"]);
  await ada.ok(["put", "-", "big"], { stdin: text });
});

Deno.test("rmdir removes empty folders only", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  assertEquals(await ada.json(["rmdir", "empty"]), { folders: ["/empty"] });
  const codes = [];
  for (const path of ["docs", "a.txt", "empty", "/"]) {
    codes.push((await ada.run(["rmdir", path])).code);
  }
  assertEquals(codes, [8, 8, 3, 4]);
});

Deno.test("mv renames, moves into folders, and replaces only when told to", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  assertEquals(await ada.json(["mv", "a.txt", "z.txt"]), { from: "/a.txt", to: "/z.txt" });
  assertEquals((await ada.json(["mv", "z.txt", "docs"])).to, "/docs/z.txt");
  assertEquals((await ada.json(["mv", "docs", "empty/"])).to, "/empty/docs");
  assertEquals(await ada.ok(["cat", "empty/docs/deep/c.txt"]), "ccc");
  assertEquals((await ada.run(["mv", "empty", "empty/docs"])).code, 8);
  assertEquals((await ada.run(["mv", "none", "x"])).code, 3);
  const [from, to] = ["empty/docs/z.txt", "empty/docs/b.txt"];
  assertEquals((await ada.run(["mv", from, to])).code, 8);
  await ada.ok(["mv", "--replace", from, to]);
  assertEquals(await ada.ok(["cat", to]), "a");
  assertEquals((await ada.json(["df"])).used_bytes, 4);
});
