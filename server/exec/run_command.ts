/**
 * One command from its start to the end of all its processes.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { CommandEnd, ExecResponse } from "../../lib/exec/messages.ts";
import { readStreamRecord } from "../../lib/exec/stream.ts";
import type { DataPayload } from "../../lib/frame/decode.ts";
import type { ServerCall } from "../../lib/rpc/server.ts";
import { exactBytes, exactDuration } from "../../lib/term/exact.ts";
import { InputPump } from "./input_pump.ts";
import { OutputPump } from "./output_pump.ts";
import { type GivenByClient, ProcessGroup } from "./process_group.ts";
import type { CommandRule } from "./rules.ts";

/**
 * How long an output stream stays open when its command has ended and nothing comes, in milliseconds:
 * a process that has left the group may hold it.
 */
export const STRAY_OUTPUT_MS = 2000;

/** How long a client may take for the rest of the output when its command has ended, in milliseconds. */
export const REST_OUTPUT_MS = 60_000;

/** What {@linkcode RunningCommand} needs; arguments and variables were checked. */
export interface RunOptions extends GivenByClient {
  readonly call: ServerCall;
  readonly rule: CommandRule;
  /** From start to end, at most. */
  readonly timeLimitMs: number;
  /** Ends the command when the server shuts down. */
  readonly shutdown: AbortSignal;
}

/** See the module. */
export class RunningCommand {
  /** Its processes. */
  readonly group: ProcessGroup;
  readonly #options: RunOptions;
  readonly #startedMs = performance.now();
  readonly #stdin: InputPump | undefined;
  readonly #stdout: OutputPump;
  readonly #stderr: OutputPump;
  readonly #stopped = Promise.withResolvers<never>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** It was stopped, or has ended. */
  #isOver = false;

  /**
   * Starts the program.
   *
   * @param options What, for whom, and how long.
   * @throws {TrivetError} `FAILED` when the system cannot start it.
   */
  constructor(options: RunOptions) {
    const { rule, call } = options;
    this.#options = options;
    // Nobody waits for it before there is something to wait for.
    this.#stopped.promise.catch(() => {});
    try {
      this.group = ProcessGroup.start(rule, options);
    } catch (cause) {
      throw new TrivetError("FAILED", `Cannot start command "${rule.name}"`, { cause });
    }
    const { leader } = this.group;
    this.#stdin = rule.stdin ? new InputPump(leader.stdin, call) : undefined;
    const budget = {
      leftBytes: rule.outputLimitBytes,
      onExceeded: () => {
        const limit = exactBytes(rule.outputLimitBytes);
        this.#stop("OUTPUT_LIMIT", `Command "${rule.name}" wrote more than ${limit}`);
      },
    };
    this.#stdout = new OutputPump(leader.stdout, { call, stream: "stdout", budget });
    this.#stderr = new OutputPump(leader.stderr, { call, stream: "stderr", budget });
  }

  /** How much went through its streams so far. */
  get bytes(): { readonly stdin: number; readonly stdout: number; readonly stderr: number } {
    return {
      stdin: this.#stdin?.inbox.receivedBytes ?? 0,
      stdout: this.#stdout.window.sentBytes,
      stderr: this.#stderr.window.sentBytes,
    };
  }

  /**
   * Takes what the client sends.
   *
   * @throws {TrivetError} `PROTOCOL_ERROR` or `DIGEST_MISMATCH`.
   */
  take(data: DataPayload): void {
    const { kind, stream, offset, bytes } = readStreamRecord(data);
    if (kind === "bytes" && stream === "stdin") return this.#stdin?.inbox.push(offset, bytes);
    if (kind === "taken" && stream === "stdout") return this.#stdout.window.take(offset);
    if (kind === "taken" && stream === "stderr") return this.#stderr.window.take(offset);
    throw new TrivetError("PROTOCOL_ERROR", `A client does not send ${kind} of ${stream}`);
  }

  /** The client has broken the protocol. */
  fail(error: unknown): void {
    this.#stopped.reject(error);
  }

  /**
   * Waits for the end; nothing of the command is left then.
   *
   * @returns How it ended.
   * @throws {TrivetError} `TIME_LIMIT`, `OUTPUT_LIMIT`, `SHUTTING_DOWN`, or why the call was aborted.
   */
  async ended(): Promise<CommandEnd> {
    const { call, rule, shutdown, timeLimitMs } = this.#options;
    const started: ExecResponse<"exec.run"> = { stdin: rule.stdin };
    this.#limit(timeLimitMs, `ran for longer than ${exactDuration(timeLimitMs)}`);
    const onCancel = () => this.#stopped.reject(call.signal.reason);
    const onShutdown = () => this.#stop("SHUTTING_DOWN", "The server is shutting down");
    call.signal.addEventListener("abort", onCancel);
    shutdown.addEventListener("abort", onShutdown);
    if (call.signal.aborted) onCancel();
    if (shutdown.aborted) onShutdown();
    try {
      return await Promise.race([this.#stopped.promise, this.#run(started)]);
    } finally {
      this.#isOver = true;
      clearTimeout(this.#timer);
      call.signal.removeEventListener("abort", onCancel);
      shutdown.removeEventListener("abort", onShutdown);
      await this.#clear();
    }
  }

  async #run(started: ExecResponse<"exec.run">): Promise<CommandEnd> {
    await this.#options.call.respond(started);
    const end = await this.group.leaderEnded();
    const durationMs = performance.now() - this.#startedMs;
    this.#limit(REST_OUTPUT_MS, "has ended, and nobody took the rest of its output");
    // What it has left in the background goes too: nothing outlives its command.
    await this.group.end();
    await Promise.all([this.#drain(this.#stdout), this.#drain(this.#stderr)]);
    return {
      ...end,
      stdoutBytes: this.#stdout.window.sentBytes,
      stderrBytes: this.#stderr.window.sentBytes,
      durationMs,
    };
  }

  /** Waits for the rest of a stream, but not for a process that only holds it open. */
  async #drain(pump: OutputPump): Promise<void> {
    for (let isDone = false; !isDone;) {
      const before = pump.window.sentBytes;
      const { promise: idle, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), STRAY_OUTPUT_MS);
      isDone = await Promise.race([pump.done.then(() => true), idle]);
      clearTimeout(timer);
      if (!isDone && pump.isReading && pump.window.sentBytes === before) await pump.cancel();
    }
  }

  async #clear(): Promise<void> {
    await this.group.end();
    // Not awaited: a process that has left the group may hold the other ends for ever.
    this.#stdin?.close();
    this.#stdout.cancel();
    this.#stderr.cancel();
    // Killed, it is gone in no time; until then it counts.
    await this.group.leaderEnded();
  }

  /** Stops it after a while, in place of an earlier limit. */
  #limit(timeMs: number, what: string): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    const text = `Command "${this.#options.rule.name}" ${what}`;
    this.#timer = setTimeout(() => this.#stop("TIME_LIMIT", text), timeMs);
  }

  #stop(code: "TIME_LIMIT" | "OUTPUT_LIMIT" | "SHUTTING_DOWN", message: string): void {
    this.#stopped.reject(new TrivetError(code, message));
  }
}
