/**
 * The work behind `register`, `login`, `logout` and `passwd`.
 *
 * @module
 */

import { checkUserName } from "../../lib/auth/credentials.ts";
import { TrivetError } from "../../lib/errors.ts";
import { forgetCredential, rememberConfig, storeCredential } from "../config.ts";
import { NetdiskClient } from "../netdisk.ts";
import type { Connector } from "../connector.ts";
import { openSession, registerAccount } from "../session.ts";
import { FileTrustStore } from "../trust.ts";
import { type Access, findAccess, findStored, makeConnector } from "./access.ts";
import { type ClientContext, commandLine } from "./context.ts";
import { readKeyFile } from "./key_file.ts";
import { mustAskPassword, readNewPassword, readPassword, readPasswordPair } from "./password.ts";

/** Makes an account, and makes server and account the defaults. */
export async function registerUser(
  context: ClientContext,
  user: string,
  options: { readonly invite?: string | undefined } = {},
): Promise<void> {
  const { output, signal } = context;
  const { invite } = options;
  checkUserName(user);
  const access = await findAccess(context);
  const connector = await makeConnector(context, access, { replacesPin: true });
  if (mustAskPassword(context)) {
    await meet(context, connector, invite === undefined ? "register" : "login");
  }
  const password = await readNewPassword(context);
  const registered = await registerAccount(connector, { user, password, invite }, signal);
  await remember(access, registered);
  output.note(`Registered "${registered}" at ${access.server}`);
  output.note(`Next: ${commandLine(context, ["login"])}`);
  output.json({ user: registered, server: access.server });
}

/** Logs in, keeps the token, and makes server and account the defaults. */
export async function loginUser(context: ClientContext, name: string | undefined): Promise<void> {
  const { output, signal } = context;
  const access = await findAccess(context);
  const user = name ?? access.user;
  if (user === undefined) {
    throw new TrivetError(
      "USAGE",
      `Nobody has logged in to ${access.server} before: name an account`,
    );
  }
  checkUserName(user);
  const connector = await makeConnector(context, access, { replacesPin: true });
  if (mustAskPassword(context)) await meet(context, connector, "login");
  const password = await readPassword(context);
  const session = await openSession(connector, { user, password }, signal);
  await session.rpc.close();
  const { token, tokenExpiresMs } = session;
  if (token === undefined) {
    throw new TrivetError("PROTOCOL_ERROR", "The server gave no token for the session");
  }
  await storeCredential(access.files.credentials, access.server, {
    user: session.user,
    token,
    ...(tokenExpiresMs === undefined ? {} : { expires_ms: tokenExpiresMs }),
  });
  await remember(access, session.user);
  const until = tokenExpiresMs === undefined ? null : new Date(tokenExpiresMs).toISOString();
  const ends = until === null ? "" : ` until ${until.slice(0, 10)}`;
  output.note(`Logged in as "${session.user}" at ${access.server}${ends}`);
  output.json({ user: session.user, server: access.server, expires: until });
}

/** Revokes the token on the server and removes it here. */
export async function logoutUser(context: ClientContext): Promise<void> {
  const { globals, output, signal } = context;
  const access = await findAccess(context);
  const stored = await findStored(access);
  if (stored === undefined) {
    throw new TrivetError("AUTH_REQUIRED", `Not logged in to ${access.server}`);
  }
  const { fingerprint } = globals;
  const machineKey = (await readKeyFile(context))?.text;
  let revoked = false;
  try {
    await using client = await NetdiskClient.connect({
      server: access.server,
      plain: access.plain,
      credentials: { token: stored.token },
      trust: new FileTrustStore(access.files.knownServers),
      signal,
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(machineKey === undefined ? {} : { machineKey }),
    });
    revoked = await client.logout(signal);
  } catch (error) {
    // A session that the server does not know any more has ended already; any other one goes on
    // there, and its token must stay here to be revoked later.
    if (!(error instanceof TrivetError) || error.code !== "TOKEN_INVALID") throw error;
  }
  await forgetCredential(access.files.credentials, access.server);
  output.note(
    revoked
      ? `Logged out "${stored.user}" from ${access.server}`
      : `The session of "${stored.user}" at ${access.server} had ended already`,
  );
  output.json({ user: stored.user, server: access.server, revoked });
}

/** Changes the password; the session that is kept here goes on. */
export async function changeUserPassword(context: ClientContext): Promise<void> {
  const { env, output, signal } = context;
  const access = await findAccess(context);
  const stored = await findStored(access);
  const user = access.user ?? stored?.user;
  if (user === undefined) {
    throw new TrivetError("USAGE", "A password needs an account: pass --user or TRIVET_USER");
  }
  checkUserName(user);
  const connector = await makeConnector(context, access);
  if (mustAskPassword(context)) await meet(context, connector, "login");
  const passwords = await readPasswordPair(context);
  const { changePassword } = await import("../passwd.ts");
  const keepToken = env("TRIVET_TOKEN")?.trim() || stored?.token;
  const ended = await changePassword(connector, { user, ...passwords, keepToken, signal });
  output.note(`Changed the password of "${user}"; other sessions that ended: ${ended}`);
  output.json({ user, server: access.server, sessions_ended: ended });
}

/**
 * Connects once before a person types a password: whom to trust is asked first, and whoever typed
 * slowly must not find that the server has cut the connection meanwhile.
 */
async function meet(
  context: ClientContext,
  connector: Connector,
  purpose: "register" | "login",
): Promise<void> {
  if (!context.prompter.canAsk) return;
  const { link, welcome } = await connector.open(context.signal);
  link.close();
  if (purpose === "register" && welcome.registration === "closed") {
    throw new TrivetError("REGISTRATION_CLOSED", `${connector.name} does not take registrations`);
  }
}

async function remember(access: Access, user: string): Promise<void> {
  const { files, plain, server } = access;
  await rememberConfig(files.config, { server, user, plain });
}
