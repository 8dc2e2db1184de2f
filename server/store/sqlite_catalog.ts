/**
 * The catalog in one SQLite file. `sqlite_database.ts` says which operations wait for the disk.
 *
 * @module
 */

import type { Verifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import type {
  Catalog,
  ChunkRecord,
  CommitIntent,
  Durability,
  MoveIntent,
  NewToken,
  NewTrash,
  NewUpload,
  NewUser,
  OverwriteMode,
  TokenRecord,
  TrashExit,
  TrashQuery,
  TrashRecord,
  TrashSize,
  UploadQuery,
  UploadRecord,
  Usage,
  UserRecord,
  WriteIntent,
} from "./catalog.ts";
import type { BatchRecord } from "./catalog_batches.ts";
import type { ContentRecord } from "./catalog_contents.ts";
import type { KeyQuery, KeyRecord, NewKey } from "./catalog_keys.ts";
import type {
  OpenLogin,
  QuotaChange,
  SessionQuery,
  SessionRecord,
  UserQuery,
  VerifierChange,
  VerifierOptions,
} from "./catalog_accounts.ts";
import type { TokenQuery } from "./catalog_access.ts";
import type { AccountImport, StoredAccount } from "./catalog_export.ts";
import type { InviteRecord, NewInvite } from "./catalog_invites.ts";
import * as access from "./sqlite_access.ts";
import * as accounts from "./sqlite_accounts.ts";
import * as batches from "./sqlite_batches.ts";
import * as contents from "./sqlite_contents.ts";
import { SqliteDatabase, type SqliteOptions } from "./sqlite_database.ts";
import { asCatalogError } from "./sqlite_errors.ts";
import * as keys from "./sqlite_keys.ts";
import * as accountExport from "./sqlite_export.ts";
import * as invites from "./sqlite_invites.ts";
import * as trash from "./sqlite_trash.ts";
import * as uploads from "./sqlite_uploads.ts";
import * as users from "./sqlite_users.ts";
import { blob, integer } from "./sqlite_values.ts";

/** Options of {@linkcode SqliteCatalog.open}. */
export interface SqliteCatalogOptions extends SqliteOptions {
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** {@linkcode Catalog} in one SQLite file; several programs may have it open. */
export class SqliteCatalog implements Catalog {
  readonly #db: SqliteDatabase;
  readonly #now: () => number;
  /** Changes through this object that may have ended logins. */
  #loginChanges = 0;

  private constructor(db: SqliteDatabase, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /**
   * Opens a database, making it at the first time.
   *
   * @param path Of the file, in a folder that exists.
   * @param options Clock and waiting time.
   * @throws {TrivetError} `VERSION_MISMATCH` if a newer program wrote it.
   */
  static open(path: string, options: SqliteCatalogOptions = {}): SqliteCatalog {
    return new SqliteCatalog(SqliteDatabase.open(path, options), options.now ?? Date.now);
  }

  /** See {@linkcode Catalog.createUser}. */
  createUser(user: NewUser): Promise<UserRecord> {
    return this.#durable(() => accounts.insertUser(this.#db, user, this.#now()));
  }

  /** See {@linkcode Catalog.findUser}. */
  findUser(name: string): Promise<UserRecord | null> {
    return this.#read(() => accounts.selectUser(this.#db, name));
  }

  /** See {@linkcode Catalog.findVerifier}. */
  findVerifier(name: string): Promise<Verifier | null> {
    return this.#read(() => accounts.selectVerifier(this.#db, name));
  }

  /** See {@linkcode Catalog.addToken}. */
  addToken(token: NewToken): Promise<TokenRecord> {
    return this.#durable(() => accounts.insertToken(this.#db, token, this.#now()));
  }

  /** See {@linkcode Catalog.findToken}. */
  async findToken(hash: Uint8Array): Promise<TokenRecord | null> {
    const nowMs = this.#now();
    const token = await this.#read(() => accounts.selectToken(this.#db, hash, nowMs));
    const usedAtMs = token === null ? null : accounts.useToNote(token, nowMs);
    if (token === null || usedAtMs === null) return token;
    try {
      await this.#write(() =>
        this.#db.run("UPDATE tokens SET last_used_at_ms = ? WHERE hash = ?", usedAtMs, hash)
      );
    } catch (error) {
      // The note is a courtesy: no login fails because another program writes or the disk is full.
      if (!(error instanceof TrivetError) || error.code === "INTERNAL") throw error;
      return token;
    }
    return { ...token, lastUsedAtMs: usedAtMs };
  }

  /** See {@linkcode Catalog.revokeToken}. */
  revokeToken(hash: Uint8Array): Promise<boolean> {
    return this.#endingLogins(() => this.#db.run("DELETE FROM tokens WHERE hash = ?", hash) > 0);
  }

  /** See {@linkcode Catalog.removeExpiredTokens}. */
  removeExpiredTokens(): Promise<number> {
    return this.#write(() =>
      this.#db.run("DELETE FROM tokens WHERE expires_at_ms <= ?", this.#now())
    );
  }

  /** See {@linkcode Catalog.listUsers}. */
  listUsers(query: UserQuery): Promise<UserRecord[]> {
    return this.#read(() => users.selectUsers(this.#db, query));
  }

  /** See {@linkcode Catalog.setQuota}. */
  setQuota(user: string, change: QuotaChange): Promise<UserRecord> {
    return this.#durable(() => users.updateQuota(this.#db, user, change));
  }

  /** See {@linkcode Catalog.setVerifier}. */
  setVerifier(
    user: string,
    verifier: Verifier,
    options: VerifierOptions = {},
  ): Promise<VerifierChange> {
    return this.#endingLogins((nowMs) =>
      users.updateVerifier(this.#db, user, { ...options, verifier, nowMs })
    );
  }

  /** See {@linkcode Catalog.setDisabled}. */
  setDisabled(user: string, disabled: boolean): Promise<UserRecord> {
    return this.#endingLogins((nowMs) => users.updateDisabled(this.#db, user, { disabled, nowMs }));
  }

  /** See {@linkcode Catalog.removeUser}. */
  removeUser(user: string): Promise<string[]> {
    return this.#endingLogins(() => users.deleteUser(this.#db, user));
  }

  /** See {@linkcode Catalog.authEpoch}. */
  authEpoch(user: string): Promise<number | null> {
    return this.#read(() => users.selectAuthEpoch(this.#db, user));
  }

  /** See {@linkcode Catalog.addSession}. */
  addSession(token: NewToken, authEpoch: number): Promise<TokenRecord> {
    return this.#durable(() => {
      return users.insertSession(this.#db, token, { authEpoch, nowMs: this.#now() });
    });
  }

  /** See {@linkcode Catalog.listSessions}. */
  listSessions(query: SessionQuery): Promise<SessionRecord[]> {
    return this.#read(() => users.selectSessions(this.#db, query, this.#now()));
  }

  /** See {@linkcode Catalog.endSession}. */
  endSession(id: string): Promise<SessionRecord | null> {
    return this.#endingLogins(() => users.deleteSession(this.#db, id));
  }

  /** See {@linkcode Catalog.endSessions}. */
  endSessions(user: string): Promise<number> {
    return this.#endingLogins((nowMs) => users.endLogins(this.#db, user, { nowMs }));
  }

  /** See {@linkcode Catalog.loginsMark}. */
  loginsMark(): Promise<string> {
    return this.#read(() => {
      // SQLite counts the commits of all programs but this one.
      const row = this.#db.get("PRAGMA data_version") ?? {};
      const nowMs = this.#now();
      // What ends by itself is no commit.
      const ended = [keys.countEndedKeys(this.#db, nowMs), users.countEndedTokens(this.#db, nowMs)];
      return `${integer(row, "data_version")}.${this.#loginChanges}.${ended.join(".")}`;
    });
  }

  /** See {@linkcode Catalog.endedLogins}. */
  endedLogins(logins: readonly OpenLogin[]): Promise<number[]> {
    const nowMs = this.#now();
    return this.#read(() => users.selectEnded(this.#db, logins, nowMs));
  }

  /** See {@linkcode Catalog.addKey}. */
  addKey(key: NewKey): Promise<KeyRecord> {
    return this.#durable(() => keys.insertKey(this.#db, key, this.#now()));
  }

  /** See {@linkcode Catalog.listKeys}. */
  listKeys(query: KeyQuery): Promise<KeyRecord[]> {
    return this.#read(() => keys.selectKeys(this.#db, query));
  }

  /** See {@linkcode Catalog.findKey}. */
  findKey(id: string, service: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const nowMs = this.#now();
    return this.#read(() => keys.selectSealedKey(this.#db, id, { service, nowMs }));
  }

  /** See {@linkcode Catalog.keyName}. */
  keyName(id: string): Promise<string | null> {
    return this.#read(() => keys.selectKeyName(this.#db, id));
  }

  /** See {@linkcode Catalog.noteKeyUse}. */
  async noteKeyUse(id: string): Promise<void> {
    const nowMs = this.#now();
    const usedAtMs = await this.#read(() => keys.keyUseToNote(this.#db, id, nowMs));
    if (usedAtMs !== null) await this.#write(() => keys.updateKeyUse(this.#db, id, usedAtMs));
  }

  /** See {@linkcode Catalog.revokeKey}. */
  revokeKey(nameOrId: string): Promise<KeyRecord | null> {
    return this.#endingLogins(() => keys.deleteKey(this.#db, nameOrId));
  }

  /** See {@linkcode Catalog.endedKeys}. */
  endedKeys(ids: readonly string[]): Promise<string[]> {
    return this.#read(() => keys.selectEndedKeys(this.#db, ids, this.#now()));
  }

  /** See {@linkcode Catalog.listTokens}. */
  listTokens(query: TokenQuery): Promise<TokenRecord[]> {
    return this.#read(() => access.selectTokens(this.#db, query, this.#now()));
  }

  /** See {@linkcode Catalog.revokeTokens}. */
  revokeTokens(user: string, ids: readonly string[]): Promise<number> {
    return this.#endingLogins(() => access.deleteTokens(this.#db, user, ids));
  }

  /** See {@linkcode Catalog.addInvite}. */
  addInvite(invite: NewInvite): Promise<InviteRecord> {
    return this.#durable(() => invites.insertInvite(this.#db, invite, this.#now()));
  }

  /** See {@linkcode Catalog.listInvites}. */
  listInvites(): Promise<InviteRecord[]> {
    return this.#read(() => invites.selectInvites(this.#db, this.#now()));
  }

  /** See {@linkcode Catalog.revokeInvites}. */
  revokeInvites(ids: readonly string[]): Promise<number> {
    return this.#durable(() => invites.deleteInvites(this.#db, ids));
  }

  /** See {@linkcode Catalog.redeemInvite}. */
  redeemInvite(hash: Uint8Array, user: NewUser): Promise<UserRecord | null> {
    return this.#durable(() => invites.redeemInvite(this.#db, hash, { user, nowMs: this.#now() }));
  }

  /** See {@linkcode Catalog.exportAccounts}. */
  exportAccounts(): Promise<StoredAccount[]> {
    return this.#read(() => accountExport.selectAccounts(this.#db));
  }

  /** See {@linkcode Catalog.importAccounts}. */
  importAccounts(accounts: AccountImport): Promise<void> {
    return this.#endingLogins((nowMs) => accountExport.importAccounts(this.#db, accounts, nowMs));
  }

  /** See {@linkcode Catalog.openUpload}. */
  openUpload(upload: NewUpload): Promise<{ upload: UploadRecord; created: boolean }> {
    return this.#write(() => {
      const found = uploads.selectUpload(this.#db, upload.user, upload.pathKey);
      if (found !== null) return { upload: found, created: false };
      return { upload: uploads.insertUpload(this.#db, upload, this.#now()), created: true };
    });
  }

  /** See {@linkcode Catalog.findUpload}. */
  findUpload(user: string, pathKey: string): Promise<UploadRecord | null> {
    return this.#read(() => uploads.selectUpload(this.#db, user, pathKey));
  }

  /** See {@linkcode Catalog.findUploadById}. */
  findUploadById(id: string): Promise<UploadRecord | null> {
    return this.#read(() => uploads.selectUploadById(this.#db, id)?.record ?? null);
  }

  /** See {@linkcode Catalog.touchUpload}. */
  touchUpload(id: string, change: { overwrite?: OverwriteMode } = {}): Promise<void> {
    return this.#write(() => {
      const { number } = uploads.requireUpload(this.#db, id);
      this.#db.run(
        "UPDATE uploads SET touched_at_ms = ?, overwrite = coalesce(?, overwrite) WHERE number = ?",
        ...[this.#now(), change.overwrite ?? null, number],
      );
    });
  }

  /** See {@linkcode Catalog.listUploads}. */
  listUploads(query: UploadQuery): Promise<UploadRecord[]> {
    return this.#read(() => uploads.selectUploads(this.#db, query));
  }

  /** See {@linkcode Catalog.reserve}. */
  reserve(id: string, bytes: number): Promise<void> {
    return this.#write(() => {
      const stored = uploads.requireUpload(this.#db, id, "open");
      uploads.setReservation(this.#db, stored, { bytes, nowMs: this.#now() });
    });
  }

  /** See {@linkcode Catalog.discardUpload}. */
  discardUpload(id: string, options: { untouchedSinceMs?: number } = {}): Promise<boolean> {
    return this.#write(() => uploads.deleteUpload(this.#db, id, options.untouchedSinceMs));
  }

  /** See {@linkcode Catalog.addChunks}. */
  addChunks(id: string, chunks: readonly ChunkRecord[]): Promise<void> {
    return this.#write(() => uploads.insertChunks(this.#db, id, { chunks, nowMs: this.#now() }));
  }

  /** See {@linkcode Catalog.chunks}. */
  chunks(id: string, from: number, limit: number): Promise<ChunkRecord[]> {
    return this.#read(() => uploads.selectChunks(this.#db, id, { from, limit }));
  }

  /** See {@linkcode Catalog.countChunks}. */
  countChunks(id: string): Promise<number> {
    return this.#read(() => {
      const row = this.#db.get(
        "SELECT count(*) AS n FROM chunks WHERE upload = (SELECT number FROM uploads WHERE id = ?)",
        id,
      );
      return row === undefined ? 0 : integer(row, "n");
    });
  }

  /** See {@linkcode Catalog.removeChunks}. */
  removeChunks(id: string, indices: readonly number[]): Promise<void> {
    return this.#write(() => uploads.deleteChunks(this.#db, id, indices));
  }

  /** See {@linkcode Catalog.beginCommit}. */
  beginCommit(id: string, intent: CommitIntent): Promise<void> {
    const work = () => uploads.markCommitting(this.#db, id, { ...intent, nowMs: this.#now() });
    return intent.durability === "commit" ? this.#durable(work) : this.#write(work);
  }

  /** See {@linkcode Catalog.beginWrite}. */
  beginWrite(intent: WriteIntent): Promise<void> {
    const work = () => uploads.insertWrite(this.#db, intent, this.#now());
    return intent.durability === "commit" ? this.#durable(work) : this.#write(work);
  }

  /** See {@linkcode Catalog.finishCommit}. */
  finishCommit(id: string): Promise<void> {
    return this.#write(() => uploads.settle(this.#db, id));
  }

  /** See {@linkcode Catalog.abortCommit}. */
  abortCommit(id: string): Promise<void> {
    return this.#write(() => uploads.reopen(this.#db, id));
  }

  /** See {@linkcode Catalog.beginBatch}. */
  beginBatch(batch: BatchRecord & { readonly durability: Durability }): Promise<void> {
    const work = () => batches.insertBatch(this.#db, batch, this.#now());
    return batch.durability === "commit" ? this.#durable(work) : this.#write(work);
  }

  /** See {@linkcode Catalog.finishBatch}. */
  finishBatch(id: string, published: ReadonlySet<number>): Promise<void> {
    return this.#write(() => batches.settleBatch(this.#db, id, published));
  }

  /** See {@linkcode Catalog.listBatches}. */
  listBatches(limit: number): Promise<BatchRecord[]> {
    return this.#read(() => batches.selectBatches(this.#db, limit));
  }

  /** See {@linkcode Catalog.noteContent}. */
  noteContent(content: ContentRecord): Promise<void> {
    return this.#write(() => contents.upsertContent(this.#db, content, this.#now()));
  }

  /** See {@linkcode Catalog.findContents}. */
  findContents(
    user: string,
    query: { readonly size: number; readonly digest?: Uint8Array; readonly limit: number },
  ): Promise<ContentRecord[]> {
    return this.#read(() => contents.selectContents(this.#db, user, query));
  }

  /** See {@linkcode Catalog.forgetContent}. */
  forgetContent(user: string, path: readonly string[]): Promise<void> {
    return this.#write(() => contents.deleteContent(this.#db, user, path));
  }

  /** See {@linkcode Catalog.usage}. */
  usage(user: string): Promise<Usage | null> {
    return this.#read(() => trash.selectUsage(this.#db, user));
  }

  /** See {@linkcode Catalog.beginRemoval}. */
  beginRemoval(item: NewTrash): Promise<void> {
    return this.#durable(() => trash.insertTrash(this.#db, item, this.#now()));
  }

  /** See {@linkcode Catalog.finishRemoval}. */
  finishRemoval(id: string, size: TrashSize): Promise<void> {
    return this.#write(() => trash.keepTrash(this.#db, id, size));
  }

  /** See {@linkcode Catalog.beginTrashExit}. */
  beginTrashExit(id: string, exit: TrashExit): Promise<void> {
    return this.#durable(() => trash.markExit(this.#db, id, exit));
  }

  /** See {@linkcode Catalog.finishTrashExit}. */
  finishTrashExit(id: string): Promise<boolean> {
    return this.#write(() => trash.settleExit(this.#db, id));
  }

  /** See {@linkcode Catalog.abortTrash}. */
  abortTrash(id: string): Promise<void> {
    return this.#write(() => trash.abortTrash(this.#db, id));
  }

  /** See {@linkcode Catalog.findTrash}. */
  findTrash(id: string): Promise<TrashRecord | null> {
    return this.#read(() => trash.selectTrash(this.#db, id));
  }

  /** See {@linkcode Catalog.listTrash}. */
  listTrash(query: TrashQuery): Promise<TrashRecord[]> {
    return this.#read(() => trash.selectTrashPage(this.#db, query));
  }

  /** See {@linkcode Catalog.beginMove}. */
  beginMove(intent: MoveIntent): Promise<void> {
    return this.#durable(() => trash.insertMove(this.#db, intent));
  }

  /** See {@linkcode Catalog.endMove}. */
  endMove(id: string, moved: boolean): Promise<void> {
    return this.#write(() => trash.settleMove(this.#db, id, moved));
  }

  /** See {@linkcode Catalog.listMoves}. */
  listMoves(limit: number): Promise<MoveIntent[]> {
    return this.#read(() => trash.selectMoves(this.#db, limit));
  }

  /** See {@linkcode Catalog.setting}. */
  async setting(name: string, create: () => Uint8Array): Promise<Uint8Array> {
    const find = () => {
      const row = this.#db.get("SELECT value FROM settings WHERE name = ?", name);
      return row === undefined ? null : blob(row, "value");
    };
    return await this.#read(find) ?? await this.#durable(() => {
      const found = find();
      if (found !== null) return found;
      const value = new Uint8Array(create());
      this.#db.run("INSERT INTO settings (name, value) VALUES (?, ?)", name, value);
      return value;
    });
  }

  /** See {@linkcode Catalog.close}. */
  async close(): Promise<void> {
    await this.#db.close();
  }

  // The promises below settle in the same turn for SQLite; the port has them for databases that are
  // reached over a network.

  #read<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(asCatalogError(error));
    }
  }

  #write<T>(work: () => T): Promise<T> {
    return this.#read(() => this.#db.write(work));
  }

  async #endingLogins<T>(work: (nowMs: number) => T): Promise<T> {
    const result = await this.#durable(() => work(this.#now()));
    this.#loginChanges += 1;
    return result;
  }

  async #durable<T>(work: () => T): Promise<T> {
    try {
      return await this.#db.durable(work);
    } catch (error) {
      throw asCatalogError(error);
    }
  }
}
