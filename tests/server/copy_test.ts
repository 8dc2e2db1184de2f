import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { ask, noise, TestServer } from "./testing.ts";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

async function putSmall(rpc: RpcClient, path: string[], size: number, mode = 0o644): Promise<void> {
  const bytes = noise(size);
  const digest = toHex(digestOf(await createDigester(), bytes));
  const how = { overwrite: "replace", durability: "os", mtimeMs: 1_000_000, mode, digest } as const;
  await ask(rpc, "put.file", { path, ...how }, bytes);
}

async function namesIn(rpc: RpcClient, ...path: string[]): Promise<string[]> {
  return (await ask(rpc, "ls", { path })).entries.map(({ name }) => name);
}

async function usedBytes(rpc: RpcClient): Promise<number> {
  const { usedBytes, partialBytes } = await ask(rpc, "df", {});
  assertEquals(partialBytes, 0);
  return usedBytes;
}

function partsOf({ data }: TestServer): string[] {
  return Array.from(Deno.readDirSync(join(data, "parts")), ({ name }) => name);
}

Deno.test("cp copies a file with its time and its executable bit, and counts it", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await putSmall(rpc, ["f"], 100, 0o755);
  const answer = await ask(rpc, "cp", { from: ["f"], to: ["g"] });
  const { entry } = await ask(rpc, "stat", { path: ["g"] });
  assertEquals(answer, { entry, files: 1, folders: 0, bytes: 100, skipped: 0 });
  assertEquals([entry.size, entry.mtimeMs, entry.mode & 0o111], [100, 1_000_000, 0o111]);
  assertEquals(await Deno.readFile(server.home("ada", "g")), noise(100));
  assertEquals(await usedBytes(rpc), 200);

  await putSmall(rpc, ["h"], 30);
  assertEquals(await codeOf(ask(rpc, "cp", { from: ["f"], to: ["h"] })), "EXISTS");
  await ask(rpc, "cp", { from: ["f"], to: ["h"], overwrite: "replace" });
  assertEquals(await usedBytes(rpc), 300);
  assertEquals(partsOf(server), []);
});

Deno.test("cp copies a folder with all in it, and into one that is there only to replace", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await ask(rpc, "mkdir", { path: ["d", "e"], parents: true });
  for (let number = 0; number < 30; number++) await putSmall(rpc, ["d", `f${number}`], number);
  await putSmall(rpc, ["d", "e", "g"], 65);
  await Deno.symlink("f0", server.home("ada", "d", "link"));
  const recursive = true;
  assertEquals(await codeOf(ask(rpc, "cp", { from: ["d"], to: ["c"] })), "IS_FOLDER");
  const copied = await ask(rpc, "cp", { from: ["d"], to: ["c"], recursive });
  assertEquals({ ...copied, entry: copied.entry.name }, {
    entry: "c",
    files: 31,
    folders: 2,
    bytes: 500,
    skipped: 1,
  });
  assertEquals(await Deno.readFile(server.home("ada", "c", "e", "g")), noise(65));
  assertEquals((await namesIn(rpc, "c")).length, 31);
  assertEquals(await usedBytes(rpc), 1000);

  assertEquals(await codeOf(ask(rpc, "cp", { from: ["d"], to: ["c"], recursive })), "EXISTS");
  await ask(rpc, "rm", { path: ["c", "e", "g"] });
  await putSmall(rpc, ["c", "more"], 1);
  const replace = { from: ["d"], to: ["c"], recursive, overwrite: "replace" as const };
  assertEquals((await ask(rpc, "cp", replace)).files, 31);
  assertEquals((await namesIn(rpc, "c")).length, 32);
  // What was removed is still in the trash.
  assertEquals(await usedBytes(rpc), 1000 + 65 + 1);
});

Deno.test("cp refuses what would tangle or lose something", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await ask(rpc, "mkdir", { path: ["d", "e"], parents: true });
  await putSmall(rpc, ["f"], 10);
  await putSmall(rpc, ["d", "x"], 10);
  await Deno.symlink("f", server.home("ada", "link"));
  const cases: [code: string, from: string[], to: string[]][] = [
    ["INTO_ITSELF", ["d"], ["d"]],
    ["INTO_ITSELF", ["d"], ["d", "e", "n"]],
    ["INTO_ITSELF", [], ["d", "n"]],
    ["EXISTS", ["f"], ["f"]],
    ["IS_FOLDER", ["f"], ["d"]],
    ["NOT_FOLDER", ["d"], ["f"]],
    ["NOT_FOLDER", ["f"], ["f", "n"]],
    ["NOT_FOUND", ["none"], ["n"]],
    ["NOT_FOUND", ["f"], ["none", "n"]],
    ["NOT_FOUND", ["d"], ["none", "n"]],
    ["SYMLINK_REFUSED", ["link"], ["n"]],
    ["PERMISSION_DENIED", ["f"], []],
    ["PATH_DOT", ["f"], [".."]],
    ["PATH_TOO_DEEP", ["d"], new Array<string>(64).fill("n")],
  ];
  for (const [code, from, to] of cases) {
    const request = { from, to, recursive: true, overwrite: "replace" } as const;
    assertEquals(await codeOf(ask(rpc, "cp", request)), code, `${from.join("/")} ${to.join("/")}`);
  }
  assertEquals(await namesIn(rpc), ["d", "f", "link"]);
  assertEquals([await usedBytes(rpc), partsOf(server)], [20, []]);
});

