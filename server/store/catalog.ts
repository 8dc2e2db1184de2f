/**
 * The port to the server's database: accounts, tokens, uploads in progress with their chunk journal,
 * and the quota. Every operation is one transaction; an implementation passes the suite in
 * `tests/server/store/catalog_contract.ts`.
 *
 * How the quota stays exact when the server dies: bytes are reserved before they are written. A
 * commit first writes down what it is about to do (`beginCommit`: size, final path, size of the file
 * it replaces), then the depot renames, then `finishCommit` swaps the reservation for the real size.
 * After a crash, `server/store/recovery.ts` finds what is still `committing` and lets the disk say
 * whether the rename happened.
 *
 * Removing, restoring and moving keep to the same order: the intent, the change on the disk, the end.
 * What lies in the trash stays counted; its bytes are given back together with its row, once the disk
 * has let go of it.
 *
 * @module
 */

import type { Verifier } from "../../lib/auth/verifier.ts";
import type { DURABILITY_MODES, OVERWRITE_MODES } from "../../lib/netdisk/messages.ts";
import type { BatchCatalog } from "./catalog_batches.ts";
import type { ContentCatalog } from "./catalog_contents.ts";
import type { KeyCatalog } from "./catalog_keys.ts";
import type { AccountCatalog } from "./catalog_accounts.ts";
import type { AccessCatalog } from "./catalog_access.ts";
import type { ExportCatalog } from "./catalog_export.ts";
import type { InviteCatalog } from "./catalog_invites.ts";

/** What to do when a name is taken. */
export type OverwriteMode = typeof OVERWRITE_MODES[number];

/** When an operation ends: once the disk holds the change, or once the system does. */
export type Durability = typeof DURABILITY_MODES[number];

/** A new account. */
export interface NewUser {
  /** User name. */
  readonly name: string;
  /** Verifier of the password. */
  readonly verifier: Verifier;
  /** Most bytes that files and partial uploads may take. */
  readonly quotaBytes: number;
  /** Most files, those in the trash and open uploads included; null or absent for no limit. */
  readonly quotaFiles?: number | null;
}

/** An account without its verifier. */
export interface UserRecord {
  /** User name. */
  readonly name: string;
  /** Most bytes that files and partial uploads may take. */
  readonly quotaBytes: number;
  /** Bytes taken, reservations included. */
  readonly usedBytes: number;
  /** Most files; null for no limit. */
  readonly quotaFiles: number | null;
  /** Files taken, reservations included; counted whether there is a limit or not. */
  readonly usedFiles: number;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Whether logins are refused. */
  readonly disabled: boolean;
}

/** Where a token came from: a login, or `trivet token`. */
export type TokenKind = "session" | "api";

/** What a token allows. */
export type TokenScope = "read" | "write" | "full";

/** A token to store; the token itself never reaches the catalog. */
export interface NewToken {
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
  /** Whose it is. */
  readonly user: string;
  /** Where it came from. */
  readonly kind: TokenKind;
  /** What it allows. */
  readonly scope: TokenScope;
  /** The folder it is confined to; [] is the whole home. */
  readonly pathPrefix: readonly string[];
  /** When it ends, in milliseconds since 1970; null for never. */
  readonly expiresAtMs: number | null;
  /** What people call it. */
  readonly label: string;
}

/** A stored token. */
export interface TokenRecord extends NewToken {
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Last use, rounded down to `TOKEN_USE_ROUND_MS`; null before the first. */
  readonly lastUsedAtMs: number | null;
}

/** Uses of a token are noted this coarsely, so that a login is seldom a write. */
export const TOKEN_USE_ROUND_MS = 60 * 60 * 1000;

/** An upload to open. */
export interface NewUpload {
  /** Upload id, which is also the name of its part. */
  readonly id: string;
  /** Whose it is. */
  readonly user: string;
  /** Checked components of the final path. */
  readonly path: readonly string[];
  /** `pathKey(path)`: at most one upload for each user and key. */
  readonly pathKey: string;
  /** Size of the file in bytes; null while unknown. */
  readonly size: number | null;
  /** Bytes of a chunk. */
  readonly chunkBytes: number;
  /** What to do at the commit when the name is taken. */
  readonly overwrite: OverwriteMode;
  /** Bytes to reserve now: the size when known. */
  readonly reserveBytes: number;
  /** Files to reserve now: 0 if one will be replaced, else 1. */
  readonly reserveFiles: number;
}

/** What is about to be published. */
export interface CommitIntent {
  /** The final path, as the depot chose it. */
  readonly path: readonly string[];
  /** Size of the file in bytes. */
  readonly size: number;
  /** Bytes of the file that will be replaced; 0 if none. */
  readonly replacedBytes: number;
  /** Whether a file will be replaced: 1 or 0. */
  readonly replacedFiles: number;
  /** Whether the intent must survive a power cut (`commit`) or a crash of the server only (`os`). */
  readonly durability: Durability;
}

