import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path/posix";
import { onSteadyPort } from "../testing/steady_port.ts";
import { type Person, type Result, until, World, writeNoise } from "./testing.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a tree is made of. */
interface TreeShape {
  readonly smallFiles: number;
  readonly smallBytes: number;
  readonly largeBytes: readonly number[];
}

/** Makes a tree with something of everything. */
function makeTree(tree: string, { smallFiles, smallBytes, largeBytes }: TreeShape): void {
  const noise = crypto.getRandomValues(new Uint8Array(smallBytes));
  for (let i = 0; i < smallFiles; i++) {
    const folder = join(tree, `d${i % 7}`, `e${i % 13}`);
    if (i < 7 * 13) Deno.mkdirSync(folder, { recursive: true });
    noise[i % smallBytes] = i;
    const path = join(folder, `file ${i}.txt`);
    Deno.writeFileSync(path, noise.subarray(0, smallBytes - i % 100));
    Deno.utimeSync(path, 1e9 + i, 1e9 + i);
  }
  for (const [i, bytes] of largeBytes.entries()) {
    writeNoise(join(tree, `large ${i}`), bytes, i + 1);
    Deno.utimeSync(join(tree, `large ${i}`), 1.1e9 + i, 1.1e9 + i);
  }
  Deno.mkdirSync(join(tree, "empty", "folder"), { recursive: true });
  Deno.writeFileSync(join(tree, "empty", "file"), new Uint8Array());
  Deno.writeTextFileSync(join(tree, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  Deno.writeTextFileSync(join(tree, "\u00fcml\u00e4ut \u{1f4be}"), "name");
  for (const path of ["empty/folder", "empty", "run.sh", "d1/e1", "d1", "."]) {
    Deno.utimeSync(join(tree, path), 1.2e9, 1.2e9);
  }
}

/** Every file and folder with all that a transfer keeps. */
function linesOf(folder: string, below = ""): string[] {
  const names = Array.from(Deno.readDirSync(join(folder, below)), ({ name }) => name).sort();
  return names.flatMap((name) => {
    const path = join(below, name);
    const { isDirectory, mtime, mode, size } = Deno.lstatSync(join(folder, path));
    const bits = isDirectory ? "d" : ((mode ?? 0) & 0o111) === 0 ? "-" : "x";
    const line = `${bits} ${path} ${isDirectory ? "" : size} ${mtime?.getTime()}`;
    return [line, ...(isDirectory ? linesOf(folder, path) : [])];
  });
}

/** Bytes of all files below a folder. */
function bytesOf(folder: string): number {
  let sum = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    sum += isDirectory ? bytesOf(path) : Deno.statSync(path).size;
  }
  return sum;
}

function countFiles(folder: string): number {
  let count = 0;
  try {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      count += isDirectory ? countFiles(join(folder, name)) : 1;
    }
  } catch {
    // It is not there yet.
  }
  return count;
}

