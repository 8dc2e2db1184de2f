/**
 * The public surface of reliable, encrypted messages over UDP: what a connection takes, yields and
 * promises. Nothing here or behind it opens a socket, reads a clock or starts a timer.
 *
 * Whoever owns the socket does this after every `receive()`, `send()`, `close()` and `timeout()`:
 * `poll()` until it returns nothing and send each datagram; `read()` until it returns nothing; set one
 * timer to `nextTimeout()`, and call `timeout()` when it is due.
 *
 * @module
 */

/** Longest datagram, in bytes: one that passes every common path without being cut in pieces. */
export const DATAGRAM_MAX_BYTES = 1200;

/** Longest message, in bytes. */
export const MESSAGE_MAX_BYTES: number = 16 * 1024;

/** Highest number of a stream. */
export const STREAM_MAX: number = 2 ** 32 - 1;

/** Bytes of each secret, one for each direction. */
export const SECRET_BYTES = 32;

/** Bytes of a reset token. */
export const RESET_TOKEN_BYTES = 16;

/** Longest reason of a close, in bytes of UTF-8; longer ones are cut. */
export const CLOSE_REASON_MAX_BYTES = 256;

/** Codes of a close that this layer uses itself; codes from 16 up are free for what runs over it. */
export const CloseCode = {
  /** Nothing went wrong. */
  DONE: 0,
  /** The peer broke the rules of this layer. */
  PROTOCOL: 1,
  /** Nothing came for too long. Never sent. */
  IDLE: 2,
  /** The peer has no such connection any more. Never sent. */
  RESET: 3,
  /** A limit of the cipher was reached; a new connection with new secrets is needed. */
  EXHAUSTED: 4,
} as const;

/** The secrets of one connection; each side's `send` is the other's `receive`. */
export interface DatagramSecrets {
  /** 32 bytes. Used for one connection only: packet numbers start at 0 each time. */
  readonly send: Uint8Array;
  /** 32 bytes. */
  readonly receive: Uint8Array;
}

/** Limits and times of a connection. Every one has a default; only tests and simulations set them. */
export interface DatagramLimits {
  /** Most bytes of messages that wait for being sent or acknowledged. */
  readonly sendBufferMaxBytes: number;
  /** Most bytes that this side holds for `read()`, and so what the peer may have under way. */
  readonly receiveBufferMaxBytes: number;
  /** Most streams in each direction. */
  readonly streamsMax: number;
  /** Silence after which this side asks whether the peer is there. */
  readonly keepaliveMs: number;
  /** Silence after which the connection is given up. */
  readonly idleMs: number;
  /** Datagrams that may fail to decrypt before the connection ends (RFC 9001 §6.6). */
  readonly forgedMax: number;
}

/** Fills an array with random bytes. */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => void;

/** What a connection needs. */
export interface DatagramConnectionOptions {
  /** The client sends first and knows the server's address; the server learns the client's. */
  readonly role: "client" | "server";
  /** The secrets. */
  readonly secrets: DatagramSecrets;
  /** 16 lower-case hex digits, the same for both sides; random, so that nobody meets it by chance. */
  readonly connectionId: string;
  /** The time, in milliseconds of a clock that does not jump; the same clock for every call. */
  readonly now: number;
  /** Where the peer is. A server may leave it out until the first datagram. Any text that names it. */
  readonly remote?: string | undefined;
  /** 16 bytes; who sends them as a reset is believed to have lost the connection. */
  readonly resetToken?: Uint8Array | undefined;
  /** Other limits than the defaults. */
  readonly limits?: Partial<DatagramLimits> | undefined;
  /** Random bytes of path challenges; `crypto.getRandomValues` by default. */
  readonly fillRandom?: FillRandom | undefined;
}

