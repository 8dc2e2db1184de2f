/**
 * What was sent and not acknowledged: finding out what was lost, by later packets or by time, and when
 * to ask (RFC 9002 §6).
 *
 * @module
 */

import type { CongestionWindow } from "./congestion.ts";
import { ACK_RANGES_MAX, type AckFrame } from "./packet.ts";
import { RangeSet } from "./range_set.ts";
import type { RoundTripTime } from "./rtt.ts";
import type { SentPiece } from "./send_streams.ts";

/** A packet is lost when one was acknowledged that came so many later (RFC 9002 §6.1.1). */
const REORDER_PACKETS = 3;
/** Losses over so many probe timeouts without anything between mean that the path is broken. */
const PERSISTENT_FACTOR = 3;
/** Waiting doubles with each probe, but not in a thin stream's first ones: it does not load the path. */
const THIN_PACKETS_MAX = 4;
const THIN_PROBES_MAX = 2;
/** Yet a peer that is back is to be found soon. */
const PROBE_INTERVAL_MAX_MS = 3000;
/** One packet's part in the loss of late. */
const LOSS_SHARE_GAIN = 1 / 64;

/** A packet that asks for an acknowledgement. */
export interface SentPacket {
  /** Its number. */
  readonly number: number;
  /** When it was sent. */
  readonly sentMs: number;
  /** Bytes of the datagram. */
  readonly bytes: number;
  /** What it carried of streams. */
  readonly pieces: readonly SentPiece[];
  /** Whether it told the peer how much room there is. */
  readonly hasWindow: boolean;
  /** Whether the congestion window, and not a lack of data, was what limited then. */
  readonly isUsed: boolean;
}

/** What an acknowledgement or the time made known. */
export interface RecoveryOutcome {
  /** Packets that arrived. */
  readonly acknowledged: SentPacket[];
  /** Packets that did not. */
  readonly lost: SentPacket[];
}

/** See the module. */
export class LossRecovery {
  readonly #rtt: RoundTripTime;
  readonly #window: CongestionWindow;
  /** By number, the oldest first. */
  readonly #sent = new Map<number, SentPacket>();
  /** Numbers that were acknowledged, the newest of them. */
  readonly #acknowledged = new RangeSet();
  #largestAcknowledged = -1;
  #firstSampleMs = Infinity;
  #lossMs = Infinity;
  #lastSentMs = -Infinity;
  #probes = 0;
  #lostTotal = 0;
  #lossShare = 0;

  /** Nothing is under way. */
  constructor(rtt: RoundTripTime, window: CongestionWindow) {
    this.#rtt = rtt;
    this.#window = window;
  }

  /** Packets that were taken as lost. */
  get lostTotal(): number {
    return this.#lostTotal;
  }

  /** The part of the packets that was lost of late, from 0 to 1. */
  get lossShare(): number {
    return this.#lossShare;
  }

  /** Whether anything is awaited. */
  get isWaiting(): boolean {
    return this.#sent.size > 0;
  }

  /** When time decides about a packet; infinite when nothing is awaited. */
  get lossDueMs(): number {
    return this.#lossMs;
  }

