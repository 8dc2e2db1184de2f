/**
 * A UDP client that sends what a test says and waits for answers.
 *
 * @module
 */

/** How long an answer may take on this machine, in milliseconds. */
const ANSWER_TIMEOUT_MS = 5000;

/** Answers that are kept until a test looks at them. */
const KEPT_MAX = 100_000;

/** Whether all of 127.0.0.0/8 is this machine; on macOS it is one address. */
export const HAS_LOOPBACK_NETWORK: boolean = Deno.build.os !== "darwin";

/** What a test that needs several addresses says behind its name where there is one. */
export const NO_LOOPBACK_NETWORK: string = HAS_LOOPBACK_NETWORK
  ? ""
  : " (skipped: this system has one loopback address)";

/** See the module. */
export class UdpClient implements AsyncDisposable {
  /** Every answer so far, in order. */
  readonly answers: Uint8Array[] = [];
  readonly port: number;
  readonly #socket: Deno.DatagramConn;
  readonly #reading: Promise<void>;
  #arrived = Promise.withResolvers<void>();

  /**
   * Opens a socket.
   *
   * @param hostname Address of this machine.
   * @param port Port; any free one by default.
   */
  constructor(hostname = "127.0.0.1", port = 0) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    const { addr } = this.#socket;
    this.port = addr.transport === "udp" ? addr.port : 0;
    this.#reading = this.#read();
  }

  /** Sends a datagram. */
  async send(bytes: Uint8Array | string, port: number, hostname = "127.0.0.1"): Promise<void> {
    const datagram = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    await this.#socket.send(datagram, { transport: "udp", hostname, port });
  }

  /** Sends a datagram and waits for the next answer. */
  async ask(bytes: Uint8Array | string, port: number, hostname = "127.0.0.1"): Promise<Uint8Array> {
    const known = this.answers.length;
    await this.send(bytes, port, hostname);
    await this.until(known + 1);
    return this.answers[known] ?? new Uint8Array(0);
  }

  /** As {@linkcode ask}, with text. */
  async askText(text: string, port: number, hostname = "127.0.0.1"): Promise<string> {
    return new TextDecoder().decode(await this.ask(text, port, hostname));
  }

  /** Waits until there are `count` answers in all. */
  async until(count: number): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`${this.answers.length} answers of ${count}`)),
      ANSWER_TIMEOUT_MS,
    );
    try {
      while (this.answers.length < count) await Promise.race([this.#arrived.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const [bytes] of this.#socket) {
      if (this.answers.length >= KEPT_MAX) throw new Error("Too many answers");
      this.answers.push(bytes.slice());
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    }
  }
}
