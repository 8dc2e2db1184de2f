/**
 * The netdisk's requests and answers: one schema for each, from which both the check and the type
 * come. The wire form of each is a control head (docs/protocol.md).
 *
 * @module
 */

import * as v from "valibot";
import { TrivetError } from "../errors.ts";
import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN } from "../transfer/chunks.ts";
import { ACCESS_REQUESTS, ACCESS_RESPONSES } from "./access_messages.ts";

/** Largest file that travels in the body of one request (`put.file`), in bytes. */
export const SMALL_FILE_MAX_BYTES = 64 * 1024;

/** Smallest file whose upload may begin with what the home holds, in bytes. */
export const SEED_MIN_BYTES = 8 * 1024 * 1024;

/** Most files in one `put.files` or `get.files`, and most folders in one `put.folders`. */
export const BATCH_ITEMS_MAX = 256;

/** Most bytes of content in one `put.files`, and in one answer to `get.files`. */
export const BATCH_BYTES_MAX = 512 * 1024;

/** Most chunks whose digests one stream (`put.data`, `get.open`) covers: 512 KiB of digests. */
export const STREAM_CHUNKS_MAX = 32_768;

/** Most ranges of chunks in one `get.open`. */
export const RANGES_MAX = 1024;

/** Most entries in one answer to `ls`; the rest follows with `after`. */
export const LIST_PAGE_MAX = 1000;

/** Most items in one answer to `trash.list`, and most ids in one `trash.empty`. */
export const TRASH_PAGE_MAX = 100;

/** Most bytes of a file that one answer to `digest` covers; the rest follows with `from`. */
export const DIGEST_PAGE_MAX_BYTES: number = 256 * 1024 * 1024;

/** Longest time for which `doctor.down` sends. */
export const DOCTOR_LINK_MAX_MS = 3_000;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Name = v.pipe(v.string(), v.maxLength(4096));
/** Components of a path from the home's root; [] is the root. `checkPath` applies the rules. */
const Path = v.pipe(v.array(Name), v.maxLength(256));
/** Milliseconds since 1970, may be negative. */
const TimeMs = v.pipe(v.number(), v.finite());
/** Permission bits; only the executable bits are kept. */
const Mode = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0o7777));
const UploadId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));
/** What the id of an item of the trash looks like; ids sort by the time of removal. */
export const TRASH_ID = /^[0-9a-z]{1,32}$/;
const TrashId = v.pipe(v.string(), v.regex(TRASH_ID));
/** An XXH3-128 in hex. */
const Digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
const Etag = v.pipe(v.string(), v.maxLength(128));
/** Id of a message of the chat. */
const MessageId = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** What happens when the name is taken: `rename` chooses `name (2).ext`. */
export const OVERWRITE_MODES = ["replace", "skip", "fail", "rename"] as const;
/** What `mv` and `cp` do when a file has the name; a folder is never replaced, nor replaces anything. */
export const MOVE_OVERWRITE_MODES = ["replace", "fail"] as const;
/** What `trash.restore` does when the name is taken; `rename` chooses `name (2).ext`. */
export const RESTORE_OVERWRITE_MODES = ["fail", "rename"] as const;
/** Whether a partial upload is continued, must be, or is thrown away. */
export const RESUME_MODES = ["auto", "always", "never"] as const;
/** When an answer says that a file is stored: once the disk holds it, or once the system does. */
export const DURABILITY_MODES = ["commit", "os"] as const;

const Overwrite = v.picklist(OVERWRITE_MODES);
const Durability = v.picklist(DURABILITY_MODES);
const Ranges = v.pipe(v.array(v.tuple([Count, Count])), v.maxLength(RANGES_MAX));
/** Bytes per second; nothing that was measured stands still. */
const Rate = v.pipe(v.number(), v.minValue(1));