  /** When to ask the peer what arrived; infinite when nothing is awaited. */
  get probeDueMs(): number {
    if (this.#sent.size === 0) return Infinity;
    const isThin = this.#sent.size <= THIN_PACKETS_MAX;
    const doublings = Math.max(0, this.#probes - (isThin ? THIN_PROBES_MAX : 0));
    const { probeTimeoutMs } = this.#rtt;
    const waitMs = Math.min(probeTimeoutMs * 2 ** doublings, PROBE_INTERVAL_MAX_MS);
    return this.#lastSentMs + Math.max(waitMs, probeTimeoutMs);
  }

  /** Notes a packet that was sent. */
  sent(packet: SentPacket): void {
    this.#sent.set(packet.number, packet);
    this.#lastSentMs = packet.sentMs;
    this.#window.sent(packet.bytes);
  }

  /** The oldest packets that are awaited, for a probe. */
  oldest(count: number): SentPacket[] {
    return [...this.#sent.values().take(count)];
  }

  /** Notes that a probe is sent. */
  probed(): void {
    this.#probes += 1;
  }

  /** Begins to count the probes again: another path. */
  restart(): void {
    this.#probes = 0;
  }

  /**
   * Takes an acknowledgement; what it says of packets that are not awaited is nothing new.
   *
   * @param frame The acknowledgement.
   * @param now The time.
   */
  acknowledge(frame: AckFrame, now: number): RecoveryOutcome {
    const acknowledged: SentPacket[] = [];
    const lowest = this.#sent.keys().next().value ?? Infinity;
    const largest = (frame.ranges[0]?.end ?? 0) - 1;
    for (const { start, end } of frame.ranges) {
      for (let number = end - 1; number >= Math.max(start, lowest); number--) {
        const packet = this.#sent.get(number);
        if (packet === undefined) continue;
        this.#sent.delete(number);
        this.#noteAcknowledged(number);
        acknowledged.push(packet);
      }
    }
    const newest = acknowledged[0];
    if (newest === undefined) return { acknowledged, lost: [] };
    this.#largestAcknowledged = Math.max(this.#largestAcknowledged, largest);
    if (newest.number === largest) {
      this.#rtt.sample(now - newest.sentMs, frame.delayUs / 1000);
      this.#firstSampleMs = Math.min(this.#firstSampleMs, now);
    }
    for (const { bytes, sentMs, isUsed } of acknowledged) {
      this.#window.acknowledged(bytes, { sentMs, isUsed });
      this.#lossShare -= this.#lossShare * LOSS_SHARE_GAIN;
    }
    this.#probes = 0;
    return { acknowledged, lost: this.detect(now) };
  }

  /** Finds what was lost, now that some time has passed or something was acknowledged. */
  detect(now: number): SentPacket[] {
    const lost: SentPacket[] = [];
    const delayMs = this.#rtt.lossDelayMs;
    this.#lossMs = Infinity;
    for (const packet of this.#sent.values()) {
      if (packet.number > this.#largestAcknowledged) break;
      const dueMs = packet.sentMs + delayMs;
      const isPassed = packet.number <= this.#largestAcknowledged - REORDER_PACKETS;
      if (!isPassed && dueMs > now) {
        this.#lossMs = Math.min(this.#lossMs, dueMs);
        continue;
      }
      lost.push(packet);
      this.#sent.delete(packet.number);
      this.#window.forget(packet.bytes);
      this.#lossShare += (1 - this.#lossShare) * LOSS_SHARE_GAIN;
    }
    const newest = lost.at(-1);
    if (newest === undefined) return lost;
    this.#lostTotal += lost.length;
    this.#window.lost(newest.sentMs, now);
    if (this.#isPersistent(lost)) this.#window.collapse();
    return lost;
  }

  /** Whether two lost packets are far apart and nothing between them arrived (RFC 9002 §7.6). */
  #isPersistent(lost: readonly SentPacket[]): boolean {
    const spanMs = this.#rtt.probeTimeoutMs * PERSISTENT_FACTOR;
    let first: SentPacket | undefined;
    for (const packet of lost) {
      if (packet.sentMs < this.#firstSampleMs) continue;
      if (first === undefined || this.#acknowledged.overlaps(first.number, packet.number)) {
        first = packet;
      }
      if (packet.sentMs - first.sentMs > spanMs) return true;
    }
    return false;
  }

  #noteAcknowledged(number: number): void {
    this.#acknowledged.add(number, number + 1);
    const oldest = this.#acknowledged.first;
    if (this.#acknowledged.size > ACK_RANGES_MAX * 8 && oldest !== undefined) {
      this.#acknowledged.remove(oldest.start, oldest.end);
    }
  }
}
