/**
 * Secrets for commands, in one way for both programs: from stdin, from a file, or typed by the person
 * at the terminal; never an argument, which other people's process lists show.
 *
 * @module
 */

import { TrivetError } from "../errors.ts";
import { type Prompter, type PromptInput, readPasswordStdin } from "./prompt.ts";

type SecretInput = Pick<PromptInput, "read">;

/** Where a secret may come from without anybody being asked. */
export interface GivenSecret {
  /** Stdin. */
  readonly stdin: SecretInput;
  /** `--password-stdin`. */
  readonly fromStdin: boolean;
  /** `--password-file`. */
  readonly file: string | undefined;
  /** Writes a path for a message. */
  readonly quote: (path: string) => string;
  /** Says what a failure to read the file means. */
  readonly fileError: (error: unknown, path: string) => unknown;
}

/**
 * Reads a secret that is given.
 *
 * @param given Where from.
 * @returns The first line; undefined when none is given and a person has to be asked.
 * @throws {TrivetError} `USAGE` when it is empty, too long or no UTF-8; what `fileError` makes.
 */
export async function readGivenSecret(given: GivenSecret): Promise<string | undefined> {
  return await readGiven(given, readPasswordStdin);
}

/**
 * Reads a secret that is given and the one that replaces it.
 *
 * @param given Where from.
 * @returns The first and the second line; undefined when a person has to be asked.
 * @throws {TrivetError} As {@linkcode readGivenSecret}.
 */
export async function readGivenSecretPair(
  given: GivenSecret,
): Promise<readonly [before: string, after: string] | undefined> {
  return await readGiven(given, async (input) => {
    const before = await readPasswordStdin(input);
    return [before, await readSecondLine(input)];
  });
}

async function readSecondLine(input: SecretInput): Promise<string> {
  try {
    return await readPasswordStdin(input);
  } catch (error) {
    if (!(error instanceof TrivetError)) throw error;
    throw new TrivetError(error.code, error.message.replace("first line", "second line"));
  }
}

async function readGiven<T>(
  given: GivenSecret,
  read: (input: SecretInput) => Promise<T>,
): Promise<T | undefined> {
  const { file: path, fileError } = given;
  if (given.fromStdin) return await read(given.stdin);
  if (path === undefined) return undefined;
  try {
    using file = await Deno.open(path);
    return await read(file);
  } catch (error) {
    if (!(error instanceof TrivetError)) throw fileError(error, path);
    const message = error.message.replace("from stdin", `from ${given.quote(path)}`);
    throw new TrivetError(error.code, message);
  }
}

/**
 * Asks for a new password, twice.
 *
 * @param prompter Asks.
 * @param options What to do where nobody can be asked, and what a new password must be like.
 * @throws {TrivetError} `USAGE` when the two differ or nobody can be asked; what `check` throws.
 */
export async function askNewSecret(
  prompter: Pick<Prompter, "askSecret">,
  options: { readonly instead: string; readonly check: (secret: string) => void },
): Promise<string> {
  const secret = await prompter.askSecret("New password", options.instead);
  options.check(secret);
  if (await prompter.askSecret("The same again", options.instead) !== secret) {
    throw new TrivetError("USAGE", "The two passwords differ");
  }
  return secret;
}
