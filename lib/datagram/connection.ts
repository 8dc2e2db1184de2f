/**
 * One connection: reliable, encrypted messages in streams over datagrams that get lost, come twice,
 * late, changed or from elsewhere. `types.ts` says what it promises and how it is driven.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { ByteReader, PacketError } from "./bytes.ts";
import { CongestionWindow } from "./congestion.ts";
import { Lifetime } from "./lifetime.ts";
import { PacketFrame, type ReadFrame, readFrame } from "./packet.ts";
import { PeerPath } from "./path.ts";
import { PacketOpener, PacketSealer, resetTokenOf } from "./protection.ts";
import { ReceivedPackets } from "./received_packets.ts";
import { ReceiveStreams } from "./receive_streams.ts";
import { LossRecovery } from "./recovery.ts";
import { RoundTripTime } from "./rtt.ts";
import { SendStreams } from "./send_streams.ts";
import { PacketSender } from "./sender.ts";
import {
  CloseCode,
  type DatagramConnectionOptions,
  type DatagramEnd,
  type DatagramLimits,
  type DatagramPeer,
  type DatagramState,
  type DatagramStats,
  type IncomingMessage,
  type OutgoingDatagram,
} from "./types.ts";

/** The limits that hold unless others are set. */
export const DATAGRAM_LIMITS: DatagramLimits = {
  sendBufferMaxBytes: 4 * 1024 * 1024,
  receiveBufferMaxBytes: 4 * 1024 * 1024,
  streamsMax: 1024,
  keepaliveMs: 15_000,
  idleMs: 45_000,
  // RFC 9001 §6.6, for ChaCha20-Poly1305.
  forgedMax: 2 ** 36,
};

/** A new address has so many probe timeouts to prove itself (RFC 9000 §8.2.4). */
const PROOF_PROBE_TIMEOUTS = 3;

/** See the module. */
export class DatagramConnection implements DatagramPeer {
  /** 16 lower-case hex digits. */
  readonly connectionId: string;
  readonly #limits: DatagramLimits;
  readonly #opener: PacketOpener;
  readonly #sealer: PacketSealer;
  readonly #resetToken: Uint8Array | undefined;
  readonly #onActive: () => void;
  readonly #lifetime: Lifetime;
  readonly #path: PeerPath;
  readonly #received = new ReceivedPackets();
  readonly #rtt = new RoundTripTime();
  readonly #window = new CongestionWindow();
  readonly #recovery = new LossRecovery(this.#rtt, this.#window);
  readonly #sending: SendStreams;
  readonly #receiving: ReceiveStreams;
  readonly #sender: PacketSender;
  #now: number;
  #receivedDatagrams = 0;
  #duplicateDatagrams = 0;
  #forgedDatagrams = 0;

