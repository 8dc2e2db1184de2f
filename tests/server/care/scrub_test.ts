import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { dataFolders } from "../../../server/care/checked_data.ts";
import { type Damage, Scrub, type ScrubOptions } from "../../../server/care/scrub.ts";
import { SqliteCare } from "../../../server/store/sqlite_care.ts";
import { noise, TestServer } from "../testing.ts";

const MIB = 1024 * 1024;

/** The data of a server with an account `ada`, and its database a second time. */
async function setUp(stack: AsyncDisposableStack) {
  const server = stack.use(await TestServer.start());
  await server.addUser("ada");
  const care = SqliteCare.open(join(server.data, "trivet.db"));
  stack.adopt(care, (opened) => opened.close());
  const data = { folders: dataFolders(server.data), care };
  const file = (name: string) => server.home("ada", name);
  return { data, care, file, home: server.home("ada") };
}

type Data = Awaited<ReturnType<typeof setUp>>["data"];

async function scrub(data: Data, options: ScrubOptions = {}) {
  const run = new Scrub(data, options);
  const found: Damage[] = await Array.fromAsync(run.run());
  const { recorded, verified, skipped, changed } = run.summary;
  return {
    found: found.map(({ kind, where }) => `${kind} ${where}`),
    counts: [recorded, verified, skipped, changed],
    round: run.round,
  };
}

/** Changes bytes of a file as a disk would: size and time stay. */
async function damage(path: string, at: number): Promise<void> {
  const { mtime } = await Deno.stat(path);
  using file = await Deno.open(path, { read: true, write: true });
  await file.seek(at, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode("X"));
  await file.utime(mtime ?? new Date(), mtime ?? new Date());
}

Deno.test("Scrub records at first sight, verifies later, and records anew what has changed", async () => {
  await using stack = new AsyncDisposableStack();
  const { data, file } = await setUp(stack);
  await Deno.mkdir(file("d"));
  await Deno.writeFile(file("d/a"), noise(2 * MIB + 1));
  await Deno.writeFile(file("b"), noise(0));
  assertEquals(await scrub(data), {
    found: [],
    counts: [2, 0, 0, 0],
    round: { number: 1, isResumed: false },
  });
  assertEquals((await scrub(data)).counts, [0, 2, 0, 0]);
  await Deno.writeFile(file("b"), noise(1));
  const { mtime } = await Deno.stat(file("d/a"));
  await Deno.writeFile(file("d/a"), noise(2 * MIB + 1, 2));
  await Deno.utime(file("d/a"), new Date(), new Date((mtime?.getTime() ?? 0) + 1));
  assertEquals((await scrub(data)).counts, [2, 0, 0, 0]);
  assertEquals((await scrub(data)).counts, [0, 2, 0, 0]);
});

Deno.test("Scrub finds a changed byte in every round until the file is another one", async () => {
  await using stack = new AsyncDisposableStack();
  const { data, file } = await setUp(stack);
  await Deno.writeFile(file("a"), noise(3 * MIB));
  await Deno.writeFile(file("b"), noise(10));
  await scrub(data);
  await damage(file("a"), 2 * MIB);
  for (let i = 0; i < 3; i++) {
    const { found, counts } = await scrub(data);
    assertEquals(found, ["damaged homes/ada/a"]);
    assertEquals(counts, [0, 1, 0, 0]);
  }
  // A digest goes with its file to another name.
  await Deno.rename(file("a"), file("c"));
  assertEquals((await scrub(data)).found, ["damaged homes/ada/c"]);
  await Deno.rename(file("b"), file("a"));
  assertEquals((await scrub(data)).found, ["damaged homes/ada/c"]);
  await Deno.writeFile(file("new"), noise(3 * MIB));
  await Deno.rename(file("new"), file("c"));
  assertEquals(await scrub(data).then(({ found, counts }) => [found, counts]), [[], [1, 1, 0, 0]]);
});

Deno.test("Scrub goes on where it was interrupted, unless it is told to begin anew", async () => {
  await using stack = new AsyncDisposableStack();
  const { data, file, care } = await setUp(stack);
  for (const name of ["a", "b", "c", "d"]) await Deno.writeFile(file(name), noise(100));
  await scrub(data);
  await damage(file("b"), 5);
  // The first finding, and nothing behind it.
  for await (const found of new Scrub(data).run()) {
    assertEquals(found.where, "homes/ada/b");
    break;
  }
  const resumed = await scrub(data);
  assertEquals(resumed.round, { number: 2, isResumed: true });
  assertEquals(resumed.found, ["damaged homes/ada/b"]);
  const [recorded = 0, verified = 0, skipped = 0] = resumed.counts;
  assertEquals([recorded, verified + skipped], [0, 3]);
  assertEquals((await scrub(data)).round, { number: 3, isResumed: false });

  await care.beginScrub({ restart: false, nowMs: 0 });
  const restarted = await scrub(data, { restart: true });
  assertEquals(restarted.round, { number: 5, isResumed: false });
  assertEquals(restarted.counts, [0, 3, 0, 0]);
});

Deno.test("Scrub forgets files that are gone once a round has ended", async () => {
  await using stack = new AsyncDisposableStack();
  const { data, file, care } = await setUp(stack);
  await Deno.writeFile(file("a"), noise(1));
  await scrub(data);
  const { dev, ino, birthtime } = await Deno.lstat(file("a"));
  const key = [dev, ino ?? "", birthtime?.getTime() ?? ""].join(" ");
  assert(await care.digest(key) !== null);
  await Deno.remove(file("a"));
  await scrub(data);
  assertEquals(await care.digest(key), null);
});

Deno.test("Scrub reads no faster than it may, and ends when it is told to", async () => {
  await using stack = new AsyncDisposableStack();
  const { data, file } = await setUp(stack);
  await Deno.writeFile(file("a"), noise(150_000));
  const start = performance.now();
  await scrub(data, { rate: 200_000 });
  // A quarter of a second may be saved up.
  assert(performance.now() - start >= 450, String(performance.now() - start));
  const abort = new AbortController();
  const slow = scrub(data, { rate: 1, signal: abort.signal });
  abort.abort();
  await assertRejects(() => slow);
});

Deno.test({
  name: "Scrub follows no link",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using stack = new AsyncDisposableStack();
    const { data, file, home } = await setUp(stack);
    await Deno.symlink("/", file("root"));
    await Deno.symlink(join(home, "a"), file("b"));
    await Deno.writeFile(file("a"), noise(1));
    assertEquals((await scrub(data)).counts, [1, 0, 0, 0]);
  },
});
