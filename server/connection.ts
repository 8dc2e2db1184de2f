/**
 * One connection from accept to close: hello, login, calls.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { TrivetError } from "../lib/errors.ts";
import { encodeControl } from "../lib/frame/encode.ts";
import {
  FRAME_PAYLOAD_GUEST_MAX_BYTES,
  FRAME_PAYLOAD_MAX_BYTES,
  FrameType,
} from "../lib/frame/frame.ts";
import { MACHINE_KEY_MECHANISM } from "../lib/auth/machine_key.ts";
import { type AcceptedConn, Link } from "../lib/link/link.ts";
import { TICKET_METHOD } from "../lib/chat/ticket.ts";
import { awaitHello, sayWelcome } from "../lib/rpc/handshake.ts";
import { DIRECT_METHOD, type DirectOffer, type Hello, toWireError } from "../lib/rpc/messages.ts";
import { type CallHandler, serveCalls } from "../lib/rpc/server.ts";
import { CHAT_SERVICE, EXEC_SERVICE } from "../lib/rpc/services.ts";
import { SERVER_NAME } from "../lib/version.ts";
import { type Admission, type AdmittedGuest, UNIX_SOURCE } from "./admission.ts";
import { type Audit, auditCalls } from "./audit.ts";
import { authenticate, type KeyedAuthority } from "./authenticate.ts";
import type { ChatHub } from "./chat/context.ts";
import type { ChatDatagrams, DatagramMember } from "./chat/datagrams.ts";
import { CHAT_KEEPALIVE, openChatSession } from "./chat/service.ts";
import type { DirectDoors } from "./direct_doors.ts";
import type { ExecService } from "./exec/service.ts";
import type { LoginWatch } from "./login_watch.ts";
import type { NetdiskStores, Session } from "./netdisk/context.ts";
import { logout } from "./netdisk/files.ts";
import { type NetdiskSession, openNetdiskSession } from "./netdisk/service.ts";

/** From accept to logged in, in milliseconds. */
export const LOGIN_TIMEOUT_MS = 10_000;

/** How long somebody for whom there is no place has to say hello and be told why. */
const REFUSAL_MS = 1000;

/** What every connection shares. */
export interface ConnectionContext {
  readonly authority: KeyedAuthority;
  readonly admission: Admission;
  readonly stores: NetdiskStores;
  /** Names of the services that are offered. */
  readonly services: ReadonlySet<string>;
  /** Remote commands, where they are offered. */
  readonly exec: ExecService | undefined;
  /** The chat, where it is served. */
  readonly chat: ChatHub | undefined;
  /** The chat over UDP, where it is served. */
  readonly datagrams: ChatDatagrams | undefined;
  /** Ends connections whose login has ended. */
  readonly logins: LoginWatch;
  readonly serverId: string;
  /** SHA-256 of the certificate, on a TLS listener. */
  readonly channelBinding: Uint8Array<ArrayBuffer> | undefined;
  /** Ways around the gate, on a TLS listener. */
  readonly doors: DirectDoors | undefined;
  /** Where changes are written down. */
  readonly audit: Audit | undefined;
  /** From accept to logged in, in milliseconds. */
  readonly loginTimeoutMs: number;
  /** Requests at once on one connection. */
  readonly requestsInFlightMax: number;
  /** Aborted when the server shuts down. */
  readonly shutdown: AbortSignal;
}

const log = getLogger(["trivet", "connection"]);

/**
 * Serves a connection until it is closed. Never rejects.
 *
 * @param conn What the listener accepted.
 * @param context What all connections share.
 */
export async function serveConnection(
  conn: AcceptedConn,
  context: ConnectionContext,
): Promise<void> {
  const source = sourceOf(conn.remoteAddr);
  using link = new Link(conn);
  const guest: AdmittedGuest = {
    source,
    evict: (reason) => void evict(link, reason, context.admission),
  };
  try {
    context.admission.enter(guest);
  } catch (error) {
    await turnAway(link, error, { source, admission: context.admission });
    return;
  }
  // One deadline from accept to login: a slow drip of bytes does not move it.
  const deadline = setTimeout(() => {
    link.close(new TrivetError("TIMEOUT", "The login took too long"));
  }, context.loginTimeoutMs);
  const onShutdown = () => link.close(new TrivetError("SHUTTING_DOWN", "The server shuts down"));
  context.shutdown.addEventListener("abort", onShutdown);
  let session: Session;
  let service: string;
  try {
    if (context.shutdown.aborted) return;
    const greeted = await admit(link, context);
    ({ service } = greeted);
    session = await authenticate(context.authority, {
      link,
      source,
      channelBinding: context.channelBinding,
      ...greeted,
    });
    if (!context.admission.promote(guest)) return;
  } catch (error) {
    await refuse(link, source, error);
    return;
  } finally {
    clearTimeout(deadline);
    context.shutdown.removeEventListener("abort", onShutdown);
    context.admission.leave(guest);
  }
  try {
    await serveMember(link, session, { ...context, conn, source, service });
  } finally {
    context.admission.leaveMember(guest);
  }
}

/**
 * Serves a datagram connection, which begins where others are logged in. Never rejects.
 *
 * @param conn The connection.
 * @param member Whose ticket it was.
 * @param context What all connections share.
 */
