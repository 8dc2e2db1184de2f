/**
 * The uploads of one connection: open or continue, take chunks, publish. What a lost connection
 * leaves behind is a part on the disk and its journal in the catalog, from which the next one goes on.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import {
  type NetdiskRequest,
  type NetdiskResponse,
  SEED_MIN_BYTES,
  STREAM_CHUNKS_MAX,
} from "../../lib/netdisk/messages.ts";
import { formatPath, pathKey } from "../../lib/netdisk/path.ts";
import type { Reply, ServerCall } from "../../lib/rpc/server.ts";
import { chunkBytesFor, chunkCount } from "../../lib/transfer/chunks.ts";
import { fromHex } from "../../lib/transfer/digest.ts";
import { ChunkJournal } from "../../lib/transfer/journal.ts";
import type { UploadRecord } from "../store/catalog.ts";
import { type NetdiskContext, writablePath } from "./context.ts";
import type { HomePath, PartHandle, PartOptions, Published } from "./depot.ts";
import { publishFile, storedFile } from "./publish.ts";
import { offerSeed, openSeed } from "./seed.ts";
import { newUploadId } from "./upload_id.ts";
import { UploadSession } from "./upload_session.ts";

/** Uploads that one connection may have open at once. */
export const CONNECTION_UPLOADS_MAX = 8;

/** Tries to open an upload that others open and end at the same moment. */
const OPEN_TRIES_MAX = 5;

/** Records of the journal that are read from the catalog at once. */
const JOURNAL_READ_RECORDS = 4096;

type OpenRequest = NetdiskRequest<"put.open">;

/** See the module. */
export class ConnectionUploads {
  readonly #context: NetdiskContext;
  readonly #sessions = new Map<string, UploadSession>();

  constructor(context: NetdiskContext) {
    this.#context = context;
  }

