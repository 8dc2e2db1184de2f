/**
 * Remote commands: which connection may run what, how many at once, and one line in the audit log for
 * every attempt.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { TrivetError } from "../../lib/errors.ts";
import {
  checkExecRequest,
  type CommandEnd,
  type ExecRequest,
  type ExecResponse,
  isExecMethod,
} from "../../lib/exec/messages.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type { CallHandler, Reply, ServerCall } from "../../lib/rpc/server.ts";
import { formatCount } from "../../lib/term/format.ts";
import type { Audit, AuditFacts } from "../audit.ts";
import type { Session } from "../netdisk/context.ts";
import { readCommands } from "./read_commands.ts";
import {
  checkArguments,
  checkVariables,
  type CommandRule,
  type CommandRules,
  describeRule,
  mayRun,
} from "./rules.ts";
import { RunningCommand, type RunOptions } from "./run_command.ts";

/** Commands that may run at once, of all accounts together. */
export const RUNNING_MAX = 256;

/** How the service is set up. */
export interface ExecOptions {
  /** The commands file. */
  readonly commands: string;
}

/** What the service needs of the server. */
export interface ExecServiceOptions {
  readonly rules: CommandRules;
  readonly audit: Audit;
  /** Aborted when the server shuts down. */
  readonly shutdown: AbortSignal;
}

/** Who is connected. */
export interface ExecCaller {
  readonly session: Pick<
    Session,
    "user" | "scope" | "pathPrefix" | "keyId" | "keyName" | "byKeyAlone"
  >;
  /** The address it comes from. */
  readonly source: string;
}

const log = getLogger(["trivet", "exec"]);

/** See the module. */
export class ExecService implements Disposable {
  readonly #options: ExecServiceOptions;
  readonly #running = new Set<RunningCommand>();
  /** How many of each command run. */
  readonly #counts = new Map<string, number>();
  /** A second signal ends the server at once, and its commands with it. */
  readonly #onUnload = () => {
    for (const { group } of this.#running) group.signal("SIGKILL");
  };

  /** @param options The commands and the server's part. */
  constructor(options: ExecServiceOptions) {
    this.#options = options;
    globalThis.addEventListener("unload", this.#onUnload);
  }

  /**
   * Opens the service with the commands of a file.
   *
   * @param commands The file.
   * @param options The server's part.
   * @throws {TrivetError} `USAGE` and others, when the file cannot be used.
   */
  static async open(
    { commands }: ExecOptions,
    options: Omit<ExecServiceOptions, "rules">,
  ): Promise<ExecService> {
    if (Deno.build.os === "windows") {
      throw new TrivetError("USAGE", "Remote commands need process groups, which Windows lacks");
    }
    return new ExecService({ ...options, rules: await readCommands(commands) });
  }

  /** Answers the calls of one connection. */
  handlerFor(caller: ExecCaller): CallHandler {
    const own: OwnCommands = new Map();
    return async (call) => {
      if (!isExecMethod(call.method)) {
        throw new TrivetError("UNKNOWN_METHOD", `The service has no method "${call.method}"`);
      }
      switch (call.method) {
        case "exec.list":
          checkExecRequest("exec.list", call.params);
          return { head: this.#list(caller) };
        case "exec.run":
          return await this.#run(call, caller, own);
        case "exec.signal":
          return this.#signal(checkExecRequest("exec.signal", call.params), own);
      }
    };
  }

  /** Stops watching for the end of the process. */
  [Symbol.dispose](): void {
    globalThis.removeEventListener("unload", this.#onUnload);
  }

  #list({ session }: ExecCaller): ExecResponse<"exec.list"> {
    if (!isWhole(session)) return { commands: [] };
    const allowed = this.#options.rules.values().filter((rule) => mayRun(rule, session));
    return { commands: [...allowed.map(describeRule)] };
  }

  #signal(
    { run, signal }: ExecRequest<"exec.signal">,
    own: OwnCommands,
  ): Reply {
    const running = own.get(run);
    if (running === undefined) {
      throw new TrivetError("COMMAND_NOT_FOUND", `No command runs as request ${run}`);
    }
    running.group.signal(signal);
    return { head: {} satisfies ExecResponse<"exec.signal"> };
  }

  /** Runs a command, and writes the attempt down before its end is told. */
  async #run(call: ServerCall, caller: ExecCaller, own: OwnCommands): Promise<void> {
    const { session: { user, keyId }, source } = caller;
    const startedMs = performance.now();
    const facts: AttemptFacts = keyId === undefined ? {} : { key: keyId };
    const note = (error: unknown) => {
      const durationMs = performance.now() - startedMs;
      this.#options.audit.note({ method: call.method, user, source, error, durationMs, facts });
    };
    let end: CommandEnd;
    try {
      const request = checkExecRequest("exec.run", call.params);
      facts.command = request.name;
      facts.argv = [request.name, ...request.arguments];
      if (request.environment !== undefined) facts.environment = request.environment;
      const rule = this.#admit(request, caller);
      facts.argv = [rule.executable, ...rule.fixedArguments, ...request.arguments];
      end = await this.#runCounted({ call, rule, request, facts, user }, own);
    } catch (error) {
      note(error);
      throw error;
    }
    note(null);
    await call.end(end);
  }

