/**
 * Where passwords come from: stdin, a file, or the person at the terminal; never an argument.
 *
 * @module
 */

import { checkPassword } from "../../lib/auth/credentials.ts";
import { askNewSecret, readGivenSecret } from "../../lib/term/secret.ts";
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
  if (given === undefined) {
    return await askNewSecret(context.prompter, { instead: INSTEAD, check: checkPassword });
  }
  checkPassword(given);
  return given;
}

async function readGiven({ globals, stdin }: ClientContext): Promise<string | undefined> {
  return await readGivenSecret({
    stdin,
    fromStdin: globals["password-stdin"],
    file: globals["password-file"],
    quote: quoteLocal,
    fileError: (error, path) => localError(error, "read", path),
  });
}