/** Requests by method. */
export const NETDISK_REQUESTS = {
  /** Who the session is, and what the account holds. */
  whoami: v.strictObject({}),
  /** Revokes the session token that this connection logged in with. */
  logout: v.strictObject({}),
  /** One page of a folder, sorted by name (bytewise); of a file: the file itself. */
  ls: v.strictObject({
    path: Path,
    after: v.optional(Name),
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LIST_PAGE_MAX))),
  }),
  /** One entry; with `message`, the file that a message of the chat carries, and `path` is empty. */
  stat: v.strictObject({ path: Path, message: v.optional(MessageId) }),
  /** Makes a folder; with `parents`, its missing ancestors too, and an existing one is no error. */
  mkdir: v.strictObject({ path: Path, parents: v.optional(v.boolean()) }),
  /** Removes an empty folder at once; the root never. */
  rmdir: v.strictObject({ path: Path }),
  /** Moves a file, or with `recursive` a folder and all in it, into the trash; the root never. */
  rm: v.strictObject({ path: Path, recursive: v.optional(v.boolean()) }),
  /** Gives a file or folder another path in the home; without `overwrite`, `fail`. */
  mv: v.strictObject({
    from: Path,
    to: Path,
    overwrite: v.optional(v.picklist(MOVE_OVERWRITE_MODES)),
  }),
  /**
   * Copies a file, or with `recursive` a folder, to another path in the home. `replace` takes the place
   * of files, and copies into folders that are there; without `overwrite`, `fail`.
   */
  cp: v.strictObject({
    from: Path,
    to: Path,
    overwrite: v.optional(v.picklist(MOVE_OVERWRITE_MODES)),
    recursive: v.optional(v.boolean()),
  }),
  /** The account's bytes: quota, and what takes it up. */
  df: v.strictObject({}),
  /** One page of the trash, what was removed first at the top. */
  "trash.list": v.strictObject({ after: v.optional(TrashId) }),
  /** Puts an item back where it was, with missing folders; without `overwrite`, `fail`. */
  "trash.restore": v.strictObject({
    id: TrashId,
    overwrite: v.optional(v.picklist(RESTORE_OVERWRITE_MODES)),
  }),
  /** Deletes the items with these ids, or all without `ids`, for good. */
  "trash.empty": v.strictObject({
    ids: v.optional(v.pipe(v.array(TrashId), v.maxLength(TRASH_PAGE_MAX))),
  }),
  /** A small file at once: the body is the content, `digest` its XXH3-128 in hex. */
  "put.file": v.strictObject({
    path: Path,
    mtimeMs: v.optional(TimeMs),
    mode: v.optional(Mode),
    overwrite: Overwrite,
    durability: v.optional(Durability),
    digest: Digest,
  }),
  /** Makes folders with their missing ancestors, and sets times; an existing folder is no error. */
  "put.folders": v.strictObject({
    durability: v.optional(Durability),
    folders: v.pipe(
      v.array(v.strictObject({ path: Path, mtimeMs: v.optional(TimeMs) })),
      v.maxLength(BATCH_ITEMS_MAX),
    ),
  }),
  /**
   * Small files at once: the body is their content, one after the other. `folders` are made where
   * files go into them and they are missing; each appears with its files.
   */
  "put.files": v.strictObject({
    folders: v.optional(v.pipe(v.array(Path), v.maxLength(BATCH_ITEMS_MAX))),
    overwrite: Overwrite,
    durability: v.optional(Durability),
    files: v.pipe(
      v.array(v.strictObject({
        path: Path,
        size: v.pipe(Count, v.maxValue(SMALL_FILE_MAX_BYTES)),
        digest: Digest,
        mtimeMs: v.optional(TimeMs),
        mode: v.optional(Mode),
      })),
      v.maxLength(BATCH_ITEMS_MAX),
    ),
  }),
  /** Small files at once: the body of the answer is their content, one after the other. */
  "get.files": v.strictObject({ paths: v.pipe(v.array(Path), v.maxLength(BATCH_ITEMS_MAX)) }),
  /**
   * Opens or continues an upload; `size` is absent when the source is a stream. `durability` says what
   * the commit is going to ask for, so that the disk begins early or not at all.
   */
  "put.open": v.strictObject({
    path: Path,
    size: v.optional(Count),
    overwrite: Overwrite,
    resume: v.picklist(RESUME_MODES),
    durability: v.optional(Durability),
  }),
  /**
   * Begins an open upload of which nothing is there yet with a file of the home, as `put.open` has
   * offered: with `digest`, XXH3-128 in hex of all chunk digests in order, one that has it; else the
   * one that the upload replaces. The answer is the journal of what is there now, none if nothing.
   */
  "put.seed": v.strictObject({ uploadId: UploadId, digest: v.optional(Digest) }),
  /** More of the journal, from chunk `from` on. */
  "put.journal": v.strictObject({ uploadId: UploadId, from: Count }),
  /** Announces DATA frames under this request's id, ended by END with the chunk digests as body. */
  "put.data": v.strictObject({ uploadId: UploadId }),
  /** Publishes the upload; `digest` is the XXH3-128, in hex, of all chunk digests in order. */
  "put.commit": v.strictObject({
    uploadId: UploadId,
    size: Count,
    digest: Digest,
    mtimeMs: v.optional(TimeMs),
    mode: v.optional(Mode),
    durability: v.optional(Durability),
  }),
  /** Drops an upload and its partial. */
  "put.discard": v.strictObject({ uploadId: UploadId }),
  /**
   * Reads a file: RESPONSE, then DATA frames, then END with the digests of the chunks sent, in order.
   * `ranges` are `[first chunk, count]`, ascending and apart; all chunks without it. At most
   * `STREAM_CHUNKS_MAX` chunks are sent; the client asks again for the rest. With `message`, the file
   * that a message of the chat carries, and `path` is empty.
   */
  "get.open": v.strictObject({
    path: Path,
    message: v.optional(MessageId),
    ifMatch: v.optional(Etag),
    ranges: v.optional(Ranges),
  }),
  /** Reads a file and answers the digests of its chunks as body, from chunk `from` on. */
  digest: v.strictObject({
    path: Path,
    ifMatch: v.optional(Etag),
    from: v.optional(Count),
  }),
  /** Noise as DATA, as much as fits in the time, so that a client can measure the link. */
  "doctor.down": v.strictObject({
    ms: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(DOCTOR_LINK_MAX_MS)),
  }),
  /** Takes DATA and END, and forgets them. */
  "doctor.up": v.strictObject({}),
  /** How fast the server's machine is at the parts of a transfer. */
  "doctor.server": v.strictObject({}),
  ...ACCESS_REQUESTS,
} as const;

