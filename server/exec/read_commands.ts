/**
 * Reads the commands file from the disk, and looks at what it names: a file that others may change
 * is as good as a login for them.
 *
 * @module
 */

import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import { cannotRead } from "../../lib/term/config_file.ts";
import { COMMANDS_FILE_MAX_BYTES, parseCommands } from "./commands_file.ts";
import type { CommandRule, CommandRules } from "./rules.ts";

const EXECUTABLE_BITS = 0o111;
const GROUP_WRITABLE = 0o020;
const WORLD_WRITABLE = 0o002;

/**
 * Reads and checks a commands file.
 *
 * @param path The file.
 * @returns The commands by name.
 * @throws {TrivetError} `USAGE` for what is wrong in it or with a program that it names;
 * `LOCAL_NOT_FOUND`, `LOCAL_DENIED` or `FAILED` when it cannot be read.
 */
export async function readCommands(path: string): Promise<CommandRules> {
  const text = await readFile(path);
  const rules = parseCommands(text, path);
  const mistakes: string[] = [];
  for (const rule of rules.values()) {
    const mistake = await mistakeOf(rule);
    if (mistake !== undefined) mistakes.push(`commands.${rule.name}.${mistake}`);
  }
  if (mistakes.length === 0) return rules;
  throw new TrivetError("USAGE", `Cannot use commands file "${path}": ${mistakes.join("; ")}`);
}

async function readFile(path: string): Promise<string> {
  const info = await stat(path);
  if (isWritableByOthers(info)) {
    throw new TrivetError(
      "USAGE",
      `Cannot use commands file "${path}": others may write to it; chmod go-w it`,
    );
  }
  if (info.size > COMMANDS_FILE_MAX_BYTES) {
    throw new TrivetError(
      "USAGE",
      `Cannot use commands file "${path}": it has ${info.size} bytes, the limit is ${COMMANDS_FILE_MAX_BYTES}`,
    );
  }
  return await Deno.readTextFile(path);
}

async function stat(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (cause) {
    throw cannotRead(`commands file "${path}"`, cause);
  }
}

/** What is wrong with the program or the folder that a rule names. */
async function mistakeOf(rule: CommandRule): Promise<string | undefined> {
  const info = await lookUp(rule.executable);
  const program = quoteName(rule.executable);
  if (info === undefined) return `executable names ${program}, which cannot be found`;
  if (!info.isFile) return `executable names ${program}, which is no file`;
  if (((info.mode ?? EXECUTABLE_BITS) & EXECUTABLE_BITS) === 0) {
    return `executable names ${program}, which is not executable`;
  }
  if (isWritableByOthers(info)) return `executable names ${program}, which others may write to`;
  const folder = await lookUp(rule.directory);
  if (folder?.isDirectory !== true) {
    return `directory names ${quoteName(rule.directory)}, which is no folder`;
  }
  return undefined;
}

async function lookUp(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch {
    return undefined;
  }
}

function isWritableByOthers({ mode }: Deno.FileInfo): boolean {
  return ((mode ?? 0) & (GROUP_WRITABLE | WORLD_WRITABLE)) !== 0;
}
