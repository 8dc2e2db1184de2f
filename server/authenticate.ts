/**
 * The server's side of AUTH: registration, login by password (SCRAM) and by token, with the
 * penalties for failed ones.
 *
 * @module
 */

import { checkUserName, USER_NAME_CHARS_MAX } from "../lib/auth/credentials.ts";
import { AuthRequest, type AuthResponse, MachineKeyStep } from "../lib/auth/exchange.ts";
import { isMachineKeyId } from "../lib/auth/machine_key.ts";
import { ScramServer } from "../lib/auth/scram_server.ts";
import type { LoginThrottle } from "../lib/auth/throttle.ts";
import { hashToken, newToken, parseToken } from "../lib/auth/token.ts";
import { parseVerifier, type Verifier } from "../lib/auth/verifier.ts";
import { TrivetError } from "../lib/errors.ts";
import { encodeControl } from "../lib/frame/encode.ts";
import { FrameType } from "../lib/frame/frame.ts";
import type { Link } from "../lib/link/link.ts";
import { expectFrame } from "../lib/rpc/handshake.ts";
import { checkHead, readMessage } from "../lib/rpc/messages.ts";
import { EXEC_SERVICE } from "../lib/rpc/services.ts";
import type { KeyGate } from "./key_gate.ts";
import type { Depot } from "./netdisk/depot.ts";
import { requireTurn } from "./login_turn.ts";
import type { Session } from "./netdisk/context.ts";
import { redeemInvite } from "./redeem_invite.ts";
import type { Catalog, NewToken, NewUser } from "./store/catalog.ts";

/** How long a login by password lasts, in milliseconds. */
export const SESSION_TOKEN_MS = 30 * 24 * 60 * 60 * 1000;

/** Steps that one connection may take before it must be logged in: key, register, SCRAM's two. */
const STEPS_MAX = 8;

/** What authentication needs of the server. */
export interface Authority {
  readonly catalog: Catalog;
  readonly depot: Depot;
  readonly throttle: LoginThrottle;
  /** Secret behind the salts of unknown names. */
  readonly fakeSecret: Uint8Array<ArrayBuffer>;
  /** Whether people may make accounts themselves. */
  readonly registration: "open" | "closed";
  /** Quota of a new account, in bytes. */
  readonly defaultQuotaBytes: number;
  /** A clock that does not jump, in milliseconds. */
  readonly now: () => number;
  /** Told of each registration and login, good or refused. */
  readonly onAttempt?: (attempt: AuthAttempt) => void;
}

/** An authority that takes machine keys too. */
export interface KeyedAuthority extends Authority {
  readonly keys: KeyGate;
}

/** One registration, login or exchange of a machine key, for the log. */
export interface AuthAttempt {
  readonly kind: "register" | "password" | "token" | "key" | "key-login";
  /** Who it is, or claims to be; `null` when that is not known or no name at all. */
  readonly user: string | null;
  /** Id of the machine key that it names, or that admitted the connection before. */
  readonly keyId?: string;
  readonly error: TrivetError | null;
  /** Where it came from. */
  readonly source: string;
  /** From its first step to its end. */
  readonly durationMs: number;
}

/** The connection that authenticates. */
export interface Guest {
  readonly link: Link;
  /** Address without a port; a Unix socket has one of its own. */
  readonly source: string;
  /** SHA-256 of the server's certificate on a TLS link (RFC 5929 §4). */
  readonly channelBinding: Uint8Array<ArrayBuffer> | undefined;
  /** The service of its hello. */
  readonly service: string;
  /** The mechanisms that it was offered. */
  readonly mechanisms: readonly string[];
}

/** A guest, and the machine key that has admitted it. */
interface AdmittedByKey extends Guest {
  readonly keyId?: string;
  /** Its name, for the service that gives rights to keys. */
  readonly keyName?: string;
}

/**
 * Serves AUTH until the guest is known.
 *
 * @param authority The server's part.
 * @param stranger The connection.
 * @returns Who it is.
 * @throws {TrivetError} Why it is refused; the caller says so and closes the link.
 */
export async function authenticate(
  authority: KeyedAuthority,
  stranger: Guest,
): Promise<Session> {
  let guest: AdmittedByKey = stranger;
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const isKeyMissing = authority.keys.isRequired && guest.keyId === undefined;
    const request = isKeyMissing ? await receiveKeyStep(guest.link) : await receiveStep(guest.link);
    switch (request.step) {
      case "machine-key":
        if (steps > 0) throw unexpected(request);
        guest = { ...guest, ...await byKey(authority, guest, request) };
        break;
      case "machine-key-login":
        return await noted({ authority, guest, kind: "key-login" }, () => loginByKey(guest));
      case "register":
        await noted(
          { authority, guest, kind: "register" },
          (claim) => {
            claim(request.user);
            return register(authority, guest, request);
          },
        );
        break;
      case "token":
        return await noted(
          { authority, guest, kind: "token" },
          () => byToken(authority, guest, request.token),
        );
      case "scram-first":
        return await noted(
          { authority, guest, kind: "password" },
          (claim) => byPassword(authority, guest, { ...request, claim }),
        );
      default:
        throw unexpected(request);
    }
  }
  throw new TrivetError("PROTOCOL_ERROR", `More than ${STEPS_MAX} steps came before a login`);
}