/**
 * Methods that the audit log leaves out: they change nothing that lasts. What `put.data` brings is
 * recorded as `put.commit`.
 */
export const NETDISK_UNRECORDED: ReadonlySet<string> = new Set<NetdiskMethod>([
  "whoami",
  "ls",
  "stat",
  "df",
  "trash.list",
  "token.list",
  "put.seed",
  "put.journal",
  "put.data",
  "get.open",
  "get.files",
  "digest",
  "doctor.down",
  "doctor.up",
  "doctor.server",
]);

/** A method of the netdisk. */
export type NetdiskMethod = keyof typeof NETDISK_REQUESTS;

/** The request head of a method. */
export type NetdiskRequest<M extends NetdiskMethod> = v.InferOutput<typeof NETDISK_REQUESTS[M]>;

const Entry = v.object({
  name: v.string(),
  type: v.picklist(["file", "folder", "other"]),
  size: Count,
  mtimeMs: TimeMs,
  mode: Count,
  etag: v.optional(v.string()),
});

/** A file or folder in a listing. */
export type NetdiskEntry = v.InferOutput<typeof Entry>;

const ChunkBytes = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(CHUNK_BYTES_MIN),
  v.maxValue(CHUNK_BYTES_MAX),
);

const Stored = v.object({
  /** Where the file now stands; differs from what was asked with `rename`. */
  path: v.array(v.string()),
  size: Count,
  mtimeMs: TimeMs,
  etag: v.string(),
  /** Whether the name was taken and `skip` left it as it was. */
  skipped: v.boolean(),
});

/** Answer to a finished upload. */
export type StoredFile = v.InferOutput<typeof Stored>;

const TrashItem = v.object({
  id: v.string(),
  /** Where it stood, from the home's root. */
  path: v.array(v.string()),
  deletedMs: TimeMs,
  /** Bytes of its files, which count against the quota until it is deleted for good. */
  bytes: Count,
  /** Files and folders in it, itself among them. */
  entries: Count,
  kind: v.picklist(["file", "folder"]),
});

/** A removed file or folder in the trash. */
export type TrashListItem = v.InferOutput<typeof TrashItem>;

const Failed = v.object({
  /** Which one of the request's items. */
  index: Count,
  error: v.object({
    code: v.string(),
    message: v.string(),
    retry: v.boolean(),
    hint: v.string(),
    details: v.exactOptional(
      v.record(v.string(), v.union([v.string(), v.number(), v.boolean(), v.null()])),
    ),
  }),
});

/** An item of a request that failed, while others may not have. */
export type FailedItem = v.InferOutput<typeof Failed>;

/** Files that count and most that may; absent where there is no limit. */
const FILE_QUOTA = { usedFiles: v.optional(Count), quotaFiles: v.optional(Count) };

