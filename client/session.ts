/**
 * Turns a link into a session: registration, login by password (SCRAM) and login by token.
 *
 * @module
 */

import type { AuthResponse } from "../lib/auth/exchange.ts";
import { TrivetError } from "../lib/errors.ts";
import { encodeControl } from "../lib/frame/encode.ts";
import { FRAME_PAYLOAD_MAX_BYTES, FrameType } from "../lib/frame/frame.ts";
import type { Link } from "../lib/link/link.ts";
import { RpcClient } from "../lib/rpc/client.ts";
import { REQUESTS_IN_FLIGHT_MAX, type Welcome } from "../lib/rpc/messages.ts";
import { askStep } from "./auth_steps.ts";
import { type Connector, type GreetedLink, underDeadline } from "./connector.ts";

/** How a person proves who they are. */
export interface PasswordCredentials {
  /** The account. */
  readonly user: string;
  /** As typed; it never leaves this process. */
  readonly password: string;
  /** For this connection alone: no token is made. */
  readonly isOnce?: boolean;
}

/** How a program proves who it is. */
export interface TokenCredentials {
  /** A session token or an access token. */
  readonly token: string;
}

/** How a machine runs commands with no account: its key, which the options name, is all that there is. */
export interface KeyCredentials {
  /** The server takes it for remote commands only. */
  readonly byKeyAlone: true;
}

/** See {@linkcode PasswordCredentials} and {@linkcode TokenCredentials}. */
export type Credentials = PasswordCredentials | TokenCredentials;

/** A link that is logged in. */
export interface Session {
  /** Calls over the link. */
  readonly rpc: RpcClient;
  /** The server's address without a port; none on a Unix socket. */
  readonly host: string | undefined;
  /** Who is logged in. */
  readonly user: string;
  /** `read`, `write` or `full`. */
  readonly scope: string;
  /** Stands for the password from here on, after a login by password. */
  readonly token?: string;
  /** When the token ends, in milliseconds since 1970. */
  readonly tokenExpiresMs?: number;
}

type Authenticated = Extract<AuthResponse, { step: "authenticated" }>;

/** A link that is logged in, before anything else is said on it. */
export interface LoggedInLink {
  /** The link. */
  readonly link: Link;
  /** The server's address without a port; none on a Unix socket. */
  readonly host: string | undefined;
  /** What the server said to the hello. */
  readonly welcome: Welcome;
  /** What it said to the login. */
  readonly login: Authenticated;
}

/**
 * Connects, logs in, and begins to call.
 *
 * @param connector The server.
 * @param credentials A password, which is exchanged for a token; a token; or the connector's machine key.
 * @param signal Gives up.
 * @throws {TrivetError} As {@linkcode openLoggedIn}.
 */
export async function openSession(
  connector: Connector,
  credentials: Credentials | KeyCredentials,
  signal?: AbortSignal,
): Promise<Session> {
  const { link, host, welcome, login } = await openLoggedIn(connector, credentials, signal);
  const requestsInFlightMax = Math.min(welcome.requestsInFlightMax, REQUESTS_IN_FLIGHT_MAX);
  const rpc = RpcClient.start(link, { requestsInFlightMax });
  const { user, scope, token, tokenExpiresMs } = login;
  return {
    rpc,
    host,
    user,
    scope,
    ...(token === undefined ? {} : { token }),
    ...(tokenExpiresMs === undefined ? {} : { tokenExpiresMs }),
  };
}

/**
 * Connects and logs in.
 *
 * @param connector The server.
 * @param credentials As for {@linkcode openSession}.
 * @param signal Gives up.
 * @throws {TrivetError} `AUTH_FAILED`, `AUTH_THROTTLED`, `TOKEN_INVALID`, `SERVER_NOT_PROVEN`, or
 * what connecting throws.
 */
export async function openLoggedIn(
  connector: Connector,
  credentials: Credentials | KeyCredentials,
  signal?: AbortSignal,
): Promise<LoggedInLink> {
  const greeted = await connector.open(signal);
  const { link, welcome } = greeted;
  try {
    const binding = "password" in credentials
      ? greeted.certificateSha256 ?? await connector.askCertificate(signal)
      : undefined;
    const logIn = () => {
      if ("token" in credentials) return loginByToken(link, credentials.token);
      if ("password" in credentials) return loginByPassword(greeted, credentials, binding);
      return askStep(link, { step: "machine-key-login" }, "authenticated");
    };
    const login = await underDeadline(link, logIn, { signal });
    link.setPayloadMaxBytes(Math.min(welcome.payloadMaxBytes, FRAME_PAYLOAD_MAX_BYTES));
    return { link, host: greeted.host, welcome, login };
  } catch (error) {
    link.close();
    throw error;
  }
}

/**
 * Makes an account. The server learns a verifier, never the password.
 *
 * @param connector The server.
 * @param credentials The name and the password of the new account, and an invite where one is needed.
 * @param signal Gives up.
 * @throws {TrivetError} `USER_EXISTS`, `REGISTRATION_CLOSED`, `INVITE_INVALID`,
 * `USER_NAME_INVALID`, `PASSWORD_INVALID`, or what connecting throws.
 */
export async function registerAccount(
  connector: Connector,
  credentials: PasswordCredentials & { readonly invite?: string | undefined },
  signal?: AbortSignal,
): Promise<string> {
  const { checkUserName } = await import("../lib/auth/credentials.ts");
  const { formatVerifier, makeVerifier } = await import("../lib/auth/verifier.ts");
  const { user } = credentials;
  const invite = credentials.invite === undefined ? {} : { invite: credentials.invite };
  checkUserName(user);
  const verifier = formatVerifier(await makeVerifier(credentials.password));
  const { link } = await connector.open(signal);
  using _closing = link;
  const answer = await underDeadline(
    link,
    () => askStep(link, { step: "register", user, verifier, ...invite }, "registered"),
    { signal },
  );
  await link.closeAfter(encodeControl(FrameType.BYE, 0, {}));
  return answer.user;
}

async function loginByToken(link: Link, token: string): Promise<Authenticated> {
  return await askStep(link, { step: "token", token }, "authenticated");
}

async function loginByPassword(
  { link, welcome }: GreetedLink,
  credentials: PasswordCredentials,
  channelBinding: Uint8Array<ArrayBuffer> | undefined,
): Promise<Authenticated> {
  // Imported here: nobody needs it who logs in by token.
  const { ScramClient } = await import("../lib/auth/scram_client.ts");
  const scram = new ScramClient({
    ...credentials,
    ...(channelBinding === undefined ? {} : { channelBinding }),
  });
  const { mechanism } = scram;
  if (!welcome.mechanisms.includes(mechanism)) {
    const offered = welcome.mechanisms.join(", ");
    const text = `The server offers ${offered} and not ${mechanism}, which this link needs`;
    throw new TrivetError("SERVER_NOT_PROVEN", text);
  }
  const challenge = await askStep(link, {
    step: "scram-first",
    mechanism,
    message: scram.first(),
    ...(credentials.isOnce === true ? {} : { session: { label: `trivet on ${Deno.build.os}` } }),
  }, "scram-challenge");
  const message = await scram.final(challenge.message);
  const login = await askStep(link, { step: "scram-final", message }, "authenticated");
  scram.verify(login.message ?? "");
  return login;
}