/** A small file about to be published without an upload. */
export interface WriteIntent extends CommitIntent {
  /** Id of its part. */
  readonly id: string;
  /** Whose it is. */
  readonly user: string;
}

/** An upload, or a small file between its intent and its end. */
export interface UploadRecord {
  /** Upload id, which is also the name of its part. */
  readonly id: string;
  /** Whose it is. */
  readonly user: string;
  /** `upload` can be resumed; `small` exists only while a small file or a copy is being published. */
  readonly kind: "upload" | "small";
  /** `open` takes chunks; `committing` has its intent written down. */
  readonly state: "open" | "committing";
  /** Final path: what was asked for, or with `committing` what the depot chose. */
  readonly path: readonly string[];
  /** Size in bytes; null while unknown. */
  readonly size: number | null;
  /** Bytes of a chunk. */
  readonly chunkBytes: number;
  /** What to do at the commit when the name is taken. */
  readonly overwrite: OverwriteMode;
  /** Bytes reserved of the user's quota. */
  readonly reservedBytes: number;
  /** Files reserved of the user's quota: 0 or 1. */
  readonly reservedFiles: number;
  /** Bytes of the file that a `committing` upload replaces. */
  readonly replacedBytes: number;
  /** Whether a `committing` upload replaces a file: 1 or 0. */
  readonly replacedFiles: number;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Last chunk, reservation or `touchUpload`, in milliseconds since 1970. */
  readonly touchedAtMs: number;
}

/** One chunk of the journal. */
export interface ChunkRecord {
  /** Index of the chunk. */
  readonly index: number;
  /** XXH3-128 of the chunk, 16 bytes. */
  readonly digest: Uint8Array;
}

/** What is about to go into the trash. */
export interface NewTrash {
  /** Id of the item, which is also its place in the trash; ids sort by time. */
  readonly id: string;
  /** Whose it is. */
  readonly user: string;
  /** Checked components of the path it has. */
  readonly path: readonly string[];
  /** What it is. */
  readonly kind: "file" | "folder";
}

/** What an item of the trash takes up. */
export interface TrashSize {
  /** Bytes of its files. */
  readonly bytes: number;
  /** Files in it, itself among them. */
  readonly files: number;
  /** Files and folders in it, itself among them. */
  readonly entries: number;
}

/** How an item leaves the trash: back to its path, or for good. */
export type TrashExit = "restoring" | "emptying";

/** An item of the trash. */
export interface TrashRecord extends NewTrash, TrashSize {
  /** `moving` on its way in, `kept`, or on its way out. */
  readonly state: "moving" | "kept" | TrashExit;
  /** Milliseconds since 1970. */
  readonly deletedAtMs: number;
}

/** A page of the trash to ask for. */
export interface TrashQuery {
  /** Only this user's. */
  readonly user?: string;
  /** Only those in one of these states. */
  readonly states: readonly TrashRecord["state"][];
  /** Only ids after this one. */
  readonly after?: string;
  /** Most records in the answer. */
  readonly limit: number;
}

/** A move that is about to replace a file. */
export interface MoveIntent {
  /** Id of the intent. */
  readonly id: string;
  /** Whose home. */
  readonly user: string;
  /** The path before. */
  readonly from: readonly string[];
  /** The path after. */
  readonly to: readonly string[];
  /** Bytes of the file that will be replaced. */
  readonly replacedBytes: number;
}

/** What takes up an account's quota. */
export interface Usage {
  /** Most bytes that may be taken. */
  readonly quotaBytes: number;
  /** Bytes taken in all. */
  readonly usedBytes: number;
  /** Of these, bytes that uploads have reserved. */
  readonly partialBytes: number;
  /** Of these, bytes in the trash. */
  readonly trashBytes: number;
  /** Most files that may be taken; null for no limit. */
  readonly quotaFiles: number | null;
  /** Files taken in all, those in the trash and what uploads have reserved included. */
  readonly usedFiles: number;
}

/** A page of uploads to ask for. */
export interface UploadQuery {
  /** Only those in this state. */
  readonly state?: "open" | "committing";
  /** Only those not touched since, in milliseconds since 1970. */
  readonly touchedBeforeMs?: number;
  /** Only ids after this one. */
  readonly after?: string;
  /** Most records in the answer. */
  readonly limit: number;
}

/**
 * The server's database. Failures are `TrivetError`s: `SERVER_BUSY` while another program holds the
 * database, `DISK_FULL`, and `INTERNAL` with the cause for everything unexpected.
 */
