import { assertEquals } from "@std/assert";
import { KeyedLock } from "../../../server/netdisk/depot_lock.ts";
import { numberedName } from "../../../server/netdisk/depot_publish.ts";
import { FolderSync } from "../../../server/netdisk/depot_sync.ts";

const none = { permissions: "none" } as const;

Deno.test(
  "numberedName() puts the number before the extension and keeps to 255 bytes",
  none,
  () => {
    assertEquals(numberedName("f", 2), "f (2)");
    assertEquals(numberedName("f.txt", 10), "f (10).txt");
    assertEquals(numberedName(".hidden", 2), ".hidden (2)");
    assertEquals(numberedName(".a.b", 2), ".a (2).b");
    const long = numberedName(`${"é".repeat(125)}.txt`, 2);
    assertEquals(long, `${"é".repeat(123)} (2).txt`);
    assertEquals(numberedName(`a.${"x".repeat(253)}`, 2), `a.${"x".repeat(249)} (2)`);
  },
);

Deno.test("FolderSync.request() shares the syncs of those who wait", none, async () => {
  const begun: PromiseWithResolvers<void>[] = [];
  const sync = new FolderSync(() => {
    const turn = Promise.withResolvers<void>();
    begun.push(turn);
    return turn.promise;
  });
  const first = sync.request("a");
  const waiting = [sync.request("a"), sync.request("a"), sync.request("a")];
  assertEquals(begun.length, 1);
  begun[0]?.resolve();
  await first;
  await Promise.resolve();
  assertEquals(begun.length, 2);
  begun[1]?.resolve();
  await Promise.all(waiting);
  const third = sync.request("a");
  assertEquals(begun.length, 3);
  begun[2]?.resolve();
  await third;
});

Deno.test(
  "FolderSync.request() fails those who shared a failure, and no others",
  none,
  async () => {
    let calls = 0;
    const sync = new FolderSync(() =>
      ++calls === 1 ? Promise.reject(new Error("disk")) : Promise.resolve()
    );
    const results = await Promise.allSettled([sync.request("a"), sync.request("a")]);
    assertEquals(results.map(({ status }) => status), ["rejected", "fulfilled"]);
  },
);

Deno.test("KeyedLock.run() takes turns for a key and none between keys", none, async () => {
  const lock = new KeyedLock();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lock.run("a", async () => {
    log.push("first in");
    await gate.promise;
    log.push("first out");
    throw new Error("failed");
  }).catch(() => {});
  const second = lock.run("a", () => Promise.resolve(log.push("second")));
  await lock.run("b", () => Promise.resolve(log.push("other")));
  gate.resolve();
  await Promise.all([first, second]);
  assertEquals(log, ["first in", "other", "first out", "second"]);
});
