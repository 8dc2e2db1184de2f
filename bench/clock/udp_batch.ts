/**
 * A UDP socket that sends and receives many datagrams with one call to the system: Linux's `sendmmsg`
 * and `recvmmsg`, straight from the C library. A socket of Deno costs the sender as much as the server
 * that is to be measured; this one costs a fifth.
 *
 * @module
 */

/** Datagrams in one call. */
export const BATCH_MAX = 64;

/** Longest datagram that is received whole. */
const DATAGRAM_MAX_BYTES = 1536;

// socket(2), sendmmsg(2), poll(2) on 64-bit Linux.
const AF_INET = 2;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const SOCKADDR_BYTES = 16;
const IOVEC_BYTES = 16;
const MMSGHDR_BYTES = 64;
const MMSGHDR_IOV_AT = 16;
const MMSGHDR_IOVLEN_AT = 24;
const MMSGHDR_LEN_AT = 56;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
} as const;

/** Buffers for a batch, and the headers that point at them. */
class Batch {
  readonly headers = new Uint8Array(MMSGHDR_BYTES * BATCH_MAX);
  readonly #view = new DataView(this.headers.buffer);
  readonly #bytes = new Uint8Array(DATAGRAM_MAX_BYTES * BATCH_MAX);
  readonly #vectors = new Uint8Array(IOVEC_BYTES * BATCH_MAX);

  constructor(datagramBytes: number) {
    const vectors = new DataView(this.#vectors.buffer);
    const bytesAt = addressOf(this.#bytes);
    const vectorsAt = addressOf(this.#vectors);
    for (let i = 0; i < BATCH_MAX; i++) {
      vectors.setBigUint64(IOVEC_BYTES * i, bytesAt + BigInt(DATAGRAM_MAX_BYTES * i), true);
      vectors.setBigUint64(IOVEC_BYTES * i + 8, BigInt(datagramBytes), true);
      const header = MMSGHDR_BYTES * i;
      this.#view.setBigUint64(header + MMSGHDR_IOV_AT, vectorsAt + BigInt(IOVEC_BYTES * i), true);
      this.#view.setBigUint64(header + MMSGHDR_IOVLEN_AT, 1n, true);
    }
  }

  datagram(
    index: number,
    length = this.#view.getUint32(MMSGHDR_BYTES * index + MMSGHDR_LEN_AT, true),
  ) {
    return this.#bytes.subarray(DATAGRAM_MAX_BYTES * index, DATAGRAM_MAX_BYTES * index + length);
  }
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

/** See the module. */
export class UdpBatch implements Disposable {
  readonly #library = Deno.dlopen("libc.so.6", SYMBOLS);
  readonly #socket: number;
  readonly #sent: Batch;
  readonly #received = new Batch(DATAGRAM_MAX_BYTES);
  readonly #poll = new Uint8Array(8);

  /**
   * Connects to a port of 127.0.0.1.
   *
   * @param port The port.
   * @param payload What each datagram holds.
   */
  constructor(port: number, payload: Uint8Array) {
    const { symbols } = this.#library;
    this.#socket = symbols.socket(AF_INET, SOCK_DGRAM, 0);
    const address = new Uint8Array(SOCKADDR_BYTES);
    address.set([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1]);
    if (symbols.connect(this.#socket, address, SOCKADDR_BYTES) !== 0) {
      throw new Error(`Cannot connect to port ${port}`);
    }
    this.#sent = new Batch(payload.length);
    for (let i = 0; i < BATCH_MAX; i++) this.#sent.datagram(i, payload.length).set(payload);
    const poll = new DataView(this.#poll.buffer);
    poll.setInt32(0, this.#socket, true);
    poll.setInt16(4, POLLIN, true);
  }

  /**
   * Sends the payload `count` times.
   *
   * @returns How many went out; fewer when the system has no room.
   */
  send(count: number): number {
    const { symbols } = this.#library;
    const most = Math.min(count, BATCH_MAX);
    return Math.max(symbols.sendmmsg(this.#socket, this.#sent.headers, most, MSG_DONTWAIT), 0);
  }

  /**
   * Takes what has arrived, without waiting.
   *
   * @returns How many datagrams.
   */
  receive(): number {
    const { symbols } = this.#library;
    const { headers } = this.#received;
    return Math.max(symbols.recvmmsg(this.#socket, headers, BATCH_MAX, MSG_DONTWAIT, null), 0);
  }

  /** A datagram of the last {@linkcode receive}. */
  datagram(index: number): Uint8Array {
    return this.#received.datagram(index);
  }

  /** Waits until something arrives; whether it did. */
  wait(timeoutMs: number): boolean {
    return this.#library.symbols.poll(this.#poll, 1n, timeoutMs) > 0;
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.#library.symbols.close(this.#socket);
    this.#library.close();
  }
}