export interface Catalog
  extends
    AccessCatalog,
    AccountCatalog,
    BatchCatalog,
    ContentCatalog,
    ExportCatalog,
    InviteCatalog,
    KeyCatalog {
  /** Adds an account, durably. Throws `USER_EXISTS`. */
  createUser(user: NewUser): Promise<UserRecord>;
  /** An account by name, disabled or not. */
  findUser(name: string): Promise<UserRecord | null>;
  /** The verifier of an account that may log in; null for unknown and disabled ones alike. */
  findVerifier(name: string): Promise<Verifier | null>;

  /** Adds a token, durably. Throws `NOT_FOUND` for no such user, `TOO_MANY`. */
  addToken(token: NewToken): Promise<TokenRecord>;
  /** A token that is valid now, of a user who may log in; notes the use, coarsely. */
  findToken(hash: Uint8Array): Promise<TokenRecord | null>;
  /** Removes a token, durably; whether it existed. */
  revokeToken(hash: Uint8Array): Promise<boolean>;
  /** Removes tokens that have ended; how many. */
  removeExpiredTokens(): Promise<number>;

  /**
   * Opens an upload and reserves its bytes, or answers the one that is open for the same user and
   * key, untouched. Throws `QUOTA_EXCEEDED` with `need_bytes` and `have_bytes`, or `need_files` and
   * `have_files`, and `NOT_FOUND` when the user does not exist.
   */
  openUpload(upload: NewUpload): Promise<{ upload: UploadRecord; created: boolean }>;
  /** The upload of a user for a path. */
  findUpload(user: string, pathKey: string): Promise<UploadRecord | null>;
  /** An upload or small file by id. */
  findUploadById(id: string): Promise<UploadRecord | null>;
  /** Notes that an upload is in use, and its overwrite mode. Throws `UPLOAD_NOT_FOUND`. */
  touchUpload(id: string, change?: { overwrite?: OverwriteMode }): Promise<void>;
  /** Uploads in order of their ids. */
  listUploads(query: UploadQuery): Promise<UploadRecord[]>;
  /** Sets an upload's reservation, up or down. Throws `QUOTA_EXCEEDED`, `UPLOAD_NOT_FOUND`. */
  reserve(id: string, bytes: number): Promise<void>;
  /**
   * Forgets an upload with its journal and releases its reservation; whether it existed. With
   * `untouchedSinceMs`, only one that is open and was not touched since.
   */
  discardUpload(id: string, options?: { untouchedSinceMs?: number }): Promise<boolean>;

  /** Writes chunks to an open upload's journal, over what was there. Throws `UPLOAD_NOT_FOUND`. */
  addChunks(id: string, chunks: readonly ChunkRecord[]): Promise<void>;
  /** Chunks of the journal from index `from` on, ascending, at most `limit`. */
  chunks(id: string, from: number, limit: number): Promise<ChunkRecord[]>;
  /** Chunks in the journal. */
  countChunks(id: string): Promise<number>;
  /** Removes chunks from the journal. */
  removeChunks(id: string, indices: readonly number[]): Promise<void>;

  /**
   * Writes down that an upload is about to be published; a size above the reservation is reserved
   * now. Throws `QUOTA_EXCEEDED`, `UPLOAD_NOT_FOUND`.
   */
  beginCommit(id: string, intent: CommitIntent): Promise<void>;
  /** The same for a small file, whose bytes it reserves. Throws as `openUpload`. */
  beginWrite(intent: WriteIntent): Promise<void>;
  /**
   * The file is published: replaces the reservation by its size, releases what it replaced and
   * forgets the upload. Throws `UPLOAD_NOT_FOUND` unless it is committing.
   */
  finishCommit(id: string): Promise<void>;
  /** The file was not published: an upload is open again, a small file is discarded. */
  abortCommit(id: string): Promise<void>;

  /** What takes up an account's quota; null when it does not exist. */
  usage(user: string): Promise<Usage | null>;

  /** Writes down, durably, that something is about to go into the trash. Throws `NOT_FOUND`. */
  beginRemoval(item: NewTrash): Promise<void>;
  /** It is there and takes this much. Throws `NOT_FOUND` unless it is `moving`. */
  finishRemoval(id: string, size: TrashSize): Promise<void>;
  /**
   * Writes down, durably, that a kept item is about to leave the trash; deleting may be begun again.
   * Throws `NOT_FOUND`, also for an item on another way.
   */
  beginTrashExit(id: string, exit: TrashExit): Promise<void>;
  /**
   * It has left: forgets it, and gives its bytes back if it was `emptying`; whether there was an item
   * on its way out.
   */
  finishTrashExit(id: string): Promise<boolean>;
  /** What was on its way stayed: `moving` is forgotten, `restoring` is kept again. */
  abortTrash(id: string): Promise<void>;
  /** An item by id. */
  findTrash(id: string): Promise<TrashRecord | null>;
  /** Items in order of their ids. */
  listTrash(query: TrashQuery): Promise<TrashRecord[]>;

  /** Writes down, durably, that a move is about to replace a file. Throws `NOT_FOUND`. */
  beginMove(intent: MoveIntent): Promise<void>;
  /** Forgets the intent; gives the replaced bytes back if the file `moved`. */
  endMove(id: string, moved: boolean): Promise<void>;
  /** Moves that have not ended, in order of their ids, at most `limit`. */
  listMoves(limit: number): Promise<MoveIntent[]>;

  /** A value of the server itself; made and kept, durably, at the first call. */
  setting(name: string, create: () => Uint8Array): Promise<Uint8Array>;

  /** Closes the database. */
  close(): Promise<void>;
}
