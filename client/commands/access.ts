/**
 * From a command's options to a server and somebody who logs in: which server, whom to trust, and
 * whose token or password.
 *
 * @module
 */

import { checkUserName } from "../../lib/auth/credentials.ts";
import { TrivetError } from "../../lib/errors.ts";
import { formatAddress, parseAddress } from "../../lib/link/address.ts";
import type { UnknownServer } from "../../lib/link/dial.ts";
import { parseFingerprint } from "../../lib/link/fingerprint.ts";
import { CHAT_SERVICE, EXEC_SERVICE } from "../../lib/rpc/services.ts";
import {
  type Config,
  type ConfigFiles,
  configFiles,
  type Credential,
  readConfig,
  readCredential,
} from "../config.ts";
import { Connector } from "../connector.ts";
import type { ExecClientOptions } from "../exec.ts";
import type { NetdiskClient, NetdiskClientOptions } from "../netdisk.ts";
import type { Credentials } from "../session.ts";
import { FileTrustStore } from "../trust.ts";
import type { ClientContext } from "./context.ts";
import { readKeyFile } from "./key_file.ts";
import { readPassword } from "./password.ts";
import { DEFAULT_SERVER } from "./server_name.ts";

/** Which server a command is for, and what is remembered of it. */
export interface Access {
  /** The server, as `formatAddress` writes it. */
  readonly server: string;
  /** Whether it is spoken to without TLS. */
  readonly plain: boolean;
  /** The account that was named or remembered. */
  readonly user: string | undefined;
  /** The client's files. */
  readonly files: ConfigFiles;
}

/** See {@linkcode findConnection}. */
export type ConnectionOptions = Omit<NetdiskClientOptions, "limitRate">;

/** Finds the server and the account: options before the environment before what is remembered. */
export async function findAccess(context: ClientContext): Promise<Access> {
  const { env, globals } = context;
  const files = configFiles(env);
  const config: Config = await readConfig(files.config);
  const named = globals.server ?? config.server ?? DEFAULT_SERVER;
  const server = formatAddress(parseAddress(named));
  const isRemembered = server === config.server;
  return {
    server,
    plain: globals.plain || (isRemembered && config.plain === true),
    user: globals.user ?? (isRemembered ? config.user : undefined),
    files,
  };
}

/** A connector to the server, which asks about an unknown one where somebody can be asked. */
export async function makeConnector(
  context: ClientContext,
  access: Access,
  options: { readonly replacesPin?: boolean } = {},
): Promise<Connector> {
  const { fingerprint } = context.globals;
  const machineKey = (await readKeyFile(context))?.key;
  return new Connector({
    address: parseAddress(access.server),
    otherServices: [CHAT_SERVICE, EXEC_SERVICE],
    plain: access.plain,
    trust: new FileTrustStore(access.files.knownServers),
    ...(fingerprint === undefined ? {} : { fingerprint: parseFingerprint(fingerprint) }),
    ...(machineKey === undefined ? {} : { machineKey }),
    ...confirmation(context),
    ...options,
  });
}

/** Connects as whoever the options, the environment or the last login say. */
export async function openClient(context: ClientContext): Promise<NetdiskClient> {
  if (context.shell !== undefined) return await context.shell.openClient(context);
  const limitRate = context.globals["limit-rate"];
  // Imported here: other services need to know how to connect, too.
  const { NetdiskClient } = await import("../netdisk.ts");
  return await NetdiskClient.connect({
    ...await findConnection(context),
    ...(limitRate === undefined ? {} : { limitRate }),
  });
}

/** What every service's client needs to connect: the server, whom to trust, and who logs in. */
export async function findConnection(context: ClientContext): Promise<ConnectionOptions> {
  const access = await findAccess(context);
  const credentials = await findCredentials(context, access);
  return { ...await findServer(context, access), credentials };
}

/** The same for remote commands, which a machine key may run where nobody is logged in. */
export async function findExecConnection(context: ClientContext): Promise<ExecClientOptions> {
  const access = await findAccess(context);
  const server = await findServer(context, access);
  try {
    return { ...server, credentials: await findCredentials(context, access) };
  } catch (error) {
    const isNobody = error instanceof TrivetError && error.code === "AUTH_REQUIRED";
    if (!isNobody || server.machineKey === undefined) throw error;
    return { ...server, credentials: { byKeyAlone: true } };
  }
}

async function findServer(
  context: ClientContext,
  access: Access,
): Promise<Omit<ConnectionOptions, "credentials">> {
  const { globals, signal } = context;
  const { fingerprint } = globals;
  const machineKey = (await readKeyFile(context))?.text;
  return {
    server: access.server,
    plain: access.plain,
    trust: new FileTrustStore(access.files.knownServers),
    signal,
    ...confirmation(context),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(machineKey === undefined ? {} : { machineKey }),
  };
}

/** The token that is stored for the server, unless it is of another account. */
export async function findStored(access: Access): Promise<Credential | undefined> {
  const stored = await readCredential(access.files.credentials, access.server);
  return stored === undefined || (access.user ?? stored.user) === stored.user ? stored : undefined;
}

async function findCredentials(context: ClientContext, access: Access): Promise<Credentials> {
  const { env, globals } = context;
  const token = env("TRIVET_TOKEN");
  if (globals["password-stdin"]) return await withPassword(context, access);
  if (token) {
    const { parseToken } = await import("../../lib/auth/token.ts");
    return { token: parseToken(token.trim()) };
  }
  const stored = await findStored(access);
  if (stored !== undefined) return { token: checkFresh(stored, access) };
  if (globals["password-file"] !== undefined) return await withPassword(context, access);
  const who = access.user === undefined ? "" : ` as "${access.user}"`;
  throw new TrivetError("AUTH_REQUIRED", `Not logged in to ${access.server}${who}`);
}

function checkFresh(stored: Credential, access: Access): string {
  if (stored.expires_ms === undefined || stored.expires_ms > Date.now()) return stored.token;
  const ended = new Date(stored.expires_ms).toISOString();
  throw new TrivetError("TOKEN_INVALID", `The login to ${access.server} ended at ${ended}`);
}

async function withPassword(context: ClientContext, access: Access): Promise<Credentials> {
  if (access.user === undefined) {
    throw new TrivetError("USAGE", "A password needs an account: pass --user or TRIVET_USER");
  }
  checkUserName(access.user);
  return { user: access.user, password: await readPassword(context) };
}

function confirmation(
  { output, prompter }: ClientContext,
): { confirm?: (server: UnknownServer) => Promise<boolean> } {
  if (!prompter.canAsk) return {};
  return {
    confirm: async ({ address, fingerprint }) => {
      output.draw(
        `The server at ${address} has not been seen before. Its fingerprint is\n` +
          `  ${fingerprint}\n` +
          `Compare it with what trivetd printed at its start.\n`,
      );
      return await prompter.askYesNo("Trust this server", false);
    },
  };
}
