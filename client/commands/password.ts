/**
 * Where passwords come from: stdin, a file, or the person at the terminal; never an argument.
 *
 * @module
 */

import { checkPassword } from "../../lib/auth/credentials.ts";
import { TrivetError } from "../../lib/errors.ts";
import { readPasswordStdin } from "../../lib/term/prompt.ts";
import { localError, quoteLocal } from "../local_error.ts";
import type { ClientContext } from "./context.ts";

const INSTEAD = "pass --password-stdin or TRIVET_PASSWORD_FILE";

/** Whether the password comes from a person. */
export function mustAskPassword({ globals }: ClientContext): boolean {
  return !globals["password-stdin"] && globals["password-file"] === undefined;
}

/** Reads the password of an account. */
export async function readPassword(context: ClientContext): Promise<string> {
  const given = await readGiven(context, readPasswordStdin);
  return given ?? await context.prompter.askSecret("Password", INSTEAD);
}

/** Reads the password of a new account: checked at once, and asked twice where a person types it. */
export async function readNewPassword(context: ClientContext): Promise<string> {
  const given = await readGiven(context, readPasswordStdin);
  if (given !== undefined) {
    checkPassword(given);
    return given;
  }
  const password = await context.prompter.askSecret("New password", INSTEAD);
  checkPassword(password);
  if (await context.prompter.askSecret("The same again", INSTEAD) !== password) {
    throw new TrivetError("USAGE", "The two passwords differ");
  }
  return password;
}

/** An old password and the one that replaces it. */
export interface PasswordPair {
  /** The one that holds. */
  readonly oldPassword: string;
  /** The one that comes; checked. */
  readonly newPassword: string;
}

/** Reads both passwords of a change: two lines of what is given, or asked for. */
export async function readPasswordPair(context: ClientContext): Promise<PasswordPair> {
  const given = await readGiven(context, async (input) => ({
    oldPassword: await readPasswordStdin(input),
    newPassword: await readSecondLine(input),
  }));
  if (given === undefined) {
    const oldPassword = await context.prompter.askSecret("Current password", INSTEAD);
    return { oldPassword, newPassword: await readNewPassword(context) };
  }
  checkPassword(given.newPassword);
  return given;
}

async function readSecondLine(input: PasswordInput): Promise<string> {
  try {
    return await readPasswordStdin(input);
  } catch (error) {
    if (!(error instanceof TrivetError)) throw error;
    throw new TrivetError(error.code, error.message.replace("first line", "second line"));
  }
}

type PasswordInput = Parameters<typeof readPasswordStdin>[0];

async function readGiven<T>(
  context: ClientContext,
  read: (input: PasswordInput) => Promise<T>,
): Promise<T | undefined> {
  const { globals, stdin } = context;
  if (globals["password-stdin"]) return await read(stdin);
  const path = globals["password-file"];
  if (path === undefined) return undefined;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    throw localError(error, "read", path);
  }
  using _closing = file;
  try {
    return await read(file);
  } catch (error) {
    if (!(error instanceof TrivetError)) throw localError(error, "read", path);
    const message = error.message.replace("from stdin", `from ${quoteLocal(path)}`);
    throw new TrivetError(error.code, message);
  }
}