const hasRsync = await new Deno.Command("rsync", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

/** Two trees hold the same: by their own listing, and as rsync sees it, with checksums. */
async function assertSame(one: string, two: string): Promise<void> {
  const [left, right] = [linesOf(one), linesOf(two)];
  const [inOne, inTwo] = [new Set(left), new Set(right)];
  const differing = [
    ...left.filter((line) => !inTwo.has(line)).map((line) => `- ${line}`),
    ...right.filter((line) => !inOne.has(line)).map((line) => `+ ${line}`),
  ];
  assertEquals(differing.slice(0, 10), []);
  if (!hasRsync) {
    // deno-lint-ignore no-console -- What was not compared is told.
    console.error("skipped: no rsync to compare with");
    return;
  }
  const { stdout, success } = await new Deno.Command("rsync", {
    args: ["-ainc", "--delete", `${one}/`, `${two}/`],
  }).output();
  assertEquals([success, new TextDecoder().decode(stdout)], [true, ""]);
}

async function withAda(
  test: (ada: Person, world: World) => Promise<void>,
  options: readonly string[] = [],
): Promise<void> {
  await using world = await World.create();
  const ada = await world.person("ada", await world.serve(options));
  await ada.register("ada");
  await test(ada, world);
}

function homeOf(world: World, ...path: string[]): string {
  return join(world.data, "homes", "ada", ...path);
}

async function usedBytes(ada: Person): Promise<number> {
  return (await ada.json(["df"])).used_bytes;
}

async function resultOf(process: Deno.ChildProcess): Promise<Result> {
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

for (const durability of ["commit", "os"] as const) {
  Deno.test(`put -r and get -r keep a tree as it is, durability "${durability}"`, () =>
    withAda(async (ada, world) => {
      const tree = ada.path("tree");
      makeTree(tree, {
        smallFiles: 1000,
        smallBytes: 4 * KIB,
        largeBytes: [64 * KIB, 64 * KIB + 1, 3 * MIB, 9 * MIB],
      });
      const options = ["--durability", durability];
      const sent = await ada.json(["put", "-r", "tree", ...options]);
      const bytes = bytesOf(tree);
      const done = { files: 1007, size_bytes: bytes, folders: 101, skipped: 0, left_out: [] };
      assertEquals({ ...sent, seconds: 0 }, { ...done, seconds: 0 });
      await assertSame(tree, homeOf(world, "tree"));
      assertEquals(await usedBytes(ada), bytes);
      const got = await ada.json(["get", "-r", "tree", "down", ...options]);
      assertEquals({ ...got, seconds: 0 }, { ...done, seconds: 0 });
      await assertSame(tree, ada.path("down"));
      const mtimes = [tree, ada.path("down"), homeOf(world, "tree")].map((path) =>
        Deno.statSync(path).mtime?.getTime()
      );
      assertEquals(mtimes, [1.2e12, 1.2e12, 1.2e12]);
      // The same once more changes nothing, and counts nothing twice.
      await ada.ok(["put", "-r", "tree", ...options]);
      await ada.ok(["get", "-r", "tree", "down/..", ...options]);
      await assertSame(tree, homeOf(world, "tree"));
      assertEquals(await usedBytes(ada), bytes);
    }));
}

Deno.test("put and get take several arguments, patterns, --exclude and --dry-run", () =>
  withAda(async (ada, world) => {
    for (const path of ["p/a.jpg", "p/b.jpg", "p/c.txt", "p/.git/x", "q/a.log", "notes"]) {
      await Deno.mkdir(ada.path(path, ".."), { recursive: true });
      await Deno.writeTextFile(ada.path(path), path);
    }
    const home = () => linesOf(homeOf(world)).map((line) => line.split(" ")[1]);
    const dry = await ada.ok(["put", "-r", "-n", "p", "notes", "/", "--exclude", ".git"]);
    assertEquals(dry.trimEnd().split("\n"), [
      "p/ -> /p/",
      "p/a.jpg -> /p/a.jpg",
      "p/b.jpg -> /p/b.jpg",
      "p/c.txt -> /p/c.txt",
      "notes -> /notes",
    ]);
    assertEquals(home(), []);
    await ada.ok(["put", "-r", "p", "q", "notes", "/", "--exclude", ".git", "--exclude", "*.log"]);
    const stored = ["notes", "p", "p/a.jpg", "p/b.jpg", "p/c.txt", "q"];
    assertEquals(home(), stored);

    const missing = await ada.run(["put", "p/a.jpg", "p/b.jpg", "nowhere"]);
    assertEquals(missing.code, 3, missing.stderr);
    const folder = await ada.run(["put", "p", "notes", "/"]);
    assertStringIncludes(folder.stderr, "--recursive");
    const twice = await ada.run(["put", "-r", "p/a.jpg", "q/../p/a.jpg", "/"]);
    assertEquals(twice.code, 2, twice.stderr);
    assertEquals(home(), stored);

    await Deno.mkdir(ada.path("out"));
    const plan = await ada.json(["get", "-n", "p/*.jpg", "out"]);
    assertEquals(plan.plan.map(({ from, to }: Record<string, string>) => `${from} ${to}`), [
      "/p/a.jpg out/a.jpg",
      "/p/b.jpg out/b.jpg",
    ]);
    const out = () => linesOf(ada.path("out")).map((line) => line.split(" ")[1]);
    assertEquals(out(), []);
    await ada.ok(["get", "p/*.jpg", "notes", "out"]);
    assertEquals(out(), ["a.jpg", "b.jpg", "notes"]);
    await ada.ok(["get", "-r", "p", "out/", "--exclude", "/*.jpg"]);
    assertEquals(out(), ["a.jpg", "b.jpg", "notes", "p", "p/c.txt"]);
    const none = await ada.run(["get", "p/*.png", "out"]);
    assertEquals(none.code, 3, none.stderr);
    const nowhere = await ada.run(["get", "p/*.jpg", "nowhere"]);
    assertEquals(nowhere.code, 3, nowhere.stderr);
  }));

Deno.test("put -r and get -r do with taken names what --overwrite says", () =>
  withAda(async (ada, world) => {
    await Deno.mkdir(ada.path("t"));
    const write = async (text: string) => {
      for (const name of ["a", "b"]) await Deno.writeTextFile(ada.path("t", name), text);
    };
    await write("old");
    await ada.ok(["put", "-r", "t"]);
    await write("newer");
    const skipped = await ada.json(["put", "-r", "t", "--overwrite", "skip"]);
    assertEquals([skipped.files, skipped.skipped], [0, 2]);
    const failed = await ada.run(["--json", "put", "-r", "t", "--overwrite", "fail"]);
    assertEquals(failed.code, 1);
    const { left_out } = JSON.parse(failed.stdout);
    assertEquals(left_out.map(({ reason }: { reason: string }) => reason), ["EXISTS", "EXISTS"]);
    const sizes = () =>
      linesOf(homeOf(world, "t")).map((line) => line.replace(/^- (.*) \d+$/, "$1"));
    assertEquals(sizes(), ["a 3", "b 3"]);
    await ada.ok(["put", "-r", "t", "--overwrite", "rename"]);
    assertEquals(sizes(), ["a 3", "a (2) 5", "b 3", "b (2) 5"]);
    const down = await ada.json(["get", "-r", "t", ".", "--overwrite", "skip"]);
    assertEquals([down.files, down.skipped], [2, 2]);
    assertEquals(await Deno.readTextFile(ada.path("t", "a")), "newer");
    assertEquals(await usedBytes(ada), 16);
  }));

Deno.test("a tree with what cannot be sent says so: by rule with exit code 0, else with 1", () =>
  withAda(async (ada) => {
    await Deno.mkdir(ada.path("t", "d"), { recursive: true });
    await Deno.writeTextFile(ada.path("t", "good"), "1");
    await Deno.writeTextFile(ada.path("outside"), "22");
    await Deno.symlink("../outside", ada.path("t", "link"));
    await Deno.symlink("..", ada.path("t", "d", "up"));
    await new Deno.Command("mkfifo", { args: [ada.path("t", "pipe")] }).output();
    const byRule = await ada.run(["--json", "put", "-r", "t"]);
    assertEquals(byRule.code, 0, byRule.stderr);
    const left = (result: Result) =>
      JSON.parse(result.stdout).left_out.map((left: Record<string, string>) =>
        `${left.reason} ${left.path}`
      );
    assertEquals(left(byRule), ["link t/d/up", "link t/link", "special t/pipe"]);
    const words = await ada.run(["put", "-r", "t"]);
    assertStringIncludes(words.stderr, 'Left out "t/link": it is a symbolic link');
    assertStringIncludes(words.stderr, "Left out 3: 3 links or special files");

    const followed = await ada.run(["--json", "put", "-r", "t", "/f", "--links", "follow"]);
    assertEquals(followed.code, 0, followed.stderr);
    assertEquals(left(followed), ["link t/d/up", "special t/pipe"]);
    assertEquals(JSON.parse(followed.stdout).files, 2);

    await Deno.writeTextFile(ada.path("t", "bad\nname"), "1");
    const refused = await ada.run(["--json", "put", "-r", "t"]);
    assertEquals(refused.code, 1, refused.stderr);
    assertEquals(left(refused).filter((text: string) => text.startsWith("PATH_CONTROL")).length, 1);
    assertEquals(JSON.parse(refused.stdout).files, 1);
  }));

Deno.test("put -r beyond the quota ends with exit code 7, and the same command goes on later", () =>
  withAda(async (ada, world) => {
    writeNoise(ada.path("filler"), 4 * MIB);
    await ada.ok(["put", "filler"]);
    makeTree(ada.path("t"), { smallFiles: 300, smallBytes: 20 * KIB, largeBytes: [MIB] });
    const full = await ada.run(["put", "-r", "t"]);
    assertEquals(full.code, 7, full.stderr);
    assertStringIncludes(full.stderr, "of 304 files");
    // What was given up may still be worked off by the server.
    await until(async () => {
      const { used_bytes, partial_bytes } = await ada.json(["df"]);
      return used_bytes - partial_bytes === bytesOf(homeOf(world));
    }, "the account to be what is there");
    const stored = linesOf(homeOf(world, "t")).filter((line) => !line.startsWith("d"));
    assert(stored.length > 0, "something was sent");
    const local = new Set(linesOf(ada.path("t")));
    for (const line of stored) assert(local.has(line), `${line} is whole`);
    await ada.ok(["rm", "filler"]);
    await ada.ok(["trash", "empty", "--yes"]);
    await ada.ok(["put", "-r", "t"]);
    await assertSame(ada.path("t"), homeOf(world, "t"));
    assertEquals(await usedBytes(ada), bytesOf(ada.path("t")));
  }, ["--default-quota", "9M"]));

const SLOW: TreeShape = {
  smallFiles: 2000,
  smallBytes: 16 * KIB,
  largeBytes: [10 * MIB, 10 * MIB, 10 * MIB],
};

Deno.test("kill -9 of the server within put -r: df stays exact, and the same command goes on", async () => {
  await using world = await World.create();
  let server = await world.serve(onSteadyPort());
  const port = ["--port", String(server.port)];
  const ada = await world.person("ada", server);
  await ada.register("ada");
  makeTree(ada.path("t"), SLOW);
  for (const [round, durability] of ["commit", "os", "commit"].entries()) {
    // With the slash, the same command means the same when the folder is there.
    const args = ["put", "-r", "t", `/t${round}/`, "--durability", durability];
    const before = countFiles(homeOf(world));
    const running = ada.spawn([...args, "--limit-rate", "30M"]);
    const ended = resultOf(running);
    const isFar = () => countFiles(homeOf(world)) > before + 300 * (round + 1);
    await until(isFar, "some files");
    await server.stop("SIGKILL");
    const isLast = round === 2;
    // In the last round, the client itself goes on.
    if (!isLast) running.kill("SIGKILL");
    server = await world.serve(port);
    const { code, stderr } = await ended;
    if (isLast) assertEquals(code, 0, stderr);
    else {
      const { used_bytes, partial_bytes } = await ada.json(["df"]);
      assertEquals(used_bytes - partial_bytes, bytesOf(homeOf(world)));
      await ada.ok(args);
    }
    await assertSame(ada.path("t"), homeOf(world, `t${round}`, "t"));
    assertEquals(await usedBytes(ada), (round + 1) * bytesOf(ada.path("t")));
    assertEquals([...Deno.readDirSync(join(world.data, "parts"))], []);
  }
});

Deno.test("Ctrl-C ends put -r and get -r at once, and the same command goes on", () =>
  withAda(async (ada, world) => {
    makeTree(ada.path("t"), SLOW);
    const interrupt = async (args: string[], isFar: () => boolean) => {
      const running = ada.spawn([...args, "--limit-rate", "2M"]);
      const ended = resultOf(running);
      await until(isFar, "some files");
      const startedMs = performance.now();
      running.kill("SIGINT");
      const { code, stderr } = await ended;
      assertEquals(code, 130, stderr);
      assert(performance.now() - startedMs < 10_000, "it ended long before its time");
      assertStringIncludes(stderr, "files");
    };
    await interrupt(["put", "-r", "t"], () => countFiles(homeOf(world)) > 100);
    await ada.ok(["put", "-r", "t"]);
    await assertSame(ada.path("t"), homeOf(world, "t"));
    assertEquals(await usedBytes(ada), bytesOf(ada.path("t")));
    await interrupt(["get", "-r", "t", "down"], () => countFiles(ada.path("down")) > 100);
    // What is in "t" goes into what is there, whose own time is nobody's business.
    await ada.ok(["get", "-r", "t/*", "down"]);
    Deno.utimeSync(ada.path("down"), 1.2e9, 1.2e9);
    await assertSame(ada.path("t"), ada.path("down"));
  }));
