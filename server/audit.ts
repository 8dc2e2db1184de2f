/**
 * The audit log: one JSON line for each login, good or refused, and each call that may change
 * something. Lines stand in the order in which the calls ended, each before its answer is sent. A
 * disk that is full loses lines, never the service: the log warns, and a line of the audit log itself
 * says how many are missing.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { dirname, join } from "node:path";
import { TOKEN_PREFIX } from "../lib/auth/token.ts";
import { CHAT_UNRECORDED } from "../lib/chat/messages.ts";
import { BATCH_ITEMS_MAX, NETDISK_UNRECORDED } from "../lib/netdisk/messages.ts";
import { formatPath } from "../lib/netdisk/path.ts";
import { toWireError } from "../lib/rpc/messages.ts";
import type { CallHandler, Reply, ServerCall } from "../lib/rpc/server.ts";
import { AuditChain, readLogEnd } from "./audit_chain.ts";
import type { AuthAttempt } from "./authenticate.ts";
import { RotatingFile, type Rotation } from "./rotating_file.ts";

/** Most paths, and most ids, of one line: all that one request may name. */
export const AUDIT_ITEMS_MAX = 2 * BATCH_ITEMS_MAX;

/** Most characters of a path in a line; requests are not checked when they are written down. */
const PATH_CHARS_MAX = 4096;

/** Most characters of an id in a line. */
const ID_CHARS_MAX = 128;

const OWNER_ONLY = 0o700;

/** How the audit log is kept. */
export interface AuditOptions extends Rotation {
  /** The file; `log/audit.jsonl` in the data folder without it. */
  readonly path?: string;
}

/** What happened. */
export interface AuditEvent {
  /** The method of a call, or `auth.` and the kind of a login. */
  readonly method: string;
  /** Who; `null` for a login that names nobody. */
  readonly user: string | null;
  /** From which address, or `unix`. */
  readonly source: string;
  /** What was thrown; `null` when all went well. */
  readonly error: unknown;
  /** How long it took. */
  readonly durationMs: number;
  /** What the request and the answer say of it. */
  readonly facts?: AuditFacts;
}

/** What a request and its answer say for the audit log. */
export interface AuditFacts {
  readonly paths?: string[];
  readonly ids?: string[];
  readonly bytes?: number;
  /** Id of the machine key that admitted the connection, or that was refused. */
  readonly key?: string;
  /** Which of several files or folders failed, by their place among those of the request. */
  readonly failed?: number[];
  /** Nothing was changed, since the name was taken. */
  readonly skipped?: true;
  /** Name of a remote command. */
  readonly command?: string;
  /** What was run; of a request that named no command of the account, what it asked for. */
  readonly argv?: readonly string[];
  /** Variables that the client asked to set for it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Exit code of a remote command; `null` after a signal. */
  readonly exit_code?: number | null;
  /** Name of the signal that ended it. */
  readonly signal?: string | null;
  readonly stdin_bytes?: number;
  readonly stdout_bytes?: number;
  readonly stderr_bytes?: number;
}

/** Takes lines, or throws. */
export type LineWriter = Pick<RotatingFile, "write"> & Disposable;

const log = getLogger(["trivet", "audit"]);

/** See the module. */
export class Audit implements Disposable {
  readonly #file: LineWriter;
  readonly #chain: AuditChain;
  #lostLines = 0;

  /**
   * @param file Takes the lines; it is disposed of with the audit log.
   * @param chain Goes on with the lines that are there.
   */
  constructor(file: LineWriter, chain: AuditChain = new AuditChain()) {
    this.#file = file;
    this.#chain = chain;
  }

  /**
   * Opens the audit log.
   *
   * @param dataFolder The data folder.
   * @param options Where, if elsewhere, and how long it may be.
   * @throws {TrivetError} `FAILED` when it cannot be opened.
   */
  static async open(dataFolder: string, { path, ...rotation }: AuditOptions): Promise<Audit> {
    if (path !== undefined) return openAudit(path, rotation);
    const own = ownAuditPath(dataFolder);
    await Deno.mkdir(dirname(own), { recursive: true, mode: OWNER_ONLY });
    return openAudit(own, rotation);
  }

