import { assertEquals } from "@std/assert";
import { planSync, type SyncItem, type SyncPlanOptions } from "../../client/tree/sync_plan.ts";

function file(path: string, change: Partial<SyncItem> = {}): SyncItem {
  return {
    path: path.split("/"),
    type: "file",
    size: 1,
    mtimeMs: 1000,
    isExecutable: false,
    ...change,
  };
}

function folder(path: string, mtimeMs = 1000): SyncItem {
  return { path: path.split("/"), type: "folder", size: 0, mtimeMs, isExecutable: false };
}

function steps(
  source: readonly SyncItem[],
  target: readonly SyncItem[],
  options: SyncPlanOptions = { deletes: false },
): string[] {
  return planSync(source, target, options).steps
    .map(({ action, path, type }) => `${action} ${path.join("/")}${type === "folder" ? "/" : ""}`);
}

Deno.test("planSync() finds nothing to do where all is the same", () => {
  const tree = [file("a"), folder("b"), file("b/c")];
  const plan = planSync(tree, tree, { deletes: true });
  assertEquals([plan.steps, [...plan.touched], plan.unchanged], [[], [], 2]);
});

Deno.test("planSync() creates what is missing, folders before what is in them", () => {
  const source = [folder("a"), file("a/b"), folder("a/c"), file("d")];
  assertEquals(steps(source, []), ["create a/", "create a/b", "create a/c/", "create d"]);
});

Deno.test("planSync() updates what differs in size, time or the executable bit", () => {
  for (const change of [{ size: 2 }, { mtimeMs: 1001 }, { mtimeMs: 999 }, { isExecutable: true }]) {
    assertEquals(steps([file("a", change)], [file("a")]), ["update a"]);
  }
});

Deno.test("planSync() lets a comparison of contents decide", () => {
  const options = { deletes: false, same: new Set(["a"]), different: new Set(["b"]) };
  const source = [file("a", { mtimeMs: 5 }), file("b")];
  assertEquals(steps(source, [file("a"), file("b")], options), ["update b"]);
});

Deno.test("planSync() deletes only when told, and of a folder only the outermost", () => {
  const target = [file("a"), folder("b"), file("b/c"), folder("b/d"), file("bc"), file("e")];
  assertEquals(steps([file("e")], target), []);
  assertEquals(steps([file("e")], target, { deletes: true }), [
    "delete a",
    "delete b/",
    "delete bc",
  ]);
});

Deno.test("planSync() never deletes what is neither a file nor a folder", () => {
  assertEquals(steps([], [{ ...file("a"), type: "other" }], { deletes: true }), []);
});

Deno.test("planSync() replaces what is of another kind only with deletions", () => {
  const source = [folder("a"), file("a/b"), file("ab")];
  const target = [file("a"), file("ab")];
  assertEquals(steps(source, target, { deletes: true }), ["replace a/", "create a/b"]);
  const plan = planSync(source, target, { deletes: false });
  assertEquals(plan.steps, []);
  assertEquals(plan.conflicts.map(({ path }) => path), [["a"]]);
  assertEquals(plan.unchanged, 1);
});

Deno.test("planSync() names the folders whose time has to be set again", () => {
  const source = [folder("a"), file("a/b"), folder("c", 5), folder("d")];
  const target = [folder("a"), folder("c"), folder("d"), file("d/e")];
  const plan = planSync(source, target, { deletes: true });
  assertEquals([...plan.touched].sort(), ["", "a", "c", "d"]);
  assertEquals(plan.steps.map(({ action, path }) => `${action} ${path.join("/")}`), [
    "delete d/e",
    "create a/b",
  ]);
});
