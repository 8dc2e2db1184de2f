/**
 * What every `Catalog` must do with batches of small files; part of `catalog_contract.ts`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { addUser, assertCode, type Test, used } from "./catalog_contract.ts";

function batch(id: string, sizes: readonly (readonly [size: number, replacedBytes: number])[]) {
  const files = sizes.map(([size, replacedBytes], index) => ({
    index,
    path: ["d", `${id}-${index}`],
    size,
    replacedBytes,
    replacedFiles: replacedBytes === 0 ? 0 : 1,
  }));
  return { id, user: "ada", files };
}

/** Registers the suite. */
export function testBatches(test: Test): void {
  for (const durability of ["commit", "os"] as const) {
    test(`reserves a batch and keeps what was published of it with "${durability}"`, async (catalog) => {
      await addUser(catalog);
      await catalog.beginBatch({ ...batch("a", [[30, 0]]), durability });
      await catalog.finishBatch("a", new Set([0]));
      assertEquals(await used(catalog), 30);
      const begun = batch("b", [[100, 30], [20, 0], [7, 0]]);
      await catalog.beginBatch({ ...begun, durability });
      assertEquals(await used(catalog), 157);
      assertEquals(await catalog.listBatches(9), [begun]);
      await catalog.finishBatch("b", new Set([0, 2]));
      assertEquals(await used(catalog), 107);
      assertEquals(await catalog.listBatches(9), []);
      await catalog.finishBatch("b", new Set([0, 1, 2]));
      assertEquals(await used(catalog), 107, "a batch that is not there is no error");
    });
  }

  test("releases a batch of which nothing was published", async (catalog) => {
    await addUser(catalog);
    await catalog.beginBatch({ ...batch("a", [[100, 30], [20, 20]]), durability: "os" });
    await catalog.finishBatch("a", new Set());
    assertEquals(await used(catalog), 0);
  });

  test("refuses a batch beyond the quota, with the numbers", async (catalog) => {
    await addUser(catalog, "ada", 1000);
    await catalog.beginBatch({ ...batch("a", [[300, 0], [300, 0]]), durability: "os" });
    const error = await assertCode(
      "QUOTA_EXCEEDED",
      () => catalog.beginBatch({ ...batch("b", [[400, 0], [1, 0]]), durability: "os" }),
    );
    assertEquals(error.details, { need_bytes: 401, have_bytes: 400 });
    assertEquals((await catalog.listBatches(9)).length, 1);
    assertEquals(await used(catalog), 600);
    await catalog.beginBatch({ ...batch("b", [[400, 0]]), durability: "os" });
    assertEquals(await used(catalog), 1000);
  });

  test("takes no batch of nobody, and lists batches in order", async (catalog) => {
    await assertCode(
      "NOT_FOUND",
      () => catalog.beginBatch({ ...batch("a", [[1, 0]]), durability: "os" }),
    );
    await addUser(catalog);
    for (const id of ["c", "a", "b"]) {
      await catalog.beginBatch({ ...batch(id, [[1, 0]]), durability: "os" });
    }
    assertEquals((await catalog.listBatches(2)).map(({ id }) => id), ["a", "b"]);
  });
}
