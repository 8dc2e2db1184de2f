import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { TrivetError } from "../../lib/errors.ts";
import { openDataFolder } from "../../server/data_folder.ts";

Deno.test("openDataFolder() says in one sentence why a folder cannot be used", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const cases = [
      [file, "LOCAL_NOT_FOUND", "something else has the name"],
      [join(file, "below"), "LOCAL_NOT_FOUND", "a part of the path is not a folder"],
      ["/proc/x", "LOCAL_DENIED", "the system refuses it"],
    ];
    for (const [path = "", code, reason] of cases) {
      const error = await assertRejects(() => openDataFolder(path), TrivetError);
      assertEquals(
        [error.code, error.message],
        [code, `Cannot use the data folder "${path}": ${reason}`],
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
