/**
 * What one exchange with an NTP server tells of a clock: its offset, the delay of the way, and how far
 * the truth can be from that (RFC 5905 §8), and which of several exchanges tells most.
 *
 * @module
 */

/** How fast the error of a clock that nobody disciplines grows: 15 ppm (RFC 5905 §7.2, PHI). */
export const FREQUENCY_TOLERANCE = 15e-6;

/** Reading the clock of this machine takes less, and it steps by less. */
const READING_NS = 1000;

const SECOND_NS = 1e9;

/** One exchange. All instants are nanoseconds since 1970, each by the clock of its own machine. */
export interface NtpExchange {
  /** The request leaves, by this clock (T1). */
  readonly originateNs: bigint;
  /** The request arrives, by the server's clock (T2). */
  readonly receiveNs: bigint;
  /** The reply leaves, by the server's clock (T3). */
  readonly transmitNs: bigint;
  /** The reply arrives, by this clock (T4). */
  readonly destinationNs: bigint;
  /** Resolution of the server's clock, as the power of two of a second. */
  readonly precision: number;
  /** Delay of the server's own way to its source of time, in nanoseconds. */
  readonly rootDelayNs: number;
  /** What the server's clock may have gained or lost against that source, in nanoseconds. */
  readonly rootDispersionNs: number;
}

/** What one exchange tells. All but the instant are nanoseconds. */
export interface NtpSample {
  /** When the reply arrived, by this clock, in nanoseconds since 1970. */
  readonly destinationNs: bigint;
  /** How far the server's clock is ahead of this one; negative when it is behind (theta). */
  readonly offsetNs: number;
  /** Time on the way there and back (delta). */
  readonly delayNs: number;
  /** What reading both clocks, and their drift meanwhile, can add to the offset's error (epsilon). */
  readonly dispersionNs: number;
  /** The server's clock is no further from this one than the offset plus or minus this. */
  readonly errorNs: number;
  /** The same for the true time, if the server tells the truth about its own error. */
  readonly rootErrorNs: number;
}

/**
 * Computes offset, delay and error bounds of an exchange (RFC 5905 §8). However unequal the two ways
 * are, the offset is wrong by half of the delay at most.
 *
 * @param exchange The four stamps, and what the server says of itself.
 * @returns The sample, or `undefined` when the stamps contradict each other: the server held the request
 * for longer than it was away, which no drift explains.
 */
export function ntpSample(exchange: NtpExchange): NtpSample | undefined {
  const { originateNs, receiveNs, transmitNs, destinationNs } = exchange;
  const awayNs = Number(destinationNs - originateNs);
  const heldNs = Number(transmitNs - receiveNs);
  const readingNs = READING_NS + 2 ** exchange.precision * SECOND_NS;
  const dispersionNs = readingNs + FREQUENCY_TOLERANCE * Math.max(awayNs, 0);
  if (awayNs < 0 || heldNs < -dispersionNs || awayNs - heldNs < -dispersionNs) return undefined;
  const delayNs = Math.max(awayNs - heldNs, READING_NS);
  const errorNs = delayNs / 2 + dispersionNs;
  return {
    destinationNs,
    offsetNs: Number(receiveNs - originateNs + transmitNs - destinationNs) / 2,
    delayNs,
    dispersionNs,
    errorNs,
    rootErrorNs: errorNs + exchange.rootDelayNs / 2 + exchange.rootDispersionNs,
  };
}

/**
 * The same sample at a later instant: the clocks may have drifted apart meanwhile.
 *
 * @param sample The sample.
 * @param nowNs The instant, by this clock, in nanoseconds since 1970.
 */
export function ageSample<T extends NtpSample>(sample: T, nowNs: bigint): T {
  const grownNs = FREQUENCY_TOLERANCE * Math.max(Number(nowNs - sample.destinationNs), 0);
  return {
    ...sample,
    dispersionNs: sample.dispersionNs + grownNs,
    errorNs: sample.errorNs + grownNs,
    rootErrorNs: sample.rootErrorNs + grownNs,
  };
}

/**
 * The sample of the shortest delay, which leaves the least room for an error (RFC 5905 §10), as it
 * counts when the last one has arrived.
 *
 * @param samples Samples of one server, in the order of their arrival.
 * @returns It, or `undefined` where there are none.
 */
export function bestSample<T extends NtpSample>(samples: readonly T[]): T | undefined {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const best = samples.reduce((best, sample) => sample.delayNs < best.delayNs ? sample : best);
  return ageSample(best, last.destinationNs);
}
