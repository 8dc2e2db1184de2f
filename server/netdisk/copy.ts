/**
 * Answers `cp`. Each file is copied into a part and published like an upload: its bytes are reserved
 * before they are written, and after a crash `recovery.ts` finds a part without a file, or the file.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { NetdiskRequest, NetdiskResponse } from "../../lib/netdisk/messages.ts";
import { checkPath, formatPath, quoteName } from "../../lib/netdisk/path.ts";
import { entryPath, homePath, type NetdiskContext } from "./context.ts";
import type { HomePath } from "./depot.ts";
import { walkTree } from "./depot_tree.ts";
import { publishFile } from "./publish.ts";
import { newUploadId } from "./upload_id.ts";

/** Files of a folder that are copied at a time, so that their syncs go to the disk together. */
const FILES_AT_A_TIME = 16;

/** What was copied so far. */
type Total = { -readonly [Name in "files" | "folders" | "bytes" | "skipped"]: number };

/** One `cp` while it runs. */
interface Copying {
  readonly context: NetdiskContext;
  readonly overwrite: "replace" | "fail";
  readonly signal: AbortSignal;
  readonly total: Total;
}

/** Answers `cp`. */
export async function cp(
  context: NetdiskContext,
  request: NetdiskRequest<"cp">,
  signal: AbortSignal,
): Promise<NetdiskResponse<"cp">> {
  const from = homePath(context, request.from);
  const to = entryPath(context, request.to);
  const total = { files: 0, folders: 0, bytes: 0, skipped: 0 };
  const copying = { context, overwrite: request.overwrite ?? "fail", signal, total };
  const { type } = await context.depot.stat(from);
  if (type !== "folder") {
    await copyFile(copying, from, to);
  } else {
    if (request.recursive !== true) throw refusal("IS_FOLDER", from, "it is a folder");
    if (from.path.every((name, level) => to.path[level] === name)) {
      throw refusal("INTO_ITSELF", from, "the new path is inside of it");
    }
    await copyFolder(copying, from, to);
  }
  return { entry: await context.depot.stat(to), ...total };
}

async function copyFolder(copying: Copying, from: HomePath, to: HomePath): Promise<void> {
  const { context, total } = copying;
  const targetOf = (path: readonly string[]) => ({
    user: to.user,
    path: [...to.path, ...path.slice(from.path.length)],
  });
  await checkTree(copying, from, targetOf);
  await makeFolder(copying, to);
  const stop = new AbortController();
  const signal = AbortSignal.any([copying.signal, stop.signal]);
  const running = new Set<Promise<void>>();
  try {
    for await (const { path, entry } of walkTree(context.depot, from, signal)) {
      if (entry.type === "folder") await makeFolder(copying, targetOf(path));
      else if (entry.type === "other") total.skipped++;
      else {
        const one = copyFile({ ...copying, signal }, { user: from.user, path }, targetOf(path));
        running.add(one);
        // A failure reaches whoever awaits the race below, or all at the end.
        one.then(() => running.delete(one), () => {});
        if (running.size >= FILES_AT_A_TIME) await Promise.race(running);
      }
    }
    await Promise.all(running);
  } finally {
    // Nothing goes on behind the answer.
    stop.abort(new TrivetError("INTERRUPTED", "Another file of the folder could not be copied"));
    await Promise.allSettled(running);
  }
}

/** Says early what would fail in the middle: paths that become too long, and the quota. */
async function checkTree(
  { context, overwrite, signal }: Copying,
  from: HomePath,
  targetOf: (path: readonly string[]) => HomePath,
): Promise<void> {
  const { catalog, depot, names } = context;
  let bytes = 0;
  for await (const { path, entry } of walkTree(depot, from, signal)) {
    checkPath(targetOf(path).path, { names });
    bytes += entry.size;
  }
  const usage = await catalog.usage(from.user);
  // What is replaced gives bytes back on the way: then each file has to fit for itself.
  if (usage === null || overwrite === "replace") return;
  const have = Math.max(0, usage.quotaBytes - usage.usedBytes);
  if (bytes <= have) return;
  throw new TrivetError(
    "QUOTA_EXCEEDED",
    `Cannot copy ${
      quoteName(formatPath(from.path))
    }: it has ${bytes} bytes, ${have} are left of the quota`,
    { details: { need_bytes: bytes, have_bytes: have } },
  );
}

/** With `replace`, a folder that is there takes what is copied beside what it has. */
async function makeFolder({ context, overwrite, total }: Copying, at: HomePath): Promise<void> {
  const { depot } = context;
  try {
    await depot.mkdir(at);
  } catch (error) {
    const isTaken = error instanceof TrivetError && error.code === "EXISTS";
    if (!isTaken || overwrite !== "replace") throw error;
    if ((await depot.stat(at)).type !== "folder") {
      throw refusal("NOT_FOLDER", at, "it is not a folder", "copy into");
    }
  }
  total.folders++;
}

async function copyFile(copying: Copying, from: HomePath, to: HomePath): Promise<void> {
  const { context, overwrite, signal, total } = copying;
  const { catalog, depot } = context;
  const source = await depot.stat(from);
  if (source.type === "other") throw refusal("NOT_REGULAR", from, "it is not a regular file");
  const taken = await depot.checkTarget(to, overwrite);
  if (taken !== null && taken.etag === source.etag) {
    throw refusal("EXISTS", from, "the new path leads to the same file");
  }
  const id = newUploadId();
  const { user } = to;
  const { size } = source;
  let isPublishing = false;
  // The part first: an intent without a part would count what has the name as its end.
  (await depot.createPart(id)).close();
  try {
    const replacedFiles = taken === null ? 0 : 1;
    const reservation = { path: to.path, size, replacedBytes: 0, replacedFiles } as const;
    await catalog.beginWrite({ ...reservation, durability: "os", id, user });
    const copied = await depot.copyToPart(id, from, { signal });
    if (copied.etag !== source.etag) throw refusal("CHANGED", from, "another program changed it");
    const durability = "commit";
    const request = { overwrite, mtimeMs: source.mtimeMs, mode: source.mode, durability } as const;
    await publishFile(context, id, request, {
      user,
      begin: async (intent) => {
        await catalog.beginWrite({ ...intent, id, user, durability });
        isPublishing = true;
      },
      publish: (options) => depot.commitPart(id, to, { ...options, size }),
    });
  } catch (error) {
    // From the intent on, publishFile() has seen to it.
    if (!isPublishing) {
      await catalog.discardUpload(id);
      await depot.removePart(id);
    }
    throw error;
  }
  total.files++;
  total.bytes += size;
}

function refusal(
  code: "CHANGED" | "EXISTS" | "INTO_ITSELF" | "IS_FOLDER" | "NOT_FOLDER" | "NOT_REGULAR",
  { path }: HomePath,
  reason: string,
  verb = "copy",
): TrivetError {
  return new TrivetError(code, `Cannot ${verb} ${quoteName(formatPath(path))}: ${reason}`);
}
