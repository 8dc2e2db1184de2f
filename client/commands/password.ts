/**
 * Where passwords come from: stdin, a file, or the person at the terminal; never an argument.
 *
 * @module
 */

import { checkPassword } from "../../lib/auth/credentials.ts";
import {
  askNewSecret,
  type GivenSecret,
  readGivenSecret,
  readGivenSecretPair,
} from "../../lib/term/secret.ts";
import { localError, quoteLocal } from "../local_error.ts";
import type { ClientContext } from "./context.ts";

const INSTEAD = "pass --password-stdin or TRIVET_PASSWORD_FILE";

/** Whether the password comes from a person. */
export function mustAskPassword({ globals }: ClientContext): boolean {
  return !globals["password-stdin"] && globals["password-file"] === undefined;
}

/** Reads the password of an account. */
export async function readPassword(context: ClientContext): Promise<string> {
  const given = await readGivenSecret(givenBy(context));
  return given ?? await context.prompter.askSecret("Password", INSTEAD);
}

/** Reads the password of a new account: checked at once, and asked twice where a person types it. */
export async function readNewPassword(context: ClientContext): Promise<string> {
  const given = await readGivenSecret(givenBy(context));
  if (given === undefined) {
    return await askNewSecret(context.prompter, { instead: INSTEAD, check: checkPassword });
  }
  checkPassword(given);
  return given;
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
  const given = await readGivenSecretPair(givenBy(context));
  if (given === undefined) {
    const oldPassword = await context.prompter.askSecret("Current password", INSTEAD);
    return { oldPassword, newPassword: await readNewPassword(context) };
  }
  const [oldPassword, newPassword] = given;
  checkPassword(newPassword);
  return { oldPassword, newPassword };
}

function givenBy({ globals, stdin }: ClientContext): GivenSecret {
  return {
    stdin,
    fromStdin: globals["password-stdin"],
    file: globals["password-file"],
    quote: quoteLocal,
    fileError: (error, path) => localError(error, "read", path),
  };
}