type Step<S extends AuthRequest["step"]> = Extract<AuthRequest, { step: S }>;

async function receiveStep(link: Link): Promise<AuthRequest> {
  const frame = await expectFrame(link, FrameType.AUTH);
  return checkHead(AuthRequest, readMessage(frame).head, "AUTH");
}

/** Takes nothing but the exchange of a machine key; not one field of a login is read. */
async function receiveKeyStep(link: Link): Promise<Step<"machine-key">> {
  const frame = await expectFrame(link, FrameType.AUTH);
  const { head } = readMessage(frame);
  const isKey = typeof head === "object" && head !== null && "step" in head &&
    head.step === "machine-key";
  if (isKey) return checkHead(MachineKeyStep, head, "AUTH");
  throw new TrivetError("KEY_REQUIRED", "This server admits nobody without a machine key");
}

function unexpected({ step }: AuthRequest): TrivetError {
  return new TrivetError("PROTOCOL_ERROR", `The step "${step}" is not expected here`);
}

async function answer(link: Link, response: AuthResponse): Promise<void> {
  await link.send(encodeControl(FrameType.AUTH, 0, response));
}

/** An attempt before its end is known. */
interface BegunAttempt extends Pick<AuthAttempt, "kind"> {
  readonly authority: Authority;
  readonly guest: AdmittedByKey;
}

/** Reports how an attempt ended. */
async function noted<T extends Session | string | void>(
  { authority, guest, kind }: BegunAttempt,
  attempt: (claim: (user: string) => void) => Promise<T>,
): Promise<T> {
  const startedMs = authority.now();
  let claimed: string | null = null;
  const note = (user: string | null, error: TrivetError | null) => {
    const durationMs = authority.now() - startedMs;
    const { source, keyId } = guest;
    const named = keyId === undefined ? {} : { keyId };
    authority.onAttempt?.({ kind, user, ...named, error, source, durationMs });
  };
  try {
    const result = await attempt((user) => claimed = user);
    note(typeof result === "object" ? result.user : result ?? null, null);
    return result;
  } catch (error) {
    if (error instanceof TrivetError && error.code !== "CONNECTION_LOST") {
      note(claimed !== null && isUserName(claimed) ? claimed : null, error);
    }
    throw error;
  }
}

/** What cannot be a name may be a password that somebody typed in its place: no log should have it. */
function isUserName(claimed: string): boolean {
  if (claimed.length > USER_NAME_CHARS_MAX) return false;
  try {
    checkUserName(claimed);
    return true;
  } catch {
    return false;
  }
}

/** Runs the exchange of a machine key; which key it is. */
async function byKey(
  authority: KeyedAuthority,
  guest: Guest,
  request: Step<"machine-key">,
): Promise<Pick<AdmittedByKey, "keyId" | "keyName">> {
  const { link, channelBinding, service, mechanisms } = guest;
  const { keyId } = request;
  // What has not the form of an id may be a secret in the wrong place.
  const named = isMachineKeyId(keyId) ? { ...guest, keyId } : guest;
  await noted(
    { authority, guest: named, kind: "key" },
    () =>
      authority.keys.admit({
        ...{ channelBinding, service, mechanisms },
        answer: (response) => answer(link, response),
        receiveProof: async () => {
          const next = await receiveStep(link);
          if (next.step !== "machine-key-proof") throw unexpected(next);
          return next.proof;
        },
      }, request),
  );
  if (service !== EXEC_SERVICE) return { keyId };
  const keyName = await authority.catalog.keyName(keyId);
  if (keyName === null) throw new TrivetError("KEY_INVALID", "The machine key was revoked");
  return { keyId, keyName };
}

/** Takes a key for a login: it opens no account, so there is but the service that gives rights to keys. */
async function loginByKey({ link, keyId, keyName }: AdmittedByKey): Promise<Session> {
  if (keyId === undefined || keyName === undefined) {
    throw new TrivetError("AUTH_REQUIRED", "A machine key opens no account: log in");
  }
  // No account can be called so.
  const user = `key:${keyName}`;
  const scope = "full";
  await answer(link, { step: "authenticated", user, scope });
  return {
    user,
    scope,
    pathPrefix: [],
    tokenHash: null,
    tokenKind: null,
    tokenExpiresAtMs: null,
    provenEpoch: null,
    keyId,
    keyName,
    byKeyAlone: true,
  };
}

