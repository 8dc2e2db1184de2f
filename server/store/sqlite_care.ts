/**
 * {@linkcode CareCatalog} in SQLite, on a connection of its own: the care of the data runs beside a
 * server as well as without one.
 *
 * @module
 */

import type { TrashSize } from "./catalog.ts";
import type {
  AccountCount,
  AccountQuery,
  CareCatalog,
  ScrubRound,
  StoredDigest,
} from "./catalog_care.ts";
import { type Row, SqliteDatabase, type SqliteOptions } from "./sqlite_database.ts";
import { asCatalogError } from "./sqlite_errors.ts";
import { blob, integer, text } from "./sqlite_values.ts";

const COUNTS = `name, used_bytes, used_files,
  (SELECT coalesce(sum(reserved_bytes), 0) FROM uploads WHERE user = name) AS reserved_bytes,
  (SELECT coalesce(sum(bytes), 0) FROM trash WHERE user = name) AS trash_bytes,
  (SELECT coalesce(sum(reserved_files), 0) FROM uploads WHERE user = name) AS reserved_files,
  (SELECT coalesce(sum(files), 0) FROM trash WHERE user = name) AS trash_files,
  (SELECT count(*) FROM uploads WHERE user = name AND state = 'committing') +
    (SELECT count(*) FROM trash WHERE user = name AND state <> 'kept') +
    (SELECT count(*) FROM batches WHERE user = name) +
    (SELECT count(*) FROM moves WHERE user = name) AS unsettled`;

/** See the module. */
export class SqliteCare implements CareCatalog {
  readonly #db: SqliteDatabase;

  private constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /**
   * Opens a database.
   *
   * @param path Of the file.
   * @param options Waiting time.
   * @throws {TrivetError} `VERSION_MISMATCH` if a newer program wrote it.
   */
  static open(path: string, options: SqliteOptions = {}): SqliteCare {
    return new SqliteCare(SqliteDatabase.open(path, options));
  }

  /** See {@linkcode CareCatalog.accounts}. */
  accounts({ after = "", limit }: AccountQuery): Promise<AccountCount[]> {
    return this.#read(() =>
      this.#db.all(`SELECT ${COUNTS} FROM users WHERE name > ? ORDER BY name LIMIT ?`, after, limit)
        .map(toCount)
    );
  }

  /** See {@linkcode CareCatalog.account}. */
  account(name: string): Promise<AccountCount | null> {
    return this.#read(() => {
      const row = this.#db.get(`SELECT ${COUNTS} FROM users WHERE name = ?`, name);
      return row === undefined ? null : toCount(row);
    });
  }

  /** See {@linkcode CareCatalog.setUsed}. */
  setUsed(name: string, { bytes, files }: { bytes: number; files: number }): Promise<void> {
    return this.#durable(() => {
      this.#db.run(
        "UPDATE users SET used_bytes = ?, used_files = ? WHERE name = ?",
        ...[bytes, files, name],
      );
    });
  }

  /** See {@linkcode CareCatalog.setTrashSize}. */
  setTrashSize(id: string, { bytes, files, entries }: TrashSize): Promise<void> {
    return this.#durable(() => {
      this.#db.run(
        `UPDATE users SET used_bytes = max(0, used_bytes + ?1 - trash.bytes),
           used_files = max(0, used_files + ?2 - trash.files)
         FROM trash WHERE trash.id = ?3 AND trash.state = 'kept' AND users.name = trash.user`,
        ...[bytes, files, id],
      );
      this.#db.run(
        "UPDATE trash SET bytes = ?, files = ?, entries = ? WHERE id = ? AND state = 'kept'",
        ...[bytes, files, entries, id],
      );
    });
  }

  /** See {@linkcode CareCatalog.beginScrub}. */
  beginScrub({ restart, nowMs }: { restart: boolean; nowMs: number }): Promise<ScrubRound> {
    return this.#durable(() => {
      const row = this.#db.get(
        "SELECT number, ended_at_ms FROM scrub_rounds ORDER BY number DESC LIMIT 1",
      );
      const last = row === undefined ? 0 : integer(row, "number");
      if (row !== undefined && row["ended_at_ms"] === null && !restart) {
        return { number: last, isResumed: true };
      }
      this.#db.run(
        "INSERT INTO scrub_rounds (number, begun_at_ms) VALUES (?, ?)",
        ...[last + 1, nowMs],
      );
      return { number: last + 1, isResumed: false };
    });
  }

  /** See {@linkcode CareCatalog.endScrub}. */
  endScrub(number: number, nowMs: number): Promise<void> {
    return this.#durable(() => {
      this.#db.run("UPDATE scrub_rounds SET ended_at_ms = ? WHERE number = ?", nowMs, number);
      this.#db.run("DELETE FROM scrub_rounds WHERE number < ?", number);
      this.#db.run("DELETE FROM digests WHERE seen < ?", number);
    });
  }

  /** See {@linkcode CareCatalog.digest}. */
  digest(file: string): Promise<StoredDigest | null> {
    return this.#read(() => {
      const row = this.#db.get("SELECT * FROM digests WHERE file = ?", file);
      if (row === undefined) return null;
      return {
        size: integer(row, "size"),
        mtimeMs: integer(row, "mtime_ms"),
        sha256: blob(row, "sha256"),
        round: integer(row, "round"),
        seen: integer(row, "seen"),
      };
    });
  }

  /** See {@linkcode CareCatalog.setDigests}. */
  setDigests(digests: ReadonlyMap<string, StoredDigest>): Promise<void> {
    return this.#read(() =>
      this.#db.write(() => {
        for (const [file, digest] of digests) this.#setDigest(file, digest);
      })
    );
  }

  /** See {@linkcode CareCatalog.close}. */
  async close(): Promise<void> {
    await this.#db.close();
  }

  #setDigest(file: string, { size, mtimeMs, sha256, round, seen }: StoredDigest): void {
    this.#db.run(
      `INSERT INTO digests (file, size, mtime_ms, sha256, round, seen) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET size = excluded.size, mtime_ms = excluded.mtime_ms,
         sha256 = excluded.sha256, round = excluded.round, seen = excluded.seen`,
      ...[file, size, mtimeMs, sha256, round, seen],
    );
  }

  #read<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(asCatalogError(error));
    }
  }

  async #durable<T>(work: () => T): Promise<T> {
    try {
      return await this.#db.durable(work);
    } catch (error) {
      throw asCatalogError(error);
    }
  }
}

function toCount(row: Row): AccountCount {
  return {
    name: text(row, "name"),
    usedBytes: integer(row, "used_bytes"),
    reservedBytes: integer(row, "reserved_bytes"),
    trashBytes: integer(row, "trash_bytes"),
    usedFiles: integer(row, "used_files"),
    reservedFiles: integer(row, "reserved_files"),
    trashFiles: integer(row, "trash_files"),
    unsettled: integer(row, "unsettled"),
  };
}
