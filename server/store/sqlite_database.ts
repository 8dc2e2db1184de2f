/**
 * One SQLite file: how it is opened, its prepared statements and its transactions.
 *
 * Durability. The database runs in WAL mode with `synchronous = NORMAL`: every transaction survives a
 * crash of the server, and a power cut may undo the last ones but never tears any. That is enough for
 * the chunk journal, whose chunks are read again before they are believed. What must not be undone
 * (accounts, tokens, the intent of a commit) goes through `durable()`: it raises the level to FULL for
 * one transaction, so that its commit waits until the disk holds the log, and with it all that was
 * written before. Durable work that arrives in one turn of the event loop shares that wait.
 *
 * @module
 */

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { nextTurn } from "../../lib/turn.ts";
import { TrivetError } from "../../lib/errors.ts";
import { migrate } from "./migrations.ts";
import { asCatalogError } from "./sqlite_errors.ts";

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, null | number | bigint | string | Uint8Array>>;

/** How long a statement waits for another program's lock; the event loop waits with it. */
export const BUSY_TIMEOUT_MS = 1000;

/** Size to which the log shrinks again after a burst. */
const LOG_KEPT_BYTES = 16 * 1024 * 1024;

/** Most durable operations in one transaction. */
const DURABLE_BATCH_MAX = 256;

/** Options of {@linkcode SqliteDatabase.open}. */
export interface SqliteOptions {
  /** How long a statement waits for another program's lock. */
  readonly busyTimeoutMs?: number;
  /** Waits before durable work is done, so that what arrives meanwhile shares it; a turn by default. */
  readonly gather?: () => Promise<void>;
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
  readonly #gather: () => Promise<void>;
  #durable: DurableWork[] = [];
  #flushing: Promise<void> | null = null;

  private constructor(db: DatabaseSync, { gather = nextTurn }: SqliteOptions) {
    this.#db = db;
    this.#gather = gather;
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
        db.prepare("PRAGMA journal_mode = WAL").get();
        db.prepare("PRAGMA synchronous = NORMAL").run();
        db.prepare(`PRAGMA journal_size_limit = ${LOG_KEPT_BYTES}`).get();
        migrate(db);
      } catch (error) {
        db.close();
        throw error;
      }
      return new SqliteDatabase(db, options);
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

  /** Ends what is under way and closes the file. */
  async close(): Promise<void> {
    await this.#flushing;
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  async #flush(): Promise<void> {
    while (this.#durable.length > 0) {
      await this.#gather();
      const batch = this.#durable.splice(0, DURABLE_BATCH_MAX);
      const failed = new Set<DurableWork>();
      try {
        this.#requireOpen();
        this.run("PRAGMA synchronous = FULL");
        this.write(() => {
          for (const work of batch) this.#runOne(work, failed);
        });
        for (const work of batch) if (!failed.has(work)) work.done();
      } catch (error) {
        // The whole transaction is undone; those that failed alone have had their answer.
        for (const work of batch) work.fail(error);
      } finally {
        if (this.#db.isOpen) this.run("PRAGMA synchronous = NORMAL");
      }
    }
    this.#flushing = null;
  }

  /** Each one of a batch succeeds or fails alone. */
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

  #prepare(sql: string): StatementSync {
    this.#requireOpen();
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
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
