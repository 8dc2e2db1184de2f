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
  const given = await readGiven(context);
  return given ?? await context.prompter.askSecret("Password", INSTEAD);
}

/** Reads the password of a new account: checked at once, and asked twice where a person types it. */
export async function readNewPassword(context: ClientContext): Promise<string> {
  const given = await readGiven(context);
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

async function readGiven(context: ClientContext): Promise<string | undefined> {
  const { globals, stdin } = context;
  if (globals["password-stdin"]) return await readPasswordStdin(stdin);
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
    return await readPasswordStdin(file);
  } catch (error) {
    if (!(error instanceof TrivetError)) throw localError(error, "read", path);
    const message = error.message.replace("from stdin", `from ${quoteLocal(path)}`);
    throw new TrivetError(error.code, message);
  }
}
