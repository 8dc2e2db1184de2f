import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { systemReason } from "../../lib/system_error.ts";

async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

Deno.test("systemReason() says why the system refused a path, without its numbers", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const cases: [work: () => Promise<unknown>, code: string, reason: string][] = [
      [() => Deno.readTextFile(join(folder, "none")), "LOCAL_NOT_FOUND", "it does not exist"],
      [
        () => Deno.readTextFile(join(file, "x")),
        "LOCAL_NOT_FOUND",
        "a part of the path is not a folder",
      ],
      [() => Deno.readTextFile(folder), "LOCAL_NOT_FOUND", "it is a folder"],
      [() => Deno.mkdir(file), "LOCAL_NOT_FOUND", "something else has the name"],
      [() => Deno.readTextFile(join(folder, "x".repeat(300))), "FAILED", "File name too long"],
    ];
    for (const [work, code, reason] of cases) {
      assertEquals(systemReason(await errorOf(work)), { code, reason } as object);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("systemReason() has nothing to say of other errors", { permissions: "none" }, () => {
  assertEquals(systemReason(new TypeError("wrong call")), undefined);
  assertEquals(systemReason(new TrivetError("FAILED", "known")), undefined);
  assertEquals(systemReason("text"), undefined);
});

Deno.test("systemReason() takes what Deno refuses for what the system refuses", {
  permissions: "none",
}, async () => {
  const error = await errorOf(() => Deno.readTextFile("/proc/x"));
  assertEquals(systemReason(error), { code: "LOCAL_DENIED", reason: "the system refuses it" });
});