/** Answers by method: the head of RESPONSE. */
export const NETDISK_RESPONSES = {
  whoami: v.object({
    user: v.string(),
    usedBytes: Count,
    quotaBytes: Count,
    ...FILE_QUOTA,
    scope: v.string(),
  }),
  logout: v.object({ revoked: v.boolean() }),
  ls: v.object({ entry: Entry, entries: v.array(Entry), more: v.boolean() }),
  stat: v.object({ entry: Entry }),
  mkdir: v.object({ created: v.boolean() }),
  rmdir: v.object({}),
  rm: v.object({
    /** Entries that went into the trash: the named one and all in it. */
    removed: Count,
    trashId: v.string(),
  }),
  mv: v.object({ entry: Entry }),
  cp: v.object({
    entry: Entry,
    files: Count,
    folders: Count,
    /** Of the files. */
    bytes: Count,
    /** Entries in folders that are neither, and were left out. */
    skipped: Count,
  }),
  "doctor.down": v.object({}),
  /** What arrived. */
  "doctor.up": v.object({ bytes: Count }),
  /** Bytes per second: CRC-32 and XXH3-128 together, one end of TLS, a new file and reading it back. */
  "doctor.server": v.object({ digest: Rate, tls: Rate, diskWrite: Rate, diskRead: Rate }),
  df: v.object({
    quotaBytes: Count,
    /** All that counts against the quota: files, trash and what uploads have reserved. */
    usedBytes: Count,
    /** What unfinished uploads have reserved. */
    partialBytes: Count,
    /** What the trash holds. */
    trashBytes: Count,
    ...FILE_QUOTA,
  }),
  "trash.list": v.object({ items: v.array(TrashItem), more: v.boolean() }),
  /** Where the item now stands. */
  "trash.restore": v.object({ path: v.array(v.string()) }),
  "trash.empty": v.object({ items: Count, bytes: Count }),
  "put.file": Stored,
  "put.folders": v.object({ created: Count, failed: v.array(Failed) }),
  /** Files that are not named here stand under the name that was asked for. */
  "put.files": v.object({
    failed: v.array(Failed),
    /** Whose name was taken, and `skip` left it as it was. */
    skipped: v.array(Count),
    /** With `rename`: where each of the others stands. */
    renamed: v.array(v.object({ index: Count, path: v.array(v.string()) })),
    /** Folders that were made. */
    created: Count,
  }),
  /**
   * As many of the files as one answer holds, in their order; the client asks again for the rest.
   * A file that grew beyond what travels like this is `large`.
   */
  "get.files": v.object({
    files: v.array(v.union([
      v.object({ size: Count, mtimeMs: TimeMs, mode: Count, digest: Digest }),
      v.object({ large: v.literal(true) }),
      v.object({ error: Failed.entries.error }),
    ])),
  }),
  "put.open": v.object({
    uploadId: v.string(),
    chunkBytes: ChunkBytes,
    /** Chunks in the whole journal; the body holds the first of them (see `JournalPage`). */
    journalChunks: Count,
    /** Bytes that the journal covers. */
    heldBytes: Count,
    skipped: v.boolean(),
    /** What `put.seed` could begin it with: the file that it replaces, one of the same size. */
    seed: v.exactOptional(v.object({ target: v.boolean(), content: v.boolean() })),
  }),
  /** As in the answer to `put.open`. */
  "put.seed": v.object({ journalChunks: Count, heldBytes: Count }),
  "put.journal": v.object({ from: Count }),
  "put.data": v.object({
    /** Chunks that did not arrive as they were sent, or were found damaged on the disk. */
    badChunks: v.array(Count),
  }),
  "put.commit": Stored,
  "put.discard": v.object({}),
  "get.open": v.object({
    entry: Entry,
    etag: v.string(),
    chunkBytes: ChunkBytes,
    algorithm: v.string(),
  }),
  digest: v.object({
    entry: Entry,
    etag: v.string(),
    chunkBytes: ChunkBytes,
    algorithm: v.string(),
    /** The first chunk whose digest stands in the body. */
    from: Count,
  }),
  ...ACCESS_RESPONSES,
} as const;

/** The response head of a method. */
export type NetdiskResponse<M extends NetdiskMethod> = v.InferOutput<typeof NETDISK_RESPONSES[M]>;

/**
 * Checks a request's head.
 *
 * @throws {TrivetError} `UNKNOWN_METHOD` or `INVALID_REQUEST`.
 */
export function checkNetdiskRequest<M extends NetdiskMethod>(
  method: M,
  head: unknown,
): NetdiskRequest<M> {
  const result = v.safeParse(NETDISK_REQUESTS[method], head);
  if (!result.success) {
    throw new TrivetError(
      "INVALID_REQUEST",
      `Cannot read request "${method}": ${v.summarize(result.issues)}`,
    );
  }
  return result.output as NetdiskRequest<M>;
}

/**
 * Checks an answer's head.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR` if the server answered something else.
 */
export function checkNetdiskResponse<M extends NetdiskMethod>(
  method: M,
  head: unknown,
): NetdiskResponse<M> {
  const result = v.safeParse(NETDISK_RESPONSES[method], head);
  if (!result.success) {
    throw new TrivetError(
      "PROTOCOL_ERROR",
      `Cannot read answer to "${method}": ${v.summarize(result.issues)}`,
    );
  }
  return result.output as NetdiskResponse<M>;
}

/** Whether `method` is one of the netdisk's. */
export function isNetdiskMethod(method: string): method is NetdiskMethod {
  return Object.hasOwn(NETDISK_REQUESTS, method);
}