  /**
   * Begins; a client's first datagram is ready.
   *
   * @param options What it needs.
   * @param onActive Called when something may be to send that no datagram and no timer brought.
   * @throws {RangeError} For secrets, an id or limits that cannot be.
   */
  constructor(options: DatagramConnectionOptions, onActive: () => void = () => {}) {
    const { connectionId, secrets, now, remote } = options;
    this.connectionId = connectionId;
    this.#limits = { ...DATAGRAM_LIMITS, ...options.limits };
    this.#opener = new PacketOpener(secrets.receive, connectionId);
    this.#sealer = new PacketSealer(secrets.send, connectionId);
    this.#resetToken = options.resetToken?.slice();
    this.#onActive = onActive;
    this.#now = now;
    this.#lifetime = new Lifetime({ ...this.#limits, now });
    this.#sending = new SendStreams(this.#limits);
    this.#receiving = new ReceiveStreams(this.#limits);
    const fillRandom = options.fillRandom ?? ((bytes) => void crypto.getRandomValues(bytes));
    this.#path = new PeerPath({ remote, fillRandom });
    this.#sender = new PacketSender({
      sealer: this.#sealer,
      path: this.#path,
      received: this.#received,
      rtt: this.#rtt,
      window: this.#window,
      recovery: this.#recovery,
      sending: this.#sending,
      receiving: this.#receiving,
    });
  }

  /** Where the peer was last. */
  get remote(): string | undefined {
    return this.#path.remote;
  }

  /** See {@linkcode DatagramState}. */
  get state(): DatagramState {
    return this.#lifetime.state;
  }

  /** Why it is not open any more. */
  get end(): DatagramEnd | undefined {
    return this.#lifetime.end;
  }

  /** Whether anything from the peer has decrypted. */
  get isConfirmed(): boolean {
    return this.#receivedDatagrams > 0;
  }

  /** Whether the peer has answered from where it is now. */
  get isProven(): boolean {
    return this.#path.remote !== undefined && this.#path.challenge === undefined;
  }

  /** Bytes of messages that wait for being sent or acknowledged. */
  get bufferedBytes(): number {
    return this.#sending.bufferedBytes;
  }

  /** Longest message that `send()` takes now. */
  get writableBytes(): number {
    return this.state === "open" ? this.#sending.writableBytes : 0;
  }

  /** Takes a message; see {@linkcode DatagramPeer.send}. */
  send(stream: number, message: Uint8Array): void {
    if (this.state !== "open") throw new TypeError("Cannot send: the connection has ended");
    this.#sending.push(stream, message);
    this.#onActive();
  }

  /** The next message. */
  read(): IncomingMessage | undefined {
    const message = this.#receiving.read();
    if (message !== undefined && this.#receiving.hasNewWindow) this.#onActive();
    return message;
  }

  /** Ends the connection. */
  close(code: number = CloseCode.DONE, reason = ""): void {
    this.#finish({ by: "self", code, reason });
    this.#onActive();
  }

  /** Counters and estimates. */
  stats(): DatagramStats {
    return {
      rttMs: this.#rtt.smoothedMs,
      rttDeviationMs: this.#rtt.deviationMs,
      rttMinMs: this.#rtt.minMs,
      windowBytes: this.#window.windowBytes,
      inFlightBytes: this.#window.inFlightBytes,
      sentDatagrams: this.#sender.sentDatagrams,
      sentBytes: this.#sender.sentBytes,
      lostDatagrams: this.#recovery.lostTotal,
      probes: this.#sender.probes,
      receivedDatagrams: this.#receivedDatagrams,
      duplicateDatagrams: this.#duplicateDatagrams,
      forgedDatagrams: this.#forgedDatagrams,
      repeatedBytes: this.#sender.repeatedBytes,
    };
  }

  /** Takes a datagram; see {@linkcode DatagramPeer.receive}. */
  receive(datagram: Uint8Array, from: string, now: number): void {
    this.#now = now;
    if (this.state === "closed") return;
    const token = resetTokenOf(datagram);
    if (token !== undefined) return this.#takeReset(token);
    const number = this.#opener.numberOf(datagram);
    if (number === undefined) return;
    if (this.#received.isDuplicate(number)) {
      this.#duplicateDatagrams += 1;
      return;
    }
    const frames = this.#opener.open(datagram, number);
    if (frames === undefined) return this.#countForged();
    if (this.state === "closing") this.#lifetime.heardLate();
    if (this.state !== "open") return;
    try {
      this.#take(frames, { number, from, bytes: datagram.length });
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      this.#finish({ by: "self", code: CloseCode.PROTOCOL, reason: error.message });
    }
  }

  /** The next datagram to send. */
  poll(now: number): OutgoingDatagram | undefined {
    this.#now = now;
    const { end, state } = this;
    if (state === "open") {
      if (!this.#sealer.isExhausted) return this.#sender.poll(now);
      const reason = "No packet number is left";
      this.#lifetime.finish({ by: "self", code: CloseCode.EXHAUSTED, reason }, 0);
      this.#lifetime.forget();
    }
    this.#lifetime.linger(now);
    if (state !== "closing" || end === undefined || !this.#lifetime.mustSayEnd) return undefined;
    this.#lifetime.saidEnd(now);
    return this.#sealer.isExhausted ? undefined : this.#sender.sayEnd(end, now);
  }

  /** When to call `timeout()`. */
  nextTimeout(): number | undefined {
    if (this.state === "closed") return undefined;
    if (this.#lifetime.mustSayEnd) return this.#now;
    const dueMs = this.#lifetime.dueMs;
    return this.state === "open" ? Math.min(dueMs, this.#sender.dueMs(this.#now)) : dueMs;
  }

  /** Does what is due. */
  timeout(now: number): void {
    this.#now = now;
    if (this.#lifetime.timeout(now)) this.#sender.ping();
    if (this.state === "open") this.#sender.timeout(now);
  }

  #take(
    payload: Uint8Array,
    { number, from, bytes }: { number: number; from: string; bytes: number },
  ): void {
    const reader = new ByteReader(payload);
    // All of it is read before any of it counts.
    const frames: ReadFrame[] = [];
    while (reader.left > 0) frames.push(readFrame(reader));
    let asks = false;
    let isTaken = true;
    for (const frame of frames) {
      if (frame.type !== PacketFrame.ACK && frame.type !== PacketFrame.CLOSE) asks = true;
      if (!this.#takeFrame(frame, from)) isTaken = false;
    }
    const now = this.#now;
    this.#receivedDatagrams += 1;
    this.#lifetime.heard(now);
    this.#path.received(from, bytes);
    if (number > this.#received.largest && from !== this.#path.remote) {
      const untilMs = now + PROOF_PROBE_TIMEOUTS * this.#rtt.probeTimeoutMs;
      this.#path.follow(from, { bytes, untilMs });
      if (this.#path.challenge !== undefined) this.#sender.challenge();
      this.#recovery.restart();
    }
    if (isTaken) this.#received.add(number, now, asks);
  }

  /** @returns Whether the frame was taken; if not, its packet is as if it was lost. */
  #takeFrame(frame: ReadFrame, from: string): boolean {
    switch (frame.type) {
      case PacketFrame.ACK:
        if ((frame.ranges[0]?.end ?? 0) > this.#sealer.nextNumber) {
          throw new PacketError("The peer acknowledged what was never sent");
        }
        this.#sender.acknowledge(frame, this.#now);
        return true;
      case PacketFrame.STREAM:
        return this.#receiving.add(frame);
      case PacketFrame.WINDOW:
        this.#sending.widen(frame.total);
        return true;
      case PacketFrame.CHALLENGE:
        this.#sender.respond(from, frame.data);
        return true;
      case PacketFrame.RESPONSE:
        if (this.#path.prove(frame.data)) {
          this.#rtt.reset();
          this.#window.reset();
        }
        return true;
      case PacketFrame.CLOSE:
        this.#finish({ by: "peer", code: frame.code, reason: frame.reason });
        return true;
      case PacketFrame.PING:
        return true;
    }
  }

  #takeReset(token: Uint8Array): void {
    if (this.#resetToken === undefined || !timingSafeEqual(this.#resetToken, token)) return;
    this.#finish({ by: "reset", code: CloseCode.RESET, reason: "The peer lost the connection" });
    this.#lifetime.forget();
  }

  #countForged(): void {
    this.#forgedDatagrams += 1;
    if (this.#forgedDatagrams < this.#limits.forgedMax) return;
    const reason = "Too many datagrams were not genuine";
    this.#finish({ by: "self", code: CloseCode.EXHAUSTED, reason });
  }

  #finish(end: DatagramEnd): void {
    this.#lifetime.finish(end, this.#rtt.probeTimeoutMs);
    // Nobody has to hear of it where nobody ever was.
    if (this.state === "closing" && this.#path.remote === undefined) this.#lifetime.forget();
  }
}