  /** Writes down what happened. Never throws. */
  note({ method, user, source, error, durationMs, facts }: AuditEvent): void {
    this.#write({
      time: new Date().toISOString(),
      method,
      user,
      source,
      result: error === null ? "OK" : toWireError(error).code,
      ...facts,
      duration_ms: Math.round(durationMs * 1000) / 1000,
    });
  }

  /** Writes down a registration or login. */
  noteAttempt({ kind, user, keyId, source, error, durationMs }: AuthAttempt): void {
    const facts = keyId === undefined ? {} : { facts: { key: keyId } };
    this.note({ method: `auth.${kind}`, user, source, error, durationMs, ...facts });
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #write(line: Record<string, unknown>): void {
    try {
      if (this.#lostLines > 0) this.#noteLoss();
      this.#writeLine(line);
    } catch (error) {
      // One warning for each time that the disk fails, not one a line.
      if (this.#lostLines === 0) log.warning("The audit log loses lines: {error}", { error });
      this.#lostLines += 1;
    }
  }

  #writeLine(fields: Readonly<Record<string, unknown>>): void {
    const line = this.#chain.lineOf(fields);
    this.#file.write(`${line}\n`);
    this.#chain.written(line);
  }

  #noteLoss(): void {
    const lines = this.#lostLines;
    const time = new Date().toISOString();
    this.#writeLine({ time, method: "audit.lost", lines });
    this.#lostLines = 0;
    log.warning("The audit log is written again; {lines} lines are missing", { lines });
  }
}

/** Where the audit log is unless an option says otherwise. */
export function ownAuditPath(dataFolder: string): string {
  return join(dataFolder, "log", "audit.jsonl");
}

/** Opens a file that may have lines, to go on behind the last of them. */
function openAudit(path: string, rotation: Rotation): Audit {
  const file = RotatingFile.open(path, rotation);
  const { lastLine, isTorn } = readLogEnd(path);
  // What broke off, as at a power cut, must not become part of the next line.
  if (isTorn) file.write("\n");
  return new Audit(file, new AuditChain(lastLine ?? readLogEnd(`${path}.1`).lastLine));
}

/** Whose calls are written down. */
export interface AuditedCaller {
  readonly user: string;
  readonly source: string;
}

/**
 * Writes down the calls of one connection, except those that only read. A method is recorded unless it
 * is declared otherwise, so a new one cannot be forgotten.
 *
 * @param handle Answers the calls.
 * @param audit Where they are written.
 * @param caller Whose they are.
 */
export function auditCalls(handle: CallHandler, audit: Audit, caller: AuditedCaller): CallHandler {
  return async (call) => {
    if (NETDISK_UNRECORDED.has(call.method) || CHAT_UNRECORDED.has(call.method)) {
      return await handle(call);
    }
    const startedMs = performance.now();
    const note = (error: unknown, reply: Reply | void) =>
      audit.note({
        method: call.method,
        ...caller,
        error,
        durationMs: performance.now() - startedMs,
        facts: factsOf(call, reply),
      });
    try {
      const reply = await handle(call);
      note(null, reply);
      return reply;
    } catch (error) {
      note(error);
      throw error;
    }
  };
}

/** Only keys that are known to hold no secret are taken. */
function factsOf(call: Pick<ServerCall, "params" | "body">, reply: Reply | void): AuditFacts {
  const asked = isRecord(call.params) ? call.params : {};
  const answered = isRecord(reply?.head) ? reply.head : {};
  const items = [asked["files"], asked["folders"]].flatMap(itemsOf);
  const paths = [asked["path"], asked["from"], asked["to"], answered["path"], ...items]
    .flatMap(pathOf);
  const failed = itemsOf(answered["failed"]).flatMap((item) =>
    isRecord(item) && typeof item["index"] === "number" ? [item["index"]] : []
  );
  const ids = [asked["id"], asked["ids"], asked["uploadId"], answered["uploadId"]]
    .concat(answered["trashId"]).flatMap(idsOf);
  const bytes = [answered["size"], answered["bytes"], asked["size"], call.body.length || undefined]
    .find((value) => typeof value === "number");
  return {
    ...(paths.length === 0 ? {} : { paths: unique(paths) }),
    ...(ids.length === 0 ? {} : { ids: unique(ids) }),
    ...(typeof bytes === "number" ? { bytes } : {}),
    ...(failed.length === 0 ? {} : { failed }),
    ...(answered["skipped"] === true ? { skipped: true } : {}),
  };
}

function pathOf(value: unknown): string[] {
  return isTexts(value) ? [formatPath(value).slice(0, PATH_CHARS_MAX)] : [];
}

/** The paths of several items: each is a path, or has one. */
function itemsOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) return [];
  return value.map((item) =>
    isRecord(item) && !Array.isArray(item) && "path" in item ? item["path"] : item
  );
}

function idsOf(value: unknown): string[] {
  const ids = typeof value === "string" ? [value] : isTexts(value) ? value : [];
  // Somebody may pass a token in place of its id.
  return ids.filter((id) => id !== "" && !id.includes(TOKEN_PREFIX))
    .map((id) => id.slice(0, ID_CHARS_MAX));
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].slice(0, AUDIT_ITEMS_MAX);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
