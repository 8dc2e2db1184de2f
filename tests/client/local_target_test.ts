import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { checkTarget, publishPart, resolveTarget } from "../../client/local_target.ts";
import { type ErrorCode, TrivetError } from "../../lib/errors.ts";
import { withFolder } from "./testing.ts";

const REPLACE = { overwrite: "replace", durability: "commit" } as const;
const POSIX = { ignore: Deno.build.os === "windows" };

async function assertCode(code: ErrorCode, work: () => Promise<unknown>): Promise<void> {
  assertEquals((await assertRejects(work, TrivetError)).code, code);
}

Deno.test("resolveTarget() takes folders, trailing separators, names and nothing", async () => {
  await withFolder(async (folder) => {
    assertEquals(await resolveTarget(undefined, "a.iso"), "a.iso");
    assertEquals(await resolveTarget(folder, "a.iso"), join(folder, "a.iso"));
    assertEquals(await resolveTarget(join(folder, "new.iso"), "a.iso"), join(folder, "new.iso"));
    assertEquals(await resolveTarget(`${folder}/sub/`, "a.iso"), `${folder}/sub/a.iso`);
  });
});

Deno.test("resolveTarget() takes no name from a server that leads elsewhere", async () => {
  await assertCode("PATH_SEPARATOR", () => resolveTarget(undefined, "../../etc/passwd"));
  await assertCode("PATH_DOT", () => resolveTarget(".", ".."));
  await assertCode("PATH_NUL", () => resolveTarget(".", "a\0b"));
});

Deno.test("checkTarget() follows the overwrite mode", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "there");
    assertEquals(await checkTarget(path, "fail"), false);
    await Deno.writeTextFile(path, "x");
    assertEquals(await checkTarget(path, "replace"), false);
    assertEquals(await checkTarget(path, "rename"), false);
    assertEquals(await checkTarget(path, "skip"), true);
    await assertCode("EXISTS", () => checkTarget(path, "fail"));
    await assertCode("IS_FOLDER", () => checkTarget(folder, "replace"));
    await assertCode("LOCAL_NOT_FOUND", () => checkTarget(join(folder, "no", "x"), "replace"));
    await assertCode("LOCAL_NOT_FOUND", () => checkTarget(join(path, "x"), "replace"));
  });
});

Deno.test("checkTarget() refuses devices", POSIX, async () => {
  await assertCode("NOT_REGULAR", () => checkTarget("/dev/null", "replace"));
});

Deno.test("publishPart() replaces a link, not what it leads to", POSIX, async () => {
  await withFolder(async (folder) => {
    const [part, path, other] = ["part", "name", "other"].map((name) => join(folder, name));
    if (part === undefined || path === undefined || other === undefined) throw new Error("no name");
    await Deno.writeTextFile(part, "new");
    await Deno.writeTextFile(other, "precious");
    await Deno.symlink(other, path);
    assertEquals(await publishPart(part, path, REPLACE), { path, skipped: false });
    assertEquals(await Deno.readTextFile(other), "precious");
    assertEquals((await Deno.lstat(path)).isSymlink, false);
  });
});

Deno.test("publishPart() follows the overwrite mode at the last moment", async () => {
  await withFolder(async (folder) => {
    const part = join(folder, "part");
    const path = join(folder, "name.tar.gz");
    const publish = async (mode: "skip" | "fail" | "rename", text: string) => {
      await Deno.writeTextFile(part, text);
      return await publishPart(part, path, { overwrite: mode, durability: "commit" });
    };
    assertEquals(await publish("fail", "1"), { path, skipped: false });
    await assertCode("EXISTS", () => publish("fail", "2"));
    assertEquals(await publish("skip", "3"), { path, skipped: true });
    const second = join(folder, "name.tar (2).gz");
    assertEquals(await publish("rename", "4"), { path: second, skipped: false });
    assertEquals(await publish("rename", "5"), {
      path: join(folder, "name.tar (3).gz"),
      skipped: false,
    });
    assertEquals(await Deno.readTextFile(path), "1");
    assertEquals(await Deno.readTextFile(second), "4");
    await assertRejects(() => Deno.lstat(part), Deno.errors.NotFound);
  });
});
