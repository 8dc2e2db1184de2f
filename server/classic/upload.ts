/**
 * An upload in the classic netdisk protocol: so many bytes, with no digest and nothing to go on from. It
 * is written to a part and published like any other, or leaves nothing behind.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { formatPath, parsePath, pathKey, quoteName } from "../../lib/netdisk/path.ts";
import { chunkBytesFor } from "../../lib/transfer/chunks.ts";
import type { ActiveUpload } from "../netdisk/active_uploads.ts";
import { type NetdiskContext, writablePath } from "../netdisk/context.ts";
import type { HomePath, PartHandle } from "../netdisk/depot.ts";
import { publishFile } from "../netdisk/publish.ts";
import { newUploadId } from "../netdisk/upload_id.ts";
import type { ClassicWire } from "./wire.ts";

/** Tries to open an upload that others open and end at the same moment. */
const OPEN_TRIES_MAX = 5;

/**
 * Says early, while it can still be said, what would refuse the upload.
 *
 * @param context Whose upload it is, and where it goes.
 * @param path As it was typed.
 * @returns The checked path.
 * @throws {TrivetError} A path error, what the commit would throw, or `QUOTA_EXCEEDED` when nothing is
 * left.
 */
export async function checkClassicUpload(context: NetdiskContext, path: string): Promise<HomePath> {
  const { names, depot, catalog } = context;
  const at = writablePath(context, parsePath(path, { names }));
  await depot.checkTarget(at, "replace");
  const usage = await catalog.usage(at.user);
  // What an earlier upload of this path left is given back first.
  const left = await catalog.findUpload(at.user, pathKey(at.path, names));
  const usedBytes = (usage?.usedBytes ?? 0) - (left?.reservedBytes ?? 0);
  if (usage !== null && usedBytes >= usage.quotaBytes) {
    throw new TrivetError("QUOTA_EXCEEDED", "Cannot upload: the quota is used up");
  }
  return at;
}

/**
 * Takes the file that a client sends, and publishes it once all of it is there.
 *
 * @param context Whose upload it is.
 * @param at What {@linkcode checkClassicUpload} answered.
 * @param wire Where the file comes from.
 * @throws {TrivetError} `QUOTA_EXCEEDED` before the first byte is taken, `DISK_FULL`,
 * `UPLOAD_TAKEN_OVER`, what `wire` throws, and what publishing throws. Nothing is left behind.
 */
export async function receiveClassicUpload(
  context: NetdiskContext,
  at: HomePath,
  wire: ClassicWire,
): Promise<void> {
  const size = await wire.nextFile();
  const upload = await ClassicUpload.open(context, at, {
    size,
    onEnd: (reason) => wire.close(reason),
  });
  try {
    for (let offset = 0; offset < size;) {
      const bytes = await wire.nextBytes();
      await upload.write(bytes, offset);
      offset += bytes.length;
    }
    await upload.publish();
  } finally {
    await upload.close();
  }
}

/** The file, and who is told that another session has taken its place. */
interface ClassicUploadOptions {
  readonly size: number;
  readonly onEnd: (reason: TrivetError) => void;
}

class ClassicUpload implements ActiveUpload {
  readonly id: string;
  readonly user: string;
  readonly #context: NetdiskContext;
  readonly #at: HomePath;
  readonly #part: PartHandle;
  readonly #options: ClassicUploadOptions;
  #endReason: TrivetError | undefined;
  #isPublished = false;
  #working: Promise<unknown> = Promise.resolve();

  private constructor(
    context: NetdiskContext,
    at: HomePath,
    opened: ClassicUploadOptions & { readonly id: string; readonly part: PartHandle },
  ) {
    this.id = opened.id;
    this.user = at.user;
    this.#context = context;
    this.#at = at;
    this.#part = opened.part;
    this.#options = opened;
  }

  /** Reserves the bytes and makes a part, in place of whatever partial upload there is. */
  static async open(
    context: NetdiskContext,
    at: HomePath,
    options: ClassicUploadOptions,
  ): Promise<ClassicUpload> {
    const { catalog, depot, activeUploads } = context;
    const id = newUploadId();
    using _place = activeUploads.holdPlace(at.user);
    await reserve(context, at, { id, size: options.size });
    try {
      const part = await depot.createPart(id);
      const upload = new ClassicUpload(context, at, { ...options, id, part });
      activeUploads.add(upload);
      return upload;
    } catch (error) {
      await catalog.discardUpload(id);
      throw error;
    }
  }

  /** Writes bytes to the part. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    if (this.#endReason !== undefined) throw this.#endReason;
    await this.#part.write(bytes, offset);
  }

  /** Gives the file its name. */
  async publish(): Promise<void> {
    if (this.#endReason !== undefined) throw this.#endReason;
    const { catalog, depot } = this.#context;
    const { size } = this.#options;
    const working = publishFile(this.#context, this.id, { overwrite: "replace" }, {
      user: this.#at.user,
      begin: (intent) => catalog.beginCommit(this.id, { ...intent, durability: "commit" }),
      publish: (options) => depot.commitPart(this.id, this.#at, { ...options, size }),
    });
    this.#working = working.catch(() => {});
    await working;
    this.#isPublished = true;
  }

  /** Another session wants this path: what is there is its own from here on. */
  async end(reason: TrivetError): Promise<void> {
    this.#endReason = reason;
    this.#options.onEnd(reason);
    await this.#working;
    this.#part.close();
  }

  /** Lets go; nothing stays unless it is published, or another session has it now. */
  async close(): Promise<void> {
    this.#part.close();
    this.#context.activeUploads.remove(this);
    if (this.#isPublished || this.#endReason !== undefined) return;
    await this.#context.catalog.discardUpload(this.id);
    await this.#context.depot.removePart(this.id);
  }
}

async function reserve(
  { catalog, depot, activeUploads, names }: NetdiskContext,
  at: HomePath,
  { id, size }: { readonly id: string; readonly size: number },
): Promise<void> {
  const taken = await depot.checkTarget(at, "replace");
  for (let tries = 0; tries < OPEN_TRIES_MAX; tries++) {
    const { upload, created } = await catalog.openUpload({
      id,
      user: at.user,
      path: at.path,
      pathKey: pathKey(at.path, names),
      size,
      chunkBytes: chunkBytesFor(size),
      overwrite: "replace",
      reserveBytes: size,
      reserveFiles: taken === null ? 1 : 0,
    });
    if (created) return;
    await activeUploads.takeOver(upload.id);
    if (upload.state !== "open") continue;
    await catalog.discardUpload(upload.id);
    await depot.removePart(upload.id);
  }
  const shown = quoteName(formatPath(at.path));
  throw new TrivetError("SERVER_BUSY", `Others are opening uploads of ${shown}`);
}
