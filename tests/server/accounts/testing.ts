/**
 * Accounts for the tests of this folder.
 *
 * @module
 */

import type { StoredAccount } from "../../../server/store/catalog_export.ts";

/** An account. */
export function account(name: string, change: Partial<StoredAccount> = {}): StoredAccount {
  return {
    name,
    quotaBytes: 1000,
    quotaFiles: null,
    disabled: false,
    createdAtMs: 1_700_000_000_123,
    verifier: {
      salt: new Uint8Array(16).fill(1),
      iterations: 600_000,
      storedKey: new Uint8Array(32).fill(2),
      serverKey: new Uint8Array(32).fill(3),
    },
    ...change,
  };
}
