/**
 * Where the passwords of `trivetd user` come from: stdin, a file, or the person at the terminal; never
 * an argument.
 *
 * @module
 */

import { checkPassword } from "../../lib/auth/credentials.ts";
import { makeVerifier, type Verifier } from "../../lib/auth/verifier.ts";
import { TrivetError } from "../../lib/errors.ts";
import { quoteName } from "../../lib/netdisk/path.ts";
import type { OptionTable, ValuesOf } from "../../lib/term/command.ts";
import { askNewSecret, readGivenSecret } from "../../lib/term/secret.ts";
import type { CommandContext } from "./context.ts";

/** The options of commands that take a new password. */
export const PASSWORD_OPTIONS = {
  "password-stdin": {
    kind: "boolean",
    env: "TRIVETD_PASSWORD_STDIN",
    help: "Read the password from the first line of stdin",
  },
  "password-file": {
    kind: "path",
    valueName: "FILE",
    env: "TRIVETD_PASSWORD_FILE",
    help: "Read the password from the first line of a file",
  },
} as const satisfies OptionTable;

const INSTEAD = "pass --password-stdin or --password-file";

/**
 * Reads a new password and makes what the server keeps instead of it.
 *
 * @param context The command's.
 * @param values Its {@linkcode PASSWORD_OPTIONS}.
 * @throws {TrivetError} `PASSWORD_INVALID`, `USAGE`, or why the file cannot be read.
 */
export async function readNewVerifier(
  context: CommandContext,
  values: ValuesOf<typeof PASSWORD_OPTIONS>,
): Promise<Verifier> {
  const { prompter, stdin } = context;
  const given = await readGivenSecret({
    stdin,
    fromStdin: values["password-stdin"],
    file: values["password-file"],
    quote: quoteName,
    fileError,
  });
  const check = checkPassword;
  const password = given ?? await askNewSecret(prompter, { instead: INSTEAD, check });
  return await makeVerifier(password);
}

function fileError(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  const isDenied = error instanceof Deno.errors.PermissionDenied;
  const isMissing = error instanceof Deno.errors.NotFound;
  const code = isMissing ? "LOCAL_NOT_FOUND" : isDenied ? "LOCAL_DENIED" : "FAILED";
  const text = `Cannot read ${quoteName(path)}: ${error.message}`;
  return new TrivetError(code, text, { cause: error });
}
