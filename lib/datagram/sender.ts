/**
 * What a connection sends: it puts packets together from what is due, as far as window, pacing and the
 * proof of the peer's address let it, and knows when more is due.
 *
 * @module
 */

import { ByteWriter } from "./bytes.ts";
import type { CongestionWindow } from "./congestion.ts";
import { Pacer, type PacingInput } from "./pacing.ts";
import {
  type AckFrame,
  PACKET_AROUND_BYTES,
  PacketFrame,
  writeAck,
  writeClose,
  writePath,
  writeWindow,
} from "./packet.ts";
import type { PeerPath } from "./path.ts";
import type { PacketSealer } from "./protection.ts";
import type { ReceivedPackets } from "./received_packets.ts";
import type { ReceiveStreams } from "./receive_streams.ts";
import type { LossRecovery, SentPacket } from "./recovery.ts";
import type { RoundTripTime } from "./rtt.ts";
import type { SendStreams, SentPiece } from "./send_streams.ts";
import { TailRepeats } from "./tail_repeats.ts";
import { DATAGRAM_MAX_BYTES, type DatagramEnd, type OutgoingDatagram } from "./types.ts";

/** The smallest datagram with a challenge, a window and an acknowledgement of one range, and a byte. */
const PACKET_MIN_BYTES: number = PACKET_AROUND_BYTES + 48;
/** With less there may be no room for a piece of a stream behind all the rest. */
const FILLED_MIN_BYTES = 400;
/** Most answers to challenges that wait; more are dropped. */
const RESPONSES_MAX = 4;
/** What is around a small piece of a stream, with an acknowledgement. */
const PIECE_AROUND_BYTES = 48;
/** Packets of one probe (RFC 9002 §6.2.4). */
const PROBE_PACKETS = 2;
/** The end of a burst is repeated where more than this part of the packets gets lost. */
const TAIL_LOSS_SHARE_MIN = 0.01;

/** The parts of a connection that the sender works with. */
export interface SenderParts {
  /** Seals what is sent. */
  readonly sealer: PacketSealer;
  /** Where to send to, and how much. */
  readonly path: PeerPath;
  /** What is to be acknowledged. */
  readonly received: ReceivedPackets;
  /** The round-trip time. */
  readonly rtt: RoundTripTime;
  /** How much may be under way. */
  readonly window: CongestionWindow;
  /** What is under way. */
  readonly recovery: LossRecovery;
  /** What is to be sent. */
  readonly sending: SendStreams;
  /** What arrived, and how much more there is room for. */
  readonly receiving: ReceiveStreams;
}

/** See the module. */
export class PacketSender {
  readonly #parts: SenderParts;
  readonly #pacer = new Pacer();
  readonly #tail = new TailRepeats();
  readonly #writer = new ByteWriter(new Uint8Array(DATAGRAM_MAX_BYTES));
  readonly #responses: { readonly to: string; readonly data: Uint8Array }[] = [];
  #mustPing = false;
  #mustAnnounce = false;
  #mustChallenge = false;
  /** Probes that are to be sent, whatever the window says. */
  #probesDue = 0;
  #sentDatagrams = 0;
  #sentBytes = 0;
  #probes = 0;
  #repeatedBytes = 0;

  /** Nothing is due. */
  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** Datagrams sent. */
  get sentDatagrams(): number {
    return this.#sentDatagrams;
  }

  /** Their bytes. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Times that the peer was asked what arrived. */
  get probes(): number {
    return this.#probes;
  }

  /** Bytes of streams that went along once more. */
  get repeatedBytes(): number {
    return this.#repeatedBytes;
  }

  /** Asks the peer whether it is there. */
  ping(): void {
    this.#mustPing = true;
  }

  /** Asks whoever is at the new address to prove it. */
  challenge(): void {
    this.#mustChallenge = true;
  }

