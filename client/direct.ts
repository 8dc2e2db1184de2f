/**
 * Direct connections for transfers: a port that the server opens for us alone, where TLS costs it
 * less than half. What cannot be reached there goes the usual way.
 *
 * @module
 */

import type { RpcClient } from "../lib/rpc/client.ts";
import { checkHead, DIRECT_METHOD, DirectOffer } from "../lib/rpc/messages.ts";
import type { Connector } from "./connector.ts";
import { type Credentials, openSession } from "./session.ts";

/** Longest wait for a direct connection, in round trips and in milliseconds: a firewall may swallow it. */
const WAIT_ROUND_TRIPS = 20;
const WAIT_MIN_MS = 250;
const WAIT_MAX_MS = 2_000;

/** Options of {@linkcode openDirect}. */
export interface DirectOptions {
  /** The server. */
  readonly connector: Connector;
  /** Who logs in. */
  readonly credentials: Credentials;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a direct connection and logs in on it.
 *
 * @param control A connection that is logged in.
 * @param options The server and who logs in.
 * @returns The connection; nothing when the server offers none, or it cannot be reached.
 * @throws The signal's reason.
 */
export async function openDirect(
  control: RpcClient,
  { connector, credentials, signal }: DirectOptions,
): Promise<RpcClient | undefined> {
  if (!connector.isTls) return undefined;
  try {
    const startedMs = performance.now();
    const { head } = await control.call(DIRECT_METHOD, {}, { signal });
    const roundTripMs = performance.now() - startedMs;
    const { port } = checkHead(DirectOffer, head, `the answer to "${DIRECT_METHOD}"`);
    const waitMs = Math.min(Math.max(WAIT_ROUND_TRIPS * roundTripMs, WAIT_MIN_MS), WAIT_MAX_MS);
    const timeout = AbortSignal.timeout(waitMs);
    const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    return (await openSession(connector.direct(port), credentials, both)).rpc;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    // Another connection is about to be tried, and says what is wrong if it is not only this way.
    void error;
    return undefined;
  }
}
