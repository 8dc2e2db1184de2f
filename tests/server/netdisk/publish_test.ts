import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { ActiveUploads } from "../../../server/netdisk/active_uploads.ts";
import { FolderDepot } from "../../../server/netdisk/folder_depot.ts";
import { publishFile } from "../../../server/netdisk/publish.ts";
import { SqliteCatalog } from "../../../server/store/sqlite_catalog.ts";
import { addUser, used } from "../store/catalog_contract.ts";

Deno.test("publishFile() keeps the file in its place until the catalog has counted it", async () => {
  const data = await Deno.makeTempDir({ prefix: "trivet-publish-" });
  const catalog = SqliteCatalog.open(join(data, "trivet.db"));
  try {
    const depot = FolderDepot.open(data);
    await addUser(catalog);
    await depot.createHome("ada");
    const folder = { user: "ada", path: ["d"] };
    await depot.mkdir(folder);
    const stores = { catalog, depot, activeUploads: new ActiveUploads(), names: "native" } as const;
    const at = { user: "ada", path: ["d", "f"] };
    let removal = Promise.resolve();
    await publishFile(stores, "f", { overwrite: "replace" }, {
      user: "ada",
      begin: (intent) => catalog.beginWrite({ ...intent, id: "f", user: "ada", durability: "os" }),
      publish: async (options) => {
        const published = await depot.writeSmall("f", at, { ...options, bytes: new Uint8Array(9) });
        removal = depot.moveToTrash("t", folder, { recursive: true });
        // Takes longer than a removal that nobody holds up.
        await depot.createHome("bob");
        assertEquals(await depot.exists(at), true);
        return published;
      },
    });
    await removal;
    assertEquals([await depot.exists(at), await used(catalog)], [false, 9]);
    assertEquals(await depot.measureTrash("t", folder), { bytes: 9, files: 1, entries: 2 });
  } finally {
    await catalog.close();
    await Deno.remove(data, { recursive: true });
  }
});
