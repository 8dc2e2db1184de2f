/**
 * The real terminal, streams and signals behind this folder's interfaces.
 *
 * @module
 */

import type { EndSignal, SignalSource } from "./interrupt.ts";
import { Output, type OutputOptions } from "./output.ts";
import { Prompter, type PrompterOptions } from "./prompt.ts";
import { Stdout } from "./stdout.ts";

/** An output on the real streams. */
export function systemOutput(
  program: string,
  options: Omit<OutputOptions, "stdout" | "stderr" | "env" | "columns"> = {},
): Output {
  return new Output(program, {
    ...options,
    stdout: new Stdout(Deno.stdout),
    stderr: Deno.stderr,
    env: (name) => Deno.env.get(name),
    columns: consoleColumns,
  });
}

/** A prompter on the real terminal, or on what shares its keyboard. */
export function systemPrompter(
  options: Omit<PrompterOptions, "input" | "sink"> & Partial<Pick<PrompterOptions, "input">> = {},
): Prompter {
  return new Prompter({ input: Deno.stdin, ...options, sink: Deno.stderr });
}

/** The signals of this process. Windows has no SIGTERM to listen for. */
export function systemSignals(): SignalSource {
  const signals: readonly EndSignal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM"];
  return {
    signals,
    addListener: (signal, listener) => Deno.addSignalListener(signal, listener),
    removeListener: (signal, listener) => Deno.removeSignalListener(signal, listener),
    exit: (code) => Deno.exit(code),
  };
}

/** Columns of the terminal, or undefined where there is none. */
export function consoleColumns(): number | undefined {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return undefined;
  }
}
