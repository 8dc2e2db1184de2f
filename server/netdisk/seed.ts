/**
 * Beginning an upload with what the home holds already: the file that is about to be replaced, of
 * which perhaps little has changed, or another file with the very same content.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { SEED_MIN_BYTES } from "../../lib/netdisk/messages.ts";
import { fromHex } from "../../lib/transfer/digest.ts";
import { homePath, type NetdiskContext } from "./context.ts";
import type { HomePath, ReadHandle } from "./depot.ts";

/** Files with the right size that are looked at. */
const CANDIDATES_MAX = 16;

/** What an upload could begin with. */
export interface SeedOffer {
  /** Whether a file that has the target's name may have chunks in common. */
  readonly target: boolean;
  /** Whether some file has the same size; its digest would tell whether it is the same. */
  readonly content: boolean;
}

/** What there is to begin an upload with; nothing for small files, which are sent sooner. */
export async function offerSeed(
  context: NetdiskContext,
  at: HomePath,
  { size, takenBytes }: { readonly size: number | undefined; readonly takenBytes: number },
): Promise<SeedOffer | undefined> {
  if (size === undefined || size < SEED_MIN_BYTES) return undefined;
  const found = await context.catalog.findContents(at.user, { size, limit: 1 });
  const offer = { target: takenBytes >= SEED_MIN_BYTES, content: found.length > 0 };
  return offer.target || offer.content ? offer : undefined;
}

/**
 * Opens the file to begin with: one that has the digest, else the one with the target's name.
 *
 * @returns Nothing when there is neither any more.
 */
export async function openSeed(
  context: NetdiskContext,
  at: HomePath,
  { size, digest }: { readonly size: number; readonly digest: string | undefined },
): Promise<ReadHandle | undefined> {
  const same = digest === undefined
    ? undefined
    : await openSame(context, at.user, { size, digest: fromHex(digest) });
  return same ?? await tryOpen(context, at.path);
}

async function openSame(
  context: NetdiskContext,
  user: string,
  wanted: { readonly size: number; readonly digest: Uint8Array },
): Promise<ReadHandle | undefined> {
  const { catalog } = context;
  for (
    const { path, etag } of await catalog.findContents(user, { ...wanted, limit: CANDIDATES_MAX })
  ) {
    const file = await tryOpen(context, path);
    if (file?.etag === etag) return file;
    file?.close();
    // Moved, replaced or removed since; or out of the login's reach, which says nothing of the file.
    if (context.session.pathPrefix.length === 0) await catalog.forgetContent(user, path);
  }
  return undefined;
}

async function tryOpen(
  context: NetdiskContext,
  path: readonly string[],
): Promise<ReadHandle | undefined> {
  try {
    // A login that is confined to a folder must not learn what is outside of it.
    return await context.depot.openRead(homePath(context, path));
  } catch (error) {
    if (error instanceof TrivetError && error.code !== "INTERNAL") return undefined;
    throw error;
  }
}
