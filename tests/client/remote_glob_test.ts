import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { NetdiskClient } from "../../client/netdisk.ts";
import { checkRemotePaths, expandRemote, outermost } from "../../client/remote_glob.ts";
import { TrivetError } from "../../lib/errors.ts";
import { TestServer } from "../server/testing.ts";
import { connectTo } from "./testing.ts";

const FILES = ["a.txt", "b.txt", ".hidden.txt", "p/a.txt", "p/q/c.txt", "p/q/d.jpg", "star*"];

async function withFiles(test: (client: NetdiskClient) => Promise<void>): Promise<void> {
  await using server = await TestServer.start();
  const token = await server.addUser("ann");
  await using client = await connectTo(server, token);
  await client.mkdir("p/q", { parents: true });
  for (const path of FILES) {
    await client.put(streamOf("x"), path);
  }
  await test(client);
}

function streamOf(text: string) {
  let left: Uint8Array | null = new TextEncoder().encode(text);
  return {
    read(target: Uint8Array): Promise<number | null> {
      const bytes = left;
      left = null;
      if (bytes === null) return Promise.resolve(null);
      target.set(bytes);
      return Promise.resolve(bytes.length);
    },
  };
}

Deno.test("expandRemote() finds what patterns match, and takes plain paths as they are", async () => {
  await withFiles(async (client) => {
    const expand = async (...texts: string[]) =>
      (await expandRemote(client, texts)).map(({ path }) => path);
    assertEquals(await expand("none", "/p//q/"), ["/none", "/p/q"]);
    assertEquals(await expand("*.txt"), ["/a.txt", "/b.txt"]);
    assertEquals(await expand(".*"), ["/.hidden.txt"]);
    assertEquals(await expand("**/*.{txt,jpg}"), [
      ...["/a.txt", "/b.txt", "/p/a.txt", "/p/q/c.txt", "/p/q/d.jpg"],
    ]);
    assertEquals(await expand("p/*/"), ["/p/q"]);
    assertEquals(await expand("{p/q,.}/c*"), ["/p/q/c.txt"]);
    assertEquals(await expand("b.txt", "?.txt"), ["/b.txt", "/a.txt"]);
    // The name itself goes before what it could match.
    assertEquals(await expand("star*"), ["/star*"]);
    assertEquals(await expand("star\\*"), ["/star*"]);
  });
});

Deno.test("expandRemote() refuses a pattern that matches nothing", async () => {
  await withFiles(async (client) => {
    for (const text of ["*.iso", "none/*", "a.txt/*", "p/[x]*"]) {
      const failed = await assertRejects(() => expandRemote(client, ["a.txt", text]), TrivetError);
      assertEquals([text, failed.code], [text, "NOT_FOUND"]);
    }
  });
});

Deno.test("checkRemotePaths() tells of mistakes without a server", { permissions: "none" }, () => {
  const codeOf = (text: string) => assertThrows(() => checkRemotePaths([text]), TrivetError).code;
  assertEquals(codeOf("../x"), "PATH_DOT");
  assertEquals(codeOf("a\\b"), "PATH_SEPARATOR");
  assertEquals(codeOf("{1..1000}"), "USAGE");
  checkRemotePaths(["a/*", "b\\*", "/"]);
});

Deno.test("outermost() leaves out what goes along", { permissions: "none" }, () => {
  const paths = ["/a/b", "/a", "/ab", "/c/d/e", "/c/d"].map((path) => ({ path }));
  assertEquals(outermost(paths).map(({ path }) => path), ["/a", "/ab", "/c/d"]);
});
