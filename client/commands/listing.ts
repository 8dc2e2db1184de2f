/**
 * The work behind `ls`.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, parsePath } from "../../lib/netdisk/path.ts";
import type { NetdiskClient } from "../netdisk.ts";
import type { NetdiskEntry } from "../netdisk_types.ts";
import { checkRemotePaths, expandRemote, type RemotePath } from "../remote_glob.ts";
import { type RemoteItem, walkRemote } from "../remote_walk.ts";
import { openClient } from "./access.ts";
import type { ClientContext } from "./context.ts";
import { isHidden, jsonEntry, longLines } from "./entries.ts";

/** How `ls` shows what it finds. */
export interface ListingOptions {
  /** One line with everything for each entry. */
  readonly long: boolean;
  /** Names that begin with a dot too. */
  readonly all: boolean;
  /** Sizes with units. */
  readonly human: boolean;
  /** Folders below too. */
  readonly recursive: boolean;
  /** The largest first. */
  readonly "by-size": boolean;
  /** The newest first. */
  readonly "by-time": boolean;
  /** The other way round. */
  readonly reverse: boolean;
}

/** A folder with what is in it, or a file with itself. */
interface Listing {
  readonly path: string;
  readonly isFolder: boolean;
  readonly entries: readonly NetdiskEntry[];
}

/** Lists folders and files. */
export async function listPaths(
  context: ClientContext,
  asked: readonly string[],
  options: ListingOptions,
): Promise<void> {
  if (options["by-size"] && options["by-time"]) {
    throw new TrivetError("USAGE", "--by-size and --by-time exclude each other");
  }
  const texts = asked.map((text) => text === "" ? "/" : text);
  checkRemotePaths(texts);
  await using client = await openClient(context);
  const { output, signal } = context;
  const listings: Listing[] = [];
  const failures: TrivetError[] = [];
  // What is there is shown, whatever else was asked for.
  const found = new Map<string, RemotePath>();
  const attempt = async (work: () => Promise<void>) => {
    await work().catch((error) => {
      const isOfOne = error instanceof TrivetError && !error.retry && texts.length > 1;
      if (!isOfOne) throw error;
      failures.push(error);
    });
  };
  for (const text of texts) {
    await attempt(async () => {
      for (const path of await expandRemote(client, [text], signal)) found.set(path.path, path);
    });
  }
  for (const path of found.values()) {
    await attempt(async () => {
      for await (const listing of read(client, path, { options, signal })) listings.push(listing);
    });
  }
  const files = listings.filter(({ isFolder }) => !isFolder).flatMap(({ path, entries }) =>
    entries.map((entry) => ({ path, entry }))
  );
  const folders = listings.filter(({ isFolder }) => isFolder)
    .map((listing) => ({ ...listing, entries: sorted(listing.entries, options) }));
  // Files that were named come first, under the path that tells them apart.
  const named = sorted(files.map(({ path, entry }) => ({ ...entry, name: path })), options);
  for (const line of linesOf(named, options)) output.line(line);
  for (const [index, { path, entries }] of folders.entries()) {
    const isAlone = listings.length === 1 && texts.length === 1 && !options.recursive;
    if (!isAlone) output.line(`${index === 0 && named.length === 0 ? "" : "\n"}${path}:`);
    for (const line of linesOf(entries, options)) output.line(line);
  }
  const document = {
    listings: [
      ...files.map(({ path, entry }) => ({ path, entries: [jsonEntry(entry)] })),
      ...folders.map(({ path, entries }) => ({ path, entries: entries.map(jsonEntry) })),
    ],
  };
  const last = failures.pop();
  for (const { message } of failures) output.warn(message);
  if (last !== undefined) throw last;
  output.json(document);
}

async function* read(
  client: NetdiskClient,
  { path, entry }: RemotePath,
  { options, signal }: { readonly options: ListingOptions; readonly signal: AbortSignal },
): AsyncGenerator<Listing, void> {
  if (entry !== undefined && entry.type !== "folder") {
    yield { path, isFolder: false, entries: [entry] };
    return;
  }
  const first = await client.listPage(path, { signal });
  if (first.entry.type !== "folder") {
    yield { path, isFolder: false, entries: first.entries };
    return;
  }
  const isShown = (entry: NetdiskEntry) => options.all || !isHidden(entry.name);
  if (!options.recursive) {
    const entries = first.entries.filter(isShown);
    for (let page = first; page.more && page.entries.length > 0;) {
      page = await client.listPage(path, { after: page.entries.at(-1)?.name, signal });
      entries.push(...page.entries.filter(isShown));
    }
    yield { path, isFolder: true, entries };
    return;
  }
  const found = new Map<string, NetdiskEntry[]>([[path, []]]);
  const accepts = (item: RemoteItem) => isShown(item.entry);
  for await (const item of walkRemote(client, parsePath(path), { accepts, signal })) {
    found.get(formatPath(item.path.slice(0, -1)))?.push(item.entry);
    if (item.entry.type === "folder") found.set(formatPath(item.path), []);
  }
  for (const [folder, entries] of found) yield { path: folder, isFolder: true, entries };
}

/** By name, as they come, unless something else was asked for. */
function sorted(entries: readonly NetdiskEntry[], options: ListingOptions): NetdiskEntry[] {
  const ordered = [...entries];
  if (options["by-size"]) ordered.sort((a, b) => b.size - a.size);
  if (options["by-time"]) ordered.sort((a, b) => b.mtimeMs - a.mtimeMs);
  return options.reverse ? ordered.reverse() : ordered;
}

function linesOf(entries: readonly NetdiskEntry[], options: ListingOptions): string[] {
  return options.long
    ? longLines(entries, { human: options.human })
    : entries.map(({ name }) => name);
}
