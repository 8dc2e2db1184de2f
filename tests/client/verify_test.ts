import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { NetdiskClient } from "../../client/netdisk.ts";
import { type Difference, TreeVerifier } from "../../client/verify.ts";
import { noise, TestServer } from "../server/testing.ts";

const MIB = 1024 * 1024;

/** A server with the home of `ada`, a local folder, and a client. */
async function setUp(stack: AsyncDisposableStack) {
  const server = stack.use(await TestServer.start());
  const token = await server.addUser("ada");
  const local = await Deno.makeTempDir({ prefix: "trivet-test-" });
  stack.defer(() => Deno.remove(local, { recursive: true }));
  const client = stack.use(
    await NetdiskClient.connect({
      server: `127.0.0.1:${server.port}`,
      credentials: { token },
      plain: true,
    }),
  );
  return { home: server.home("ada"), local, client };
}

async function compare(client: NetdiskClient, local: string, path: string[], isFolder: boolean) {
  const verifier = new TreeVerifier(client);
  const found: Difference[] = await Array.fromAsync(verifier.differences(local, path, isFolder));
  return { found, ...verifier.summary };
}

Deno.test("TreeVerifier names the byte ranges in which two files differ", async () => {
  await using stack = new AsyncDisposableStack();
  const { home, local, client } = await setUp(stack);
  const content = noise(4 * MIB + 10);
  const here = join(local, "f");
  await Deno.writeFile(here, content);
  const cases: [name: string, theirs: Uint8Array, ranges: number[][]][] = [
    ["the same", content, []],
    ["first byte", withFlips(content, [0]), [[0, MIB]]],
    ["last byte", withFlips(content, [4 * MIB + 9]), [[4 * MIB, 4 * MIB + 10]]],
    ["neighbours", withFlips(content, [MIB, 3 * MIB - 1]), [[MIB, 3 * MIB]]],
    ["apart", withFlips(content, [1, 2 * MIB]), [[0, MIB], [2 * MIB, 3 * MIB]]],
    ["shorter there", content.subarray(0, 2 * MIB), [[2 * MIB, 4 * MIB + 10]]],
    ["empty there", content.subarray(0, 0), [[0, 4 * MIB + 10]]],
    ["longer there", noise(5 * MIB), [[4 * MIB, 5 * MIB]]],
  ];
  for (const [name, theirs, ranges] of cases) {
    await Deno.writeFile(join(home, "f"), theirs);
    const { found, files, bytes } = await compare(client, here, ["f"], false);
    assertEquals(found.flatMap((each) => each.ranges.map((range) => [...range])), ranges, name);
    assertEquals([files, bytes], [1, content.length], name);
  }
  await Deno.writeFile(here, new Uint8Array(0));
  await Deno.writeFile(join(home, "f"), new Uint8Array(0));
  assertEquals((await compare(client, here, ["f"], false)).found, []);
  await Deno.writeFile(join(home, "f"), new Uint8Array(1));
  assertEquals((await compare(client, here, ["f"], false)).found[0]?.ranges, [[0, 1]]);
});

function withFlips(content: Uint8Array, places: number[]): Uint8Array {
  const copy = content.slice();
  for (const at of places) copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

Deno.test("TreeVerifier finds nothing in equal trees, and each kind of difference", async () => {
  await using stack = new AsyncDisposableStack();
  const { home, local, client } = await setUp(stack);
  for (const root of [local, join(home, "t")]) {
    await Deno.mkdir(join(root, "d", "e"), { recursive: true });
    for (let i = 0; i < 30; i++) await Deno.writeFile(join(root, "d", `f${i}`), noise(i, i + 1));
    await Deno.writeFile(join(root, "d", "e", "same"), noise(100));
  }
  assertEquals(await compare(client, local, ["t"], true), {
    found: [],
    files: 31,
    bytes: 535,
    leftOut: 0,
  });

  await Deno.writeFile(join(local, "d", "mine"), noise(1));
  await Deno.mkdir(join(local, "mine", "below"), { recursive: true });
  await Deno.writeFile(join(home, "t", "d", "theirs"), noise(1));
  await Deno.writeFile(join(home, "t", "d", "f7"), noise(7, 99));
  await Deno.remove(join(home, "t", "d", "e"), { recursive: true });
  await Deno.writeFile(join(home, "t", "d", "e"), noise(1));
  await Deno.symlink("d", join(local, "link"));
  await Deno.writeFile(join(home, "t", "link"), noise(1));
  // What put leaves out is not missing.
  await Deno.symlink("d", join(local, "left"));
  const { found, leftOut } = await compare(client, local, ["t"], true);
  assertEquals(leftOut, 1);
  assertEquals(found.map(({ kind, path }) => `${kind} ${path}`), [
    "type /t/d/e",
    "different /t/d/f7",
    "missing /t/d/mine",
    "extra /t/d/theirs",
    "type /t/link",
    "missing /t/mine",
  ]);
});
