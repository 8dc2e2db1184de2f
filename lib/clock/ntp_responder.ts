/**
 * The SNTP service: answers requests of NTP clients of versions 1 to 4 (RFC 5905, RFC 4330 §6).
 *
 * @module
 */

import type { DatagramResponder, DatagramSource } from "./datagram_source.ts";
import { NTP_PACKET_BYTES, NTP_VERSION, NtpField, NtpLeap, NtpMode } from "./ntp_packet.ts";
import { LOCAL_REFRESH_MS, localReference, type NtpReference } from "./ntp_reference.ts";
import { FREQUENCY_TOLERANCE } from "./ntp_sample.ts";
import { NTP_UNIX_OFFSET_S, ntpFromUnixNs, ntpShortFromNs } from "./ntp_timestamp.ts";
import { NTP_PORT, UNPRIVILEGED_PORT_MIN } from "./ports.ts";
import type { RateLimit } from "./rate_limit.ts";
import { measurePrecision, StampClock } from "./stamp_clock.ts";

const NS_PER_MS = 1e6;
const NS_PER_SECOND = 1e9;
const TIMESTAMP_BYTES = 8;

/** Code of the kiss-o'-death packet that asks for fewer requests (RFC 5905 §7.4). */
const KISS_RATE = new TextEncoder().encode("RATE");

/** Options of {@linkcode NtpResponder}. */
export interface NtpResponderOptions {
  /** Counts what each source gets. */
  readonly limit: RateLimit;
  /** Port of the service. */
  readonly ownPort: number;
  /** Address that the service listens on, to know its own datagrams on port 123. */
  readonly ownHost?: string;
  /** Tells some of those beyond the limit to ask less (default: no). */
  readonly kissOfDeath?: boolean;
  /** The time (default: this machine's clock). */
  readonly clock?: StampClock;
  /** Its precision, as the power of two of a second (default: measured). */
  readonly precision?: number;
}

/**
 * Answers mode 3 with mode 4 and mode 1 with mode 2. No answer is ever answered, nor is anything
 * malformed, an unknown version, or a control message (modes 6 and 7: CVE-2013-5211).
 *
 * Clients may use port 123, as `ntpdate` and `ntpd` do; of the other ports below 1024 none is one.
 */
export class NtpResponder implements DatagramResponder {
  readonly #clock: StampClock;
  readonly #limit: RateLimit;
  readonly #ownPort: number;
  readonly #ownHost: string;
  readonly #kissOfDeath: boolean;
  readonly #precision: number;
  readonly #reply = new Uint8Array(NTP_PACKET_BYTES);
  readonly #view = new DataView(this.#reply.buffer);
  #reference: NtpReference;
  #isLocal = true;

  /** Makes a responder whose reference is the clock of this machine. */
  constructor(options: NtpResponderOptions) {
    this.#clock = options.clock ?? new StampClock();
    this.#limit = options.limit;
    this.#ownPort = options.ownPort;
    this.#ownHost = options.ownHost ?? "";
    this.#kissOfDeath = options.kissOfDeath ?? false;
    this.#precision = options.precision ?? measurePrecision();
    this.#clock.arrive();
    this.#reference = this.#localReference();
    this.#writeReference();
  }

  /** Where the time comes from. */
  get reference(): NtpReference {
    return this.#reference;
  }

  /**
   * Says where the time comes from.
   *
   * @param reference What the clock of this machine is set by; `undefined` when nobody knows.
   */
  setReference(reference: NtpReference | undefined): void {
    this.#clock.arrive();
    this.#isLocal = reference === undefined;
    this.#reference = reference ?? this.#localReference();
    this.#writeReference();
  }

