/**
 * What the commands of one shell share: the connection, the folder on the server, and the options that
 * the shell was started with.
 *
 * @module
 */

import { escapeGlob } from "../../lib/netdisk/glob.ts";
import { parseAddress } from "../../lib/link/address.ts";
import { defineProgram, isGroup, type ProgramSpec } from "../../lib/term/command.ts";
import type { PromptInput } from "../../lib/term/prompt.ts";
import { runProgram, type RunProgramOptions } from "../../lib/term/run_program.ts";
import { systemPrompter } from "../../lib/term/system.ts";
import { safeText } from "../../lib/term/text.ts";
import { TRIVET } from "../command_table.ts";
import { openClient } from "../commands/access.ts";
import type { ClientContext, SurroundingShell } from "../commands/context.ts";
import { guarded } from "../commands/guard.ts";
import type { GLOBAL_OPTIONS, GlobalValues } from "../global_options.ts";
import type { NetdiskClient } from "../netdisk.ts";
import { resolveRemote } from "./remote_path.ts";
import { shellCommands } from "./shell_commands.ts";

/** Commands after which the connection is somebody else's. */
const LOGIN_COMMANDS: ReadonlySet<string> = new Set(["login", "logout", "register"]);

/** Options that decide whether a command can use the shell's connection. */
const ACCESS_OPTIONS = [
  "server",
  "user",
  "fingerprint",
  "plain",
  "password-file",
  "limit-rate",
] as const;

/** See the module. */
export class ShellSession implements SurroundingShell, AsyncDisposable {
  /** The commands that lines are made of. */
  readonly program: ProgramSpec<ClientContext, typeof GLOBAL_OPTIONS>;
  /** Whether somebody typed `exit`. */
  isEnded = false;
  /** The folder on the server, from the root on. */
  folder = "/";
  readonly #context: ClientContext;
  readonly #flags: readonly string[];
  readonly #stdin: PromptInput;
  #client: NetdiskClient | undefined;

  /**
   * Connects when the first command needs it.
   *
   * @param context The context of the command that opened the shell.
   * @param stdin What commands read from, and where questions are answered.
   */
  constructor(context: ClientContext, stdin: PromptInput) {
    this.#context = context;
    this.#stdin = stdin;
    this.#flags = flagsOf(context);
    const { withoutCommand, ...table } = TRIVET;
    this.program = defineProgram({
      ...table,
      commands: [
        ...shellCommands(this).map(guarded),
        ...TRIVET.commands.filter(({ name }) => name !== withoutCommand).map((command) =>
          this.#watchLogin(command)
        ),
      ],
    });
  }

  /** What stands in front of a line, such as `ann@host:/photos> `. */
  get prompt(): string {
    if (this.#client === undefined) return "trivet> ";
    const { server, user } = this.#client;
    const address = parseAddress(server);
    const host = address.transport === "unix" ? "localhost" : address.host;
    return safeText(`${user}@${host}:${this.folder}> `);
  }

  /** See {@linkcode SurroundingShell}. */
  resolvePath(path: string): string {
    return resolveRemote(this.folder, path);
  }

  /** See {@linkcode SurroundingShell}. */
  resolvePattern(pattern: string): string {
    return resolveRemote(escapeGlob(this.folder), pattern);
  }

  /** See {@linkcode SurroundingShell}. */
  async openClient(context: ClientContext): Promise<NetdiskClient> {
    const { shell: _, ...own } = context;
    if (!isSameAccess(context.globals, this.#context.globals)) return await openClient(own);
    this.#client ??= await openClient({ ...own, globals: this.#context.globals });
    return this.#client.hold();
  }

  /** Connects before any command does, with the password from stdin if it comes from there. */
  async connect(): Promise<void> {
    this.#client ??= await openClient(this.#context);
  }

  /** The connection for completion, if there is one. */
  get client(): NetdiskClient | undefined {
    return this.#client;
  }

  /**
   * Runs one line.
   *
   * @param words Its words, at least one.
   * @param options Its number, where it is one of a script.
   * @returns The exit code; what went wrong has been told.
   */
  async run(words: readonly string[], options: RunProgramOptions = {}): Promise<number> {
    return await runProgram(this.program, [...this.#flags, ...words], (run) => ({
      ...run,
      prompter: systemPrompter({
        input: this.#stdin,
        noInput: run.globals["no-input"],
        signal: run.signal,
      }),
      program: "",
      argv: words,
      stdin: this.#stdin,
      shell: this,
    }), options);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forget();
  }

  async #forget(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  /** Goes on as whoever is logged in after a command that changes it. */
  #watchLogin(command: typeof TRIVET.commands[number]): typeof TRIVET.commands[number] {
    if (isGroup(command) || !LOGIN_COMMANDS.has(command.name)) return command;
    return {
      ...command,
      run: async (context, invocation) => {
        const code = await command.run(context, invocation);
        await this.#forget();
        this.folder = "/";
        if (command.name === "login") await (await this.openClient(context)).close();
        return code;
      },
    };
  }
}

/** The options on the shell's own command line, for each line that it runs. */
function flagsOf({ globals, globalSources }: ClientContext): string[] {
  const given = Object.entries(globals).filter(([name, value]) =>
    globalSources[name] === "flag" && name !== "password-stdin" && value !== undefined
  );
  // What it says about stdin was for the shell itself, which reads lines there now.
  return ["--password-stdin=false", ...given.map(([name, value]) => `--${name}=${value}`)];
}

function isSameAccess(line: GlobalValues, shell: GlobalValues): boolean {
  return !line["password-stdin"] && ACCESS_OPTIONS.every((name) => line[name] === shell[name]);
}
