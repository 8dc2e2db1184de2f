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
import { type AcceptedConn, Link } from "../lib/link/link.ts";
import { NETDISK_SERVICE } from "../lib/netdisk/messages.ts";
import { awaitHello, sayWelcome } from "../lib/rpc/handshake.ts";
import { DIRECT_METHOD, type DirectOffer, type Hello, toWireError } from "../lib/rpc/messages.ts";
import { type CallHandler, serveCalls } from "../lib/rpc/server.ts";
import { SERVER_NAME } from "../lib/version.ts";
import { type Admission, type AdmittedGuest, UNIX_SOURCE } from "./admission.ts";
import { type Audit, auditCalls } from "./audit.ts";
import { authenticate, type Authority } from "./authenticate.ts";
import type { DirectDoors } from "./direct_doors.ts";
import type { LoginWatch } from "./login_watch.ts";
import type { NetdiskStores, Session } from "./netdisk/context.ts";
import { openNetdiskSession } from "./netdisk/service.ts";

/** From accept to logged in, in milliseconds. */
export const LOGIN_TIMEOUT_MS = 10_000;

/** How long somebody for whom there is no place has to say hello and be told why. */
const REFUSAL_MS = 1000;

/** What every connection shares. */
export interface ConnectionContext {
  readonly authority: Authority;
  readonly admission: Admission;
  readonly stores: NetdiskStores;
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
  try {
    if (context.shutdown.aborted) return;
    await admit(link, context);
    session = await authenticate(context.authority, {
      link,
      source,
      channelBinding: context.channelBinding,
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
    await serveMember(link, session, { ...context, conn, source });
  } finally {
    context.admission.leaveMember(guest);
  }
}

/** Reads the hello and says what the limits are. */
async function admit(link: Link, context: ConnectionContext): Promise<void> {
  const hello: Hello = await awaitHello(link);
  if (hello.service !== NETDISK_SERVICE) {
    throw new TrivetError("UNKNOWN_SERVICE", "This server does not offer the service");
  }
  await sayWelcome(link, {
    server: SERVER_NAME,
    serverId: context.serverId,
    guestPayloadMaxBytes: FRAME_PAYLOAD_GUEST_MAX_BYTES,
    payloadMaxBytes: FRAME_PAYLOAD_MAX_BYTES,
    requestsInFlightMax: context.requestsInFlightMax,
    mechanisms: [
      context.channelBinding === undefined ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS",
      "token",
    ],
    registration: context.authority.registration,
  });
}

/** Serves the calls of somebody who is logged in. */
async function serveMember(
  link: Link,
  session: Session,
  context: ConnectionContext & { readonly conn: AcceptedConn; readonly source: string },
): Promise<void> {
  link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
  using _watched = context.logins.add({
    login: session,
    end: (reason) => {
      link.closeAfter(encodeControl(FrameType.ERROR, 0, reason.toMessage()), reason);
    },
  });
  await using netdisk = openNetdiskSession({ ...context.stores, session, logins: context.logins });
  const { conn, doors, audit, source } = context;
  const { user } = session;
  const handle: CallHandler = async (call) => {
    if (call.method !== DIRECT_METHOD || doors === undefined) return await netdisk.handle(call);
    return { head: { port: doors.open(conn) } satisfies DirectOffer };
  };
  const noted = audit === undefined ? handle : auditCalls(handle, audit, { user, source });
  await serveCalls(link, noted, {
    shutdown: context.shutdown,
    requestsInFlightMax: context.requestsInFlightMax,
    onDefect: (error, method) => {
      log.error("Request {method} of {user} failed: {error}", {
        method,
        user,
        error: describe(error),
      });
    },
  });
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
