/**
 * Takes the hashes of `tools/jsr-offline/` out of `deno.lock`. Deno notes them there when it runs
 * where JSR cannot be reached; committed, they would make it refuse the real packages elsewhere.
 *
 * @module
 */
import { JSR_OFFLINE_URL, manifestsOf } from "./jsr_offline.ts";

const LOCK_URL = new URL("../deno.lock", import.meta.url);

/** The part of a lock file that matters here. */
interface Lock {
  jsr?: Record<string, { integrity: string }>;
}

/**
 * Works out which hashes in a lock file are those of the offline subset.
 *
 * @param text The lock file.
 * @returns The packages, such as `@std/cli@1.0.32`, in the order of the file.
 */
export async function offlineEntriesOf(text: string): Promise<string[]> {
  const hashes = await offlineHashes();
  const lock = JSON.parse(text) as Lock;
  return Object.entries(lock.jsr ?? {})
    .filter(([, { integrity }]) => hashes.has(integrity))
    .map(([name]) => name);
}

/** A lock file's hash of a JSR package is that of its version manifest. */
async function offlineHashes(): Promise<ReadonlySet<string>> {
  const hashes = new Set<string>();
  for (const [path, text] of await manifestsOf(JSR_OFFLINE_URL)) {
    if (!path.endsWith("_meta.json")) continue;
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    hashes.add(new Uint8Array(digest).toHex());
  }
  return hashes;
}

/**
 * Takes packages out of the hashes of a lock file and leaves the rest as it is.
 *
 * @param text The lock file.
 * @param names The packages.
 * @returns The lock file without their hashes.
 */
export function withoutEntries(text: string, names: readonly string[]): string {
  const lock = JSON.parse(text) as Lock;
  for (const name of names) delete lock.jsr?.[name];
  if (lock.jsr && Object.keys(lock.jsr).length === 0) delete lock.jsr;
  return `${JSON.stringify(lock, undefined, 2)}\n`;
}

if (import.meta.main) {
  const text = await Deno.readTextFile(LOCK_URL);
  const names = await offlineEntriesOf(text);
  if (names.length > 0) await Deno.writeTextFile(LOCK_URL, withoutEntries(text, names));
}
