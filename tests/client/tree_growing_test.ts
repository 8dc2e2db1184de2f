import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import type { NetdiskClient } from "../../client/netdisk.ts";
import { GrowingList, pagesOfPlan } from "../../client/tree/growing.ts";
import { pagesOf, pagesOfGrowing } from "../../client/tree/pages.ts";
import { TrivetError } from "../../lib/errors.ts";
import { BATCH_ITEMS_MAX } from "../../lib/netdisk/messages.ts";
import { noise, TestServer } from "../server/testing.ts";
import { connectTo, namesIn, withFolder } from "./testing.ts";

const FAILURE = new TrivetError("INTERRUPTED", "Stop");

Deno.test("GrowingList.reach() waits for so many items, for the end, or fails", async () => {
  const list = new GrowingList<number>();
  const reached: number[] = [];
  const waiting = [2, 3, 9].map((count) => list.reach(count).then(() => reached.push(count)));
  list.add(1);
  await Promise.resolve();
  assertEquals(reached, []);
  list.add(2);
  await waiting[0];
  assertEquals(reached, [2]);
  list.end();
  await Promise.all(waiting);
  assertEquals(reached.toSorted(), [2, 3, 9]);
  await list.reach(100);
  assertEquals(list.items, [1, 2]);
  const broken = new GrowingList<number>();
  const before = broken.reach(1);
  broken.fail(FAILURE);
  assertEquals(await assertRejects(() => before), FAILURE);
  assertEquals(await assertRejects(() => broken.reach(1)), FAILURE);
});

Deno.test("pagesOfPlan() takes a whole plan as one page", async () => {
  assertEquals(await Array.fromAsync(pagesOfPlan([1, 2])), [[1, 2]]);
  async function* pages() {
    yield await Promise.resolve([1]);
    yield [2, 3];
  }
  assertEquals(await Array.fromAsync(pagesOfPlan(pages())), [[1], [2, 3]]);
});

Deno.test("pagesOfGrowing() cuts as pagesOf() does, however the list grows", async () => {
  const counts = [1, BATCH_ITEMS_MAX - 1, 3, BATCH_ITEMS_MAX, 1, 2 * BATCH_ITEMS_MAX + 5, 40];
  const items = counts.flatMap((count, group) => Array.from({ length: count }, () => `${group}`));
  const sizeOf = (group: string) => ({ path: [group], group });
  const expected = [...pagesOf(items, sizeOf)];
  for (const step of [1, 7, BATCH_ITEMS_MAX, items.length]) {
    const list = new GrowingList<string>();
    const pages = Array.fromAsync(pagesOfGrowing(list, sizeOf));
    for (const [at, item] of items.entries()) {
      list.add(item);
      if (at % step === 0) await Promise.resolve();
    }
    list.end();
    assertEquals(await pages, expected);
  }
});

Deno.test("pagesOfGrowing() fails with its list", async () => {
  const list = new GrowingList<string>();
  const pages = Array.fromAsync(pagesOfGrowing(list, (name) => ({ path: [name] })));
  list.fail(FAILURE);
  assertEquals(await assertRejects(() => pages), FAILURE);
});

/** More files than a walk looks ahead. */
const MANY = 4 * BATCH_ITEMS_MAX;

/** A folder that a walk comes to behind the many files. */
const LAST = "z";

interface Stage {
  readonly client: NetdiskClient;
  readonly server: TestServer;
  readonly folder: string;
}

async function withMany(test: (stage: Stage) => Promise<void>): Promise<void> {
  await using server = await TestServer.start();
  const token = await server.addUser("ann");
  await using client = await connectTo(server, token);
  await withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "tree", LAST), { recursive: true });
    for (let at = 0; at < MANY; at++) {
      Deno.writeFileSync(join(folder, "tree", `${at}`), noise(3, at));
    }
    Deno.writeFileSync(join(folder, "tree", LAST, "last"), noise(3));
    await test({ client, server, folder });
  });
}

/** Asks `isTime` when the walk comes to its last folder. */
async function holdingWalk<T>(
  isTime: () => boolean,
  work: () => Promise<T>,
): Promise<{ result: T; wasTime: boolean | undefined }> {
  const { readDirSync } = Deno;
  let wasTime: boolean | undefined;
  Deno.readDirSync = (path) => {
    if (`${path}`.endsWith(LAST)) wasTime = isTime();
    return readDirSync(path);
  };
  try {
    return { result: await work(), wasTime };
  } finally {
    Deno.readDirSync = readDirSync;
  }
}

Deno.test("NetdiskClient.putTree() reads the first files before the walk has ended", () =>
  withMany(async ({ client, server, folder }) => {
    const { openSync } = Deno;
    let opened = 0;
    Deno.openSync = (...args) => {
      opened += 1;
      return openSync(...args);
    };
    try {
      const { result, wasTime } = await holdingWalk(
        () => opened >= BATCH_ITEMS_MAX,
        () => client.putTree([join(folder, "tree")], "/"),
      );
      assertEquals(wasTime, true);
      assertEquals([result.files, result.folders, result.leftOut.length], [MANY + 1, 2, 0]);
    } finally {
      Deno.openSync = openSync;
    }
    const names = namesIn(join(folder, "tree"));
    assertEquals(namesIn(server.home("ann", "tree")), names);
    assertEquals(namesIn(server.home("ann", "tree", LAST)), ["last"]);
  }));

Deno.test("NetdiskClient.getTree() writes the first files before the walk has ended", () =>
  withMany(async ({ client, folder }) => {
    await client.putTree([join(folder, "tree")], "/", { durability: "os" });
    const { listPage } = client;
    let isHeld = false;
    const written = Promise.withResolvers<void>();
    client.listPage = async (path, options) => {
      if (path.endsWith(LAST)) {
        isHeld = true;
        await written.promise;
      }
      return await listPage.call(client, path, options);
    };
    const result = await client.getTree(["/tree"], join(folder, "down"), {
      durability: "os",
      onProgress: ({ doneFiles }) => {
        if (doneFiles > 0) written.resolve();
      },
    });
    assertEquals([isHeld, result.files, result.folders], [true, MANY + 1, 2]);
    assertEquals(namesIn(join(folder, "down")), namesIn(join(folder, "tree")));
  }));

Deno.test("NetdiskClient.putTree() without a place to go sends nothing of several sources", () =>
  withMany(async ({ client, server, folder }) => {
    const sources = [join(folder, "tree"), join(folder, "none")];
    const error = await assertRejects(() => client.putTree(sources, "/"), TrivetError);
    assertEquals(error.code, "LOCAL_NOT_FOUND");
    assertEquals(namesIn(server.home("ann")), []);
  }));