Deno.test("cp keeps to what the login may do", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await using confined = await server.login(await server.addToken("ada", { pathPrefix: ["in"] }));
  await using reader = await server.login(await server.addToken("ada", { scope: "read" }));
  for (const name of ["in", "out"]) {
    await ask(rpc, "mkdir", { path: [name] });
    await putSmall(rpc, [name, "f"], 1);
  }
  const denied: [RpcClient, string[], string[]][] = [
    [reader, ["in", "f"], ["in", "g"]],
    [confined, ["out", "f"], ["in", "g"]],
    [confined, ["in", "f"], ["out", "g"]],
    [confined, ["in", "f"], ["in"]],
  ];
  for (const [login, from, to] of denied) {
    assertEquals(await codeOf(ask(login, "cp", { from, to })), "PERMISSION_DENIED");
  }
  await ask(confined, "cp", { from: ["in", "f"], to: ["in", "g"] });
  assertEquals(await usedBytes(rpc), 3);
});

Deno.test("cp keeps to the quota, to the byte, before it copies anything", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada", 1000));
  await ask(rpc, "mkdir", { path: ["d"] });
  await putSmall(rpc, ["d", "a"], 400);
  await putSmall(rpc, ["d", "b"], 101);
  const recursive = true;
  const error = await assertRejects(
    () => ask(rpc, "cp", { from: ["d"], to: ["c"], recursive }),
    TrivetError,
  );
  assertEquals([error.code, error.details], ["QUOTA_EXCEEDED", {
    need_bytes: 501,
    have_bytes: 499,
  }]);
  assertEquals(await namesIn(rpc), ["d"]);
  await ask(rpc, "cp", { from: ["d", "a"], to: ["c"] });
  assertEquals(await codeOf(ask(rpc, "cp", { from: ["d", "b"], to: ["e"] })), "QUOTA_EXCEEDED");
  assertEquals([await usedBytes(rpc), partsOf(server)], [901, []]);
  // To replace, there must be room for both for a moment.
  const replace = { from: ["d", "b"], to: ["c"], overwrite: "replace" as const };
  assertEquals(await codeOf(ask(rpc, "cp", replace)), "QUOTA_EXCEEDED");
  await putSmall(rpc, ["s"], 49);
  await ask(rpc, "cp", { ...replace, from: ["s"] });
  assertEquals([await usedBytes(rpc), partsOf(server)], [599, []]);
});

Deno.test("cp ends when nobody waits for it, and takes nothing back that was copied whole", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await ask(rpc, "mkdir", { path: ["d"] });
  for (let number = 0; number < 400; number++) await putSmall(rpc, ["d", `f${number}`], 10);
  const controller = new AbortController();
  const copying = rpc.call("cp", { from: ["d"], to: ["c"], recursive: true }, controller);
  // Once the first file is there.
  for (;;) {
    const names = await namesIn(rpc, "c").catch(() => []);
    if (names.length > 0) break;
  }
  controller.abort(new TrivetError("INTERRUPTED", "Given up"));
  assertEquals(await codeOf(copying), "INTERRUPTED");
  // The server is done once no part is left and every copy is counted.
  const isSettled = async () => {
    const copies = (await namesIn(rpc, "c")).length;
    assertEquals(copies < 400, true, String(copies));
    const used = await ask(rpc, "df", {});
    return partsOf(server).length === 0 && used.partialBytes === 0 &&
      used.usedBytes === 4000 + 10 * copies;
  };
  for (const endMs = performance.now() + 10_000; !await isSettled();) {
    assertEquals(performance.now() < endMs, true, "It settles");
  }
});

Deno.test("cp of many copies at a time gives each its own bytes", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await putSmall(rpc, ["f"], 50_000);
  const copies = Array.from({ length: 40 }, (_, number) => [`c${number % 20}`]);
  await Promise.all(
    copies.map((to) => ask(rpc, "cp", { from: ["f"], to, overwrite: "replace" })),
  );
  assertEquals((await namesIn(rpc)).length, 21);
  assertEquals([await usedBytes(rpc), partsOf(server)], [21 * 50_000, []]);
});
