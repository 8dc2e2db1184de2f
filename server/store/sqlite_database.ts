/**
 * One SQLite file: how it is opened, its prepared statements and its transactions.
 *
 * Durability. The database runs in WAL mode with `synchronous = NORMAL`: every transaction survives a
 * crash of the server, and a power cut may undo the last ones but never tears any. That is enough for
 * the chunk journal, whose chunks are read again before they are believed. What must not be undone
 * (accounts, tokens, the intent of a commit, messages) goes through `durable()`: behind the commit a
 * thread waits until the disk holds the log, and with it all that was written before. Durable work that
 * arrives meanwhile shares the next transaction and wait; the event loop itself goes on.
 *
 * @module
 */

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { framesBehind, nextTurn } from "../../lib/turn.ts";
import { TrivetError } from "../../lib/errors.ts";
import { DurableLog, logOf, type LogSync } from "./durable_log.ts";
import { migrate } from "./migrations.ts";
import { asCatalogError } from "./sqlite_errors.ts";

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, null | number | bigint | string | Uint8Array>>;

/** How long a statement waits for another program's lock; the event loop waits with it. */
export const BUSY_TIMEOUT_MS = 1000;

/** Size to which the log shrinks again after a burst. */
const LOG_KEPT_BYTES = 16 * 1024 * 1024;

/**
 * Pages of the log, 12 MiB, from which on its content is copied into the database. Everybody waits while
 * that goes on, and the same pages come again and again: SQLite's 1000 would copy three times as often.
 */
const LOG_COPIED_PAGES = 3000;

/** Most durable operations in one transaction. */
const DURABLE_BATCH_MAX = 256;

/**
 * Durable operations behind which more are looked for before the transaction begins. A link lets the
 * others have their turn after so many requests, and may have read many more.
 */
const DURABLE_MANY = 8;

/** Options of {@linkcode SqliteDatabase.open}. */
export interface SqliteOptions {
  /** How long a statement waits for another program's lock. */
  readonly busyTimeoutMs?: number;
  /** Waits before durable work is done, so that what arrives meanwhile shares it; a turn by default. */
  readonly gather?: () => Promise<void>;
  /** Waits until the disk holds the log; a thread by default, which a virtual clock cannot wait for. */
  readonly log?: LogSync;
}

interface DurableWork {
  run(): void;
  fail(error: unknown): void;
  done(): void;
}

