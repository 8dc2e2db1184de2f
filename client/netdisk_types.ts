/**
 * What the netdisk's client tells its caller. Written out here, since a library's types must not have
 * to be inferred from schemas; the compiler holds them against those in `lib/netdisk/messages.ts`.
 *
 * @module
 */

/** A file or folder. */
export interface NetdiskEntry {
  /** Its name. */
  readonly name: string;
  /** What it is; `other` can be neither read nor written. */
  readonly type: "file" | "folder" | "other";
  /** Bytes; 0 for a folder. */
  readonly size: number;
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Permission bits. */
  readonly mode: number;
  /** Changes with the content; absent for a folder. */
  readonly etag?: string | undefined;
}

/** One page of a folder. */
export interface ListPage {
  /** The folder itself, or the file that was asked for. */
  readonly entry: NetdiskEntry;
  /** What is in it, sorted by name; a file is its own listing. */
  readonly entries: readonly NetdiskEntry[];
  /** Whether there are more behind these. */
  readonly more: boolean;
}

/** A file that an upload has stored. */
export interface StoredFile {
  /** Components of its path; differ from what was asked with `rename`. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly size: number;
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Changes with the content. */
  readonly etag: string;
  /** Whether the name was taken and `skip` left it as it was. */
  readonly skipped: boolean;
}

/** Who is logged in, and what the account holds. */
export interface Account {
  /** Its name. */
  readonly user: string;
  /** Bytes of its files and unfinished uploads. */
  readonly usedBytes: number;
  /** Bytes that it may hold. */
  readonly quotaBytes: number;
  /** Files that it holds, where their number is limited. */
  readonly usedFiles?: number | undefined;
  /** Files that it may hold, where their number is limited. */
  readonly quotaFiles?: number | undefined;
  /** `read`, `write` or `full`. */
  readonly scope: string;
}

/** What happens when a name is taken; `rename` chooses `name (2).ext`. */
export type OverwriteMode = "replace" | "skip" | "fail" | "rename";

/** Whether a partial transfer is continued, must be, or is thrown away. */
export type ResumeMode = "auto" | "always" | "never";

/** When a file counts as stored: once the disk holds it, or once the system does. */
export type DurabilityMode = "commit" | "os";

/** What copying on the server did. */
export interface CopyResult {
  /** Where the copy is. */
  readonly path: string;
  /** Files that were copied. */
  readonly files: number;
  /** Folders that were made, or that took what was copied. */
  readonly folders: number;
  /** Bytes of the files. */
  readonly bytes: number;
  /** What is neither file nor folder, such as a symbolic link, and was left out. */
  readonly skipped: number;
}

/** The digests of some chunks of a file. */
export interface DigestPage {
  /** The file. */
  readonly entry: NetdiskEntry;
  /** Bytes of each chunk but the last. */
  readonly chunkBytes: number;
  /** The first chunk of the page. */
  readonly from: number;
  /** XXH3-128 of each chunk, 16 bytes each, in order. */
  readonly digests: Uint8Array<ArrayBuffer>;
}

/** What lies in the trash. */
export interface TrashItem {
  /** Names it. */
  readonly id: string;
  /** Components of the path where it stood. */
  readonly path: readonly string[];
  /** When it was removed, in milliseconds since 1970. */
  readonly deletedMs: number;
  /** Bytes of it and all in it. */
  readonly bytes: number;
  /** Files and folders, itself included. */
  readonly entries: number;
  /** What it is. */
  readonly kind: "file" | "folder";
}

/** What an account may hold and does. */
export interface DiskUsage {
  /** Most bytes. */
  readonly quotaBytes: number;
  /** Bytes that count: files, trash, and what unfinished uploads have reserved. */
  readonly usedBytes: number;
  /** What unfinished uploads have reserved. */
  readonly partialBytes: number;
  /** What the trash holds. */
  readonly trashBytes: number;
  /** Files that count, trash and unfinished uploads included, where their number is limited. */
  readonly usedFiles?: number | undefined;
  /** Most files, where their number is limited. */
  readonly quotaFiles?: number | undefined;
}

/** What a token allows: to read; also to write; also to manage tokens. */
export type TokenScope = "read" | "write" | "full";

/** A token to make. */
export interface NewTokenOptions {
  /** What it allows. */
  readonly scope: TokenScope;
  /** The folder that it is confined to; the whole home without it. */
  readonly path?: string;
  /** How long it is valid, in milliseconds; for ever without it. */
  readonly lifetimeMs?: number;
  /** What it is called. */
  readonly label?: string;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** A token that was made. */
export interface NewToken {
  /** Names it. */
  readonly id: string;
  /** The token itself; the server does not know it. */
  readonly token: string;
  /** When it ends, in milliseconds since 1970; null for never. */
  readonly expiresMs: number | null;
}

/** A token or a session of the account. */
export interface TokenInfo {
  /** Names it. */
  readonly id: string;
  /** Whether a login made it, or somebody for a program. */
  readonly kind: "session" | "api";
  /** What it allows. */
  readonly scope: TokenScope;
  /** Components of the folder that it is confined to. */
  readonly path: readonly string[];
  /** What it is called. */
  readonly label: string;
  /** When it was made, in milliseconds since 1970. */
  readonly createdMs: number;
  /** When it ends; null for never. */
  readonly expiresMs: number | null;
  /** When it was last used, rounded to hours; null before the first time. */
  readonly lastUsedMs: number | null;
  /** Whether this client logged in with it. */
  readonly isCurrent: boolean;
}
