/**
 * One question to an NTP server, and the checks that its reply must pass (RFC 5905 §8, RFC 4330 §5).
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
} from "../../lib/clock/ntp_packet.ts";
import { type NtpSample, ntpSample } from "../../lib/clock/ntp_sample.ts";
import { unixNsFromNtp } from "../../lib/clock/ntp_timestamp.ts";
import { TrivetError } from "../../lib/errors.ts";
import type { Question, Reading, UdpReply } from "./udp_try.ts";

const STRATUM_MAX = 15;

/** What a client that tells nothing of itself puts there (draft-ietf-ntp-data-minimization). */
const PRECISION_UNTOLD = 0x20;

/** A leap second that the server has announced for the end of the month. */
export type LeapSecond = "none" | "insert" | "delete";

/** What one good reply tells: of the clocks, and of the server. */
export interface NtpReading extends NtpSample {
  /** Steps to a reference clock: 1 has one itself. */
  readonly stratum: number;
  /** Where the server's time comes from: a name such as `GPS`, or the number of another server. */
  readonly referenceId: string;
  /** A leap second to come. */
  readonly leap: LeapSecond;
}

const LEAP_SECONDS: Readonly<Record<number, LeapSecond>> = {
  [NtpLeap.NONE]: "none",
  [NtpLeap.INSERT]: "insert",
  [NtpLeap.DELETE]: "delete",
};

/**
 * Makes a question. Its transmit timestamp is random: the server copies it into its reply, which nobody
 * off the path can do, and it tells nothing of this clock.
 *
 * @param server The server's name, for messages.
 */
export function ntpQuestion(server: string): Question<NtpReading> {
  const [nonce = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return {
    request: encodeNtpPacket({
      leap: NtpLeap.NONE,
      version: NTP_VERSION,
      mode: NtpMode.CLIENT,
      stratum: 0,
      poll: 0,
      precision: PRECISION_UNTOLD,
      rootDelayNs: 0,
      rootDispersionNs: 0,
      referenceId: new Uint8Array(4),
      referenceTimestamp: 0n,
      originateTimestamp: 0n,
      receiveTimestamp: 0n,
      transmitTimestamp: nonce,
    }),
    read: (reply) => readReply(reply, nonce, server),
  };
}

function readReply(reply: UdpReply, nonce: bigint, server: string): Reading<NtpReading> {
  const packet = decodeNtpPacket(reply.bytes);
  if (packet === undefined) return { ignored: `its ${reply.bytes.length} bytes are no NTP packet` };
  if (packet.originateTimestamp !== nonce) {
    return { ignored: "it answers no request of this client" };
  }
  if (packet.mode !== NtpMode.SERVER) return { ignored: `its mode is ${packet.mode}, not 4` };
  checkState(packet, server);
  if (packet.transmitTimestamp === 0n) return { ignored: "it does not say when it left" };
  const { sentNs, receivedNs } = reply;
  const sample = ntpSample({
    originateNs: sentNs,
    receiveNs: unixNsFromNtp(packet.receiveTimestamp, sentNs),
    transmitNs: unixNsFromNtp(packet.transmitTimestamp, sentNs),
    destinationNs: receivedNs,
    precision: packet.precision,
    rootDelayNs: packet.rootDelayNs,
    rootDispersionNs: packet.rootDispersionNs,
  });
  if (sample === undefined) return { ignored: "its timestamps contradict each other" };
  return {
    value: {
      ...sample,
      stratum: packet.stratum,
      referenceId: formatReferenceId(packet),
      leap: LEAP_SECONDS[packet.leap] ?? "none",
    },
  };
}

/** Refuses what the server itself says is no time (RFC 5905 §7.4). */
function checkState(packet: NtpPacket, server: string): void {
  const { leap, stratum } = packet;
  const kiss = stratum === 0 ? textOf(packet.referenceId) : "";
  if (kiss === "DENY" || kiss === "RSTR") {
    throw new TrivetError(
      "PERMISSION_DENIED",
      `The NTP server "${server}" refuses this client (kiss code ${kiss})`,
      { details: { address: server, kiss_code: kiss } },
    );
  }
  if (kiss !== "") {
    const reason = kiss === "RATE" ? "was asked too often" : "has no time to give";
    throw new TrivetError(
      "SERVER_BUSY",
      `The NTP server "${server}" ${reason} (kiss code ${kiss})`,
      { details: { address: server, kiss_code: kiss } },
    );
  }
  if (stratum >= 1 && stratum <= STRATUM_MAX && leap !== NtpLeap.UNKNOWN) return;
  throw new TrivetError(
    "SERVER_BUSY",
    `The clock of the NTP server "${server}" is not synchronised ` +
      `(stratum ${stratum}, leap indicator ${leap})`,
    { details: { address: server, stratum, leap_indicator: leap } },
  );
}

/**
 * The reference identifier for people: a name where it is one, else the four bytes as an IPv4 address
 * (RFC 5905 §7.3).
 */
function formatReferenceId({ stratum, referenceId }: NtpPacket): string {
  const text = textOf(referenceId);
  // A clock that refers to itself says so at any stratum.
  if (text !== "" && (stratum === 1 || text === "LOCL")) return text;
  return referenceId.join(".");
}

/** Printable ASCII, filled up with zero bytes; empty for anything else. */
function textOf(bytes: Uint8Array): string {
  return /^([!-~]*)\0*$/.exec(String.fromCharCode(...bytes))?.[1] ?? "";
}
