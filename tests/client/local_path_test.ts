import { assertEquals } from "@std/assert";
import { basename, dirname } from "node:path";
import { baseName, endsWithSeparator, folderOf, inFolder } from "../../client/local_path.ts";

const PATHS = ["a", "a/b", "/a", "/a/b/", "a//b", "/", "./a", "../a/b.c", "a/b///", "."];

Deno.test("baseName() and folderOf() agree with node:path", () => {
  for (const path of PATHS) {
    assertEquals(baseName(path), basename(path), path);
    if (path !== "/") assertEquals(folderOf(path), dirname(path).replace(/^a\/$/, "a"), path);
  }
  assertEquals(folderOf("/a"), "/");
});

Deno.test("inFolder() joins a folder and a name", { permissions: "none" }, () => {
  const separator = Deno.build.os === "windows" ? "\\" : "/";
  assertEquals(inFolder("a", "b"), `a${separator}b`);
  assertEquals(inFolder("a/", "b"), "a/b");
  assertEquals(inFolder("/", "b"), "/b");
  assertEquals(inFolder(".", "b"), "b");
});

Deno.test("endsWithSeparator() tells what can only be a folder", { permissions: "none" }, () => {
  assertEquals(["a/", "/", "a", "", "a\\"].map(endsWithSeparator), [
    true,
    true,
    false,
    false,
    Deno.build.os === "windows",
  ]);
});
