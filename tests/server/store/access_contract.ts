/**
 * What every `Catalog` must do about passwords and tokens; `testCatalog` has the rest.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { NewToken } from "../../../server/store/catalog.ts";
import type { VerifierOptions } from "../../../server/store/catalog_accounts.ts";
import { API_TOKENS_MAX, tokenId } from "../../../server/store/catalog_access.ts";
import { addUser, assertCode, type Test } from "./catalog_contract.ts";

function newToken(first: number, change: Partial<NewToken> = {}): NewToken {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, first);
  return {
    hash,
    user: "ada",
    kind: "api",
    scope: "write",
    pathPrefix: ["in"],
    expiresAtMs: null,
    label: `token ${first}`,
    ...change,
  };
}

/** Registers this part of the suite. */
export function testAccess(test: Test): void {
  test("changes a password and ends the other sessions of that account", async (catalog) => {
    await addUser(catalog);
    await addUser(catalog, "bob");
    const kept = newToken(1, { kind: "session" });
    const ended = newToken(2, { kind: "session" });
    const api = newToken(3);
    const others = newToken(4, { kind: "session", user: "bob" });
    for (const token of [kept, ended, api, others]) await catalog.addToken(token);
    const verifier = {
      salt: new Uint8Array(20).fill(5),
      iterations: 700_000,
      storedKey: new Uint8Array(32).fill(6),
      serverKey: new Uint8Array(32).fill(7),
    };
    const provenEpoch = await catalog.authEpoch("ada") ?? -1;
    const change = (user: string, options: VerifierOptions = {}) =>
      catalog.setVerifier(user, verifier, { provenEpoch, ...options });
    const { authEpoch, ended: endedCount } = await change("ada", { keep: kept.hash });
    assertEquals([authEpoch, endedCount], [await catalog.authEpoch("ada"), 1]);
    assertEquals(await catalog.findVerifier("ada"), verifier);
    const found = [];
    for (const { hash } of [kept, ended, api, others]) {
      found.push(await catalog.findToken(hash) !== null);
    }
    assertEquals(found, [true, false, true, true]);
    // The proof was of the password before.
    await assertCode("AUTH_REQUIRED", () => change("ada"));
    assertEquals((await change("ada", { provenEpoch: authEpoch })).ended, 1);
    await assertCode("USER_NOT_FOUND", () => change("eve"));
    const disabledEpoch = async () => {
      await catalog.setDisabled("ada", true);
      return await catalog.authEpoch("ada") ?? -1;
    };
    const last = await disabledEpoch();
    await assertCode("AUTH_REQUIRED", () => change("ada", { provenEpoch: last }));
  });

  test("lists an account's tokens in pages, without those that ended", async (catalog, clock) => {
    clock.nowMs = 1000;
    await addUser(catalog);
    await addUser(catalog, "bob");
    await catalog.addToken(newToken(3, { expiresAtMs: 2000 }));
    await catalog.addToken(newToken(1));
    await catalog.addToken(newToken(2, { user: "bob" }));
    await catalog.addToken(newToken(4, { kind: "session" }));
    const labels = async (after?: string, limit = 10) =>
      (await catalog.listTokens({ user: "ada", limit, ...(after === undefined ? {} : { after }) }))
        .map(({ label }) => label);
    assertEquals(await labels(), ["token 1", "token 3", "token 4"]);
    assertEquals(await labels(undefined, 2), ["token 1", "token 3"]);
    assertEquals(await labels(tokenId(newToken(3).hash)), ["token 4"]);
    clock.nowMs = 2000;
    assertEquals(await labels(), ["token 1", "token 4"]);
  });

  test("revokes tokens of one account by id, all of them or none", async (catalog) => {
    await addUser(catalog);
    await addUser(catalog, "bob");
    const [first, second] = [newToken(1), newToken(2)];
    const others = newToken(3, { user: "bob" });
    for (const token of [first, second, others]) await catalog.addToken(token);
    const ids = [first, second, others].map(({ hash }) => tokenId(hash));
    await assertCode("TOKEN_NOT_FOUND", () => catalog.revokeTokens("ada", ids));
    assertEquals((await catalog.listTokens({ user: "ada", limit: 9 })).length, 2);
    const own = ids.slice(0, 2);
    assertEquals(await catalog.revokeTokens("ada", [...own, ...own]), 2);
    assertEquals(await catalog.listTokens({ user: "ada", limit: 9 }), []);
    assertEquals((await catalog.listTokens({ user: "bob", limit: 9 })).length, 1);
  });

  test(
    `takes ${API_TOKENS_MAX} tokens of an account that have not ended`,
    async (catalog, clock) => {
      clock.nowMs = 1000;
      await addUser(catalog);
      const expiresAtMs = 2000;
      await Promise.all(
        Array.from(
          { length: API_TOKENS_MAX },
          (_, i) => catalog.addToken(newToken(i, i === 0 ? { expiresAtMs } : {})),
        ),
      );
      await assertCode("TOO_MANY", () => catalog.addToken(newToken(1000)));
      await catalog.addToken(newToken(1001, { kind: "session" }));
      clock.nowMs = expiresAtMs;
      await catalog.addToken(newToken(1002));
      await assertCode("TOO_MANY", () => catalog.addToken(newToken(1003)));
    },
  );
}
