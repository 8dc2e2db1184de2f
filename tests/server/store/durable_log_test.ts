import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { TrivetError } from "../../../lib/errors.ts";
import { DurableLog } from "../../../server/store/durable_log.ts";

Deno.test("DurableLog.sync() believes a disk that has failed never again", async () => {
  // The null device cannot be synced.
  const log = new DurableLog("/dev/null");
  const first = await assertRejects(() => log.sync(), TrivetError);
  assertEquals(first.code, "INTERNAL");
  assertStrictEquals(await assertRejects(() => log.sync(), TrivetError), first);
  log.close();
});

Deno.test("DurableLog.sync() tries again after the log was not there", async () => {
  const folder = await Deno.makeTempDir();
  const log = new DurableLog(`${folder}/log`);
  await assertRejects(() => log.sync(), TrivetError);
  await Deno.writeTextFile(`${folder}/log`, "");
  await log.sync();
  log.close();
  await Deno.remove(folder, { recursive: true });
});
