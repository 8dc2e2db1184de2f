import { assertEquals, assertRejects } from "@std/assert";
import { TrivetError } from "../../lib/errors.ts";
import type { RpcClient } from "../../lib/rpc/client.ts";
import { createDigester, digestOf, toHex } from "../../lib/transfer/digest.ts";
import { SMALL_FILE_MAX_BYTES } from "../../lib/netdisk/messages.ts";
import { ask, noise, openUpload, TestServer } from "./testing.ts";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrivetError)).code;
}

async function putSmall(rpc: RpcClient, path: string[], bytes: Uint8Array, overwrite = "replace") {
  const digest = toHex(digestOf(await createDigester(), bytes));
  return await ask(rpc, "put.file", { path, overwrite: overwrite as "replace", digest }, bytes);
}

/** Paths that no method may take, and the code of each refusal. */
const REFUSED: [string[], string][] = [
  [["..", "x"], "PATH_DOT"],
  [["a", ".."], "PATH_DOT"],
  [["."], "PATH_DOT"],
  [[""], "PATH_EMPTY"],
  [["/etc/passwd"], "PATH_SEPARATOR"],
  [["a\\b"], "PATH_SEPARATOR"],
  [["a\0b"], "PATH_NUL"],
  [["a\nb"], "PATH_CONTROL"],
  [["a\x7f"], "PATH_CONTROL"],
  [["x".repeat(256)], "NAME_TOO_LONG"],
  [["\u00e9".repeat(128)], "NAME_TOO_LONG"],
  [Array.from({ length: 65 }, () => "d"), "PATH_TOO_DEEP"],
  [Array.from({ length: 17 }, () => "x".repeat(250)), "PATH_TOO_LONG"],
];

Deno.test("every method refuses the paths that the rules refuse, and touches nothing", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  for (const [path, code] of REFUSED) {
    assertEquals(await codeOf(ask(rpc, "stat", { path })), code, JSON.stringify(path));
    assertEquals(await codeOf(ask(rpc, "ls", { path })), code);
    assertEquals(await codeOf(ask(rpc, "mkdir", { path, parents: true })), code);
    assertEquals(await codeOf(ask(rpc, "rmdir", { path })), code);
    assertEquals(await codeOf(ask(rpc, "rm", { path, recursive: true })), code);
    assertEquals(await codeOf(ask(rpc, "mv", { from: path, to: ["x"] })), code);
    assertEquals(await codeOf(ask(rpc, "mv", { from: ["x"], to: path })), code);
    assertEquals(await codeOf(putSmall(rpc, path, noise(3))), code);
    assertEquals(await codeOf(rpc.call("get.open", { path })), code);
    const open = { path, size: 1, overwrite: "replace", resume: "auto" };
    assertEquals(await codeOf(rpc.call("put.open", open)), code);
  }
  assertEquals(await Array.fromAsync(Deno.readDir(server.home("ada"))), []);
  assertEquals((await ask(rpc, "whoami", {})).usedBytes, 0);
});

