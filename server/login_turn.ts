/**
 * Refuses whoever has to wait after failed logins.
 *
 * @module
 */

import { TrivetError } from "../lib/errors.ts";
import type { Authority, Guest } from "./authenticate.ts";

/**
 * Takes a turn to try a password or an invite; it counts as a failure until the throttle is told better.
 *
 * @param authority Whose throttle.
 * @param guest Who tries.
 * @param account What the attempt is counted under.
 * @throws {TrivetError} `AUTH_THROTTLED` with the seconds to wait.
 */
export function requireTurn(authority: Authority, guest: Guest, account: string): void {
  const waitMs = authority.throttle.check(guest.source, account, authority.now());
  if (waitMs === 0) return;
  const waitSeconds = Math.ceil(waitMs / 1000);
  throw new TrivetError(
    "AUTH_THROTTLED",
    `Too many failed logins; wait ${waitSeconds} s`,
    { details: { wait_seconds: waitSeconds } },
  );
}
