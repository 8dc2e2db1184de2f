/**
 * What both programs do with a command line: parse it, show help or the version, or run the command,
 * and turn whatever happens into an exit code. Never a stack trace.
 *
 * @module
 */

import { EXIT, TrivetError } from "../errors.ts";
import type { OptionTable, ProgramSpec, ValuesOf, ValueSource } from "./command.ts";
import type { HelpRequest, VersionRequest } from "./find_command.ts";
import { renderHelp } from "./help.ts";
import { Interrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";
import { parseCommandLine, type ParsedCommand, peekSwitch } from "./parse.ts";
import type { ValueSources } from "./read_values.ts";
import { consoleColumns, systemOutput, systemSignals } from "./system.ts";

/** Global options that every program declares. */
export type CommonValues = ValuesOf<{
  readonly json: { readonly kind: "boolean"; readonly help: string };
  readonly quiet: { readonly kind: "boolean"; readonly help: string };
  readonly "no-color": { readonly kind: "boolean"; readonly help: string };
}>;

/** Global option of a program with `configKeys`. */
type ConfigValues = ValuesOf<{ readonly config: { readonly kind: "path"; readonly help: string } }>;

/** What a command's context is made from. */
export interface ProgramRun<G extends OptionTable> {
  /** Values of the global options. */
  readonly globals: ValuesOf<G>;
  /** Where each of them came from. */
  readonly globalSources: Readonly<Record<string, ValueSource>>;
  /** The streams, as `--json`, `--quiet` and `--no-color` set them. */
  readonly output: Output;
  /** Reads an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** Aborts at the first SIGINT or SIGTERM; a second one ends the process. */
  readonly signal: AbortSignal;
  /** Leaves signals to whatever the command runs next; `signal` aborts no more. */
  readonly releaseSignals: () => void;
  /** Whether nobody named the command, and it is what runs then. */
  readonly isImplied: boolean;
}

/** Options of {@linkcode runProgram}. */
export interface RunProgramOptions {
  /** Line of a script that the words are, which messages name. */
  readonly line?: number | undefined;
}

/**
 * Runs a program on the real streams and signals.
 *
 * @param program The command table.
 * @param argv The words after the program's name.
 * @param makeContext Makes what commands work with.
 * @param options Where the words came from.
 * @returns The exit code.
 */
export async function runProgram<Context, G extends OptionTable>(
  program: ProgramSpec<Context, G>,
  argv: readonly string[],
  makeContext: (run: ProgramRun<G>) => Context,
  { line }: RunProgramOptions = {},
): Promise<number> {
  const prefix = line === undefined ? program.name : `${program.name}: line ${line}`;
  const env = (name: string) => Deno.env.get(name);
  const sources: ValueSources = { env };
  let output = systemOutput(prefix, { json: peekSwitch(program, argv, "json", sources) });
  let interrupted: AbortSignal | undefined;
  try {
    const named = await readCommandLine(program, argv, sources);
    const isImplied = named.kind === "help" && !named.asked && named.path.length === 0 &&
      program.withoutCommand !== undefined;
    const request = isImplied
      ? await readCommandLine(program, [...argv, program.withoutCommand ?? ""], sources)
      : named;
    if (request.kind === "version") {
      output.text(`${program.name} ${program.version}\n`);
      return EXIT.OK;
    }
    if (request.kind === "help") {
      const help = renderHelp(program, request.path, { width: consoleColumns() ?? 0 });
      if (request.asked) output.text(help);
      else output.draw(help);
      return request.asked ? EXIT.OK : EXIT.USAGE;
    }
    const { globals, globalSources } = request;
    const common = globals as CommonValues;
    output = systemOutput(prefix, {
      json: common.json,
      quiet: common.quiet,
      noColor: common["no-color"],
    });
    using interrupt = new Interrupt(systemSignals());
    interrupted = interrupt.signal;
    const context = makeContext({
      globals,
      globalSources,
      output,
      env,
      signal: interrupt.signal,
      releaseSignals: () => interrupt[Symbol.dispose](),
      isImplied,
    });
    const code = await request.command.run(context, request.invocation) ?? EXIT.OK;
    // An error would name the line itself.
    if (line !== undefined && code !== EXIT.OK) {
      output.note(`Line ${line} ended with exit code ${code}`);
    }
    return code;
  } catch (error) {
    // What breaks because the user ended the command is no failure of its own.
    const isEnded = interrupted?.aborted === true && !(error instanceof TrivetError);
    return output.fail(isEnded ? interrupted?.reason : error);
  }
}

/** Reads the command line, with the config file that it or the environment names. */
async function readCommandLine<Context, G extends OptionTable>(
  program: ProgramSpec<Context, G>,
  argv: readonly string[],
  sources: ValueSources,
): Promise<ParsedCommand<Context, G> | HelpRequest | VersionRequest> {
  const request = parseCommandLine(program, argv, sources);
  if (request.kind !== "command" || program.configKeys === undefined) return request;
  const { config: path } = request.globals as ConfigValues;
  if (path === undefined) return request;
  const { readConfigFile } = await import("./config_file.ts");
  const config = await readConfigFile(path, program.configKeys);
  return parseCommandLine(program, argv, { ...sources, config });
}