  /** See the class. */
  respond(request: Uint8Array, source: DatagramSource): Uint8Array | undefined {
    const clock = this.#clock;
    clock.arrive();
    if (request.length < NTP_PACKET_BYTES) return undefined;
    const flags = request[NtpField.FLAGS] ?? 0;
    const version = flags >> 3 & 7;
    const mode = flags & 7;
    if (version === 0 || version > NTP_VERSION) return undefined;
    if (mode !== NtpMode.CLIENT && mode !== NtpMode.SYMMETRIC_ACTIVE) return undefined;
    if (!this.#isClient(source)) return undefined;
    const verdict = this.#limit.check(source.hostname, clock.monotonicMs);
    if (verdict === "drop" || verdict === "refuse" && !this.#kissOfDeath) return undefined;

    const reply = this.#reply;
    // As bytes: a number would not keep all 64 bits.
    for (let i = 0; i < TIMESTAMP_BYTES; i++) {
      reply[NtpField.ORIGINATE + i] = request[NtpField.TRANSMIT + i] ?? 0;
    }
    reply[NtpField.POLL] = request[NtpField.POLL] ?? 0;
    const answerMode = mode === NtpMode.CLIENT ? NtpMode.SERVER : NtpMode.SYMMETRIC_PASSIVE;
    reply[NtpField.FLAGS] = this.#reference.leap << 6 | version << 3 | answerMode;
    this.#writeStamp(NtpField.RECEIVE);
    if (verdict === "refuse") return this.#kiss(reply);
    this.#writeAge(clock.monotonicMs);
    clock.leave();
    this.#writeStamp(NtpField.TRANSMIT);
    return reply;
  }

  /** A copy turned into the refusal (RFC 5905 §7.4); too rare to have a buffer of its own. */
  #kiss(reply: Uint8Array): Uint8Array {
    const kiss = reply.slice();
    kiss[NtpField.FLAGS] = (kiss[NtpField.FLAGS] ?? 0) | NtpLeap.UNKNOWN << 6;
    kiss.fill(0, NtpField.ROOT_DELAY, NtpField.ORIGINATE);
    kiss[NtpField.STRATUM] = 0;
    kiss.set(KISS_RATE, NtpField.REFERENCE_ID);
    kiss.copyWithin(NtpField.TRANSMIT, NtpField.RECEIVE, NtpField.TRANSMIT);
    return kiss;
  }

  #isClient({ hostname, port }: DatagramSource): boolean {
    if (port < UNPRIVILEGED_PORT_MIN && port !== NTP_PORT) return false;
    // From 123 to 123 is how ntpd asks.
    return port !== this.#ownPort || port === NTP_PORT && hostname !== this.#ownHost;
  }

  /** Writes what has become of the reference by now. */
  #writeAge(nowMs: number): void {
    let ageMs = nowMs - this.#reference.asOfMs;
    if (this.#isLocal && ageMs >= LOCAL_REFRESH_MS) {
      this.#reference = this.#localReference();
      this.#writeReference();
      ageMs = 0;
    }
    const grownNs = FREQUENCY_TOLERANCE * NS_PER_MS * Math.max(ageMs, 0);
    const dispersion = ntpShortFromNs(this.#reference.rootDispersionNs + grownNs);
    this.#view.setUint32(NtpField.ROOT_DISPERSION, dispersion);
  }

  #writeReference(): void {
    const { stratum, rootDelayNs, referenceId, referenceTimestamp } = this.#reference;
    this.#reply[NtpField.STRATUM] = stratum;
    this.#view.setInt8(NtpField.PRECISION, this.#precision);
    this.#view.setUint32(NtpField.ROOT_DELAY, ntpShortFromNs(rootDelayNs));
    this.#reply.set(referenceId, NtpField.REFERENCE_ID);
    this.#view.setBigUint64(NtpField.REFERENCE, referenceTimestamp);
  }

  /** Writes the clock's last reading; the seconds of era 1 begin with 0 again (RFC 5905 §6). */
  #writeStamp(at: number): void {
    const { seconds, nanoseconds } = this.#clock;
    this.#view.setUint32(at, seconds + NTP_UNIX_OFFSET_S);
    this.#view.setUint32(at + 4, nanoseconds * 2 ** 32 / NS_PER_SECOND);
  }

  #localReference(): NtpReference {
    const { epochNs, monotonicMs } = this.#clock;
    return localReference(this.#precision, {
      referenceTimestamp: ntpFromUnixNs(epochNs),
      asOfMs: monotonicMs,
    });
  }
}
