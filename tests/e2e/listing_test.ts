import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Person, World } from "./testing.ts";

const FILES: readonly (readonly [path: string, text: string])[] = [
  ["notes.txt", "n"],
  [".secret", "s"],
  ["photos/beach.jpg", "bbbb"],
  ["photos/dunes.jpg", "dd"],
  ["photos/raw/beach.raw", "r".repeat(3000)],
  ["photos/raw/.thumb", "t"],
  ["*", "star"],
];

/** A server and somebody with the files above. */
async function setUp(stack: AsyncDisposableStack): Promise<Person> {
  const world = stack.use(await World.create());
  const ada = await world.person("ada", await world.serve());
  await ada.register("ada");
  await ada.ok(["mkdir", "-p", "photos/raw", "empty"]);
  for (const [path, text] of FILES) await ada.ok(["put", "-", path], { stdin: text });
  return ada;
}

Deno.test("ls hides names with a dot, sorts, goes down, and takes patterns", async () => {
  await using stack = new AsyncDisposableStack();
  const ada = await setUp(stack);
  const ls = async (...args: string[]) => (await ada.ok(["ls", ...args])).trimEnd().split("\n");
  assertEquals(await ls(), ["*", "empty", "notes.txt", "photos"]);
  assertEquals(await ls("-a"), ["*", ".secret", "empty", "notes.txt", "photos"]);
  assertEquals(await ls("-S", "photos"), ["beach.jpg", "dunes.jpg", "raw"]);
  assertEquals(await ls("-Sr", "photos"), ["raw", "dunes.jpg", "beach.jpg"]);
  assertEquals((await ls("-t", "photos"))[0], "raw");
  assertEquals(await ls("-R", "photos"), [
    ...["/photos:", "beach.jpg", "dunes.jpg", "raw", "", "/photos/raw:", "beach.raw"],
  ]);
  assertMatch((await ls("-lh", "photos/raw")).join(), /^-rw\S+ +2\.9 KiB .* beach\.raw$/);
  assertEquals(await ls("photos/*.jpg", "notes.txt"), [
    ...["/photos/beach.jpg", "/photos/dunes.jpg", "/notes.txt"],
  ]);
  assertEquals(await ls("**/*.{jpg,raw}"), [
    ...["/photos/beach.jpg", "/photos/dunes.jpg", "/photos/raw/beach.raw"],
  ]);
  // A file that is called so goes before what the sign could stand for.
  assertEquals(await ls("*"), ["/*"]);
  assertEquals(await ls("\\*"), ["/*"]);
  const { listings } = await ada.json(["ls", "-a", "photos/ra?", "notes.txt"]);
  assertEquals(
    listings.map(({ path, entries }: { path: string; entries: { name: string }[] }) => [
      path,
      ...entries.map(({ name }) => name),
    ]),
    [["/notes.txt", "notes.txt"], ["/photos/raw", ".thumb", "beach.raw"]],
  );
  const codes = [];
  for (const args of [["none*"], ["none"], ["-S", "-t"], ["{1..999}"]]) {
    codes.push((await ada.run(["ls", ...args])).code);
  }
  assertEquals(codes, [3, 3, 2, 2]);
});

Deno.test("tree draws and find finds", async () => {
  await using stack = new AsyncDisposableStack();
  const ada = await setUp(stack);
  assertEquals(
    await ada.ok(["tree"]),
    `/
├── *
├── empty/
├── notes.txt
└── photos/
    ├── beach.jpg
    ├── dunes.jpg
    └── raw/
        └── beach.raw

3 folders, 5 files
`,
  );
  const drawn = await ada.ok(["tree", "--depth", "1", "-a", "photos/raw"]);
  assertEquals(
    drawn,
    "/photos/raw\n├── .thumb\n└── beach.raw\n\n0 folders, 2 files\n",
  );
  assertEquals((await ada.json(["tree", "-d1"])).entries.length, 4);

  const find = async (...args: string[]) => (await ada.ok(["find", ...args])).split("\n");
  assertEquals(await find("BEACH.*", "-i"), ["/photos/beach.jpg", "/photos/raw/beach.raw", ""]);
  assertEquals(await find("*", "photos", "--type", "folder"), ["/photos/raw", ""]);
  assertEquals(await find("r*/*", "photos"), ["/photos/raw/.thumb", "/photos/raw/beach.raw", ""]);
  assertEquals(await find("\\*"), ["/*", ""]);
  assertEquals(await find("none"), [""]);
  const { found } = await ada.json(["find", "*.raw"]);
  assertEquals([found[0].path, found[0].size_bytes], ["/photos/raw/beach.raw", 3000]);
  assertEquals((await ada.run(["find", "x", "none"])).code, 3);
});

Deno.test("rm, rmdir, mv and stat take several paths and patterns", async () => {
  await using stack = new AsyncDisposableStack();
  const ada = await setUp(stack);
  const { entries } = await ada.json(["stat", "photos/*.jpg", "notes.txt"]);
  assertEquals(entries.map(({ path }: { path: string }) => path), [
    ...["/photos/beach.jpg", "/photos/dunes.jpg", "/notes.txt"],
  ]);
  assertEquals((await ada.json(["mv", "photos/*.jpg", "notes.txt", "empty"])).moved, [
    { from: "/photos/beach.jpg", to: "/empty/beach.jpg" },
    { from: "/photos/dunes.jpg", to: "/empty/dunes.jpg" },
    { from: "/notes.txt", to: "/empty/notes.txt" },
  ]);
  assertEquals((await ada.run(["mv", "empty/*", "*"])).code, 8);
  assertEquals((await ada.run(["mv", "empty/*", "none"])).code, 3);
  assertEquals((await ada.run(["mv", "empty/notes.txt", "x"])).code, 0);

  // What is in a folder that goes is not removed on its own.
  const { removed } = await ada.json(["rm", "-r", "photos/**", "empty/*.jpg"]);
  assertEquals(
    removed.map(({ path }: { path: string }) => path),
    ["/photos/raw", "/empty/beach.jpg", "/empty/dunes.jpg"],
  );
  assertEquals(await ada.json(["rmdir", "{photos,empty}"]), { folders: ["/empty", "/photos"] });
  assertEquals((await ada.run(["rm", "\\?"])).code, 3);
  assert((await ada.ok(["ls"])).includes("*"));
  assertEquals(await ada.ok(["rm", "\\*"]), "");
  assertEquals(await ada.ok(["ls"]), "x\n");
});
