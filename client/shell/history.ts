/**
 * The lines typed at the prompt, kept from one shell to the next in a file that only its owner may
 * read.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import type { Output } from "../../lib/term/output.ts";
import type { Environment } from "../config.ts";
import { inFolder } from "../local_path.ts";
import { readPrivateFile, updatePrivateFile } from "../private_file.ts";
import { stateFolder } from "../state_folder.ts";
import { HISTORY_LINES_MAX } from "../../lib/term/line_reader.ts";

/** Longest line that is kept: a thousand of them, three bytes a character, still can be read back. */
export const HISTORY_LINE_CHARACTERS_MAX = 256;

/** Options and variables whose value nobody else should see. */
const SECRET = /password|passphrase|secret|token/i;

/** See the module. */
export class History {
  /** Earlier lines, the last one first. */
  readonly lines: readonly string[];
  /** Absent where nothing can be kept. */
  #path: string | undefined;
  readonly #output: Pick<Output, "warn">;

  private constructor(
    lines: readonly string[],
    path: string | undefined,
    output: Pick<Output, "warn">,
  ) {
    this.lines = lines;
    this.#path = path;
    this.#output = output;
  }

  /**
   * Reads the lines of earlier shells. Where that cannot be, a warning says so, and none are kept.
   *
   * @param env The environment.
   * @param output Takes the warning.
   */
  static async open(env: Environment, output: Pick<Output, "warn">): Promise<History> {
    try {
      const path = historyPath(env);
      const text = path === undefined ? undefined : await readPrivateFile(path);
      return new History(linesOf(text).reverse(), path, output);
    } catch (error) {
      warn(output, error);
      return new History([], undefined, output);
    }
  }

  /** Keeps a line, unless it is empty, long, begins with a space, or may hold a secret. */
  async add(line: string): Promise<void> {
    const isKept = line.trim() !== "" && !line.startsWith(" ") && !SECRET.test(line) &&
      line.length <= HISTORY_LINE_CHARACTERS_MAX;
    if (!isKept || this.#path === undefined) return;
    try {
      await updatePrivateFile(this.#path, (text) => {
        const lines = linesOf(text).filter((each) => each !== line);
        return `${[...lines, line].slice(-HISTORY_LINES_MAX).join("\n")}\n`;
      });
    } catch (error) {
      this.#path = undefined;
      warn(this.#output, error);
    }
  }
}

/**
 * Where the lines are kept: `history` in {@linkcode stateFolder}.
 *
 * @returns Undefined where the environment names no home.
 */
export function historyPath(env: Environment, os: string = Deno.build.os): string | undefined {
  const state = stateFolder(env, os);
  return state === undefined ? undefined : inFolder(state, "history");
}

function linesOf(text = ""): string[] {
  return text.split("\n").filter((line) => line !== "").slice(-HISTORY_LINES_MAX);
}

function warn(output: Pick<Output, "warn">, error: unknown): void {
  if (!(error instanceof TrivetError)) throw error;
  output.warn(`Lines are not kept for the next shell: ${error.message}`);
}