Deno.test("no method follows a symbolic link, as a leaf or on the way", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  const outside = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${outside}/secret`, "secret");
    await Deno.symlink(outside, server.home("ada", "folder"));
    await Deno.symlink(`${outside}/secret`, server.home("ada", "file"));
    for (const path of [["folder", "secret"], ["folder", "new"], ["file"]]) {
      assertEquals(await codeOf(rpc.call("get.open", { path })), "SYMLINK_REFUSED", path.join("/"));
      assertEquals(await codeOf(putSmall(rpc, path, noise(3))), "SYMLINK_REFUSED");
      const open = { path, size: 1, overwrite: "replace", resume: "auto" };
      assertEquals(await codeOf(rpc.call("put.open", open)), "SYMLINK_REFUSED");
    }
    assertEquals(await codeOf(ask(rpc, "ls", { path: ["folder"] })), "SYMLINK_REFUSED");
    assertEquals(await codeOf(ask(rpc, "mkdir", { path: ["folder", "d"] })), "SYMLINK_REFUSED");
    assertEquals(await Deno.readTextFile(`${outside}/secret`), "secret");
    assertEquals((await Array.fromAsync(Deno.readDir(outside))).length, 1);
  } finally {
    await Deno.remove(outside, { recursive: true });
  }
});

Deno.test("names at the limits of the rules are taken as they are", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  const names = ["x".repeat(255), "\u00e9".repeat(127), "CON", "a.", "A", "a", " b ", "-rf", "a:b"];
  for (const name of names) await putSmall(rpc, [name], noise(3));
  const { entries } = await ask(rpc, "ls", { path: [] });
  assertEquals(new Set(entries.map(({ name }) => name)), new Set(names));
});

Deno.test("a name in NFD leads to the file whose name is its NFC twin", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  await putSmall(rpc, ["e\u0301.txt"], noise(3));
  await putSmall(rpc, ["\u00e9.txt"], noise(5));
  const { entries } = await ask(rpc, "ls", { path: [] });
  assertEquals(entries.map(({ name, size }) => [name, size]), [["\u00e9.txt", 5]]);
});

Deno.test("--names portable refuses what Windows and macOS cannot store", async () => {
  await using server = await TestServer.start({ names: "portable" });
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  for (const name of ["CON", "con.txt", "a.", "a ", "a:b", "a?"]) {
    assertEquals(await codeOf(putSmall(rpc, [name], noise(3))), "NAME_NOT_PORTABLE", name);
  }
  await putSmall(rpc, ["a"], noise(3));
  assertEquals(await codeOf(putSmall(rpc, ["A"], noise(3))), "NAME_CASE_CONFLICT");
});

Deno.test("put.file takes files up to the limit of one request, and checks the digest", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  const content = noise(SMALL_FILE_MAX_BYTES);
  await putSmall(rpc, ["s"], content);
  assertEquals(await Deno.readFile(server.home("ada", "s")), content);
  const above = putSmall(rpc, ["t"], noise(SMALL_FILE_MAX_BYTES + 1));
  assertEquals(await codeOf(above), "INVALID_REQUEST");
  const wrong = { path: ["u"], overwrite: "replace", digest: "0".repeat(32) };
  assertEquals(await codeOf(rpc.call("put.file", wrong, { body: content })), "DIGEST_MISMATCH");
  assertEquals((await ask(rpc, "whoami", {})).usedBytes, SMALL_FILE_MAX_BYTES);
});

Deno.test("--overwrite decides what happens to a name that is taken", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  await putSmall(rpc, ["f.txt"], noise(3));
  assertEquals(await codeOf(putSmall(rpc, ["f.txt"], noise(4), "fail")), "EXISTS");
  assertEquals((await putSmall(rpc, ["f.txt"], noise(4), "skip")).skipped, true);
  assertEquals((await putSmall(rpc, ["f.txt"], noise(4), "rename")).path, ["f (2).txt"]);
  assertEquals((await ask(rpc, "whoami", {})).usedBytes, 7);
  await putSmall(rpc, ["f.txt"], noise(10));
  assertEquals((await ask(rpc, "whoami", {})).usedBytes, 14);
  const open = { path: ["f.txt"], size: 9, overwrite: "fail", resume: "auto" };
  assertEquals(await codeOf(rpc.call("put.open", open)), "EXISTS");
});

Deno.test("ls pages through a folder in the order of its names", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  const names = Array.from({ length: 25 }, (_, i) => `n${String(i).padStart(2, "0")}`);
  for (const name of names) await Deno.writeTextFile(server.home("ada", name), name);
  const seen: string[] = [];
  for (let more = true, after: string | undefined; more;) {
    const request = { path: [], limit: 10, ...(after === undefined ? {} : { after }) };
    const page = await ask(rpc, "ls", request);
    seen.push(...page.entries.map(({ name }) => name));
    after = seen.at(-1);
    more = page.more;
  }
  assertEquals(seen, names);
});

Deno.test("mkdir makes one folder, or with parents all that are missing", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  assertEquals(await codeOf(ask(rpc, "mkdir", { path: ["a", "b"] })), "NOT_FOUND");
  assertEquals(await ask(rpc, "mkdir", { path: ["a", "b"], parents: true }), { created: true });
  assertEquals(await ask(rpc, "mkdir", { path: ["a", "b"], parents: true }), { created: false });
  assertEquals(await codeOf(ask(rpc, "mkdir", { path: ["a"] })), "EXISTS");
  await putSmall(rpc, ["f"], noise(1));
  assertEquals(await codeOf(ask(rpc, "mkdir", { path: ["f", "d"] })), "NOT_FOLDER");
  assertEquals(await codeOf(putSmall(rpc, ["a"], noise(1))), "IS_FOLDER");
  assertEquals(await codeOf(openUpload(rpc, "a", 5)), "IS_FOLDER");
});

Deno.test("one user sees nothing of another's home", async () => {
  await using server = await TestServer.start();
  const [ada, bob] = [await server.addUser("ada"), await server.addUser("bob")];
  await using adas = await server.login(ada);
  await using bobs = await server.login(bob);
  await putSmall(adas, ["private"], noise(3));
  assertEquals((await ask(bobs, "ls", { path: [] })).entries, []);
  assertEquals(await codeOf(ask(bobs, "stat", { path: ["private"] })), "NOT_FOUND");
});

Deno.test("an unknown method and malformed parameters are refused, and the connection lives on", async () => {
  await using server = await TestServer.start();
  const token = await server.addUser("ada");
  await using rpc = await server.login(token);
  assertEquals(await codeOf(rpc.call("format.disk", {})), "UNKNOWN_METHOD");
  assertEquals(await codeOf(rpc.call("toString", {})), "UNKNOWN_METHOD");
  for (const params of [null, [], { path: "a" }, { path: [1] }, { path: [], extra: 1 }, "x"]) {
    assertEquals(await codeOf(rpc.call("ls", params)), "INVALID_REQUEST");
  }
  assertEquals((await ask(rpc, "whoami", {})).user, "ada");
});
