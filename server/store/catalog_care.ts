/**
 * The port to what the care of the data needs of the database beyond {@linkcode Catalog}: what is
 * counted for each account, and setting it right.
 *
 * @module
 */

import type { TrashSize } from "./catalog.ts";

/** What the database counts for an account. */
export interface AccountCount {
  /** User name. */
  readonly name: string;
  /** Bytes taken in all. */
  readonly usedBytes: number;
  /** Of these, bytes that uploads have reserved. */
  readonly reservedBytes: number;
  /** Of these, bytes in the trash. */
  readonly trashBytes: number;
  /** Files taken in all. */
  readonly usedFiles: number;
  /** Of these, files that uploads have reserved. */
  readonly reservedFiles: number;
  /** Of these, files in the trash. */
  readonly trashFiles: number;
  /** Commits, batches, removals and moves that have not ended: while there are any, the sum may be off. */
  readonly unsettled: number;
}

/** A page of accounts to ask for. */
export interface AccountQuery {
  /** Only names after this one. */
  readonly after?: string;
  /** Most records in the answer. */
  readonly limit: number;
}

/** What is known of a stored file's content. */
export interface StoredDigest {
  /** Its size when it was read. */
  readonly size: number;
  /** The time of its content then, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** SHA-256 of its content, 32 bytes. */
  readonly sha256: Uint8Array;
  /** The round in which it was read last and found to be so. */
  readonly round: number;
  /** The round in which the file was seen last, damaged or not. */
  readonly seen: number;
}

/** A walk over all stored files, which may take several runs. */
export interface ScrubRound {
  /** Its number, from 1. */
  readonly number: number;
  /** Whether an earlier run began it. */
  readonly isResumed: boolean;
}

/** See the module. Failures are those of `Catalog`. */
export interface CareCatalog {
  /** Accounts in order of their names. */
  accounts(query: AccountQuery): Promise<AccountCount[]>;
  /** One account; null when it does not exist. */
  account(name: string): Promise<AccountCount | null>;
  /** Sets what an account has taken, durably, whatever its quotas. */
  setUsed(name: string, used: { readonly bytes: number; readonly files: number }): Promise<void>;
  /** Sets what a kept item of the trash takes, durably, and counts the difference. */
  setTrashSize(id: string, size: TrashSize): Promise<void>;
  /** The round that has not ended, or a new one; with `restart` always a new one. */
  beginScrub(options: { restart: boolean; nowMs: number }): Promise<ScrubRound>;
  /** A round has seen every file: what it has not seen is forgotten. */
  endScrub(number: number, nowMs: number): Promise<void>;
  /** What is known of a file. */
  digest(file: string): Promise<StoredDigest | null>;
  /** Sets what is known of files. */
  setDigests(digests: ReadonlyMap<string, StoredDigest>): Promise<void>;
  /** Closes the database. */
  close(): Promise<void>;
}