  /** Answers `put.open`. */
  async open(request: OpenRequest): Promise<Reply> {
    const at = writablePath(this.#context, request.path);
    const chunkBytes = chunkBytesFor(request.size);
    const taken = await this.#context.depot.checkTarget(at, request.overwrite);
    if (taken !== null && request.overwrite === "skip") {
      return openReply({ uploadId: "", chunkBytes, skipped: true });
    }
    if (this.#sessions.size >= CONNECTION_UPLOADS_MAX) {
      throw new TrivetError(
        "SERVER_BUSY",
        `More than ${CONNECTION_UPLOADS_MAX} uploads are open on this connection`,
      );
    }
    for (let tries = 0; tries < OPEN_TRIES_MAX; tries++) {
      const isReplacing = taken !== null && request.overwrite === "replace";
      const session = await this.#continue(at, request) ??
        await this.#start(at, { ...request, reserveFiles: isReplacing ? 0 : 1 });
      if (session === null) continue;
      this.#sessions.set(session.id, session);
      const seed = await this.#seedOffer(session, request, taken?.size ?? 0);
      session.verifyHeldChunks();
      const { journal } = session;
      return openReply({
        uploadId: session.id,
        chunkBytes,
        journalChunks: journal.count,
        heldBytes: journal.heldBytes(request.size, chunkBytes),
        ...seed,
      }, journal.records(0, STREAM_CHUNKS_MAX));
    }
    throw new TrivetError("SERVER_BUSY", `Others are opening uploads of "${formatPath(at.path)}"`);
  }

  /** Answers `put.seed`. */
  async seed(request: NetdiskRequest<"put.seed">, signal: AbortSignal): Promise<Reply> {
    const session = this.#session(request.uploadId);
    const { at, journal, size } = session;
    if (size === undefined || journal.count > 0) {
      throw new TrivetError(
        "INVALID_REQUEST",
        "Only an upload of a file that holds nothing is begun so",
      );
    }
    using file = await openSeed(this.#context, at, { size, digest: request.digest });
    if (file !== undefined) await session.seed(file, signal);
    const head: NetdiskResponse<"put.seed"> = {
      journalChunks: journal.count,
      heldBytes: journal.heldBytes(size, chunkBytesFor(size)),
    };
    return { head, body: journal.records(0, STREAM_CHUNKS_MAX) };
  }

  /** Answers `put.journal`. */
  journalPage(request: NetdiskRequest<"put.journal">): Promise<Reply> {
    const { journal } = this.#session(request.uploadId);
    const body = journal.records(request.from, STREAM_CHUNKS_MAX);
    const head: NetdiskResponse<"put.journal"> = { from: request.from };
    return Promise.resolve({ head, body });
  }

  /** Answers `put.data`: takes one stream of chunks. */
  async receive(request: NetdiskRequest<"put.data">, call: ServerCall): Promise<Reply> {
    const badChunks = await this.#session(request.uploadId).receive(call);
    const head: NetdiskResponse<"put.data"> = { badChunks };
    return { head };
  }

  /** Answers `put.commit`: publishes the upload if all of it is there. */
  async commit(request: NetdiskRequest<"put.commit">): Promise<Reply> {
    const session = this.#session(request.uploadId);
    const { catalog, depot } = this.#context;
    const { id } = session;
    const { size } = request;
    const durability = request.durability ?? "commit";
    const options = { ...request, overwrite: session.overwrite };
    const published = await session.commit(size, request.digest, async () => {
      const published = await publishFile(this.#context, id, options, {
        user: session.at.user,
        begin: (intent) => catalog.beginCommit(id, { ...intent, durability }),
        publish: (publish) => depot.commitPart(id, session.at, { ...publish, size }),
      });
      if (published.skipped) await this.#drop(id);
      else await this.#note(session.at.user, published, request);
      return published;
    });
    await this.#release(session);
    return { head: storedFile(published) };
  }

  /** Answers `put.discard`. */
  async discard(request: NetdiskRequest<"put.discard">): Promise<Reply> {
    const session = this.#session(request.uploadId);
    await this.#release(session);
    await this.#drop(session.id);
    return { head: {} };
  }

  /** Lets go of every upload; they stay resumable. */
  async close(): Promise<void> {
    for (const session of [...this.#sessions.values()]) await this.#release(session);
  }

  /** What the session could begin with, when nothing is there yet. */
  async #seedOffer(
    session: UploadSession,
    { size, resume }: OpenRequest,
    takenBytes: number,
  ): Promise<Pick<NetdiskResponse<"put.open">, "seed">> {
    if (session.journal.count > 0 || resume === "never") return {};
    const seed = await offerSeed(this.#context, session.at, { size, takenBytes });
    return seed === undefined ? {} : { seed };
  }

  /** Notes what a large file contains, for uploads to come. */
  async #note(
    user: string,
    { path, etag }: Published,
    { size, digest }: NetdiskRequest<"put.commit">,
  ): Promise<void> {
    if (size < SEED_MIN_BYTES) return;
    const content = { user, path, size, digest: fromHex(digest), etag };
    // A courtesy: a file that is stored must not look as if it were not.
    await this.#context.catalog.noteContent(content).catch(() => {});
  }

  #session(id: string): UploadSession {
    const session = this.#sessions.get(id);
    if (session === undefined) {
      throw new TrivetError("UPLOAD_NOT_FOUND", "The upload is not open on this connection");
    }
    session.throwIfEnded();
    return session;
  }

  async #release(session: UploadSession): Promise<void> {
    this.#sessions.delete(session.id);
    await session.end(new TrivetError("UPLOAD_NOT_FOUND", "The upload is not open any more"));
    this.#context.activeUploads.remove(session);
  }

