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
import {
  DIRECT_METHOD,
  type DirectOffer,
  type Hello,
  REQUESTS_IN_FLIGHT_MAX,
  toWireError,
} from "../lib/rpc/messages.ts";
import { type CallHandler, serveCalls } from "../lib/rpc/server.ts";
import { SERVER_NAME } from "../lib/version.ts";
import type { Admission, AdmittedGuest } from "./admission.ts";
import { authenticate, type Authority, isStillGood } from "./authenticate.ts";
import type { DirectDoors } from "./direct_doors.ts";
import type { LiveSessions } from "./live_sessions.ts";
import type { NetdiskStores, Session } from "./netdisk/context.ts";
import { openNetdiskSession } from "./netdisk/service.ts";

/** From accept to logged in, in milliseconds. */
export const LOGIN_TIMEOUT_MS = 10_000;

/** What every connection shares. */
export interface ConnectionContext {
  readonly authority: Authority;
  readonly admission: Admission;
  readonly stores: NetdiskStores;
  /** The connections that are logged in. */
  readonly live: LiveSessions;
  readonly serverId: string;
  /** SHA-256 of the certificate, on a TLS listener. */
  readonly channelBinding: Uint8Array<ArrayBuffer> | undefined;
  /** Ways around the gate, on a TLS listener. */
  readonly doors: DirectDoors | undefined;
  /** From accept to logged in, in milliseconds. */
  readonly loginTimeoutMs: number;
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
    evict: () => link.close(new TrivetError("SERVER_BUSY", "The server has too many guests")),
  };
  if (!context.admission.enter(guest)) return;
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
    await serveMember(link, session, { ...context, conn });
  } finally {
    context.admission.leaveMember();
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
    requestsInFlightMax: REQUESTS_IN_FLIGHT_MAX,
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
  context: ConnectionContext & { readonly conn: AcceptedConn },
): Promise<void> {
  link.setPayloadMaxBytes(FRAME_PAYLOAD_MAX_BYTES);
  const end = async (reason: TrivetError) =>
    await link.closeAfter(encodeControl(FrameType.ERROR, 0, reason.toMessage()), reason);
  using _live = context.live.add(session, (reason) => void end(reason));
  // Asked behind `add()`: what ends a login later finds it there, what ended it before is seen now.
  if (!await isStillGood(context.stores.catalog, session)) {
    return await end(new TrivetError("TOKEN_INVALID", "The session has ended or was revoked"));
  }
  await using netdisk = openNetdiskSession({ ...context.stores, session, live: context.live });
  const { conn, doors } = context;
  const handle: CallHandler = async (call) => {
    if (call.method !== DIRECT_METHOD || doors === undefined) return await netdisk.handle(call);
    return { head: { port: doors.open(conn) } satisfies DirectOffer };
  };
  await serveCalls(link, handle, {
    shutdown: context.shutdown,
    onDefect: (error, method) => {
      log.error("Request {method} of {user} failed: {error}", {
        method,
        user: session.user,
        error: describe(error),
      });
    },
  });
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
    await link.closeAfter(encodeControl(FrameType.ERROR, 0, error.toMessage()), error);
  }
}

/** An error for the log, with what led to it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `; because ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function sourceOf(address: Deno.Addr): string {
  return "hostname" in address ? address.hostname : "unix";
}