async function register(
  authority: Authority,
  guest: Guest,
  request: Step<"register">,
): Promise<string> {
  if (authority.registration === "closed" && request.invite === undefined) {
    throw new TrivetError("REGISTRATION_CLOSED", "This server does not take registrations");
  }
  const { user: name } = request;
  checkUserName(name);
  const verifier = parseVerifier(request.verifier);
  const newUser: NewUser = { name, verifier, quotaBytes: authority.defaultQuotaBytes };
  if (request.invite === undefined) await authority.catalog.createUser(newUser);
  else await redeemInvite(authority, guest, { code: request.invite, newUser });
  await authority.depot.createHome(name);
  await answer(guest.link, { step: "registered", user: name });
  return name;
}

async function byToken(authority: Authority, guest: AdmittedByKey, text: string): Promise<Session> {
  const hash = Uint8Array.fromHex(await hashToken(parseToken(text)));
  const token = await authority.catalog.findToken(hash);
  if (token === null) {
    throw new TrivetError("TOKEN_INVALID", "The session has ended or was revoked");
  }
  const { user, scope, pathPrefix, kind: tokenKind, expiresAtMs: tokenExpiresAtMs } = token;
  await answer(guest.link, { step: "authenticated", user, scope });
  return {
    user,
    scope,
    pathPrefix,
    tokenHash: hash,
    tokenKind,
    tokenExpiresAtMs,
    provenEpoch: null,
    ...keyOf(guest),
  };
}

async function byPassword(
  authority: Authority,
  guest: AdmittedByKey,
  request: Step<"scram-first"> & { readonly claim: (user: string) => void },
): Promise<Session> {
  const { throttle, now } = authority;
  let authEpoch = 0;
  const scram = new ScramServer({
    fakeSecret: authority.fakeSecret,
    ...(guest.channelBinding === undefined ? {} : { channelBinding: guest.channelBinding }),
    lookup: async (user) => {
      request.claim(user);
      // Before the verifier: a password that changes between the two makes the login fail.
      authEpoch = await authority.catalog.authEpoch(user) ?? authEpoch;
      return await lookup(authority, guest, user);
    },
  });
  if (request.mechanism !== scram.mechanism) {
    throw new TrivetError("AUTH_FAILED", `This connection needs ${scram.mechanism}`);
  }
  try {
    const challenge = await scram.first(request.message);
    await answer(guest.link, { step: "scram-challenge", message: challenge });
    const next = await receiveStep(guest.link);
    if (next.step !== "scram-final") {
      throw new TrivetError("PROTOCOL_ERROR", `The step "${next.step}" is not expected here`);
    }
    const message = await scram.final(next.message);
    const user = scram.user ?? "";
    throttle.succeeded(guest.source, user, now());
    return await welcome(authority, guest, { user, authEpoch, message, session: request.session });
  } catch (error) {
    const refused = error instanceof TrivetError && error.code === "AUTH_FAILED";
    if (refused && scram.user !== undefined) throttle.failed(guest.source, scram.user, now());
    throw error;
  }
}

/** Finds the verifier, unless this source has to wait before it may try this name. */
async function lookup(
  authority: Authority,
  guest: Guest,
  user: string,
): Promise<Verifier | undefined> {
  requireTurn(authority, guest, user);
  return await authority.catalog.findVerifier(user) ?? undefined;
}

/** What a session remembers of the machine key that admitted it. */
function keyOf({ keyId, keyName }: AdmittedByKey): Pick<Session, "keyId" | "keyName"> {
  return {
    ...(keyId === undefined ? {} : { keyId }),
    ...(keyName === undefined ? {} : { keyName }),
  };
}

async function welcome(
  authority: Authority,
  guest: AdmittedByKey,
  login: {
    user: string;
    authEpoch: number;
    message: string;
    session: { label: string } | undefined;
  },
): Promise<Session> {
  const { user, authEpoch, message, session } = login;
  // Homes may have been removed by hand.
  await authority.depot.createHome(user);
  const known: Session = {
    user,
    scope: "full",
    pathPrefix: [],
    tokenHash: null,
    tokenKind: null,
    tokenExpiresAtMs: null,
    provenEpoch: authEpoch,
    ...keyOf(guest),
  };
  if (session === undefined) {
    await answer(guest.link, { step: "authenticated", user, scope: known.scope, message });
    return { ...known, authEpoch };
  }
  const token = newToken();
  const hash = Uint8Array.fromHex(await hashToken(token));
  const tokenExpiresMs = Date.now() + SESSION_TOKEN_MS;
  const added: NewToken = {
    hash,
    user,
    kind: "session",
    scope: known.scope,
    pathPrefix: [],
    expiresAtMs: tokenExpiresMs,
    label: session.label,
  };
  await authority.catalog.addSession(added, authEpoch);
  const head: AuthResponse = {
    step: "authenticated",
    user,
    scope: known.scope,
    message,
    token,
    tokenExpiresMs,
  };
  await answer(guest.link, head);
  return { ...known, tokenHash: hash, tokenKind: "session", tokenExpiresAtMs: tokenExpiresMs };
}
