/**
 * The control heads that every service shares: hello, welcome, request, error, bye.
 *
 * @module
 */

import * as v from "valibot";
import { type ErrorMessage, TrivetError } from "../errors.ts";
import { decodeControl } from "../frame/decode.ts";
import { type Frame, FrameError } from "../frame/frame.ts";

/** Version of the protocol; a peer of another one is refused. */
export const PROTOCOL_VERSION = 1;

/** Requests that may be in flight on one connection. */
export const REQUESTS_IN_FLIGHT_MAX = 64;

/** Longest PING payload, which PONG repeats. */
export const PING_PAYLOAD_MAX_BYTES = 64;

const Text = v.pipe(v.string(), v.maxLength(256));

/** The client's first frame. */
export const Hello = v.object({
  version: v.pipe(v.number(), v.integer()),
  /** Name of the service, such as `netdisk`. */
  service: Text,
  /** Program and version, for the server's log. */
  client: v.optional(Text),
});
/** See {@linkcode Hello}. */
export type Hello = v.InferOutput<typeof Hello>;

/** The server's first frame. */
export const Welcome = v.object({
  version: v.pipe(v.number(), v.integer()),
  /** Program and version. */
  server: Text,
  serverId: Text,
  /** Largest payload before and after authentication, in bytes. */
  guestPayloadMaxBytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  payloadMaxBytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  requestsInFlightMax: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Mechanisms for AUTH, such as `SCRAM-SHA-256-PLUS` and `token`. */
  mechanisms: v.array(Text),
  /** Whether a person may make an account. */
  registration: v.picklist(["open", "closed"]),
  /** Whether nothing but the exchange of a machine key is taken before it has succeeded. */
  keyRequired: v.optional(v.boolean()),
});
/** See {@linkcode Welcome}. */
export type Welcome = v.InferOutput<typeof Welcome>;

/**
 * The method that asks a TLS server for a direct connection: one that skips the gate in front of the
 * handshake. It belongs to the connection, whatever its service.
 */
export const DIRECT_METHOD = "connection.direct";

/** Answer to {@linkcode DIRECT_METHOD}. */
export const DirectOffer = v.object({
  /** TCP port, of the host that this connection goes to, for one connection within a few seconds. */
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
});
/** See {@linkcode DirectOffer}. */
export type DirectOffer = v.InferOutput<typeof DirectOffer>;

/** Head of REQUEST; the service checks `params`. */
export const Request = v.object({ method: Text, params: v.optional(v.unknown()) });
/** See {@linkcode Request}. */
export type Request = v.InferOutput<typeof Request>;

const ErrorHead = v.object({
  code: Text,
  message: v.string(),
  retry: v.boolean(),
  hint: v.string(),
  details: v.optional(
    v.record(v.string(), v.union([v.string(), v.number(), v.boolean(), v.null()])),
  ),
});

/** Head and body of a control frame, free of the decoder's buffer. */
export interface Message {
  /** The JSON value; the service checks it. */
  readonly head: unknown;
  /** The raw bytes behind it. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Takes a control frame's message out of the decoder's buffer.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR` if the payload is malformed.
 */
export function readMessage(frame: Frame): Message {
  try {
    const { head, body } = decodeControl(frame.payload);
    return { head, body: body.slice() };
  } catch (cause) {
    if (!(cause instanceof FrameError)) throw cause;
    throw new TrivetError("PROTOCOL_ERROR", cause.message, { cause });
  }
}

/**
 * Checks a head against its schema.
 *
 * @throws {TrivetError} `PROTOCOL_ERROR` that names `what`.
 */
export function checkHead<S extends v.GenericSchema>(
  schema: S,
  head: unknown,
  what: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, head);
  if (!result.success) {
    const issues = v.summarize(result.issues).replaceAll("\n", " ");
    throw new TrivetError("PROTOCOL_ERROR", `Cannot read ${what}: ${issues}`);
  }
  return result.output;
}

/** The error that an ERROR frame carries. */
export function readError(frame: Frame): TrivetError {
  const head = checkHead(ErrorHead, readMessage(frame).head, "ERROR");
  return TrivetError.fromMessage(head as ErrorMessage);
}

/** Any failure as one that may cross the wire: what is not ours becomes `INTERNAL`, without its text. */
export function toWireError(error: unknown): TrivetError {
  if (error instanceof TrivetError) return error;
  return new TrivetError("INTERNAL", "The server failed at this request", { cause: error });
}
