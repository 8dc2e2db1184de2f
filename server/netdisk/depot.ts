/**
 * The port to the file trees: homes, the parts of uploads in progress and the trash. All changes of files go
 * through it; an implementation passes the suite in `tests/server/netdisk/depot_contract.ts`.
 *
 * Paths are components that `checkPath` has checked, [] being the home's root. Failures are
 * `TrivetError`s: `NOT_FOUND`, `NOT_FOLDER`, `IS_FOLDER`, `EXISTS`, `NOT_REGULAR`, `SYMLINK_REFUSED`,
 * `NAME_CASE_CONFLICT`, `FOLDER_NOT_EMPTY`, `INTO_ITSELF`, `CHANGED`, `UPLOAD_NOT_FOUND`,
 * `PERMISSION_DENIED`, `DISK_FULL`, and `INTERNAL` with the cause for everything unexpected.
 *
 * @module
 */

import type {
  MOVE_OVERWRITE_MODES,
  NetdiskEntry,
  RESTORE_OVERWRITE_MODES,
} from "../../lib/netdisk/messages.ts";
import type { MachineSpeeds } from "../../lib/doctor/speeds.ts";
import type { TrivetError } from "../../lib/errors.ts";
import type { Sink } from "../../lib/transfer/sink.ts";
import type { SyncSource } from "../../lib/transfer/source.ts";
import type { Durability, NewTrash, OverwriteMode, TrashSize } from "../store/catalog.ts";

export type { Durability, OverwriteMode };

/** A path inside a home. */
export interface HomePath {
  /** Whose home. */
  readonly user: string;
  /** Checked components from its root. */
  readonly path: readonly string[];
}

/** A file open for reading. */
export interface ReadHandle extends SyncSource, Disposable {
  /** The file as it was opened. */
  readonly entry: NetdiskEntry;
  /** Its entity tag: another one means other content. */
  readonly etag: string;
  /**
   * Whether the open file still has the size and the time it was opened with (one fstat). A file that
   * another one has replaced meanwhile keeps its content for those who have it open.
   */
  isUnchanged(): boolean;
  /** Closes the file; again is harmless. */
  close(): void;
}

/** How a part is written. */
export interface PartOptions {
  /** With `commit`, the default, the disk begins while the part still grows. */
  readonly durability?: Durability;
}

/** How a file is copied. */
export interface CopyPartOptions {
  /** Gives up; a copy that the system makes at once is made to its end first. */
  readonly signal?: AbortSignal;
}

/** A part open for writing and reading. */
export interface PartHandle extends SyncSource, Sink, Disposable {
  /**
   * Writes all of `bytes` without holding up anybody else, however long the disk takes. Nothing else may
   * be asked of the part until the promise has settled, but to read.
   *
   * @param bytes A view that is the part's until then.
   * @param offset Where in the file they begin.
   * @throws {TrivetError} `DISK_FULL`, `FILE_TOO_LARGE`.
   */
  writeInThread(bytes: Uint8Array, offset: number): Promise<void>;
  /**
   * Waits for what the disk was asked to take before the commit.
   *
   * @throws What it failed with: bytes that were written may be lost, and the system need not say so again.
   */
  settle(): Promise<void>;
  /** Closes the part; again is harmless. */
  close(): void;
}

/** A page of a folder to ask for. */
export interface ListOptions {
  /** Only names after this one, bytewise in UTF-8. */
  readonly after?: string;
  /** Most entries in the answer. */
  readonly limit: number;
}

/** A page of a folder. */
export interface ListPage {
  /** Entries sorted by name, bytewise in UTF-8. */
  readonly entries: NetdiskEntry[];
  /** Whether there are more after these. */
  readonly more: boolean;
}

/** What is about to be published, told to {@linkcode PublishOptions.intent}. */
export interface PublishIntent {
  /** The final path; with `rename`, the one that was chosen. */
  readonly path: readonly string[];
  /** Size of the file in bytes. */
  readonly size: number;
  /** Bytes of the file that will be replaced; 0 if none. */
  readonly replacedBytes: number;
  /** Whether a file will be replaced: 1 or 0. */
  readonly replacedFiles: number;
}

/** How a file is published. */
export interface PublishOptions {
  /** What to do when the name is taken. */
  readonly overwrite: OverwriteMode;
  /** Time of the content, in milliseconds since 1970; now when absent. */
  readonly mtimeMs?: number;
  /** Permission bits of the source; only whether it is executable is kept. */
  readonly mode?: number;
  /** When the operation ends; `commit` when absent. */
  readonly durability?: Durability;
  /**
   * Called once just before the file takes its name, so that the catalog knows of it first. When it
   * fails, nothing is published and a part stays as it is. `fail` and `rename` may meet a name that
   * another program took meanwhile: then it is called again with the next intent. When the operation
   * fails after this succeeded, `endCommit` of `server/store/recovery.ts` finds out what became of it.
   */
  intent?(intent: PublishIntent): Promise<void>;
}

