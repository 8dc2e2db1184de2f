/**
 * Takes over what the NTP daemon of the same machine knows of its clock: asks it now and then, and
 * turns its replies into the reference of the SNTP service. The clock is the same, so is the stratum.
 *
 * @module
 */

import {
  decodeNtpPacket,
  encodeNtpPacket,
  NTP_VERSION,
  NtpLeap,
  NtpMode,
  type NtpPacket,
} from "./ntp_packet.ts";
import type { NtpReference } from "./ntp_reference.ts";
import { unixNsFromNtp } from "./ntp_timestamp.ts";

/** Time between two questions: the first, and as long as there is no good reply. */
export const MIRROR_POLL_MIN_S = 16;

/** Time between two questions once all goes well. */
export const MIRROR_POLL_MAX_S = 64;

/** What was taken over holds for this long without another good reply: three questions. */
export const MIRROR_KEEP_MS: number = 3 * MIRROR_POLL_MAX_S * 1000;

/** A daemon whose time is further from this machine's does not keep this machine's clock. */
export const MIRROR_OFFSET_MAX_MS = 100;

const STRATUM_MAX = 15;
const NS_PER_MS = 1_000_000n;

/** When a reply came, and with which time. */
export interface MirrorMoment {
  /** By the wall clock, in nanoseconds since 1970. */
  readonly epochNs: bigint;
  /** By the monotonic clock that the responder has, in milliseconds. */
  readonly monotonicMs: number;
}

/** What a reply says: a reference to take over, or why not. */
export type MirrorReading =
  | { readonly kind: "reference"; readonly reference: NtpReference }
  | { readonly kind: "refused"; readonly reason: string }
  /** It is no reply to our question; another one may come. */
  | { readonly kind: "ignored" };

/** See the module. Has no socket and no timer: who has them asks it what to do. */
export class NtpMirror {
  #nonce: bigint | undefined;
  #pollS = MIRROR_POLL_MIN_S;
  #keptUntilMs = -Infinity;

  /** How long to wait before the next question, in seconds. */
  get pollS(): number {
    return this.#pollS;
  }

  /**
   * Makes the next question. Its transmit timestamp is random: nobody who does not see the question
   * can answer it.
   *
   * @param nonce 64 random bits (default: made here).
   */
  ask(nonce: bigint = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n): Uint8Array<
    ArrayBuffer
  > {
    this.#nonce = nonce;
    return encodeNtpPacket({
      leap: NtpLeap.NONE,
      version: NTP_VERSION,
      mode: NtpMode.CLIENT,
      stratum: 0,
      poll: Math.log2(this.#pollS),
      precision: 0,
      rootDelayNs: 0,
      rootDispersionNs: 0,
      referenceId: new Uint8Array(4),
      referenceTimestamp: 0n,
      originateTimestamp: 0n,
      receiveTimestamp: 0n,
      transmitTimestamp: nonce,
    });
  }

  /**
   * Reads a reply (RFC 4330 §5).
   *
   * @param bytes The datagram.
   * @param moment When it came.
   */
  read(bytes: Uint8Array, moment: MirrorMoment): MirrorReading {
    const packet = decodeNtpPacket(bytes);
    const isReply = packet !== undefined && packet.mode === NtpMode.SERVER &&
      packet.originateTimestamp === this.#nonce;
    if (!isReply) return { kind: "ignored" };
    this.#nonce = undefined;
    const reason = refusal(packet, moment);
    if (reason !== undefined) {
      this.#pollS = MIRROR_POLL_MIN_S;
      return { kind: "refused", reason };
    }
    this.#pollS = Math.min(this.#pollS * 2, MIRROR_POLL_MAX_S);
    this.#keptUntilMs = moment.monotonicMs + MIRROR_KEEP_MS;
    const { leap, stratum, referenceId, rootDelayNs, rootDispersionNs, referenceTimestamp } =
      packet;
    const known = { leap, stratum, referenceId, rootDelayNs, rootDispersionNs, referenceTimestamp };
    return { kind: "reference", reference: { ...known, asOfMs: moment.monotonicMs } };
  }

  /**
   * Says that no reply came in time.
   *
   * @param nowMs The time, as in {@linkcode MirrorMoment}.
   * @returns Whether what was taken over last still holds.
   */
  missed(nowMs: number): boolean {
    this.#pollS = MIRROR_POLL_MIN_S;
    return nowMs < this.#keptUntilMs;
  }
}

function refusal(packet: NtpPacket, { epochNs }: MirrorMoment): string | undefined {
  if (packet.stratum === 0) return "it refuses to answer (kiss-o'-death)";
  if (packet.leap === NtpLeap.UNKNOWN || packet.stratum > STRATUM_MAX) {
    return "its clock is not synchronised";
  }
  if (packet.transmitTimestamp === 0n) return "its reply has no time";
  const offsetNs = unixNsFromNtp(packet.transmitTimestamp, epochNs) - epochNs;
  const offsetMs = Number(offsetNs / NS_PER_MS);
  return Math.abs(offsetMs) > MIRROR_OFFSET_MAX_MS
    ? `its time is ${offsetMs} ms from this machine's, so it does not keep this clock`
    : undefined;
}
