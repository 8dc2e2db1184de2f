/**
 * The packet of NTP and SNTP (RFC 5905 §7.3): 48 bytes to fields and back. Extension fields and
 * authenticators after them are not read.
 *
 * @module
 */

import { nsFromNtpShort, ntpShortFromNs } from "./ntp_timestamp.ts";

/** Length of a packet without extension fields and authenticator. */
export const NTP_PACKET_BYTES = 48;

/** The newest version of the protocol (RFC 5905). */
export const NTP_VERSION = 4;

/** What a packet is (RFC 5905 §7.3, figure 10). */
export const NtpMode = {
  SYMMETRIC_ACTIVE: 1,
  SYMMETRIC_PASSIVE: 2,
  CLIENT: 3,
  SERVER: 4,
  BROADCAST: 5,
  CONTROL: 6,
  PRIVATE: 7,
} as const;

/** What the last minute of the day will be (RFC 5905 §7.3, figure 9). */
export const NtpLeap = {
  NONE: 0,
  /** It has 61 seconds. */
  INSERT: 1,
  /** It has 59 seconds. */
  DELETE: 2,
  /** The clock is not synchronised. */
  UNKNOWN: 3,
} as const;

/** Where the fields stand. */
export const NtpField = {
  FLAGS: 0,
  STRATUM: 1,
  POLL: 2,
  PRECISION: 3,
  ROOT_DELAY: 4,
  ROOT_DISPERSION: 8,
  REFERENCE_ID: 12,
  REFERENCE: 16,
  ORIGINATE: 24,
  RECEIVE: 32,
  TRANSMIT: 40,
} as const;

/** A packet. Timestamps are the 64 bits of `ntpFromUnixNs()`; 0 means that there is none. */
export interface NtpPacket {
  /** A value of {@linkcode NtpLeap}. */
  readonly leap: number;
  /** 0 to 7; 4 is the newest that there is. */
  readonly version: number;
  /** A value of {@linkcode NtpMode}, or 0. */
  readonly mode: number;
  /** Distance from a reference clock; 0 makes `referenceId` a kiss code, 16 means not synchronised. */
  readonly stratum: number;
  /** How often the sender asks, as the power of two of a second; −128 to 127. */
  readonly poll: number;
  /** Resolution of the sender's clock, as the power of two of a second; −128 to 127. */
  readonly precision: number;
  /** Delay of the sender's way to its reference clock, there and back, in nanoseconds. */
  readonly rootDelayNs: number;
  /** What the sender's clock may be wrong by, besides the delay, in nanoseconds. */
  readonly rootDispersionNs: number;
  /** Where the sender's time comes from; four bytes, ASCII in stratum 0 and 1. */
  readonly referenceId: Uint8Array;
  /** When the sender's clock was last set. */
  readonly referenceTimestamp: bigint;
  /** The transmit timestamp of the request that this answers. */
  readonly originateTimestamp: bigint;
  /** When that request arrived. */
  readonly receiveTimestamp: bigint;
  /** When this packet left. */
  readonly transmitTimestamp: bigint;
}

/**
 * Reads a packet. Values are taken as they are: whether they make sense is for the caller to say.
 *
 * @param bytes A datagram; what comes after 48 bytes is ignored.
 * @returns The packet, or `undefined` when the datagram is too short to be one.
 */
export function decodeNtpPacket(bytes: Uint8Array): NtpPacket | undefined {
  if (bytes.length < NTP_PACKET_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, NTP_PACKET_BYTES);
  const flags = view.getUint8(NtpField.FLAGS);
  return {
    leap: flags >> 6,
    version: flags >> 3 & 7,
    mode: flags & 7,
    stratum: view.getUint8(NtpField.STRATUM),
    poll: view.getInt8(NtpField.POLL),
    precision: view.getInt8(NtpField.PRECISION),
    rootDelayNs: nsFromNtpShort(view.getUint32(NtpField.ROOT_DELAY)),
    rootDispersionNs: nsFromNtpShort(view.getUint32(NtpField.ROOT_DISPERSION)),
    referenceId: bytes.slice(NtpField.REFERENCE_ID, NtpField.REFERENCE),
    referenceTimestamp: view.getBigUint64(NtpField.REFERENCE),
    originateTimestamp: view.getBigUint64(NtpField.ORIGINATE),
    receiveTimestamp: view.getBigUint64(NtpField.RECEIVE),
    transmitTimestamp: view.getBigUint64(NtpField.TRANSMIT),
  };
}

/**
 * Writes a packet. Numbers are cut to the width of their fields.
 *
 * @param packet The packet; `referenceId` has four bytes.
 * @returns 48 bytes.
 * @throws {RangeError} When `referenceId` has more than four bytes.
 */
export function encodeNtpPacket(packet: NtpPacket): Uint8Array<ArrayBuffer> {
  if (packet.referenceId.length > NtpField.REFERENCE - NtpField.REFERENCE_ID) {
    throw new RangeError(`Cannot write packet: referenceId has ${packet.referenceId.length} bytes`);
  }
  const bytes = new Uint8Array(NTP_PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  const { leap, version, mode } = packet;
  view.setUint8(NtpField.FLAGS, (leap & 3) << 6 | (version & 7) << 3 | (mode & 7));
  view.setUint8(NtpField.STRATUM, packet.stratum);
  view.setInt8(NtpField.POLL, packet.poll);
  view.setInt8(NtpField.PRECISION, packet.precision);
  view.setUint32(NtpField.ROOT_DELAY, ntpShortFromNs(packet.rootDelayNs));
  view.setUint32(NtpField.ROOT_DISPERSION, ntpShortFromNs(packet.rootDispersionNs));
  bytes.set(packet.referenceId, NtpField.REFERENCE_ID);
  view.setBigUint64(NtpField.REFERENCE, packet.referenceTimestamp);
  view.setBigUint64(NtpField.ORIGINATE, packet.originateTimestamp);
  view.setBigUint64(NtpField.RECEIVE, packet.receiveTimestamp);
  view.setBigUint64(NtpField.TRANSMIT, packet.transmitTimestamp);
  return bytes;
}
