/** Forwards connections to a port of this machine, and shows a test what passes. */
export class TcpProxy implements AsyncDisposable {
  readonly listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #onBytes: (bytes: Uint8Array) => void;
  readonly #pumps: Promise<void>[] = [];

  /** `onBytes` sees what passes in either direction, and may change it. */
  constructor(target: number, onBytes: (bytes: Uint8Array) => void) {
    this.#target = target;
    this.#onBytes = onBytes;
    this.#pumps.push(this.#accept());
  }

  get address(): string {
    return `127.0.0.1:${this.listener.addr.port}`;
  }

  async #accept(): Promise<void> {
    for await (const client of this.listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      this.#pumps.push(this.#pump(client, server), this.#pump(server, client));
    }
  }

  async #pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        this.#onBytes(buffer.subarray(0, count));
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // One side has gone; so goes the other.
    }
    for (const conn of [from, to]) {
      try {
        conn.close();
      } catch {
        // The pump of the other direction was faster.
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await Promise.all(this.#pumps);
  }
}