  /**
   * Decides whether a request may run.
   *
   * @returns The command.
   * @throws {TrivetError} Why not.
   */
  #admit(request: ExecRequest<"exec.run">, { session }: ExecCaller): CommandRule {
    if (!isWhole(session)) {
      throw new TrivetError("PERMISSION_DENIED", "The login is too narrow to run commands");
    }
    const { rules, shutdown } = this.#options;
    const rule = rules.get(request.name);
    // What is not for this account and what is not there are told apart by nobody.
    if (rule === undefined || !mayRun(rule, session)) {
      throw new TrivetError("COMMAND_NOT_FOUND", `There is no command ${quoteName(request.name)}`);
    }
    checkArguments(rule, request.arguments);
    checkVariables(rule, request.environment ?? {});
    if (shutdown.aborted) throw new TrivetError("SHUTTING_DOWN", "The server is shutting down");
    if ((this.#counts.get(rule.name) ?? 0) >= rule.concurrent) {
      const text = `Command "${rule.name}" runs ${formatCount(rule.concurrent, "time")} already`;
      throw new TrivetError("SERVER_BUSY", text);
    }
    if (this.#running.size >= RUNNING_MAX) {
      throw new TrivetError("SERVER_BUSY", `${RUNNING_MAX} commands run already`);
    }
    return rule;
  }

  async #runCounted(attempt: Attempt, own: OwnCommands): Promise<CommandEnd> {
    const { call, rule, request, facts } = attempt;
    const timeLimitMs = Math.min(rule.timeLimitMs, request.timeoutMs ?? Infinity);
    const { shutdown } = this.#options;
    const { arguments: args, environment: variables = {} } = request;
    const given = { args, variables };
    const running = startCommand({ call, rule, ...given, timeLimitMs, shutdown }, attempt.user);
    this.#running.add(running);
    this.#count(rule, 1);
    own.set(call.id, running);
    call.receive((data) => running.take(data)).catch((error) => running.fail(error));
    try {
      const end = await running.ended();
      facts.exit_code = end.code;
      facts.signal = end.signal;
      return end;
    } finally {
      own.delete(call.id);
      this.#count(rule, -1);
      this.#running.delete(running);
      const { stdin, stdout, stderr } = running.bytes;
      Object.assign(facts, { stdin_bytes: stdin, stdout_bytes: stdout, stderr_bytes: stderr });
    }
  }

  #count({ name }: CommandRule, change: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + change);
  }
}

type AttemptFacts = { -readonly [Key in keyof AuditFacts]: AuditFacts[Key] };

/** The commands of one connection, by the number of the request that runs them. */
type OwnCommands = Map<number, RunningCommand>;

interface Attempt {
  readonly call: ServerCall;
  readonly rule: CommandRule;
  readonly request: ExecRequest<"exec.run">;
  /** Filled in for the audit log. */
  readonly facts: AttemptFacts;
  readonly user: string;
}

/** Whether a login may do all that its account may: a command is not confined to a folder. */
function isWhole({ scope, pathPrefix }: ExecCaller["session"]): boolean {
  return scope === "full" && pathPrefix.length === 0;
}

/** The client is told that it failed, the log why. */
function startCommand(options: RunOptions, user: string): RunningCommand {
  const { name: command } = options.rule;
  try {
    const running = new RunningCommand(options);
    const { pid } = running.group.leader;
    log.info("Started {command} of {user} as process {pid}", { command, user, pid });
    return running;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : error;
    log.error("Cannot start {command}: {cause}", { command, cause });
    throw error;
  }
}
