/**
 * What every `Catalog` must do about accounts as a whole; `testCatalog` has the rest.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { account } from "../accounts/testing.ts";
import { addUser, assertCode, type Test } from "./catalog_contract.ts";

/** Registers this part of the suite. */
export function testWholeAccounts(test: Test): void {
  test("exports what it imported, by name", async (catalog) => {
    const bob = account("bob", { disabled: true, quotaBytes: 7, quotaFiles: 9 });
    await catalog.importAccounts({ added: [bob, account("ada")], changed: [] });
    assertEquals(await catalog.exportAccounts(), [account("ada"), bob]);
    assertEquals(await catalog.findVerifier("bob"), null);
    assertEquals(await catalog.findVerifier("ada"), account("ada").verifier);
  });

  test("changes accounts by an import, and ends sessions of another password", async (catalog) => {
    await addUser(catalog);
    const [before] = await catalog.exportAccounts();
    const hash = new Uint8Array(32).fill(9);
    await catalog.addToken({
      ...{ hash, user: "ada", kind: "session", scope: "full" },
      ...{ pathPrefix: [], expiresAtMs: null, label: "" },
    });
    const same = account("ada", { quotaBytes: 5, ...before && { verifier: before.verifier } });
    await catalog.importAccounts({ added: [], changed: [same] });
    assertEquals((await catalog.findUser("ada"))?.quotaBytes, 5);
    assertEquals((await catalog.findToken(hash))?.user, "ada");
    const verifier = { ...same.verifier, storedKey: new Uint8Array(32).fill(8) };
    await catalog.importAccounts({ added: [], changed: [{ ...same, verifier }] });
    assertEquals(await catalog.findToken(hash), null);
    const [after] = await catalog.exportAccounts();
    assertEquals([after?.verifier, after?.createdAtMs], [verifier, before?.createdAtMs]);
  });

  test("imports all accounts or none", async (catalog) => {
    await addUser(catalog);
    const before = await catalog.exportAccounts();
    const added = [account("bob"), account("ada")];
    await assertCode("USER_EXISTS", () => catalog.importAccounts({ added, changed: [] }));
    const changed = [account("ada", { quotaBytes: 1 }), account("eve")];
    await assertCode("USER_NOT_FOUND", () => catalog.importAccounts({ added: [], changed }));
    assertEquals(await catalog.exportAccounts(), before);
  });
}