/** What was published. */
export interface Published {
  /** Where the file stands. */
  readonly path: string[];
  /** The file; with `skipped`, the one that was there. */
  readonly entry: NetdiskEntry;
  /** Its entity tag. */
  readonly etag: string;
  /** Bytes of the file that was replaced; 0 if none. */
  readonly replacedBytes: number;
  /** Whether `skip` found the name taken: nothing was published, and a part stays as it is. */
  readonly skipped: boolean;
}

/** A small file of a batch. */
export interface NewFile {
  /** Checked components of its path. */
  readonly path: readonly string[];
  /** Its content. */
  readonly bytes: Uint8Array;
  /** Time of the content, in milliseconds since 1970; now when absent. */
  readonly mtimeMs?: number | undefined;
  /** Permission bits of the source; only whether it is executable is kept. */
  readonly mode?: number | undefined;
}

/** A small file that was read with others. */
export interface SmallFile {
  /** Its content, in the buffer that was given; null when it is larger than what was asked for. */
  readonly bytes: Uint8Array | null;
  /** Time of the content, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Permission bits. */
  readonly mode: number;
}

/** Small files that are read together. */
export interface BatchReading {
  /** Whose home. */
  readonly user: string;
  /** Checked paths of files. */
  readonly paths: readonly (readonly string[])[];
  /** Takes their content, one after the other, as long as `fileMaxBytes` are left. */
  readonly buffer: Uint8Array;
  /** Files that are larger than this are not read. */
  readonly fileMaxBytes: number;
}

/** Small files that are published together. */
export interface Batch {
  /** Whose home. */
  readonly user: string;
  /** Checked paths of folders that are made where files go into them and they are missing. */
  readonly folders?: readonly (readonly string[])[];
  /** The files. */
  readonly files: readonly NewFile[];
}

/** What is about to be published of a batch. */
export interface PlannedFile extends PublishIntent {
  /** Which file of the batch. */
  readonly index: number;
}

/** How a batch is published. */
export interface BatchOptions {
  /** What to do when a name is taken. */
  readonly overwrite: OverwriteMode;
  /** When the operation ends; `commit` when absent. */
  readonly durability?: Durability | undefined;
  /**
   * Called once before the first file takes its name, with all that are going to, so that the catalog
   * knows of them first. When it fails, nothing is published; when the operation fails after it,
   * `endBatch` of `server/store/recovery_batches.ts` finds out what became of each.
   */
  intent?(files: readonly PlannedFile[]): Promise<void>;
}

/** What became of one file of a batch. */
export type BatchOutcome =
  | { readonly state: "published" | "skipped"; readonly path: readonly string[] }
  | { readonly state: "failed"; readonly error: TrivetError };

/** What became of a batch. */
export interface BatchResult {
  /** Of each file, in their order. */
  readonly outcomes: readonly BatchOutcome[];
  /** Folders that were made. */
  readonly foldersMade: number;
}

/** A folder to make, or to give a time. */
export interface NewFolder {
  /** Checked components of its path. */
  readonly path: readonly string[];
  /** The time that it gets, in milliseconds since 1970; it keeps its own without. */
  readonly mtimeMs?: number | undefined;
}

/** What the disk says of a commit that was interrupted. */
export type CommitTrace =
  /** The file has its final name. */
  | "published"
  /** The part is still a part. */
  | "pending"
  /** Neither is there. */
  | "lost";

/** How something is removed. */
export interface RemoveOptions {
  /** Whether a folder may go, with all in it. */
  readonly recursive?: boolean;
  /**
   * Called once just before the rename, so that the catalog knows of it first. When it fails, nothing
   * is removed; when the operation fails after it, `endTrash` of `server/store/recovery_moves.ts`
   * finds out what became of it.
   */
  intent?(intent: Pick<NewTrash, "kind">): Promise<void>;
}

/** How an item of the trash is restored. */
export interface RestoreOptions {
  /** What to do when the name is taken. */
  readonly overwrite: typeof RESTORE_OVERWRITE_MODES[number];
}

/** How something is moved. */
export interface MoveOptions {
  /** What to do when a file has the name; a folder replaces nothing and is never replaced. */
  readonly overwrite: typeof MOVE_OVERWRITE_MODES[number];
  /**
   * Called once just before the rename if it replaces a file; when the operation fails after it,
   * `endMove` of `server/store/recovery_moves.ts` finds out what became of it.
   */
  intent?(intent: { readonly replacedBytes: number }): Promise<void>;
}

/** The file trees of all users. */
export interface Depot {
  /** Makes a user's home, durably; an existing one stays. */
  createHome(user: string): Promise<void>;
  /**
   * Takes a user's home and trash out of everybody's reach, durably; with `keepHome` only the trash.
   * `removeSetAside` deletes them.
   */
  setAsideHome(user: string, options?: { keepHome?: boolean }): Promise<void>;
  /** Deletes what `setAsideHome` took out of reach, also what a crash left of it. */
  removeSetAside(): Promise<void>;

