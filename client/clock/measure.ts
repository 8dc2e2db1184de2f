/**
 * Measures a clock: asks an NTP server several times and takes the exchange that tells most.
 *
 * @module
 */

import { bestSample } from "../../lib/clock/ntp_sample.ts";
import { EXIT, TrivetError } from "../../lib/errors.ts";
import { sleep } from "../retry.ts";
import { SYNC_INTERVAL_MS, SYNC_SAMPLES, SYNC_SAMPLES_MAX } from "./limits.ts";
import { type LeapSecond, ntpQuestion, type NtpReading } from "./ntp_question.ts";
import type { AskOptions, UdpPeer } from "./udp_peer.ts";

const NS_PER_MS = 1e6;

/** Options of {@linkcode ClockClient.sync}. */
export interface SyncOptions {
  /** How often the server is asked, 1 to 1000 (default: 8). */
  readonly samples?: number;
  /** Time between two exchanges, in milliseconds (default: 250; public servers want 2000). */
  readonly intervalMs?: number;
}

/** How far this machine's clock is from a server's. Times are in milliseconds. */
export interface ClockSync {
  /** The server, as `host:port`. */
  readonly server: string;
  /** How far its clock is ahead of this one; negative when it is behind. */
  readonly offsetMs: number;
  /** Time on the way there and back. */
  readonly delayMs: number;
  /** The offset is wrong by no more than this, however unequal the two ways were. */
  readonly errorMs: number;
  /** The same against the true time, if the server tells the truth about its own error. */
  readonly trueErrorMs: number;
  /** Steps from the server to a reference clock. */
  readonly stratum: number;
  /** Where the server's time comes from: a name such as `GPS`, or the number of another server. */
  readonly referenceId: string;
  /** A leap second to come at the end of the month. */
  readonly leap: LeapSecond;
  /** Exchanges that went well. */
  readonly samples: number;
  /** Why there are fewer of them than asked for. */
  readonly stopped?: TrivetError;
}

/**
 * Measures.
 *
 * @param server The server.
 * @param options How often, and the deadline of each exchange.
 * @returns What the exchange with the shortest delay says.
 * @throws {TrivetError} What the first exchange throws; a later one that gets no time from the server
 * ends the measurement with those before it.
 */
export async function measureClock(
  server: UdpPeer,
  options: SyncOptions & AskOptions,
): Promise<ClockSync> {
  const { samples = SYNC_SAMPLES, intervalMs = SYNC_INTERVAL_MS } = options;
  if (!Number.isInteger(samples) || samples < 1 || samples > SYNC_SAMPLES_MAX) {
    throw new RangeError(`Cannot take ${samples} samples: 1 to ${SYNC_SAMPLES_MAX} are possible`);
  }
  const readings: NtpReading[] = [];
  let stopped: TrivetError | undefined;
  while (readings.length < samples && stopped === undefined) {
    if (readings.length > 0) await sleep(intervalMs, options.signal);
    try {
      readings.push(await server.ask(() => ntpQuestion(server.name), options));
    } catch (error) {
      if (readings.length === 0 || !isUnavailable(error)) throw error;
      stopped = error;
    }
  }
  const best = bestSample(readings);
  if (best === undefined) throw new TypeError("A measurement without samples");
  const { stratum, referenceId, leap } = best;
  return {
    server: server.name,
    offsetMs: Math.round(best.offsetNs) / NS_PER_MS,
    delayMs: Math.round(best.delayNs) / NS_PER_MS,
    // A bound that is rounded down is none.
    errorMs: Math.ceil(best.errorNs) / NS_PER_MS,
    trueErrorMs: Math.ceil(best.rootErrorNs) / NS_PER_MS,
    stratum,
    referenceId,
    leap,
    samples: readings.length,
    ...(stopped === undefined ? {} : { stopped }),
  };
}

/** Whether the server could be asked again later, so that what it said before still holds. */
export function isUnavailable(error: unknown): error is TrivetError {
  return error instanceof TrivetError && error.exitCode === EXIT.UNAVAILABLE;
}
