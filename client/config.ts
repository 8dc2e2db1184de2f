/**
 * What the client remembers between commands: where its files lie, the server and the user of the
 * last login, and the session token for each server.
 *
 * @module
 */

import * as v from "valibot";
import { TrivetError } from "../lib/errors.ts";
import { quoteLocal } from "./local_error.ts";
import { inFolder } from "./local_path.ts";
import { readPrivateFile, updatePrivateFile } from "./private_file.ts";

/** The client's files. */
export interface ConfigFiles {
  /** Server and user of the last registration or login. */
  readonly config: string;
  /** Session tokens. */
  readonly credentials: string;
  /** Pinned certificates. */
  readonly knownServers: string;
}

const Text = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));

const Config = v.object({
  server: v.optional(Text),
  user: v.optional(Text),
  /** Whether that server is spoken to without TLS. */
  plain: v.optional(v.boolean()),
});

/** Defaults that a registration or login leaves behind. */
export type Config = v.InferOutput<typeof Config>;

const Credential = v.object({
  user: Text,
  token: Text,
  /** When the token ends, in milliseconds since 1970. */
  expires_ms: v.optional(v.number()),
});

/** A login at one server. */
export type Credential = v.InferOutput<typeof Credential>;

const Credentials = v.object({ servers: v.record(Text, Credential) });

/** Reads an environment variable. */
export type Environment = (name: string) => string | undefined;

/**
 * Where the client's files lie: `$XDG_CONFIG_HOME/trivet`, else `~/.config/trivet`, and
 * `%APPDATA%\trivet` on Windows.
 *
 * @param env The environment.
 * @param os The system, such as `linux`.
 * @throws {TrivetError} `USAGE` when the environment names no home.
 */
export function configFiles(env: Environment, os: string = Deno.build.os): ConfigFiles {
  const folder = inFolder(configHome(env, os), "trivet");
  return {
    config: inFolder(folder, "config.json"),
    credentials: inFolder(folder, "credentials.json"),
    knownServers: inFolder(folder, "known_servers"),
  };
}

function configHome(env: Environment, os: string): string {
  const chosen = env("XDG_CONFIG_HOME");
  if (chosen) return chosen;
  const roaming = os === "windows" ? env("APPDATA") : undefined;
  if (roaming) return roaming;
  const home = env("HOME") || env("USERPROFILE");
  if (home) return inFolder(home, ".config");
  throw new TrivetError("USAGE", "Cannot choose a config folder: set HOME or XDG_CONFIG_HOME");
}

/** Reads the defaults; none where there is no file. */
export async function readConfig(path: string): Promise<Config> {
  return parseFile(Config, await readPrivateFile(path), path) ?? {};
}

/** Changes some of the defaults; the others stay, also those of later versions. */
export async function rememberConfig(path: string, change: Config): Promise<void> {
  await updatePrivateFile(path, (text) => {
    const before = parseFile(v.looseObject(Config.entries), text, path) ?? {};
    return encode({ ...before, ...change });
  });
}

/**
 * Reads the login at a server.
 *
 * @returns It, or `undefined` where there is none.
 * @throws {TrivetError} `LOCAL_DENIED` when others can read the file.
 */
export async function readCredential(
  path: string,
  server: string,
): Promise<Credential | undefined> {
  const file = parseFile(Credentials, await readPrivateFile(path, { secret: true }), path);
  return file !== undefined && Object.hasOwn(file.servers, server)
    ? file.servers[server]
    : undefined;
}

/** Remembers the login at a server, in place of an earlier one. */
export async function storeCredential(
  path: string,
  server: string,
  credential: Credential,
): Promise<void> {
  await updatePrivateFile(path, (text) => {
    const servers = parseFile(Credentials, text, path)?.servers ?? {};
    return encode({ servers: { ...servers, [server]: credential } });
  });
}

/** Forgets the login at a server. */
export async function forgetCredential(path: string, server: string): Promise<void> {
  if (await readPrivateFile(path) === undefined) return;
  await updatePrivateFile(path, (text) => {
    const servers = { ...parseFile(Credentials, text, path)?.servers };
    delete servers[server];
    return encode({ servers });
  });
}

/** @throws {TrivetError} `FAILED` when the text is not what this program writes. */
function parseFile<S extends v.GenericSchema>(
  schema: S,
  text: string | undefined,
  path: string,
): v.InferOutput<S> | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold a token.
    throw damaged(path, "it is not JSON");
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = issue === undefined ? null : v.getDotPath(issue);
  throw damaged(path, key === null ? "it is not an object" : `its key "${key}" is wrong`);
}

function damaged(path: string, reason: string): TrivetError {
  return new TrivetError(
    "FAILED",
    `Cannot use ${quoteLocal(path)}: ${reason}; correct or remove it, then log in again`,
  );
}

function encode(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
