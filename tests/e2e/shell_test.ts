import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { World } from "./testing.ts";

Deno.test("trivet shell: a script moves files by relative paths over one login", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  await Deno.mkdir(ada.path("local"));
  await Deno.writeTextFile(ada.path("local", "two words.txt"), "content\n");
  const script = `
# Comments and empty lines are nothing.
mkdir -p photos/2026
cd photos/2026   # here
pwd
lcd local
put 'two words.txt'
put "two words.txt" ../copy.txt
ls
cat ./two\\ words.txt
cd ..
mv copy.txt 2026/
ls . 2026/.
cd ../../..
pwd
get photos/2026/copy.txt ../copy.txt
lls ..
stat /photos/2026/copy.txt --json
`;
  const { code, stdout, stderr } = await ada.run(["--quiet"], { stdin: script });
  assertEquals(code, 0, stderr);
  const [entry = ""] = stdout.split("\n").slice(-2);
  assertEquals(JSON.parse(entry).path, "/photos/2026/copy.txt");
  assertEquals(stdout.split("\n").slice(0, -2), [
    "/photos/2026",
    "two words.txt",
    "content",
    "/photos:",
    "2026",
    "",
    "/photos/2026:",
    "copy.txt",
    "two words.txt",
    "/",
    "config",
    "copy.txt",
    "local",
  ]);
  assertEquals(await Deno.readTextFile(ada.path("copy.txt")), "content\n");
});

Deno.test("trivet shell: a script ends at the first error, or goes on when it is told to", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  const script = "mkdir one\ncat missing\nmkdir one\nmkdir two\n";
  const ended = await ada.run(["shell"], { stdin: script });
  assertEquals(ended.code, 3, ended.stderr);
  assertStringIncludes(ended.stderr, "Line 2 ended with exit code 3");
  assertEquals(await ada.ok(["ls"]), "one\n");
  const kept = await ada.run(["shell", "--keep-going"], { stdin: script });
  assertEquals(kept.code, 8, kept.stderr);
  assertEquals(await ada.ok(["ls"]), "one\ntwo\n");
  const lines: readonly (readonly [line: string, code: number])[] = [
    ["ls 'open", 2],
    ["nonsense", 2],
    ["put - name", 2],
    ["ls ..", 0],
    ["cat /..", 8],
    ["cd missing", 3],
    ["exit\nnonsense", 0],
    ["nonsense\nexit", 2],
    ["ls --server 127.0.0.1:1", 4],
    [`#${"x".repeat(4095)}`, 0],
    [`#${"x".repeat(4096)}`, 2],
  ];
  for (const [line, code] of lines) {
    const result = await ada.run(["shell"], { stdin: line });
    assertEquals(result.code, code, `${line.slice(0, 80)}: ${result.stderr}`);
  }
});

Deno.test("trivet without a command and without input shows the help", async () => {
  await using world = await World.create();
  const ada = await world.person("ada");
  for (const stdin of [undefined, ""]) {
    const { code, stdout, stderr } = await ada.run([], stdin === undefined ? {} : { stdin });
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^Usage: trivet /);
  }
  assertEquals((await ada.run(["shell"], { stdin: "" })).code, 0);
});

Deno.test("trivet shell: the password can stand in front of the script", async () => {
  await using world = await World.create();
  const server = await world.serve();
  const ada = await world.person("ada", server);
  await ada.register("ada");
  await ada.ok(["logout"]);
  const stdin = "correct horse battery staple\nmkdir made\nls\nwhoami --json\n";
  const argv = ["--user", "ada", "--password-stdin"];
  const { code, stdout, stderr } = await ada.run(argv, { stdin });
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^made\n\{"user":"ada"/);
});
