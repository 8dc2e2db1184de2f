import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Person, World } from "./testing.ts";

/** A server and somebody with `a.txt`, `b.txt` and `docs/c.txt` on both sides. */
async function setUp(stack: AsyncDisposableStack): Promise<{ world: World; ada: Person }> {
  const world = stack.use(await World.create());
  const ada = await world.person("ada", await world.serve());
  await ada.register("ada");
  await Deno.mkdir(ada.path("docs"));
  for (const name of ["a.txt", "b.txt", "docs/c.txt"]) {
    await Deno.writeTextFile(ada.path(name), `${name}\n`);
  }
  await ada.ok(["put", "-r", "a.txt", "b.txt", "docs", "/"]);
  return { world, ada };
}

Deno.test("put and get into a folder that is not there end with one error before anything", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  const cases: [args: string[], message: string][] = [
    [["put", "a.txt", "b.txt", "two/"], 'Cannot store in "/two": there is no such folder'],
    [["put", "a.txt", "b.txt", "two"], 'Cannot store in "/two": there is no such folder'],
    [["put", "-r", "a.txt", "two/"], 'Cannot store in "/two": there is no such folder'],
    [["put", "-n", "a.txt", "b.txt", "two/"], 'Cannot store in "/two": there is no such folder'],
    [["get", "*.txt", "got/"], 'Cannot write into "got/": it is no folder'],
    [["get", "a.txt", "b.txt", "got"], 'Cannot write into "got": it is no folder'],
    [["get", "-r", "a.txt", "got/"], 'Cannot write into "got/": it is no folder'],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await ada.run(args);
    assertEquals([code, stderr.split("\n").length], [3, 3], stderr);
    assertStringIncludes(stderr, message);
  }
  const { code, stderr } = await ada.run(["put", "a.txt", "docs", "a.txt", "-r"]);
  assertEquals(code, 8, stderr);
  assertStringIncludes(stderr, 'Cannot store in "/a.txt": it is no folder');
  // A folder among them brings the missing ones above it along.
  await ada.ok(["put", "-r", "a.txt", "docs", "new/deep/"]);
  assertEquals(await ada.ok(["ls", "new/deep"]), "a.txt\ndocs\n");
  await ada.ok(["get", "-r", "a.txt", "docs", "got/deep/"]);
  assertEquals(await Deno.readTextFile(ada.path("got", "deep", "docs", "c.txt")), "docs/c.txt\n");
});

Deno.test("a dry run counts what it would transfer", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  const totals = ({ files, folders, size_bytes }: Record<string, number>) => {
    return { files, folders, size_bytes };
  };
  const expected = { files: 2, folders: 1, size_bytes: 6 + 11 };
  assertEquals(totals(await ada.json(["put", "-nr", "a.txt", "docs", "/"])), expected);
  assertEquals(totals(await ada.json(["get", "-nr", "a.txt", "docs", "."])), expected);
});

Deno.test("cat writes several files and nothing else without a terminal", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  const cases: [args: string[], stdout: string][] = [
    [["cat", "a.txt", "docs/c.txt"], "a.txt\ndocs/c.txt\n"],
    [["cat", "?.txt"], "a.txt\nb.txt\n"],
    [["get", "a.txt", "-"], "a.txt\n"],
  ];
  for (const [args, stdout] of cases) {
    assertEquals(await ada.run(args), { code: 0, stdout, stderr: "" });
  }
  const { code, stdout } = await ada.run(["cat", "a.txt", "none"]);
  assertEquals([code, stdout], [3, "a.txt\n"]);
});

Deno.test("ls shows what is there beside what is not", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  const { code, stdout, stderr } = await ada.run(["ls", "none", "a.txt", "docs", "x*"]);
  assertEquals([code, stdout], [3, "/a.txt\n\n/docs:\nc.txt\n"]);
  assertStringIncludes(stderr, "Nothing matches");
  assertStringIncludes(stderr, '"/none"');
  assertEquals((await ada.run(["--json", "ls", "none", "a.txt"])).stdout, "");
});

Deno.test("verify leaves out what put leaves out", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  await Deno.symlink("c.txt", ada.path("docs", "link"));
  const { code, stdout, stderr } = await ada.run(["verify", "docs", "docs"]);
  assertEquals([code, stdout], [0, ""], stderr);
  assertStringIncludes(stderr, "No difference: 1 file, 11 B; left out 1 link or special file");
  // Where the server has something of the name, the two differ.
  await ada.ok(["put", "a.txt", "docs/link"]);
  const second = await ada.run(["verify", "docs", "docs"]);
  assertEquals([second.code, second.stdout], [6, "type  /docs/link\n"]);
  assertStringIncludes(second.stderr, "1 difference: 1 file");
});

Deno.test("get of a folder without -r says so, also beside a local one of that name", async () => {
  await using stack = new AsyncDisposableStack();
  const { ada } = await setUp(stack);
  const beside = await ada.run(["get", "docs"]);
  await Deno.rename(ada.path("docs"), ada.path("other"));
  const alone = await ada.run(["get", "docs"]);
  for (const { code, stderr } of [beside, alone]) {
    assertEquals(code, 8);
    assertStringIncludes(stderr, '"/docs": it is a folder\n');
    assertStringIncludes(stderr, "pass -r");
  }
});

Deno.test("commands of trivetd name the folder that is none, and what to do", async () => {
  await using world = await World.create();
  const administrator = world.administrator();
  const none = administrator.path("none");
  const { code, stderr } = await administrator.run(["user", "list", "--data", none]);
  assertEquals(code, 3);
  assertStringIncludes(stderr, `"${none}" is no data folder: name one with --data`);
  assert(!stderr.includes("trivet ls"), stderr);
  const quota = await administrator.run(["user", "quota", "bob", "5M"]);
  assertStringIncludes(quota.stderr, 'did you mean "--bytes 5M"?');
  const serve = await administrator.run(["--config", "none.toml", "serve"]);
  assertEquals(serve.code, 3);
  assertStringIncludes(serve.stderr, 'Cannot read config file "none.toml": it does not exist\n');
});
