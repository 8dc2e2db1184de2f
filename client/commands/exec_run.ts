/**
 * The work behind `trivet exec`.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { COMMAND_SIGNALS, type CommandSignal } from "../../lib/exec/signals.ts";
import { OutputClosedError } from "../../lib/term/output.ts";
import type { ByteWriter } from "../../lib/transfer/sink.ts";
import type { CommandEnd } from "../exec/exec_types.ts";
import type { RemoteCommand } from "../exec/remote_command.ts";
import type { ClientContext } from "./context.ts";
import { openExec, type OpenExecOptions } from "./exec_open.ts";

/** Most bytes of output that a JSON document takes. */
export const JSON_OUTPUT_MAX_BYTES: number = 16 * 1024 * 1024;

/** Exit code when the command has none: refused, cut short, or the connection was lost. */
const EXIT_NO_CODE = 255;

/** A signal N ends a command with this and N. */
const EXIT_SIGNAL = 128;

/** Signals that only this command passes on; of the others, `context.signal` knows. */
const FURTHER_SIGNALS = ["SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** What `exec` is called with. */
export interface ExecCall extends OpenExecOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs: number | undefined;
}

/** Runs a command; its exit code. */
export async function runCommand(context: ClientContext, call: ExecCall): Promise<number> {
  const { output } = context;
  const outputs = output.isJson ? collectOutputs() : passOutputs(context);
  try {
    await using client = await openExec(context, call);
    const { name, args, environment, timeoutMs } = call;
    const command = await client.start(name, args, {
      stdin: context.stdin,
      stdout: outputs.stdout,
      stderr: outputs.stderr,
      ...(environment === undefined ? {} : { environment }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    using _signals = passSignals(command, context.signal);
    const end = await command.ended;
    const exitCode = await exitCodeOf(end);
    output.json({
      name,
      arguments: args,
      exit_code: end.code,
      signal: end.signal,
      ...outputs.toJson(),
      stdout_bytes: end.stdoutBytes,
      stderr_bytes: end.stderrBytes,
      duration_ms: Math.round(end.durationMs),
    });
    return exitCode;
  } catch (error) {
    if (error instanceof OutputClosedError || !(error instanceof TrivetError)) throw error;
    output.error(error);
    return EXIT_NO_CODE;
  }
}

async function exitCodeOf({ code, signal }: CommandEnd): Promise<number> {
  if (code !== null) return code;
  // Imported here: most commands end by themselves.
  const { constants } = await import("node:os");
  const numbers: Readonly<Record<string, number>> = constants.signals;
  // One without a name has its number there.
  const [, number] = /^SIG(\d{1,2})$/.exec(signal ?? "") ?? [];
  return EXIT_SIGNAL + (numbers[signal ?? ""] ?? Number(number ?? 0));
}

/** Where the outputs go. */
interface Outputs {
  readonly stdout: ByteWriter;
  readonly stderr: ByteWriter;
  /** What the document has of them. */
  toJson(): Record<string, string>;
}

function passOutputs({ output }: ClientContext): Outputs {
  const stdout = {
    write: async (bytes: Uint8Array) => {
      await output.bytes(bytes);
      return bytes.length;
    },
  };
  const stderr = {
    write: async (bytes: Uint8Array) => {
      try {
        return await Deno.stderr.write(bytes);
      } catch (error) {
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
        // Nobody reads the messages any more; the command goes on.
        return bytes.length;
      }
    },
  };
  return { stdout, stderr, toJson: () => ({}) };
}

function collectOutputs(): Outputs {
  const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  let length = 0;
  const collect = (name: keyof typeof parts): ByteWriter => ({
    write: (bytes) => {
      length += bytes.length;
      if (length > JSON_OUTPUT_MAX_BYTES) {
        const text = `The output has more than ${JSON_OUTPUT_MAX_BYTES} bytes: leave out --json`;
        return Promise.reject(new TrivetError("FAILED", text));
      }
      parts[name].push(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  return {
    stdout: collect("stdout"),
    stderr: collect("stderr"),
    toJson: () => ({ ...textOf("stdout", parts.stdout), ...textOf("stderr", parts.stderr) }),
  };
}

/** Text as it is; what is none in Base64, under another name. */
function textOf(name: string, parts: readonly Uint8Array[]): Record<string, string> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  try {
    return { [name]: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { [`${name}_base64`]: bytes.toBase64() };
  }
}

/** Sends the signals of this process to the command, until it is disposed of. */
function passSignals(command: RemoteCommand, interrupted: AbortSignal): Disposable {
  // A command that has just ended takes no signal.
  const pass = (signal: CommandSignal) => void command.signal(signal).catch(() => {});
  const onInterrupt = () => pass(signalOf(interrupted.reason));
  interrupted.addEventListener("abort", onInterrupt);
  if (interrupted.aborted) onInterrupt();
  const listeners = Deno.build.os === "windows"
    ? []
    : FURTHER_SIGNALS.map((signal) => [signal, () => pass(signal)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]: () => {
      interrupted.removeEventListener("abort", onInterrupt);
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

/** The signal behind an interruption. */
function signalOf(reason: unknown): CommandSignal {
  const name = reason instanceof TrivetError ? reason.details["signal"] : undefined;
  return COMMAND_SIGNALS.find((signal) => signal === name) ?? "SIGINT";
}
