/**
 * The options of `trivetd serve` that are limits; a part of the table in `config.ts`.
 *
 * @module
 */

import { PAIR_POLICY } from "../lib/auth/throttle.ts";
import { REQUESTS_IN_FLIGHT_MAX } from "../lib/rpc/messages.ts";
import type { OptionTable, ValuesOf } from "../lib/term/command.ts";
import { CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, GUESTS_MAX } from "./admission.ts";
import { ACCOUNT_UPLOADS_MAX } from "./netdisk/active_uploads.ts";

/** More than any machine serves. */
const COUNT_MAX = 1_000_000;

/** Fewer would make a client wait for itself. */
const REQUESTS_IN_FLIGHT_MIN = 4;

/** See the module. */
export const LIMIT_SERVE_OPTIONS = {
  connections: {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_CONNECTIONS",
    default: String(CONNECTIONS_MAX),
    min: 1,
    max: COUNT_MAX,
    help: "Connections at once, logged in or not",
  },
  guests: {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_GUESTS",
    default: String(GUESTS_MAX),
    min: 1,
    max: COUNT_MAX,
    help: "Connections at once that are not logged in",
  },
  "connections-per-address": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_CONNECTIONS_PER_ADDRESS",
    default: String(CONNECTIONS_PER_ADDRESS_MAX),
    min: 0,
    max: COUNT_MAX,
    help: "Connections at once from one address or IPv6 network; 0 is no limit",
  },
  "requests-in-flight": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_REQUESTS_IN_FLIGHT",
    default: String(REQUESTS_IN_FLIGHT_MAX),
    min: REQUESTS_IN_FLIGHT_MIN,
    max: COUNT_MAX,
    help: "Requests at once on one connection",
  },
  "uploads-per-account": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_UPLOADS_PER_ACCOUNT",
    default: String(ACCOUNT_UPLOADS_MAX),
    min: 1,
    max: COUNT_MAX,
    help: "Uploads of one account at once, on all its connections",
  },
  "login-attempts": {
    kind: "integer",
    valueName: "N",
    env: "TRIVETD_LOGIN_ATTEMPTS",
    default: String(PAIR_POLICY.free),
    min: 1,
    max: COUNT_MAX,
    help: "Failed logins to one account from one address that cost no wait",
  },
} as const satisfies OptionTable;

/** Limits of the netdisk; each has a default. */
export interface LimitOptions {
  /** Connections at once, logged in or not. */
  readonly connectionsMax?: number;
  /** Connections at once that are not logged in. */
  readonly guestsMax?: number;
  /** Connections at once from one address, or one IPv6 network of 64 bits; 0 is no limit. */
  readonly connectionsPerAddressMax?: number;
  /** Requests at once on one connection. */
  readonly requestsInFlightMax?: number;
  /** Uploads of one account at once, on all its connections. */
  readonly accountUploadsMax?: number;
  /** Failed logins to one account from one address that cost no wait. */
  readonly loginAttemptsFree?: number;
}

/**
 * Turns option values into limits.
 *
 * @param values What the command line, the environment and the config file say.
 */
export function toLimitOptions(
  values: ValuesOf<typeof LIMIT_SERVE_OPTIONS>,
): Required<LimitOptions> {
  return {
    connectionsMax: values.connections,
    guestsMax: values.guests,
    connectionsPerAddressMax: values["connections-per-address"],
    requestsInFlightMax: values["requests-in-flight"],
    accountUploadsMax: values["uploads-per-account"],
    loginAttemptsFree: values["login-attempts"],
  };
}
