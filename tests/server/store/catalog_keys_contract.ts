/**
 * What every `Catalog` must do for machine keys. An implementation's test file calls `testKeyCatalog`
 * with a way to open one that is empty.
 *
 * @module
 */

import { assertEquals, assertNotEquals } from "@std/assert";
import { TOKEN_USE_ROUND_MS } from "../../../server/store/catalog.ts";
import type { NewKey } from "../../../server/store/catalog_keys.ts";
import { assertCode, type WithCatalog } from "./catalog_contract.ts";

const SEALED = new Uint8Array(60).fill(7);

function idOf(fill: number): string {
  return fill.toString(16).padStart(2, "0").repeat(9);
}

function keyOf(fill: number, change: Partial<NewKey> = {}): NewKey {
  const id = idOf(fill);
  return { id, name: `key${fill}`, services: null, sealed: SEALED, expiresAtMs: null, ...change };
}

/** Registers the suite. */
export function testKeyCatalog(name: string, withCatalog: WithCatalog): void {
  Deno.test(`${name} keeps machine keys, each name once`, () =>
    withCatalog(async (catalog, clock) => {
      const added = await catalog.addKey(keyOf(1, { services: ["exec"], expiresAtMs: 1e15 }));
      assertEquals(added, {
        id: idOf(1),
        name: "key1",
        services: ["exec"],
        createdAtMs: clock.nowMs,
        lastUsedAtMs: null,
        expiresAtMs: 1e15,
      });
      await catalog.addKey(keyOf(2));
      await assertCode("KEY_EXISTS", () => catalog.addKey(keyOf(3, { name: "key1" })));
      assertEquals((await catalog.listKeys({ limit: 10 })).map(({ name }) => name), [
        "key1",
        "key2",
      ]);
      assertEquals(await catalog.listKeys({ limit: 1 }), [added]);
      assertEquals(await catalog.keyName(idOf(2)), "key2");
      assertEquals(await catalog.keyName(idOf(3)), null);
      const [second] = await catalog.listKeys({ after: "key1", limit: 1 });
      assertEquals([second?.id, second?.services], [idOf(2), null]);
    }));

  Deno.test(`${name} finds a key for its services, until the moment it ends`, () =>
    withCatalog(async (catalog, clock) => {
      const expiresAtMs = clock.nowMs + 1000;
      await catalog.addKey(keyOf(1, { services: ["netdisk", "exec"], expiresAtMs }));
      await catalog.addKey(keyOf(2));
      assertEquals(await catalog.findKey(idOf(1), "netdisk"), SEALED);
      assertEquals(await catalog.findKey(idOf(1), "exec"), SEALED);
      assertEquals(await catalog.findKey(idOf(1), "net"), null);
      assertEquals(await catalog.findKey(idOf(2), "anything"), SEALED);
      assertEquals(await catalog.findKey(idOf(3), "netdisk"), null);
      clock.nowMs = expiresAtMs - 1;
      const mark = await catalog.loginsMark();
      assertEquals(await catalog.findKey(idOf(1), "netdisk"), SEALED);
      assertEquals(await catalog.endedKeys([idOf(1), idOf(2)]), []);
      clock.nowMs = expiresAtMs;
      assertEquals(await catalog.findKey(idOf(1), "netdisk"), null);
      assertEquals(await catalog.endedKeys([idOf(1), idOf(2)]), [idOf(1)]);
      assertNotEquals(await catalog.loginsMark(), mark);
      assertEquals((await catalog.listKeys({ limit: 10 })).length, 2);
    }));

  Deno.test(`${name} revokes a key by name or id, the name first`, () =>
    withCatalog(async (catalog) => {
      for (const fill of [1, 2, 3]) await catalog.addKey(keyOf(fill));
      const mark = await catalog.loginsMark();
      assertEquals((await catalog.revokeKey("key1"))?.id, idOf(1));
      assertNotEquals(await catalog.loginsMark(), mark);
      assertEquals((await catalog.revokeKey(idOf(2)))?.name, "key2");
      assertEquals(await catalog.revokeKey("key1"), null);
      assertEquals(await catalog.findKey(idOf(1), "netdisk"), null);
      assertEquals(await catalog.endedKeys([idOf(1), idOf(2), idOf(3)]), [idOf(1), idOf(2)]);
      await catalog.addKey(keyOf(4, { name: idOf(3) }));
      assertEquals((await catalog.revokeKey(idOf(3)))?.id, idOf(4));
      assertEquals(await catalog.findKey(idOf(3), "netdisk"), SEALED);
    }));

  Deno.test(`${name} notes the hour of a key's use`, () =>
    withCatalog(async (catalog, clock) => {
      await catalog.addKey(keyOf(1));
      const usedAtMs = async () => (await catalog.listKeys({ limit: 1 }))[0]?.lastUsedAtMs;
      clock.nowMs = 5 * TOKEN_USE_ROUND_MS + 1;
      await catalog.noteKeyUse(idOf(1));
      assertEquals(await usedAtMs(), 5 * TOKEN_USE_ROUND_MS);
      clock.nowMs = 6 * TOKEN_USE_ROUND_MS - 1;
      await catalog.noteKeyUse(idOf(1));
      assertEquals(await usedAtMs(), 5 * TOKEN_USE_ROUND_MS);
      clock.nowMs = 6 * TOKEN_USE_ROUND_MS;
      await catalog.noteKeyUse(idOf(1));
      assertEquals(await usedAtMs(), 6 * TOKEN_USE_ROUND_MS);
      await catalog.noteKeyUse(idOf(9));
    }));
}
