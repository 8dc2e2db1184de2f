/**
 * The part of the catalog that manages people: what an administrator changes beside a running server,
 * and how that server notices which of its open connections have to end.
 *
 * @module
 */

import type { Verifier } from "../../lib/auth/verifier.ts";
import type { NewToken, TokenRecord, UserRecord } from "./catalog.ts";

/** A page of accounts to ask for. */
export interface UserQuery {
  /** Only names after this one. */
  readonly after?: string;
  /** Most records in the answer. */
  readonly limit: number;
}

/** What changes of a quota; what is absent stays. */
export interface QuotaChange {
  /** Most bytes that files and partial uploads may take. */
  readonly quotaBytes?: number;
  /** Most files; null for no limit. */
  readonly quotaFiles?: number | null;
}

/** How a verifier takes the place of another. */
export interface VerifierOptions {
  /** The account's epoch when the old password was proven; an administrator proves nothing. */
  readonly provenEpoch?: number;
  /** Hash of the session token that stays. */
  readonly keep?: Uint8Array | null;
}

/** What became of logins when a verifier was replaced. */
export interface VerifierChange {
  /** The account's epoch now. */
  readonly authEpoch: number;
  /** How many sessions ended. */
  readonly ended: number;
}

/** Bytes of a token's hash that name its session in {@linkcode SessionRecord.id}, in hex. */
export const SESSION_ID_BYTES = 6;

/** A login that goes on until its token ends. */
export interface SessionRecord {
  /** The first {@linkcode SESSION_ID_BYTES} of the token's hash, in hex. */
  readonly id: string;
  /** Whose it is. */
  readonly user: string;
  /** What the client called it. */
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Last login with its token, rounded down to `TOKEN_USE_ROUND_MS`; null before the first. */
  readonly lastUsedAtMs: number | null;
  /** When it ends, in milliseconds since 1970; null for never. */
  readonly expiresAtMs: number | null;
}

/** A page of sessions to ask for. */
export interface SessionQuery {
  /** Only this user's. */
  readonly user?: string;
  /** Only ids after this one. */
  readonly after?: string;
  /** Most records in the answer. */
  readonly limit: number;
}

/** Who an open connection belongs to. */
export interface OpenLogin {
  /** The user. */
  readonly user: string;
  /** SHA-256 of the token that it logged in with; null after a login by password alone. */
  readonly tokenHash: Uint8Array | null;
  /** After a login by password alone: the account's epoch at that time. */
  readonly authEpoch?: number;
  /** Id of the machine key that admitted the connection; see `KeyCatalog.endedKeys`. */
  readonly keyId?: string;
  /** It is that key that logged in, and no account: `user` is none. */
  readonly byKeyAlone?: true;
}

/** Accounts and sessions, for an administrator. All changes are durable. */
export interface AccountCatalog {
  /** Accounts in order of their names. */
  listUsers(query: UserQuery): Promise<UserRecord[]>;
  /** Changes a quota; files that are there already stay. Throws `USER_NOT_FOUND`. */
  setQuota(user: string, change: QuotaChange): Promise<UserRecord>;
  /**
   * Replaces the verifier and ends all sessions but one; access tokens stay. Throws `USER_NOT_FOUND`,
   * and `AUTH_REQUIRED` when logins have ended since the old password was proven.
   */
  setVerifier(user: string, verifier: Verifier, options?: VerifierOptions): Promise<VerifierChange>;
  /**
   * Refuses or allows logins. Refusing ends all sessions; access tokens stay and work again once
   * logins are allowed. Throws `USER_NOT_FOUND`.
   */
  setDisabled(user: string, disabled: boolean): Promise<UserRecord>;
  /**
   * Forgets an account with its tokens, uploads, trash and moves. Throws `USER_NOT_FOUND`.
   *
   * @returns Ids of its uploads, whose parts belong to nothing now.
   */
  removeUser(user: string): Promise<string[]>;

  /**
   * The epoch of an account: another one means that logins by password from before do not count any
   * more. Null when the account does not exist.
   */
  authEpoch(user: string): Promise<number | null>;
  /**
   * `Catalog.addToken` for a login by password.
   *
   * @param token The session's.
   * @param authEpoch The epoch that was read before the verifier; the login fails if it has changed.
   * @throws {TrivetError} `AUTH_FAILED`.
   */
  addSession(token: NewToken, authEpoch: number): Promise<TokenRecord>;
  /** Sessions that have not ended, in order of their ids. */
  listSessions(query: SessionQuery): Promise<SessionRecord[]>;
  /** Ends one session, durably; null when there is none with this id. */
  endSession(id: string): Promise<SessionRecord | null>;
  /** Ends all sessions of an account, and its logins by password alone; how many sessions. */
  endSessions(user: string): Promise<number>;

  /**
   * Another mark means that logins may have ended since, through this program or another. Cheap enough
   * to be asked several times a second.
   */
  loginsMark(): Promise<string>;
  /** Which of these logins have ended, by their place in the list. */
  endedLogins(logins: readonly OpenLogin[]): Promise<number[]>;
}