export async function serveDatagrams(
  conn: AcceptedConn,
  { session, source }: DatagramMember,
  context: ConnectionContext,
): Promise<void> {
  using link = new Link(conn);
  try {
    // A login of its own: what one connection of a login is spared, its others are not.
    await serveMember(link, { ...session }, { ...context, conn, source, service: CHAT_SERVICE });
  } catch (error) {
    log.error("A connection of {user} failed: {error}", {
      user: session.user,
      error: describe(error),
    });
  }
}

/** Reads the hello and says what the limits are; what both sides now know of the link. */
async function admit(
  link: Link,
  context: ConnectionContext,
): Promise<{ readonly service: string; readonly mechanisms: readonly string[] }> {
  const hello: Hello = await awaitHello(link);
  if (!context.services.has(hello.service)) {
    throw new TrivetError("UNKNOWN_SERVICE", "This server does not offer the service");
  }
  const { service } = hello;
  const mechanisms = [
    context.channelBinding === undefined ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS",
    "token",
    MACHINE_KEY_MECHANISM,
  ];
  await sayWelcome(link, {
    server: SERVER_NAME,
    serverId: context.serverId,
    guestPayloadMaxBytes: FRAME_PAYLOAD_GUEST_MAX_BYTES,
    payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES,
    requestsInFlightMax: context.requestsInFlightMax,
    mechanisms,
    registration: context.authority.registration,
    ...(context.authority.keys.isRequired ? { keyRequired: true } : {}),
  });
  return { service, mechanisms };
}

/** A connection that is logged in. */
interface MemberContext extends ConnectionContext {
  readonly conn: AcceptedConn;
  readonly source: string;
  /** The service that its hello named. */
  readonly service: string;
}

/** Serves the calls of somebody who is logged in. */
async function serveMember(
  link: Link,
  session: Session,
  context: MemberContext,
): Promise<void> {
  link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
  using _watched = context.logins.add({
    login: session,
    end: (reason) => {
      link.closeAfter(encodeControl(FrameType.ERROR, 0, reason.toMessage()), reason);
    },
  });
  await using service = openService(session, { ...context, link });
  const { conn, datagrams, doors, audit, source } = context;
  const { user } = session;
  const handle: CallHandler = async (call) => {
    // A login is of the connection, whatever its service.
    if (context.service === CHAT_SERVICE && call.method === "logout") {
      return { head: await logout({ ...context.stores, session, logins: context.logins }) };
    }
    if (context.service === CHAT_SERVICE && call.method === TICKET_METHOD && datagrams) {
      return { head: datagrams.issue(conn, { session, source }) };
    }
    if (call.method !== DIRECT_METHOD || doors === undefined) return await service.handle(call);
    return { head: { port: doors.open(conn) } satisfies DirectOffer };
  };
  // Remote commands write their own lines, with what was run.
  const noted = audit === undefined || context.service === EXEC_SERVICE
    ? handle
    : auditCalls(handle, audit, { user, source });
  await serveCalls(link, noted, {
    shutdown: context.shutdown,
    requestsInFlightMax: context.requestsInFlightMax,
    ...(context.service === CHAT_SERVICE ? { keepalive: CHAT_KEEPALIVE } : {}),
    onDefect: (error, method) => {
      log.error("Request {method} of {user} failed: {error}", {
        method,
        user,
        error: describe(error),
      });
    },
  });
}

/** The service that the hello named, for one connection. */
function openService(
  session: Session,
  { service, exec, chat, stores, logins, source, link }: MemberContext & { readonly link: Link },
): NetdiskSession {
  if (service === CHAT_SERVICE && chat !== undefined) {
    return openChatSession(chat, { session, link });
  }
  if (service !== EXEC_SERVICE || exec === undefined) {
    return openNetdiskSession({ ...stores, session, logins });
  }
  const handle = exec.handlerFor({ session, source });
  return { handle, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Takes a guest's place away; a crowd of them is not told why, for that may take a while. */
async function evict(link: Link, reason: TrivetError, admission: Admission): Promise<void> {
  if (!admission.beginRefusal()) return link.close(reason);
  await link.closeAfter(encodeError(reason), reason);
  admission.endRefusal();
}

/** Says why there is no place: after the hello, or closing would throw away what was said. */
async function turnAway(
  link: Link,
  reason: unknown,
  { source, admission }: { readonly source: string; readonly admission: Admission },
): Promise<void> {
  if (!admission.beginRefusal()) return;
  const deadline = setTimeout(() => link.close(), REFUSAL_MS);
  try {
    await awaitHello(link);
    await refuse(link, source, reason);
  } catch {
    // It is gone, or no client.
  } finally {
    clearTimeout(deadline);
    admission.endRefusal();
  }
}

function encodeError(error: TrivetError): Uint8Array {
  return encodeControl(FrameType.ERROR, 0, error.toMessage());
}

async function refuse(link: Link, source: string, thrown: unknown): Promise<void> {
  const error = toWireError(thrown);
  if (error.code === "INTERNAL") {
    log.error("Login from {source} failed: {error}", { source, error: describe(thrown) });
  } else {
    log.debug("Connection from {source} refused: {code} {reason}", {
      source,
      code: error.code,
      reason: error.message,
    });
  }
  if (!link.isClosed) {
    await link.closeAfter(encodeError(error), error);
  }
}

/** An error for the log, with what led to it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `; because ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function sourceOf(address: Deno.Addr): string {
  return "hostname" in address ? address.hostname : UNIX_SOURCE;
}