  /** One entry; the root has the name "". Files carry their entity tag. */
  stat(at: HomePath): Promise<NetdiskEntry>;
  /** One page of a folder. Throws `NOT_FOLDER` for a file. */
  list(at: HomePath, options: ListOptions): Promise<ListPage>;
  /**
   * Makes a folder; with `parents` its missing ancestors too, and an existing folder is no error.
   *
   * @returns Whether anything was made.
   */
  mkdir(at: HomePath, options?: { parents?: boolean }): Promise<boolean>;
  /** Opens a file. */
  openRead(at: HomePath): Promise<ReadHandle>;
  /**
   * Reads small files, each for itself.
   *
   * @returns The files in their order, or why one could not be read; fewer when the buffer is full.
   */
  readBatch(reading: BatchReading): Promise<(SmallFile | TrivetError)[]>;
  /**
   * Says early whether a file could be published here: throws what the commit would throw.
   *
   * @returns The file that has the name now, or null; with `skip` the caller need not upload.
   */
  checkTarget(at: HomePath, overwrite: OverwriteMode): Promise<NetdiskEntry | null>;

  /** Makes an empty part. Throws `EXISTS`. */
  createPart(id: string, options?: PartOptions): Promise<PartHandle>;
  /** Opens a part. Throws `UPLOAD_NOT_FOUND`. */
  openPart(id: string, options?: PartOptions): Promise<PartHandle>;
  /** Removes a part; whether it existed. */
  removePart(id: string): Promise<boolean>;
  /** Ids of all parts. */
  listParts(): Promise<string[]>;
  /** Measures the machine and the disk of the parts; what it writes is gone afterwards. */
  measure(signal?: AbortSignal): Promise<MachineSpeeds>;
  /**
   * Fills a part with a copy of a file, whose blocks it shares where the file system can.
   *
   * @returns The file as it was copied. Throws `CHANGED` when it was written to meanwhile.
   */
  copyToPart(id: string, from: HomePath, options?: CopyPartOptions): Promise<NetdiskEntry>;
  /** Cuts a part to `size` bytes and publishes it under its final name. */
  commitPart(
    id: string,
    at: HomePath,
    options: PublishOptions & { size: number },
  ): Promise<Published>;
  /**
   * Publishes a small file at once; `id` names its part for the moment that it is one. When it fails
   * after `intent` succeeded, the part stays for `traceCommit` to see; else it is removed.
   */
  writeSmall(
    id: string,
    at: HomePath,
    options: PublishOptions & { bytes: Uint8Array },
  ): Promise<Published>;
  /**
   * Publishes small files, each for itself: one that fails hinders no other. For the moment that it is
   * a part, file `n` is called `<id>-<n>`, or is in the folder `<id>` among the parts.
   */
  writeBatch(id: string, batch: Batch, options: BatchOptions): Promise<BatchResult>;
  /**
   * Makes folders with their missing ancestors, and sets times; in their order, each for itself.
   *
   * @returns Whether each was made, or why it could not be.
   */
  writeFolders(
    user: string,
    folders: readonly NewFolder[],
    options?: { readonly durability?: Durability | undefined },
  ): Promise<(boolean | TrivetError)[]>;
  /** What became of a commit whose intent was `at` and `size`. */
  traceCommit(id: string, at: HomePath, size: number): Promise<CommitTrace>;
  /**
   * Keeps what is published where it is: removals and moves in this home wait until the answer is
   * disposed of, which is when the catalog has counted it.
   */
  holdHome(user: string): Promise<Disposable>;

  /** Removes an empty folder. Throws `FOLDER_NOT_EMPTY`, `NOT_FOLDER`, for the root `PERMISSION_DENIED`. */
  removeFolder(at: HomePath): Promise<void>;
  /** Moves a file or folder into the trash, as item `id`. Throws `IS_FOLDER` without `recursive`. */
  moveToTrash(id: string, at: HomePath, options?: RemoveOptions): Promise<void>;
  /** What the item that stood at a path takes up; null when it is not in the trash. */
  measureTrash(id: string, at: HomePath): Promise<TrashSize | null>;
  /** Moves an item back, with missing folders; answers its path. Throws `EXISTS` with `fail`. */
  restoreTrash(id: string, at: HomePath, options: RestoreOptions): Promise<string[]>;
  /** Deletes an item for good; whether there was one. */
  removeTrash(id: string, user: string): Promise<boolean>;
  /** Gives a file or folder another path in the same home; answers its entry there. */
  move(from: HomePath, to: HomePath, options: MoveOptions): Promise<NetdiskEntry>;
  /** Whether anything stands at a path that a request could use. */
  exists(at: HomePath): Promise<boolean>;
}