  /** Answers a challenge where it came from. */
  respond(to: string, data: Uint8Array): void {
    if (this.#responses.length < RESPONSES_MAX) this.#responses.push({ to, data });
  }

  /** Takes an acknowledgement. @returns Whether there is more room for messages now. */
  acknowledge(frame: AckFrame, now: number): boolean {
    const { recovery, sending } = this.#parts;
    const { acknowledged, lost } = recovery.acknowledge(frame, now);
    let hasRoom = false;
    for (const { pieces } of acknowledged) {
      for (const piece of pieces) if (sending.acknowledge(piece)) hasRoom = true;
    }
    this.#sendAgain(lost);
    return hasRoom;
  }

  /** When something is due next; infinite when nothing is. */
  dueMs(now: number): number {
    const { path, received, recovery, receiving } = this.#parts;
    if (this.#responses.length > 0) return now;
    if (path.budgetBytes < PACKET_MIN_BYTES) return path.dueMs;
    if (this.#probesDue > 0 || this.#mustPing || this.#mustChallenge) return now;
    if (this.#mustAnnounce || receiving.hasNewWindow) return now;
    const timer = Math.min(recovery.lossDueMs, recovery.probeDueMs, this.#tailDueMs());
    const paced = this.#isFillable()
      ? Math.max(now, this.#pacer.releaseMs(this.#pacing()))
      : Infinity;
    return Math.min(timer, received.dueMs, paced, path.dueMs);
  }

  /** Finds what was lost, and prepares probes. */
  timeout(now: number): void {
    const { path, recovery } = this.#parts;
    if (path.dueMs <= now) path.giveUp();
    if (recovery.lossDueMs <= now) {
      this.#sendAgain(recovery.detect(now));
      return;
    }
    const isBlocked = this.#probesDue > 0 || path.budgetBytes < PACKET_MIN_BYTES;
    if (isBlocked || recovery.probeDueMs > now) return;
    recovery.probed();
    this.#probes += 1;
    const oldest = recovery.oldest(PROBE_PACKETS);
    this.#probesDue = oldest.length;
    this.#sendAgain(oldest);
  }

  /** The next datagram. */
  poll(now: number): OutgoingDatagram | undefined {
    const writer = this.#writer;
    const response = this.#responses.shift();
    if (response !== undefined) {
      writer.reset(DATAGRAM_MAX_BYTES);
      writePath(writer, PacketFrame.RESPONSE, response.data);
      return this.#seal(response.to);
    }
    const { path, received, window } = this.#parts;
    const { remote } = path;
    const limit = Math.min(path.budgetBytes, DATAGRAM_MAX_BYTES);
    if (remote === undefined || limit < PACKET_MIN_BYTES) return undefined;
    const isProbe = this.#probesDue > 0;
    const isTail = this.#tailDueMs() <= now;
    const isDue = isProbe || isTail || this.#mustPing || this.#mustChallenge ||
      this.#hasAnnouncement() || received.dueMs <= now;
    const mayFill = isProbe || this.#mayFill(now);
    if (!isDue && !mayFill) return undefined;
    writer.reset(limit - PACKET_AROUND_BYTES);
    const number = this.#parts.sealer.nextNumber;
    const { asks, hasWindow, pieces } = this.#compose(now, { mayFill, isProbe, isTail });
    // The end of a burst was to be repeated, and there is no room for it.
    if (writer.length === 0) return undefined;
    const isUsed = this.#parts.sending.hasWork || !window.hasRoom(Infinity);
    const datagram = this.#seal(remote);
    const bytes = datagram.bytes.length;
    if (pieces.length > 0) this.#pacer.sent(bytes, now, this.#pacing());
    if (asks) {
      this.#parts.recovery.sent({ number, sentMs: now, bytes, pieces, hasWindow, isUsed });
    }
    return datagram;
  }

  /** Says that the connection ends, and what arrived before, so that the peer need not fear for it. */
  sayEnd(end: DatagramEnd, now: number): OutgoingDatagram | undefined {
    const { path: { remote, budgetBytes }, received } = this.#parts;
    const limit = Math.min(budgetBytes, DATAGRAM_MAX_BYTES);
    if (remote === undefined || limit < PACKET_MIN_BYTES) return undefined;
    this.#writer.reset(DATAGRAM_MAX_BYTES);
    const hasRoom = limit === DATAGRAM_MAX_BYTES;
    if (hasRoom && received.largest >= 0) writeAck(this.#writer, received.take(now));
    // As many characters as fit in any case: a character has at most three bytes.
    const reason = end.reason.slice(0, Math.floor((limit - PACKET_AROUND_BYTES - 11) / 3));
    writeClose(this.#writer, end.code, reason);
    return this.#seal(remote);
  }

  #mayFill(now: number): boolean {
    return this.#isFillable() && this.#pacer.releaseMs(this.#pacing()) <= now;
  }

  /** Whether there is something to send that only pacing may hold back. */
  #isFillable(): boolean {
    const { path, sending, window } = this.#parts;
    return sending.hasWork && path.budgetBytes >= FILLED_MIN_BYTES &&
      window.hasRoom(sending.nextBytes + PACKET_AROUND_BYTES + PIECE_AROUND_BYTES);
  }

  /** Whether there is nothing to send, and less under way than may be: room for what was sent already. */
  #isIdle(): boolean {
    const { sending, window } = this.#parts;
    return !sending.hasWork && window.inFlightBytes * 2 <= window.windowBytes;
  }

  /** When to repeat the end of a burst. */
  #tailDueMs(): number {
    const { recovery, sending } = this.#parts;
    const isWanted = this.#tail.dueMs !== Infinity && recovery.lossShare > TAIL_LOSS_SHARE_MIN &&
      this.#isIdle() && sending.hasRepeatable;
    return isWanted ? this.#tail.dueMs : Infinity;
  }

  #hasAnnouncement(): boolean {
    return this.#mustAnnounce || this.#parts.receiving.hasNewWindow;
  }

  #compose(
    now: number,
    { mayFill, isProbe, isTail }: { mayFill: boolean; isProbe: boolean; isTail: boolean },
  ): { asks: boolean; hasWindow: boolean; pieces: SentPiece[] } {
    const { path, received, receiving, sending } = this.#parts;
    const writer = this.#writer;
    // What must not be missing comes first; acknowledgements take what room there is.
    if (path.challenge !== undefined) writePath(writer, PacketFrame.CHALLENGE, path.challenge);
    this.#mustChallenge = false;
    const hasWindow = this.#hasAnnouncement();
    if (hasWindow) writeWindow(writer, receiving.announce());
    this.#mustAnnounce = false;
    let asks = writer.length > 0;
    if (received.isPending) writeAck(writer, received.take(now));
    const pieces: SentPiece[] = [];
    if (mayFill) sending.fill(writer, pieces);
    if (pieces.length > 0) this.#tail.sent(now);
    else if (isTail) this.#tail.repeated(now);
    asks ||= pieces.length > 0;
    if ((asks || isTail) && this.#isIdle()) {
      this.#repeatedBytes += sending.repeat(writer, pieces);
      asks ||= pieces.length > 0;
    }
    if (!asks && (isProbe || this.#mustPing)) {
      writer.byte(PacketFrame.PING);
      asks = true;
    }
    this.#mustPing = false;
    if (isProbe) this.#probesDue -= 1;
    return { asks, hasWindow, pieces };
  }

  #sendAgain(packets: readonly SentPacket[]): void {
    for (const { pieces, hasWindow } of packets) {
      for (const piece of pieces) this.#parts.sending.lose(piece);
      if (hasWindow) this.#mustAnnounce = true;
    }
  }

  #seal(to: string): OutgoingDatagram {
    const { path, sealer } = this.#parts;
    const bytes = sealer.seal(this.#writer.written);
    this.#sentDatagrams += 1;
    this.#sentBytes += bytes.length;
    if (to === path.remote) path.sent(bytes.length);
    return { to, bytes };
  }

  #pacing(): PacingInput {
    const { rtt, window } = this.#parts;
    const { windowBytes, isSlowStart } = window;
    return { windowBytes, rttMs: rtt.smoothedMs, isSlowStart };
  }
}
