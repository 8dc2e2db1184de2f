/**
 * The requests and answers of remote commands: one schema for each, from which both the check and the
 * type come. The wire form of each is a control head (docs/protocol.md).
 *
 * @module
 */

import * as v from "valibot";
import { TrivetError } from "../errors.ts";
import { COMMAND_SIGNALS } from "./signals.ts";

/** Most arguments of one request. */
export const ARGUMENTS_MAX = 64;

/** Longest argument, in UTF-16 units. */
export const ARGUMENT_CHARS_MAX = 4096;

/** Most variables of one request. */
export const VARIABLES_MAX = 64;

/** Longest value of a variable, in UTF-16 units. */
export const VARIABLE_CHARS_MAX = 4096;

/** Name of a variable of the environment. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** What a command is called. */
export const COMMAND_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Requests by method. */
export const EXEC_REQUESTS = {
  /** The commands that the account may run. */
  "exec.list": v.strictObject({}),
  /** Runs a command: RESPONSE once it has started, DATA in both directions, END when it has ended. */
  "exec.run": v.strictObject({
    name: v.pipe(v.string(), v.maxLength(256)),
    arguments: v.pipe(
      v.array(v.pipe(v.string(), v.maxLength(ARGUMENT_CHARS_MAX))),
      v.maxLength(ARGUMENTS_MAX),
    ),
    /** Variables that it gets beside its own. */
    environment: v.optional(
      v.pipe(
        v.record(
          v.pipe(v.string(), v.regex(VARIABLE_NAME)),
          v.pipe(v.string(), v.maxLength(VARIABLE_CHARS_MAX)),
        ),
        v.check((all) => Object.keys(all).length <= VARIABLES_MAX, "Too many variables"),
      ),
    ),
    /** A shorter time limit than the command's own. */
    timeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  }),
  /** Sends a signal to a command of this connection. */
  "exec.signal": v.strictObject({
    /** Number of the request that runs it. */
    run: v.pipe(v.number(), v.integer(), v.minValue(1)),
    signal: v.picklist(COMMAND_SIGNALS),
  }),
} as const;

const ListedCommand = v.object({
  name: v.string(),
  /** What it is for; may be empty. */
  summary: v.string(),
  /** Its further arguments, for people: `VERSION [LEVEL]`. */
  arguments: v.string(),
  /** Variables that the client may set; with `*` all that begin so. */
  variables: v.optional(v.array(v.string()), []),
  stdin: v.boolean(),
  timeLimitMs: Count,
  outputLimitBytes: Count,
});

/** Answers by method. */
export const EXEC_RESPONSES = {
  "exec.list": v.object({ commands: v.array(ListedCommand) }),
  "exec.run": v.object({
    /** Whether it reads stdin; what is sent to one that does not is dropped. */
    stdin: v.boolean(),
  }),
  "exec.signal": v.object({}),
} as const;

/** Head of the END of `exec.run`: how the command ended. */
export const CommandEnd = v.object({
  /** Exit code; `null` after a signal. */
  code: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
  /** Name of the signal that ended it, such as `SIGKILL`. */
  signal: v.nullable(v.pipe(v.string(), v.maxLength(32))),
  /** What it wrote. */
  stdoutBytes: Count,
  stderrBytes: Count,
  durationMs: v.pipe(v.number(), v.finite(), v.minValue(0)),
});
/** See {@linkcode CommandEnd}. */
export type CommandEnd = v.InferOutput<typeof CommandEnd>;

/** A method of the service. */
export type ExecMethod = keyof typeof EXEC_REQUESTS;

/** What a method is asked. */
export type ExecRequest<M extends ExecMethod> = v.InferOutput<typeof EXEC_REQUESTS[M]>;

/** What a method answers. */
export type ExecResponse<M extends ExecMethod> = v.InferOutput<typeof EXEC_RESPONSES[M]>;

/** A command that the account may run. */
export type ListedCommand = ExecResponse<"exec.list">["commands"][number];

/** Whether `method` is one of the service. */
export function isExecMethod(method: string): method is ExecMethod {
  return Object.hasOwn(EXEC_REQUESTS, method);
}

/**
 * Checks a request's head.
 *
 * @throws {TrivetError} `INVALID_REQUEST`.
 */
export function checkExecRequest<M extends ExecMethod>(method: M, head: unknown): ExecRequest<M> {
  const result = v.safeParse(EXEC_REQUESTS[method], head);
  if (!result.success) {
    throw new TrivetError(
      "INVALID_REQUEST",
      `Cannot read request "${method}": ${v.summarize(result.issues)}`,
    );
  }
  return result.output as ExecRequest<M>;
}

/**
 * Checks an answer's head.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR` if the server answered something else.
 */
export function checkExecResponse<M extends ExecMethod>(method: M, head: unknown): ExecResponse<M> {
  const result = v.safeParse(EXEC_RESPONSES[method], head);
  if (!result.success) {
    throw new TrivetError(
      "PROTOCOL_ERROR",
      `Cannot read answer to "${method}": ${v.summarize(result.issues)}`,
    );
  }
  return result.output as ExecResponse<M>;
}
