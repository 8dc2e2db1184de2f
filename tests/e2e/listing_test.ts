import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { onSteadyPort } from "../testing/steady_port.ts";
import { type Person, until, World, writeNoise } from "./testing.ts";

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

Deno.test("cp copies on the server, files, folders and what patterns match", async () => {
  await using stack = new AsyncDisposableStack();
  const ada = await setUp(stack);
  const used = async () => (await ada.json(["df"])).used_bytes;
  const before = await used();
  assertEquals(await ada.json(["cp", "notes.txt", "copy.txt"]), {
    ...{ from: "/notes.txt", to: "/copy.txt", files: 1, folders: 0, size_bytes: 1, skipped: 0 },
  });
  assertEquals((await ada.run(["cp", "photos", "empty"])).code, 8);
  const { stderr } = await ada.run(["cp", "-r", "photos", "empty"]);
  assertEquals(stderr, "Copied /photos to /empty/photos: 4 files, 2.9 KiB\n");
  assertEquals(await ada.ok(["cat", "empty/photos/raw/.thumb"]), "t");
  const { copied } = await ada.json(["cp", "photos/*.jpg", "notes.txt", "empty/"]);
  assertEquals(copied.map(({ to }: { to: string }) => to), [
    ...["/empty/beach.jpg", "/empty/dunes.jpg", "/empty/notes.txt"],
  ]);
  assertEquals(await used(), before + 1 + 3007 + 7);
  assertEquals((await ada.run(["cp", "notes.txt", "copy.txt"])).code, 8);
  await ada.ok(["cp", "--replace", "photos/beach.jpg", "copy.txt"]);
  assertEquals(await ada.ok(["cat", "copy.txt"]), "bbbb");
  const codes = [];
  for (
    const args of [["-r", "photos", "photos/raw"], ["none", "x"], ["none*", "x"], ["*.txt", "x"]]
  ) {
    codes.push((await ada.run(["cp", ...args])).code);
  }
  assertEquals(codes, [8, 3, 3, 3]);
});

Deno.test("cp that dies with the server leaves nothing behind and nothing uncounted", async () => {
  await using world = await World.create();
  const server = await world.serve(onSteadyPort());
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const bytes = 60_000_000;
  writeNoise(ada.path("big"), bytes);
  await ada.ok(["mkdir", "from"]);
  for (const name of ["a", "b", "c"]) await ada.ok(["put", "big", `from/${name}`]);
  const copying = ada.spawn(["cp", "-r", "from", "to"]);
  const ended = copying.output();
  const parts = join(world.data, "parts");
  await until(() => Array.from(Deno.readDirSync(parts)).length > 1, "parts of copies");
  await server.stop("SIGKILL");
  assertEquals((await ended).code === 0, false);

  await world.serve(["--port", String(server.port)]);
  assertEquals(Array.from(Deno.readDirSync(parts)).map(({ name }) => name), []);
  const { listings } = await ada.json(["ls", "to"]);
  const copies = listings[0].entries.length;
  const { used_bytes } = await ada.json(["df"]);
  assertEquals(used_bytes, (3 + copies) * bytes);
  await ada.ok(["cp", "-r", "from", "new"]);
  assertEquals((await ada.json(["df"])).used_bytes, (6 + copies) * bytes);
});

Deno.test("cp that is interrupted ends on the server too, and leaves nothing behind", async () => {
  await using world = await World.create();
  const ada = await world.person("ada", await world.serve());
  await ada.register("ada");
  // By hand, and thus not counted.
  writeNoise(join(world.data, "homes", "ada", "big"), 300_000_000);
  const copying = ada.spawn(["cp", "big", "copy"]);
  const ended = copying.output();
  const parts = () => Array.from(Deno.readDirSync(join(world.data, "parts"))).length;
  await until(() => parts() > 0, "a part");
  copying.kill("SIGINT");
  assertEquals((await ended).code, 130);
  await until(() => parts() === 0, "the end of the copy");
  assertEquals(await ada.ok(["ls"]), "big\n");
  assertEquals((await ada.json(["df"])).used_bytes, 0);
});