/** An open database. */
export class SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #log: LogSync;
  readonly #gather: () => Promise<void>;
  readonly #gatherMore: () => Promise<void>;
  /** Whether one operation does not wait for others where nothing came with the one before. */
  readonly #isHasty: boolean;
  #wasAlone = false;
  #durable: DurableWork[] = [];
  #flushing: Promise<void> | null = null;
  /** When the disk holds what is committed. */
  #synced: Promise<void> | null = null;

  private constructor(db: DatabaseSync, path: string, options: SqliteOptions) {
    this.#db = db;
    this.#log = options.log ?? new DurableLog(logOf(path));
    this.#gather = options.gather ?? nextTurn;
    this.#gatherMore = options.gather ?? framesBehind;
    this.#isHasty = options.gather === undefined;
  }

  /** Opens a database, making it (mode 0600) and bringing its schema up to date. */
  static open(path: string, options: SqliteOptions = {}): SqliteDatabase {
    try {
      // SQLite gives its log files the mode of the database.
      Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
      if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o600);
      const timeout = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS;
      const db = new DatabaseSync(path, { timeout, enableForeignKeyConstraints: true });
      try {
        requireLog(db.prepare("PRAGMA journal_mode = WAL").get());
        db.prepare("PRAGMA synchronous = NORMAL").run();
        db.prepare(`PRAGMA journal_size_limit = ${LOG_KEPT_BYTES}`).get();
        db.prepare(`PRAGMA wal_autocheckpoint = ${LOG_COPIED_PAGES}`).get();
        migrate(db);
      } catch (error) {
        db.close();
        throw error;
      }
      return new SqliteDatabase(db, path, options);
    } catch (error) {
      throw asCatalogError(error);
    }
  }

  /** The first row of a query. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  /** All rows of a query; the query carries its own LIMIT. */
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values);
  }

  /** Runs a statement; how many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /**
   * Runs `work` as one transaction. Its statements are prepared ones like all others: `exec()` of
   * node:sqlite in Deno does not tell the result code, so that a lock would look like a defect.
   */
  write<T>(work: () => T): T {
    this.run("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.run("COMMIT");
      return result;
    } catch (error) {
      // SQLite may have rolled back itself, as it does when the disk is full.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Runs `work` as one transaction that is on the disk when the promise resolves. */
  durable<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let result: { value: T } | undefined;
    this.#durable.push({
      run: () => {
        result = { value: work() };
      },
      fail: reject,
      done: () => {
        if (result !== undefined) resolve(result.value);
      },
    });
    this.#flushing ??= this.#flush();
    return promise;
  }

  /**
   * What a query finds, once the disk holds all that it may have seen: a crash does not take back what
   * somebody was told.
   */
  async settled<T>(query: () => T): Promise<T> {
    const result = query();
    await this.#synced;
    return result;
  }

  /** A turn for others, before work that nobody waits for. */
  turn(): Promise<void> {
    return this.#gather();
  }

  /**
   * Ends what is under way and closes the file.
   *
   * @param last What is still to be written; it may fail, as on a full disk.
   */
  async close(last?: () => void): Promise<void> {
    await this.#flushing;
    try {
      if (this.#db.isOpen) last?.();
    } catch {
      // The next one to open it finds that it is missing.
    }
    this.#statements.clear();
    this.#log.close();
    if (this.#db.isOpen) this.#db.close();
  }

  async #flush(): Promise<void> {
    while (this.#durable.length > 0) {
      await this.#gatherAll();
      const batch = this.#durable.splice(0, DURABLE_BATCH_MAX);
      this.#wasAlone = batch.length === 1;
      const failed = new Set<DurableWork>();
      try {
        this.#requireOpen();
        this.#runAll(batch, failed);
        this.#synced = this.#log.sync();
        await this.#synced;
        for (const work of batch) if (!failed.has(work)) work.done();
      } catch (error) {
        // Undone, or nobody knows what the disk holds; those that failed alone have had their answer.
        for (const work of batch) work.fail(error);
      }
      this.#synced = null;
    }
    this.#flushing = null;
  }

  /** While many come, those behind them are waited for; one after another do not wait at all. */
  async #gatherAll(): Promise<void> {
    if (this.#isHasty && this.#wasAlone && this.#durable.length === 1) return;
    await this.#gather();
    for (let seen = 0; seen < this.#durable.length;) {
      seen = this.#durable.length;
      if (seen < DURABLE_MANY || seen >= DURABLE_BATCH_MAX) return;
      await this.#gatherMore();
    }
  }

  /** Each one of a batch succeeds or fails alone; as a rule none fails, and they share all but that. */
  #runAll(batch: readonly DurableWork[], failed: Set<DurableWork>): void {
    let isRunning = false;
    try {
      this.write(() => {
        isRunning = true;
        for (const work of batch) work.run();
        isRunning = false;
      });
    } catch (error) {
      // Only what one of them threw is its own, and not a lock or a full disk at the commit.
      if (!isRunning || batch.length === 1) throw error;
      this.write(() => {
        for (const work of batch) this.#runOne(work, failed);
      });
    }
  }

  #runOne(work: DurableWork, failed: Set<DurableWork>): void {
    this.run("SAVEPOINT one");
    try {
      work.run();
    } catch (error) {
      failed.add(work);
      work.fail(error);
      if (!this.#db.isTransaction) throw error;
      this.run("ROLLBACK TO one");
    }
    this.run("RELEASE one");
  }

  /** Once the database is closed there are none. */
  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      this.#requireOpen();
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #requireOpen(): void {
    if (this.#db.isOpen) return;
    throw new TrivetError("SHUTTING_DOWN", "Cannot use database: it is closed");
  }
}

/** Other kinds of journal are not synced from outside, and do not go with a second program either. */
function requireLog(row: Row | undefined): void {
  if (row?.["journal_mode"] === "wal") return;
  throw new TrivetError("FAILED", "Cannot open database: its folder allows no write-ahead log");
}