/** A datagram to send. */
export interface OutgoingDatagram {
  /** Where to; what `from` of `receive()` or `remote` named. */
  readonly to: string;
  /** At most {@linkcode DATAGRAM_MAX_BYTES}; owned by the caller. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A message that arrived. */
export interface IncomingMessage {
  /** Its stream; messages of one stream come in the order in which they were sent. */
  readonly stream: number;
  /** The message; owned by the caller. */
  readonly message: Uint8Array<ArrayBuffer>;
}

/**
 * `open`: messages flow. `closing`: this side said that it ends, and says so again to who has not
 * heard it. `draining`: the peer said it; nothing is sent any more. `closed`: forget it.
 */
export type DatagramState = "open" | "closing" | "draining" | "closed";

/** Why a connection is not open any more. */
export interface DatagramEnd {
  /** Who ended it: this side, the peer, or nobody, when the peer fell silent or lost its state. */
  readonly by: "self" | "peer" | "idle" | "reset";
  /** One of {@linkcode CloseCode}, or a code of what runs over this. */
  readonly code: number;
  /** Words for people; from the peer as it sent them. */
  readonly reason: string;
}

/** Counters and estimates of one connection. */
export interface DatagramStats {
  /** Smoothed round-trip time, in milliseconds. */
  readonly rttMs: number;
  /** Its smoothed deviation, in milliseconds. */
  readonly rttDeviationMs: number;
  /** Smallest round-trip time seen, in milliseconds. */
  readonly rttMinMs: number;
  /** Congestion window, in bytes. */
  readonly windowBytes: number;
  /** Bytes sent and neither acknowledged nor lost. */
  readonly inFlightBytes: number;
  /** Datagrams sent. */
  readonly sentDatagrams: number;
  /** Bytes of all datagrams sent. */
  readonly sentBytes: number;
  /** Datagrams that were taken as lost. */
  readonly lostDatagrams: number;
  /** Times that nothing was heard and a probe was sent. */
  readonly probes: number;
  /** Datagrams that decrypted and were new. */
  readonly receivedDatagrams: number;
  /** Datagrams that were dropped because they came before. */
  readonly duplicateDatagrams: number;
  /** Datagrams that were dropped because they did not decrypt. */
  readonly forgedDatagrams: number;
  /** Bytes of streams that were sent once more before they were taken as lost. */
  readonly repeatedBytes: number;
}

/** What a connection and a table of connections have in common: datagrams and time in and out. */
export interface DatagramMachine {
  /**
   * Takes a datagram from the network. Never throws, whatever it is.
   *
   * @param datagram The bytes; may be used again after the call.
   * @param from Where they come from.
   * @param now The time, in milliseconds.
   */
  receive(datagram: Uint8Array, from: string, now: number): void;
  /**
   * The next datagram to send, as far as window and pacing let it.
   *
   * @param now The time, in milliseconds.
   */
  poll(now: number): OutgoingDatagram | undefined;
  /** When to call `timeout()`, in milliseconds of the same clock; `undefined` when nothing is awaited. */
  nextTimeout(): number | undefined;
  /**
   * Does what is due. Early calls do nothing.
   *
   * @param now The time, in milliseconds.
   */
  timeout(now: number): void;
}

/** One connection; `DatagramConnection` in `connection.ts` is it. */
export interface DatagramPeer extends DatagramMachine {
  /** 16 lower-case hex digits. */
  readonly connectionId: string;
  /** Where the peer was last; `undefined` while a server has heard nothing. */
  readonly remote: string | undefined;
  /** See {@linkcode DatagramState}. */
  readonly state: DatagramState;
  /** Why it is not open any more; `undefined` while it is. */
  readonly end: DatagramEnd | undefined;
  /** Whether anything from the peer has decrypted. */
  readonly isConfirmed: boolean;
  /** Bytes of messages that wait for being sent or acknowledged. */
  readonly bufferedBytes: number;
  /** Longest message that `send()` takes now; 0 when the buffer is full or the connection has ended. */
  readonly writableBytes: number;
  /**
   * Takes a message for the peer. It is copied.
   *
   * @param stream A number from 0 to {@linkcode STREAM_MAX}; order is kept within it.
   * @param message At most {@linkcode MESSAGE_MAX_BYTES}; may be empty.
   * @throws {SendBufferFullError} When it does not fit in the buffer; nothing was taken.
   * @throws {RangeError} For another stream number, a longer message, or too many streams.
   * @throws {TypeError} When the connection is not open.
   */
  send(stream: number, message: Uint8Array): void;
  /** The next message that is complete and in order; also after the end. */
  read(): IncomingMessage | undefined;
  /**
   * Ends the connection; what was not acknowledged may be lost. Safe to call again.
   *
   * @param code One of {@linkcode CloseCode}, or a number from 16 up.
   * @param reason For people.
   */
  close(code?: number, reason?: string): void;
  /** Counters and estimates. */
  stats(): DatagramStats;
}

/** Does not fit in the send buffer now; later it may. */
export class SendBufferFullError extends Error {
  /** The name of this class. */
  override readonly name = "SendBufferFullError";
  /** There is room again when the peer has acknowledged something. */
  readonly retry = true;
}

/**
 * Many connections behind one address; `DatagramEndpoint` in `endpoint.ts` is it. Datagrams find
 * their connection by its id, wherever they come from.
 */
export interface DatagramTable extends DatagramMachine {
  /** How many connections it holds. */
  readonly size: number;
  /**
   * Opens a connection and holds it until it is closed.
   *
   * @throws {RangeError} For an id that is taken, or when there are too many.
   */
  open(options: Omit<DatagramConnectionOptions, "fillRandom">): DatagramPeer;
  /** Finds a connection. */
  get(connectionId: string): DatagramPeer | undefined;
  /** What the client of this connection must know so that it believes a reset; 16 bytes. */
  resetToken(connectionId: string): Uint8Array<ArrayBuffer>;
  /**
   * The next connection that may have messages, room to send, or another state than before. A closed
   * one is named once more and is forgotten then.
   */
  nextChanged(): DatagramPeer | undefined;
}
