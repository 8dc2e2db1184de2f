/**
 * What every `Catalog` must do about invites; `testCatalog` has the rest.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { NewUser } from "../../../server/store/catalog.ts";
import { tokenId } from "../../../server/store/catalog_access.ts";
import { INVITES_MAX, type NewInvite } from "../../../server/store/catalog_invites.ts";
import { addUser, assertCode, type Test } from "./catalog_contract.ts";

function newInvite(first: number, change: Partial<NewInvite> = {}): NewInvite {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, first);
  return { hash, quotaBytes: null, quotaFiles: null, uses: 1, expiresAtMs: 2000, ...change };
}

function newUser(name: string): NewUser {
  const key = new Uint8Array(32);
  return {
    name,
    verifier: { salt: new Uint8Array(16), iterations: 600_000, storedKey: key, serverKey: key },
    quotaBytes: 1000,
  };
}

/** Registers this part of the suite. */
export function testInvites(test: Test): void {
  test("makes as many accounts with an invite as it has uses", async (catalog) => {
    const invite = newInvite(1, { uses: 2, quotaBytes: 5, quotaFiles: 6 });
    await catalog.addInvite(invite);
    const made = await catalog.redeemInvite(invite.hash, newUser("ada"));
    assertEquals([made?.name, made?.quotaBytes, made?.quotaFiles], ["ada", 5, 6]);
    // A name that is taken uses nothing.
    await assertCode("USER_EXISTS", () => catalog.redeemInvite(invite.hash, newUser("ada")));
    assertEquals((await catalog.listInvites())[0]?.usesLeft, 1);
    const both = await Promise.all(
      ["bob", "eve"].map((name) => catalog.redeemInvite(invite.hash, newUser(name))),
    );
    assertEquals(both.filter((user) => user !== null).length, 1);
    assertEquals(await catalog.listInvites(), []);
    assertEquals(await catalog.redeemInvite(invite.hash, newUser("ada")), null);
  });

  test("gives the quota of the server where the invite names none", async (catalog) => {
    await catalog.addInvite(newInvite(1));
    const made = await catalog.redeemInvite(newInvite(1).hash, newUser("ada"));
    assertEquals(made?.quotaBytes, 1000);
  });

  test("takes an invite until the moment it ends, and no unknown one", async (catalog, clock) => {
    await catalog.addInvite(newInvite(1, { uses: 9 }));
    clock.nowMs = 1999;
    assertEquals((await catalog.redeemInvite(newInvite(1).hash, newUser("ada")))?.name, "ada");
    assertEquals(await catalog.redeemInvite(newInvite(2).hash, newUser("bob")), null);
    clock.nowMs = 2000;
    assertEquals(await catalog.redeemInvite(newInvite(1).hash, newUser("bob")), null);
    assertEquals(await catalog.listInvites(), []);
  });

  test("revokes invites by id, all of them or none", async (catalog) => {
    await addUser(catalog);
    for (const first of [1, 2]) await catalog.addInvite(newInvite(first));
    const [one = "", two = ""] = [1, 2].map((first) => tokenId(newInvite(first).hash));
    for (const unknown of ["0123456789abcdef", "x"]) {
      await assertCode("NOT_FOUND", () => catalog.revokeInvites([one, unknown]));
    }
    assertEquals((await catalog.listInvites()).length, 2);
    assertEquals(await catalog.revokeInvites([one, two, one]), 2);
    assertEquals(await catalog.listInvites(), []);
  });

  test(`keeps ${INVITES_MAX} invites, those that ended not counted`, async (catalog, clock) => {
    await Promise.all(
      Array.from(
        { length: INVITES_MAX },
        (_, i) => catalog.addInvite(newInvite(i, { expiresAtMs: i === 0 ? 1000 : 2000 })),
      ),
    );
    await assertCode("TOO_MANY", () => catalog.addInvite(newInvite(5000)));
    clock.nowMs = 1000;
    await catalog.addInvite(newInvite(5001));
    await assertCode("TOO_MANY", () => catalog.addInvite(newInvite(5002)));
  });
}
