import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { onSteadyPort } from "../testing/steady_port.ts";
import { atTerminal, HAS_EXPECT } from "./at_terminal.ts";
import { World, writeNoise } from "./testing.ts";

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
  assertEquals(ended.stderr.match(/line \d+/gi), ["line 2"], ended.stderr);
  assertStringIncludes(ended.stderr, "trivet: line 2: ");
  assertEquals(await ada.ok(["ls"]), "one\n");
  const kept = await ada.run(["shell", "--keep-going"], { stdin: `${script}'open\n` });
  assertEquals(kept.code, 8, kept.stderr);
  assertEquals(
    kept.stderr.match(/line \d+/gi)?.map((text) => text.at(-1)),
    [..."1235"],
    kept.stderr,
  );
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

Deno.test("trivet shell: goes on with a server that was started anew", async () => {
  await using world = await World.create();
  const before = await world.serve(onSteadyPort());
  const ada = await world.person("ada", before);
  await ada.register("ada");
  await using shell = ada.spawn(["shell", "--keep-going"], { stdin: "" });
  const lines = shell.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const writer = shell.stdin.getWriter();
  const type = (line: string) => writer.write(new TextEncoder().encode(`${line}\n`));
  await type("mkdir one");
  await type("ls");
  assertEquals((await lines.read()).value, "one");
  await before.stop();
  // While nobody is there, a command fails; the shell does not.
  await type("ls");
  await type("lpwd");
  assertEquals((await lines.read()).value, await Deno.realPath(ada.home));
  await world.serve(["--port", String(before.port)]);
  await type("ls");
  assertEquals((await lines.read()).value, "one");
  await writer.close();
  assertEquals((await lines.read()).done, true);
  assertMatch(await new Response(shell.stderr).text(), /trivet: line 3: /);
  assertEquals((await shell.status).code, 5);
});

Deno.test({
  name: "at a terminal: trivet alone is a shell that completes, edits, and outlives errors" +
    (HAS_EXPECT ? "" : " (skipped: expect is not installed)"),
  ignore: !HAS_EXPECT,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve();
    const ada = await world.person("ada", server);
    await ada.register("ada");
    await ada.ok(["mkdir", "photos"]);
    await Deno.writeTextFile(ada.path("two words.txt"), "content");
    const root = "ada@127.0.0.1:/> ";
    const inside = "ada@127.0.0.1:/photos> ";
    const { screen, code } = await atTerminal(ada, [], [
      [root, "cd ph\t\r"],
      [inside, "put two\t\r"],
      ["sent", ""],
      [inside, "cat missing\r"],
      ["List the folder", ""],
      [inside, "rubbish\x03sta\ttwo\t--js\t\r"],
      ['"path":"/photos/two words.txt"', ""],
      [inside, "whoami --password-file nothing\r"],
      [inside, "\x04"],
    ]);
    assertEquals(code, 0, screen);
    const history = ada.path("state", "trivet", "history");
    assertEquals(((await Deno.stat(history)).mode ?? 0) & 0o777, 0o600);
    assertEquals(
      await Deno.readTextFile(history),
      [
        "cd photos/",
        "put two\\ words.txt ",
        "cat missing",
        "stat two\\ words.txt --json ",
        "",
      ].join("\n"),
    );
    // The next shell finds them again.
    const again = await atTerminal(ada, ["shell"], [
      [root, "\x1b[A\x1b[A\x1b[A\x1b[A\r"],
      [inside, "exit\r"],
    ]);
    assertEquals(again.code, 0, again.screen);
  },
});

Deno.test({
  name: "at a terminal: Ctrl-C ends what a shell runs, and not the shell" +
    (HAS_EXPECT ? "" : " (skipped: expect is not installed)"),
  ignore: !HAS_EXPECT,
  fn: async () => {
    await using world = await World.create();
    const server = await world.serve();
    const ada = await world.person("ada", server);
    await ada.register("ada");
    writeNoise(ada.path("big.iso"), 60 * 1024 * 1024);
    const prompt = "ada@127.0.0.1:/> ";
    const { screen, code } = await atTerminal(ada, [], [
      [prompt, "put big.iso --limit-rate 12M\r"],
      [/ 3\d%/, "\x03"],
      ["To go on: put big.iso --limit-rate 12M", ""],
      [prompt, "put big.iso --limit-rate 12M\r"],
      ["[Y/n]?", "y\r"],
      [/ 6\d%/, "\x03"],
      [prompt, "put big.iso\r"],
      ["[Y/n]?", "y\r"],
      [prompt, "trash empty\r"],
      ["[y/N]?", "\x03"],
      // The very first key after a question that was given up counts.
      [prompt, "ls -l\r"],
      [/62914560 .*big\.iso/, ""],
      [prompt, "logout\r"],
      ["trivet> ", "ls\r"],
      ["Log in with trivet login", ""],
      ["trivet> ", "login ada\r"],
      ["Password:", "correct horse battery staple\r"],
      [prompt, "quit\r"],
    ]);
    assertEquals(code, 0, screen);
    assertMatch(screen, /Interrupted at 3\d %/);
  },
});
