import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { ask, noise, TestServer } from "./testing.ts";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

async function putSmall(rpc: RpcClient, path: string[], size: number): Promise<void> {
  const bytes = noise(size);
  const digest = toHex(digestOf(await createDigester(), bytes));
  await ask(rpc, "put.file", { path, overwrite: "replace", durability: "os", digest }, bytes);
}

Deno.test("mv replaces a file only when asked to, and gives its bytes back", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await putSmall(rpc, ["f"], 100);
  await putSmall(rpc, ["g"], 30);
  assertEquals(await codeOf(ask(rpc, "mv", { from: ["f"], to: ["g"] })), "EXISTS");
  const replace = { from: ["f"], to: ["g"], overwrite: "replace" as const };
  const { entry } = await ask(rpc, "mv", replace);
  assertEquals([entry.name, entry.size], ["g", 100]);
  assertEquals(entry, (await ask(rpc, "stat", { path: ["g"] })).entry);
  assertEquals((await ask(rpc, "df", {})).usedBytes, 100);
  await ask(rpc, "mkdir", { path: ["d"] });
  await ask(rpc, "mv", { from: ["g"], to: ["d", "g"] });
  await ask(rpc, "mv", { from: ["d"], to: ["e"] });
  assertEquals(await codeOf(ask(rpc, "mv", { from: ["e"], to: ["e", "x"] })), "INTO_ITSELF");
  assertEquals((await ask(rpc, "ls", { path: ["e"] })).entries.map(({ name }) => name), ["g"]);
  assertEquals((await ask(rpc, "df", {})).usedBytes, 100);
});

Deno.test("mv takes a folder as deep and as long as its longest path may be, and no further", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  const deep = (levels: number) => Array.from({ length: levels }, (_, level) => `l${level}`);
  await ask(rpc, "mkdir", { path: ["d", ...deep(59)], parents: true });
  await putSmall(rpc, ["d", ...deep(59), "f"], 1);
  await ask(rpc, "mkdir", { path: deep(4), parents: true });
  const tooDeep = ask(rpc, "mv", { from: ["d"], to: [...deep(4), "d"] });
  assertEquals(await codeOf(tooDeep), "PATH_TOO_DEEP");
  await ask(rpc, "mv", { from: ["d"], to: [...deep(3), "d"] });
  await ask(rpc, "mv", { from: [...deep(3), "d"], to: ["e"] });

  const name = "x".repeat(200);
  const long = Array.from({ length: 19 }, () => name);
  await ask(rpc, "mkdir", { path: ["long", ...long], parents: true });
  await putSmall(rpc, ["long", ...long, "f"], 1);
  // What the system takes is less than what the netdisk does: the home stands in front.
  const room = 4095 - server.home("ada").length - 1 - `/${long.join("/")}/f`.length;
  const fits = (bytes: number) => ["y".repeat(bytes - 2 - 100), "y".repeat(101)];
  for (const at of [fits(room), fits(room + 1)]) {
    await ask(rpc, "mkdir", { path: at.slice(0, 1) });
  }
  const tooLong = ask(rpc, "mv", { from: ["long"], to: fits(room + 1) });
  assertEquals(await codeOf(tooLong), "PATH_TOO_LONG");
  const { entry } = await ask(rpc, "mv", { from: ["long"], to: fits(room) });
  assertEquals(entry.type, "folder");
  await ask(rpc, "stat", { path: [...fits(room), ...long, "f"] });
});

Deno.test("rmdir removes an empty folder, and nothing else", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await ask(rpc, "mkdir", { path: ["d"] });
  await putSmall(rpc, ["d", "f"], 1);
  assertEquals(await codeOf(ask(rpc, "rmdir", { path: ["d"] })), "FOLDER_NOT_EMPTY");
  assertEquals(await codeOf(ask(rpc, "rmdir", { path: ["d", "f"] })), "NOT_FOLDER");
  await ask(rpc, "rm", { path: ["d", "f"] });
  assertEquals(await ask(rpc, "rmdir", { path: ["d"] }), {});
  assertEquals(await codeOf(ask(rpc, "rmdir", { path: ["d"] })), "NOT_FOUND");
});

Deno.test("rm, rmdir and mv leave roots alone, and keep to what the login may do", async () => {
  await using server = await TestServer.start();
  await using rpc = await server.login(await server.addUser("ada"));
  await using confined = await server.login(await server.addToken("ada", { pathPrefix: ["in"] }));
  await using reader = await server.login(await server.addToken("ada", { scope: "read" }));
  await ask(rpc, "mkdir", { path: ["in"] });
  await ask(rpc, "mkdir", { path: ["out"] });
  await putSmall(rpc, ["in", "f"], 1);
  const roots: [RpcClient, string[]][] = [[rpc, []], [confined, []], [confined, ["in"]]];
  const denied: [RpcClient, string[]][] = [...roots, [confined, ["out"]], [reader, ["in", "f"]]];
  for (const [login, path] of denied) {
    const refused = async (call: Promise<unknown>) =>
      assertEquals(await codeOf(call), "PERMISSION_DENIED", path.join("/"));
    await refused(ask(login, "rm", { path, recursive: true }));
    await refused(ask(login, "rmdir", { path }));
    await refused(ask(login, "mv", { from: path, to: ["in", "x"] }));
    await refused(ask(login, "mv", { from: ["in", "f"], to: path }));
  }
  await ask(confined, "mv", { from: ["in", "f"], to: ["in", "g"] });
  assertEquals((await ask(confined, "rm", { path: ["in", "g"] })).removed, 1);
  assertEquals((await ask(reader, "df", {})).trashBytes, 1);
});