  async #drop(id: string): Promise<void> {
    await this.#context.catalog.discardUpload(id);
    await this.#context.depot.removePart(id);
  }

  /** Takes over the partial upload of this path, if there is one that fits. */
  async #continue(at: HomePath, request: OpenRequest): Promise<UploadSession | null> {
    const { catalog, activeUploads, names } = this.#context;
    const upload = await catalog.findUpload(at.user, pathKey(at.path, names));
    if (upload === null || upload.state !== "open") {
      if (request.resume === "always") throw nothingToResume(at);
      return null;
    }
    await activeUploads.takeOver(upload.id);
    // Not before: what it has taken over gives its place to this one.
    using _place = activeUploads.holdPlace(at.user);
    const part = fits(upload, request) ? await this.#openPart(upload.id, request) : null;
    if (part === null) {
      await this.#drop(upload.id);
      if (request.resume === "always") throw nothingToResume(at);
      return null;
    }
    try {
      // The source may have grown or shrunk since; what it still has in common is kept.
      await catalog.reserve(upload.id, request.size ?? 0);
      await catalog.touchUpload(upload.id, { overwrite: request.overwrite });
      const journal = await this.#loadJournal(upload.id);
      journal.truncate(chunkCount(request.size ?? 0, upload.chunkBytes));
      return this.#newSession(upload, at, { request, part, journal });
    } catch (error) {
      part.close();
      throw error;
    }
  }

  /** Begins a new upload; `null` when somebody else was faster. */
  async #start(
    at: HomePath,
    request: OpenRequest & { readonly reserveFiles: number },
  ): Promise<UploadSession | null> {
    const { catalog, depot, names, activeUploads } = this.#context;
    using _place = activeUploads.holdPlace(at.user);
    const { upload, created } = await catalog.openUpload({
      id: newUploadId(),
      user: at.user,
      path: at.path,
      pathKey: pathKey(at.path, names),
      size: request.size ?? null,
      chunkBytes: chunkBytesFor(request.size),
      overwrite: request.overwrite,
      reserveBytes: request.size ?? 0,
      reserveFiles: request.reserveFiles,
    });
    if (!created) return null;
    try {
      const part = await depot.createPart(upload.id, partOptions(request));
      return this.#newSession(upload, at, { request, part, journal: new ChunkJournal() });
    } catch (error) {
      await catalog.discardUpload(upload.id);
      throw error;
    }
  }

  #newSession(
    upload: UploadRecord,
    at: HomePath,
    parts: { request: OpenRequest; part: PartHandle; journal: ChunkJournal },
  ): UploadSession {
    const { request, part, journal } = parts;
    const { catalog, activeUploads } = this.#context;
    const { id, chunkBytes } = upload;
    const { size, overwrite } = request;
    const options = { id, at, chunkBytes, size, overwrite, part, journal, catalog };
    const session = new UploadSession(options);
    activeUploads.add(session);
    return session;
  }

  async #openPart(id: string, request: OpenRequest): Promise<PartHandle | null> {
    try {
      return await this.#context.depot.openPart(id, partOptions(request));
    } catch (error) {
      if (error instanceof TrivetError && error.code === "UPLOAD_NOT_FOUND") return null;
      throw error;
    }
  }

  async #loadJournal(id: string): Promise<ChunkJournal> {
    const journal = new ChunkJournal();
    for (let from = 0;;) {
      const chunks = await this.#context.catalog.chunks(id, from, JOURNAL_READ_RECORDS);
      for (const { index, digest } of chunks) journal.set(index, digest);
      const last = chunks.at(-1);
      if (last === undefined || chunks.length < JOURNAL_READ_RECORDS) return journal;
      from = last.index + 1;
    }
  }
}

/** Whether a partial can go on: a stream cannot be read again, and chunks must have the same size. */
function fits(upload: UploadRecord, request: OpenRequest): boolean {
  return request.resume !== "never" && request.size !== undefined && upload.size !== null &&
    upload.chunkBytes === chunkBytesFor(request.size);
}

function nothingToResume(at: HomePath): TrivetError {
  return new TrivetError(
    "UPLOAD_NOT_FOUND",
    `Cannot resume: there is no partial upload of "${formatPath(at.path)}" that fits`,
  );
}

function openReply(
  head: Partial<NetdiskResponse<"put.open">> & { uploadId: string; chunkBytes: number },
  body: Uint8Array = new Uint8Array(0),
): Reply {
  return { head: { journalChunks: 0, heldBytes: 0, skipped: false, ...head }, body };
}

function partOptions({ durability }: OpenRequest): PartOptions {
  return durability === undefined ? {} : { durability };
}
